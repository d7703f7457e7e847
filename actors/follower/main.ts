/** The `follower` actor: one for all `task` workers of a process. It waits for Kafka for ever, and after a fault goes on where it stopped. */
import type { EachBatchPayload } from "kafkajs";
import { behave, type Self } from "../../runtime/actor.ts";
import { readAnnouncements } from "../kafka/announcement-record.ts";
import { kafkaClient } from "../kafka/client.ts";
import { isOurFault, stayJoined } from "../kafka/stay-joined.ts";
import { TopicsError } from "../kafka/topics.ts";
import { countThread } from "../metrics/threads.ts";
import { outage } from "../outage.ts";
import { NotWell, reportHealth } from "../report-health.ts";
import type { KafkaServers } from "../servers.ts";
import { followEvents } from "./events-kafka.ts";
import { followSpaces } from "./follow-spaces.ts";
import { announcements, follower, type KnownFacts } from "./messages.ts";

export type FollowerData = {
  kafka: KafkaServers;
  /** What the names of its groups begin with, of this process alone. */
  group: string;
  /** Follows the facts of spaces, in the place of the announcements of tasks. */
  spaces?: true;
};

type State = {
  readonly announced: () => readonly number[] | null;
  readonly spaces: () => readonly KnownFacts[] | null;
  readonly stop: () => Promise<void>;
};

/** Announcements in one message to the workers at most. */
const publishMax = 200;
/** When commands wait for so long and nothing is announced, no writer is at work. */
const silentMs = 3_000;

export default behave<typeof follower.accepts, State, FollowerData>(follower, {
  start(self: Self<typeof follower.accepts, FollowerData>): State {
    countThread(self);
    const { kafka: servers, group } = self.args;
    const kafka = kafkaClient(servers, "task-tracker-follower");
    if (self.args.spaces === true) {
      const followed = followSpaces(self, { kafka, servers, group });
      const endReports = reportHealth(self, { kafka: followed.probe });
      const stop = async () => {
        endReports();
        await followed.stop();
      };
      return { announced: () => null, spaces: followed.known, stop };
    }
    let announced: number[] = [];
    let hasCaughtUp = false;
    /** When something was announced last, or nothing waited to be. */
    let heardMs = Date.now();

    function heard({ batch }: EachBatchPayload): void {
      heardMs = Date.now();
      const said = readAnnouncements(batch.messages);
      for (const { taken } of said)
        announced[taken.partition] = Math.max(announced[taken.partition] ?? -1, taken.offset);
      for (let from = 0; from < said.length; from += publishMax)
        void self.publish(announcements, said.slice(from, from + publishMax));
    }

    const following = outage(self.log, { server: "kafka", urls: servers.brokers, step: "follow the announcements" });
    const staying = stayJoined({
      join: (lost) =>
        followEvents({
          kafka,
          servers,
          group,
          heard,
          floor: (offsets) => {
            announced = offsets.map((offset, partition) => Math.max(offset, announced[partition] ?? -1));
          },
          lost,
        }),
      until: self.stopping,
      failed: (error) => {
        if (error instanceof TopicsError || isOurFault(error)) self.fail(error);
        following.failed(error);
      },
      joined: () => {
        following.fine();
        self.log("info", "follows", { group });
      },
    });

    const endReports = reportHealth(self, {
      kafka: async () => {
        const events = staying.now();
        if (events === undefined) throw new NotWell("not reached");
        if (!events.caughtUp()) throw new NotWell("catching up");
        const ends = await events.logEnds();
        const lag = ends.reduce((sum, end, partition) => sum + Math.max(0, end - 1 - (announced[partition] ?? -1)), 0);
        const nowMs = Date.now();
        if (lag === 0) heardMs = nowMs;
        return nowMs - heardMs > silentMs ? { lag, detail: "nothing taken from it" } : { lag };
      },
    });

    return {
      // Once is enough: what is missed in an outage is heard after it, by those who ask now as well.
      announced: () => {
        hasCaughtUp ||= staying.now()?.caughtUp() === true;
        return hasCaughtUp ? announced : null;
      },
      spaces: () => null,
      stop: async () => {
        endReports();
        await staying.stop();
      },
    };
  },
  on: {
    announced: ({ announced }) => announced(),
    spaces: ({ spaces }) => spaces(),
  },
  stop: ({ stop }) => stop(),
});
