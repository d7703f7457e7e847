/** The `follower` actor: one for all `task` workers of a process. It waits for Kafka for ever, and after a fault goes on where it stopped. */
import type { EachBatchPayload } from "kafkajs";
import { behave, type Self } from "../../runtime/actor.ts";
import { fault } from "../debug.ts";
import { readAnnouncements } from "../kafka/announcement-record.ts";
import { kafkaClient, reasonOf } from "../kafka/client.ts";
import { TopicsError } from "../kafka/topics.ts";
import { NotWell, reportHealth } from "../report-health.ts";
import type { KafkaServers } from "../servers.ts";
import { keepTrying, settles } from "../waiting.ts";
import { type FollowedEvents, followEvents } from "./events-kafka.ts";
import { announcements, follower } from "./messages.ts";

export type FollowerData = {
  kafka: KafkaServers;
  /** What the names of its groups begin with, of this process alone. */
  group: string;
  debugFaults: boolean;
};

type State = {
  readonly announced: () => readonly number[] | null;
  readonly debugFaults: boolean;
  readonly stop: () => Promise<void>;
};

/** Announcements in one message to the workers at most. */
const publishMax = 200;
const stopMs = 3_500;
const pauses = { fromMs: 100, toMs: 3_000 };

export default behave<typeof follower.accepts, State, FollowerData>(follower, {
  start(self: Self<typeof follower.accepts, FollowerData>): State {
    const { kafka: servers, group, debugFaults } = self.data;
    const kafka = kafkaClient(servers, "task-tracker-follower");
    let announced: number[] = [];
    let events: FollowedEvents | undefined;

    function heard({ batch }: EachBatchPayload): void {
      const said = readAnnouncements(batch.messages);
      for (const { taken } of said)
        announced[taken.partition] = Math.max(announced[taken.partition] ?? -1, taken.offset);
      for (let from = 0; from < said.length; from += publishMax)
        self.publish(announcements, said.slice(from, from + publishMax));
    }

    async function begin(): Promise<void> {
      await keepTrying(
        async () => {
          events = await followEvents({
            kafka,
            servers,
            group,
            heard,
            floor: (offsets) => {
              announced = offsets.map((offset, partition) => Math.max(offset, announced[partition] ?? -1));
            },
            crashed: (error) =>
              self.fail(new Error(`Cannot go on: the consumer of announcements died (${reasonOf(error)})`)),
          });
        },
        {
          ...pauses,
          until: self.stopping,
          failed: (error, failures) => {
            if (error instanceof TopicsError) self.fail(error);
            if (failures === 1) self.log("warn", "waiting", { for: "kafka", reason: reasonOf(error) });
          },
        },
      );
      self.log("info", "follows", { group });
    }
    const beginning = begin().catch(() => undefined);

    const endReports = reportHealth(self, {
      kafka: async () => {
        if (events === undefined) throw new NotWell("not reached");
        if (!events.caughtUp()) throw new NotWell("catching up");
        const ends = await events.logEnds();
        return {
          lag: ends.reduce((sum, end, partition) => sum + Math.max(0, end - 1 - (announced[partition] ?? -1)), 0),
        };
      },
    });

    return {
      announced: () => (events?.caughtUp() === true ? announced : null),
      debugFaults,
      stop: async () => {
        endReports();
        await settles(beginning, stopMs);
        await events?.stop(stopMs);
      },
    };
  },
  on: {
    announced: ({ announced }) => announced(),
    debug({ debugFaults }, { how }) {
      if (debugFaults) fault(how);
    },
  },
  stop: ({ stop }) => stop(),
});
