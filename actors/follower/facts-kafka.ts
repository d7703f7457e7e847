/** `facts` from where what is not projected begins, in a group that nobody else is in. */
import { randomUUID } from "node:crypto";
import type { Admin, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { committing } from "../kafka/commits.ts";
import { membership } from "../kafka/group.ts";
import { type SpaceNames, spaceNamesIn } from "../kafka/names.ts";
import { factsOffsetIn } from "../kafka/projected-place.ts";
import { ensureSpaceTopics } from "../kafka/topics.ts";
import type { KafkaServers } from "../servers.ts";
import { settles, withDeadline } from "../waiting.ts";

export type FollowFactsOptions = {
  readonly kafka: Kafka;
  readonly servers: KafkaServers;
  /** What the groups of this follower begin with: each life has one of its own, since it would have to wait until the one before is known to be dead. */
  readonly group: string;
  /** What is fetched of a partition, in order: from an offset on, and up to another. */
  readonly heard: (batch: FactsBatch) => void;
  /** By partition, what is projected and where the reading begins; told before the first batch. */
  readonly begun: (places: readonly ProjectedPlace[]) => void;
  /** It is no member any more, and will not be one again. */
  readonly lost: (error: Error) => void;
};

export type FactsBatch = {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly messages: readonly KafkaMessage[];
};

/** Everything below `position` is projected, and of everything from there on the facts begin at `from`. */
export type ProjectedPlace = { readonly partition: number; readonly position: number; readonly from: number };

export type FollowedFacts = {
  /** Whether all that had been told before the start has been heard. */
  caughtUp(): boolean;
  /** By partition, the offset after the last record of the facts, and after the last command; throw when Kafka does not answer. */
  ends(): Promise<number[]>;
  logEnds(): Promise<number[]>;
  stop(): Promise<void>;
};

const startMs = 20_000;
const forgetMs = 1_000;
const commitMs = 500;
const stopMs = 3_000;

/** Resolves when the group has been joined; rejects, leaving nothing behind, when Kafka does not let it in time. */
export async function followFacts(options: FollowFactsOptions): Promise<FollowedFacts> {
  const { kafka, heard, begun, lost } = options;
  const group = `${options.group}.${randomUUID().slice(0, 8)}`;
  const names = spaceNamesIn(options.servers);
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: group, ...membership });
  let isStopping = false;
  let earlier: string[] = [];
  /** By partition, the offset after the last record before the start, until that has been heard. */
  const toHear = new Map<number, number>();
  let latest: EachBatchPayload | undefined;
  /** Not waited for: what comes next is heard at once, and what is heard twice does no harm. */
  const commits = committing(names.facts, async (offsets) => latest?.commitOffsetsIfNecessary(offsets));
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (!isStopping) lost(error);
  });
  consumer.on(consumer.events.REBALANCING, () => commits.forget());

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale()) return;
    const { batch } = payload;
    const { partition, messages } = batch;
    const next = Number(batch.lastOffset()) + 1;
    heard({ partition, from: Number(batch.firstOffset() ?? next), next, messages });
    latest = payload;
    commits.note({ partition, offset: String(next) });
    payload.resolveOffset(batch.lastOffset());
    if (next >= (toHear.get(partition) ?? 0)) toHear.delete(partition);
  }

  async function start(): Promise<void> {
    await admin.connect();
    const { partitions } = await ensureSpaceTopics(admin, options.servers);
    // Ends before places: what is told in between is projected later, and heard.
    const ends = await admin.fetchTopicOffsets(names.facts);
    const places = await projectedPlaces(admin, names, partitions);
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    earlier = groups.filter((each) => each.startsWith(`${options.group}.`));
    const known = await heardBefore(admin, names, earlier);
    const seeks = ends.map(({ partition, low, high }) => {
      const from = Math.min(places[partition]?.from ?? 0, known[partition] ?? Number.MAX_SAFE_INTEGER);
      const first = Math.min(Math.max(from, Number(low)), Number(high));
      if (first < Number(high)) toHear.set(partition, Number(high));
      return { topic: names.facts, partition, offset: String(first) };
    });
    begun(
      places.map((place) => ({
        ...place,
        from: Number(seeks.find((each) => each.partition === place.partition)?.offset ?? 0),
      })),
    );
    await consumer.connect();
    await consumer.subscribe({ topics: [names.facts], fromBeginning: false });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    for (const each of seeks) consumer.seek(each);
    // The next life begins here where nothing has been heard by then.
    await consumer.commitOffsets(seeks);
    await settles(admin.deleteGroups(earlier), forgetMs);
  }

  async function stop(): Promise<void> {
    isStopping = true;
    await commits.end(commitMs);
    const left = consumer.disconnect().then(() => admin.deleteGroups([group, ...earlier]));
    await settles(left, stopMs);
    await settles(admin.disconnect(), 500);
  }

  try {
    await withDeadline(start(), startMs);
  } catch (error) {
    await stop();
    throw error;
  }
  const endsOf = async (topic: string) => {
    const found: number[] = [];
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) found[partition] = Number(high);
    return found;
  };
  return {
    caughtUp: () => toHear.size === 0,
    ends: () => endsOf(names.facts),
    logEnds: () => endsOf(names.commands),
    stop,
  };
}

/** What the writers have committed is projected; the commit says from where on the facts behind it are found. */
async function projectedPlaces(admin: Admin, names: SpaceNames, partitions: number): Promise<ProjectedPlace[]> {
  const [found] = await admin.fetchOffsets({ groupId: names.writers, topics: [names.commands] });
  const known = new Map((found?.partitions ?? []).map((each) => [each.partition, each]));
  return Array.from({ length: partitions }, (_, partition) => {
    const place = known.get(partition);
    const from = factsOffsetIn(place?.metadata ?? "") ?? 0;
    return { partition, position: Math.max(0, Number(place?.offset ?? 0)), from };
  });
}

/** By partition, where the latest of these groups was; nothing where none had a place. */
async function heardBefore(admin: Admin, names: SpaceNames, groups: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const groupId of groups)
    for (const { partitions } of await admin.fetchOffsets({ groupId, topics: [names.facts] }))
      for (const { partition, offset } of partitions)
        if (Number(offset) >= 0) found[partition] = Math.max(found[partition] ?? -1, Number(offset));
  return found;
}
