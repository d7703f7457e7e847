/** The `consumer` actor: the single writer, on the log that this system has. */
import { behave, type Self } from "../../runtime/actor.ts";
import { countThread } from "../metrics/threads.ts";
import type { KafkaServers, Server } from "../servers.ts";
import type { TracingSettings } from "../tracing/exporter.ts";
import { type Tracer, tracerOf } from "../tracing/tracer.ts";
import { consumer } from "./messages.ts";
import type { Writer } from "./writer.ts";

export type ConsumerData = {
  dataDir: string;
  /** Both or none. */
  kafka?: KafkaServers;
  mongo?: Server;
  /** Where traces go; without it there are none. */
  tracing?: TracingSettings;
};

type State = { readonly writer: Writer; readonly tracer: Tracer | undefined };

export default behave<typeof consumer.accepts, State, ConsumerData>(consumer, {
  async start(self: Self<typeof consumer.accepts, ConsumerData>) {
    countThread(self);
    const { dataDir, kafka, mongo } = self.args;
    const tracer = tracerOf(self, self.args.tracing);
    // Only what is used is loaded: drivers cost time at the start and memory.
    const writer =
      kafka === undefined || mongo === undefined
        ? (await import("./embedded/writer.ts")).localSpaceWriter(self, dataDir, tracer)
        : (await import("./servers/writer.ts")).kafkaSpaceWriter(self, { kafka, mongo, tracer });
    return { writer, tracer };
  },
  on: {
    ready({ writer }) {
      if (!writer.isReady()) throw new Error("Cannot take commands yet");
    },
  },
  batch: { kinds: ["take", "erase"], max: 256, on: ({ writer }, messages) => writer.append(messages) },
  async stop({ writer, tracer }) {
    await writer.stop();
    await tracer?.close();
  },
});
