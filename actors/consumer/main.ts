/** The `consumer` actor: the single writer, on the log that this system has. */
import { behave, type Self } from "../../runtime/actor.ts";
import { fault } from "../debug.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { consumer } from "./messages.ts";
import type { Writer } from "./writer.ts";
import { kafkaWriter } from "./writer-kafka.ts";
import { localWriter } from "./writer-local.ts";

export type ConsumerData = {
  dataDir: string;
  debugFaults: boolean;
  /** Both or none. */
  kafka?: KafkaServers;
  mongo?: Server;
};

type State = { readonly writer: Writer; readonly debugFaults: boolean };

export default behave<typeof consumer.accepts, State, ConsumerData>(consumer, {
  start(self: Self<typeof consumer.accepts, ConsumerData>) {
    const { dataDir, debugFaults, kafka, mongo } = self.data;
    const isLocal = kafka === undefined || mongo === undefined;
    return { writer: isLocal ? localWriter(self, dataDir) : kafkaWriter(self, { kafka, mongo }), debugFaults };
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
