/** Follows what the writers of spaces tell, for ever, and hands it on to the workers of this process. */

import type { Kafka } from "kafkajs";
import type { Self } from "../../runtime/actor.ts";
import { type Probe, Unhealthy } from "../health/report-health.ts";
import { groupMembership, isOurFault } from "../kafka/group-membership.ts";
import { TopicsError } from "../kafka/topic-settings.ts";
import { outage } from "../outage.ts";
import type { KafkaServers } from "../servers.ts";
import { withDeadline } from "../waiting.ts";
import { type FactsBatch, followFacts } from "./facts-kafka.ts";
import { factsEnds, factsHeard, type KnownFacts } from "./messages.ts";
import { unprojectedTail } from "./unprojected-tail.ts";

export type FollowedSpaces = {
  /** Null until it has caught up with what was told before it came. */
  known(): readonly KnownFacts[] | null;
  readonly probe: Probe;
  stop(): Promise<void>;
};

type Body = Pick<Self, "log" | "fail" | "publish" | "stopping">;

/** Characters in one message to the workers, unless a single record has more. */
const publishCharsMax = 500_000;
/** When commands wait for so long and nothing is told, no writer is at work. */
const silentMs = 3_000;
/** Rosters count for a second after it was known that nothing newer was told. */
const endsEveryMs = 250;
const endsMs = 800;

export function followSpaces(
  self: Body,
  options: { kafka: Kafka; servers: KafkaServers; group: string },
): FollowedSpaces {
  const { kafka, servers, group } = options;
  const tail = unprojectedTail();
  let hasCaughtUp = false;
  /** When something was told last, or nothing waited to be. */
  let heardMs = Date.now();
  const following = outage(self.log, { server: "kafka", urls: servers.brokers, step: "follow the facts" });

  function heard(batch: FactsBatch): void {
    heardMs = Date.now();
    const values = tail.hear(batch);
    let from = batch.from;
    let part: string[] = [];
    let chars = 0;
    for (const [at, value] of values.entries()) {
      part.push(value);
      chars += value.length;
      const next = Number(batch.messages[at + 1]?.offset ?? batch.next);
      if (chars < publishCharsMax && at < values.length - 1) continue;
      void self.publish(factsHeard, { partition: batch.partition, from, next, values: part });
      [from, part, chars] = [next, [], 0];
    }
  }

  const staying = groupMembership({
    join: (lost) => followFacts({ kafka, servers, group, heard, begun: tail.begin, lost }),
    until: self.stopping,
    failed: (error) => {
      if (error instanceof TopicsError || isOurFault(error)) self.fail(error);
      following.failed(error);
    },
    joined: () => {
      following.succeeded();
      self.log("info", "follows", { group });
    },
  });

  let isAsking = false;
  async function tellEnds(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const askedMs = Date.now();
    const facts = staying.now();
    let ends: readonly number[] | null = null;
    try {
      if (facts !== undefined) ends = await withDeadline(facts.ends(), endsMs);
    } catch {
      // What is wrong with Kafka is told by the probe.
    } finally {
      isAsking = false;
    }
    void self.publish(factsEnds, { askedMs, ends });
  }
  const asking = setInterval(() => void tellEnds(), endsEveryMs);

  return {
    // Once is enough: what is missed in an outage is heard after it, by those who ask now as well.
    known() {
      hasCaughtUp ||= staying.now()?.caughtUp() === true;
      return hasCaughtUp ? tail.known() : null;
    },
    async probe() {
      const facts = staying.now();
      if (facts === undefined) throw new Unhealthy("not reached");
      if (!facts.caughtUp()) throw new Unhealthy("catching up");
      const ends = await facts.logEnds();
      const lag = ends.reduce((sum, end, partition) => sum + Math.max(0, end - 1 - tail.told(partition)), 0);
      const nowMs = Date.now();
      if (lag === 0) heardMs = nowMs;
      return nowMs - heardMs > silentMs ? { lag, detail: "nothing taken from it" } : { lag };
    },
    async stop() {
      clearInterval(asking);
      await staying.stop();
    },
  };
}
