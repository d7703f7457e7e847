/** `task.events` from its latest announcements on, in a group that nobody else is in. */
import { randomUUID } from "node:crypto";
import type { Admin, EachBatchPayload, Kafka } from "kafkajs";
import { committing } from "../kafka/commits.ts";
import { membership } from "../kafka/group.ts";
import { type Names, namesIn } from "../kafka/names.ts";
import { ensureTopics } from "../kafka/topics.ts";
import type { KafkaServers } from "../servers.ts";
import { settles, withDeadline } from "../waiting.ts";

export type FollowEventsOptions = {
  readonly kafka: Kafka;
  readonly servers: KafkaServers;
  /** What the groups of this follower begin with: each life has one of its own, since it would have to wait until the one before is known to be dead. */
  readonly group: string;
  /** Each batch, in order within a partition. */
  readonly heard: (payload: EachBatchPayload) => void;
  /** By partition, the offset of the last command of which it is certain that it has been announced; told before the first batch. */
  readonly floor: (offsets: number[]) => void;
  /** It is no member any more, and will not be one again. */
  readonly lost: (error: Error) => void;
};

export type FollowedEvents = {
  /** Whether all that had been announced before the start has been heard. */
  caughtUp(): boolean;
  /** By partition, the offset after the last command of the log; throws when Kafka does not answer. */
  logEnds(): Promise<number[]>;
  stop(): Promise<void>;
};

/** Latest announcements heard again at the start: a writer that had been replaced may have announced older ones once more at the end. */
const rewind = 64;
const startMs = 20_000;
const forgetMs = 1_000;
const commitMs = 500;
const stopMs = 3_000;

/** Resolves when the group has been joined; rejects, leaving nothing behind, when Kafka does not let it in time. */
export async function followEvents(options: FollowEventsOptions): Promise<FollowedEvents> {
  const { kafka, heard, floor, lost } = options;
  const group = `${options.group}.${randomUUID().slice(0, 8)}`;
  const names = namesIn(options.servers);
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: group,
    ...membership,
  });
  let stopping = false;
  let earlier: string[] = [];
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (!stopping) lost(error);
  });

  /** By partition, the offset after the last announcement made before the start, until that has been heard. */
  const toHear = new Map<number, number>();

  let latest: EachBatchPayload | undefined;
  /** Not waited for: what comes next is heard at once, and what is heard twice does no harm. */
  const commits = committing(names.events, async (offsets) => latest?.commitOffsetsIfNecessary(offsets));

  consumer.on(consumer.events.REBALANCING, () => commits.forget());

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale()) return;
    const { batch } = payload;
    const { partition } = batch;
    heard(payload);
    const next = Number(batch.lastOffset()) + 1;
    latest = payload;
    commits.note({ partition, offset: String(next) });
    payload.resolveOffset(batch.lastOffset());
    if (next >= (toHear.get(partition) ?? 0)) toHear.delete(partition);
  }

  async function start(): Promise<void> {
    await admin.connect();
    const { partitions } = await ensureTopics(admin, options.servers);
    // Ends before commits: what is announced in between is committed by its writer later, and heard by us.
    const ends = await admin.fetchTopicOffsets(names.events);
    floor(await committed(admin, names, partitions));
    earlier = (await admin.listGroups()).groups
      .map(({ groupId }) => groupId)
      .filter((each) => each.startsWith(`${options.group}.`));
    const known = await places(admin, names, earlier);
    const seeks: { partition: number; offset: number }[] = [];
    for (const { partition, low, high } of ends) {
      const from = known[partition] ?? -1;
      const first = from >= Number(low) ? from : Math.max(Number(low), Number(high) - rewind);
      if (first < Number(high)) toHear.set(partition, Number(high));
      seeks.push({ partition, offset: first });
    }
    await consumer.connect();
    await consumer.subscribe({ topics: [names.events], fromBeginning: false });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    const at = seeks.map(({ partition, offset }) => ({ topic: names.events, partition, offset: String(offset) }));
    for (const each of at) consumer.seek(each);
    // The next life begins here where nothing has been heard by then.
    await consumer.commitOffsets(at);
    await settles(admin.deleteGroups(earlier), forgetMs);
  }

  async function stop(): Promise<void> {
    stopping = true;
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
  return {
    caughtUp: () => toHear.size === 0,
    logEnds: async () => byPartition(await admin.fetchTopicOffsets(names.commands), ({ high }) => Number(high)),
    stop,
  };
}

/** What the writers have committed, they have announced before. */
async function committed(admin: Admin, names: Names, partitions: number): Promise<number[]> {
  const [found] = await admin.fetchOffsets({ groupId: names.writers, topics: [names.commands] });
  const known = byPartition(found?.partitions ?? [], ({ offset }) => Number(offset) - 1);
  return Array.from({ length: partitions }, (_, partition) => Math.max(-1, known[partition] ?? -1));
}

/** By partition, where the latest of these groups was; nothing where none had a place. */
async function places(admin: Admin, names: Names, groups: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const groupId of groups)
    for (const { partitions } of await admin.fetchOffsets({ groupId, topics: [names.events] }))
      for (const { partition, offset } of partitions)
        found[partition] = Math.max(found[partition] ?? -1, Number(offset));
  return found;
}

function byPartition<Each extends { partition: number }>(all: readonly Each[], of: (each: Each) => number): number[] {
  const found: number[] = [];
  for (const each of all) found[each.partition] = of(each);
  return found;
}
