/** The `follower` actor: one for all `task` workers of a process. It waits for Kafka for ever, and after a fault goes on where it stopped. */
import { behave, type Self } from "../../runtime/actor.ts";
import { reportHealth } from "../health/report-health.ts";
import { kafkaClient } from "../kafka/client.ts";
import { countThread } from "../metrics/threads.ts";
import type { KafkaServers } from "../servers.ts";
import { followSpaces } from "./follow-facts.ts";
import { follower, type KnownFacts } from "./messages.ts";

export type FollowerData = {
  kafka: KafkaServers;
  /** What the names of its groups begin with, of this process alone. */
  group: string;
};

type State = {
  readonly spaces: () => readonly KnownFacts[] | null;
  readonly stop: () => Promise<void>;
};

export default behave<typeof follower.accepts, State, FollowerData>(follower, {
  start(self: Self<typeof follower.accepts, FollowerData>): State {
    countThread(self);
    const { kafka: servers, group } = self.args;
    const kafka = kafkaClient(servers, "task-tracker-follower");
    const followed = followSpaces(self, { kafka, servers, group });
    const endReports = reportHealth(self, { kafka: followed.probe });
    return {
      spaces: followed.known,
      async stop() {
        endReports();
        await followed.stop();
      },
    };
  },
  on: {
    spaces: ({ spaces }) => spaces(),
  },
  stop: ({ stop }) => stop(),
});
