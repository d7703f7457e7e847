/** The `consumer` actor: the single writer, on the log that this system has. */
import { behave, type Self } from "../../runtime/actor.ts";
import { fault } from "../debug.ts";
import { countThread } from "../metrics/threads.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { consumer } from "./messages.ts";
import type { Writer } from "./writer.ts";

export type ConsumerData = {
  dataDir: string;
  debugFaults: boolean;
  /** Both or none. */
  kafka?: KafkaServers;
  mongo?: Server;
};

type State = { readonly writer: Writer; readonly debugFaults: boolean };

export default behave<typeof consumer.accepts, State, ConsumerData>(consumer, {
  async start(self: Self<typeof consumer.accepts, ConsumerData>) {
    countThread(self);
    const { dataDir, debugFaults, kafka, mongo } = self.data;
    // Only what is used is loaded: drivers cost time at the start and memory.
    const writer =
      kafka === undefined || mongo === undefined
        ? (await import("./writer-local.ts")).localWriter(self, dataDir)
        : (await import("./writer-kafka.ts")).kafkaWriter(self, { kafka, mongo });
    return { writer, debugFaults };
  },
  on: {
    ready({ writer }) {
      if (!writer.isReady()) throw new Error("Cannot take commands yet");
    },
    debug({ debugFaults }, { how }) {
      if (debugFaults) fault(how);
    },
  },
  batch: { kinds: ["append"], max: 256, on: ({ writer }, messages) => writer.append(messages) },
  stop: ({ writer }) => writer.stop(),
});
