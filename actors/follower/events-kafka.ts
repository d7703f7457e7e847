/** `task.events` from its latest announcements on, in a group of this process alone. */
import type { Admin, EachBatchPayload, Kafka } from "kafkajs";
import { ensureTopics, type Names, namesIn } from "../kafka/topics.ts";
import type { KafkaServers } from "../servers.ts";
import { settles, withDeadline } from "../waiting.ts";

export type FollowEventsOptions = {
  readonly kafka: Kafka;
  readonly servers: KafkaServers;
  readonly group: string;
  /** Each batch, in order within a partition. */
  readonly heard: (payload: EachBatchPayload) => void;
  /** By partition, the offset of the last command of which it is certain that it has been announced; told before the first batch. */
  readonly floor: (offsets: number[]) => void;
  readonly crashed: (error: Error) => void;
};

export type FollowedEvents = {
  /** Whether all that had been announced before the start has been heard. */
  caughtUp(): boolean;
  /** By partition, the offset after the last command of the log; throws when Kafka does not answer. */
  logEnds(): Promise<number[]>;
  stop(withinMs: number): Promise<void>;
};

/** Latest announcements heard again at the start: a writer that had been replaced may have announced older ones once more at the end. */
const rewind = 64;
const startMs = 20_000;

/** Resolves when the group has been joined; rejects, leaving nothing behind, when Kafka does not let it in time. */
export async function followEvents(options: FollowEventsOptions): Promise<FollowedEvents> {
  const { kafka, group, heard, floor, crashed } = options;
  const names = namesIn(options.servers);
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 30_000,
    heartbeatInterval: 3_000,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  let stopping = false;
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart && !stopping) crashed(error);
  });

  /** By partition, the offset after the last announcement made before the start, until that has been heard. */
  const toHear = new Map<number, number>();

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale()) return;
    const { batch } = payload;
    const { partition } = batch;
    heard(payload);
    const next = Number(batch.lastOffset()) + 1;
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic: names.events, partitions: [{ partition, offset: String(next) }] }],
    });
    payload.resolveOffset(batch.lastOffset());
    if (next >= (toHear.get(partition) ?? 0)) toHear.delete(partition);
    await payload.heartbeat();
  }

  async function start(): Promise<void> {
    await admin.connect();
    const { partitions } = await ensureTopics(admin, options.servers);
    // Ends before commits: what is announced in between is committed by its writer later, and heard by us.
    const ends = await admin.fetchTopicOffsets(names.events);
    floor(await committed(admin, names, partitions));
    const mine = (await admin.fetchOffsets({ groupId: group, topics: [names.events] }))[0]?.partitions ?? [];
    const known = new Map(mine.map(({ partition, offset }) => [partition, Number(offset)]));
    const seeks: { partition: number; offset: number }[] = [];
    for (const { partition, low, high } of ends) {
      const from = known.get(partition) ?? -1;
      const first = from >= Number(low) ? from : Math.max(Number(low), Number(high) - rewind);
      if (first < Number(high)) toHear.set(partition, Number(high));
      seeks.push({ partition, offset: first });
    }
    await consumer.connect();
    await consumer.subscribe({ topics: [names.events], fromBeginning: false });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
    for (const { partition, offset } of seeks)
      consumer.seek({ topic: names.events, partition, offset: String(offset) });
  }

  async function stop(withinMs: number): Promise<void> {
    stopping = true;
    const left = consumer.disconnect().then(() => admin.deleteGroups([group]));
    await settles(left, withinMs);
    await settles(admin.disconnect(), 500);
  }

  try {
    await withDeadline(start(), startMs, () => new Error("late"));
  } catch (error) {
    await stop(1_000);
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

function byPartition<Each extends { partition: number }>(all: readonly Each[], of: (each: Each) => number): number[] {
  const found: number[] = [];
  for (const each of all) found[each.partition] = of(each);
  return found;
}
