/** Reads a topic from given places up to given ends, once, without leaving anything of it in Kafka. For tools: servers follow a topic for ever. */
import { randomUUID } from "node:crypto";
import type { Kafka, KafkaMessage } from "kafkajs";
import { settles } from "../waiting.ts";
import { membership } from "./group.ts";

export type ReadOptions = {
  readonly kafka: Kafka;
  readonly topic: string;
  /** What the name of the group begins with that is made for it and removed after it. */
  readonly group: string;
  /** By partition: the first offset to read, and the one after the last. */
  readonly stretches: readonly { readonly partition: number; readonly from: number; readonly to: number }[];
  /** Is given what comes in order within a partition; of several partitions at once. More comes when all under way have resolved. */
  readonly take: (partition: number, messages: readonly KafkaMessage[]) => void | Promise<void>;
  /** Whether no more is wanted of a partition for now; asked again and again. Always more, unless given. */
  readonly hasEnough?: (partition: number) => boolean;
  /** Ends the reading; its reason is thrown. */
  readonly signal: AbortSignal;
};

/** When nothing comes for so long, nothing will: longer than one slow request, and one more try, may take. */
const silentMs = 180_000;
const lookMs = 50;
const heartbeatMs = 1_000;
const leaveMs = 3_000;
const bytesPerPartition = 1_048_576;

/** Rejects with what `take` throws, with what ends the consumer, or when Kafka gives nothing more before the ends. */
export async function readThrough(options: ReadOptions): Promise<void> {
  const { kafka, topic, group, stretches, take, hasEnough, signal } = options;
  const left = new Map(stretches.filter(({ from, to }) => from < to).map((each) => [each.partition, each]));
  if (left.size === 0) return;
  /** By partition, the first offset that was not given yet: Kafka may give a part once more, after a rebalance for example. */
  const next = new Map(stretches.map(({ partition, from }) => [partition, from]));
  const groupId = `${group}.${randomUUID()}`;
  const count = left.size;
  const consumer = kafka.consumer({
    groupId,
    ...membership,
    // Each fetch has something of every partition: none waits for the others.
    maxBytesPerPartition: bytesPerPartition,
    maxBytes: count * bytesPerPartition,
  });
  const admin = kafka.admin();
  let failure: unknown;
  let cameMs = Date.now();
  let taking = 0;
  const paused = new Set<number>();
  /** Stops the flow of what is wanted no more, and lets flow again what is. */
  const balance = () => {
    for (const partition of left.keys()) {
      const isEnough = hasEnough?.(partition) === true;
      if (isEnough === paused.has(partition)) continue;
      if (isEnough) paused.add(partition);
      else paused.delete(partition);
      consumer[isEnough ? "pause" : "resume"]([{ topic, partitions: [partition] }]);
    }
  };
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    failure ??= error;
  });

  await consumer.connect();
  try {
    await admin.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: count,
      async eachBatch({ batch, heartbeat, resolveOffset, isStale }) {
        const { partition } = batch;
        const stretch = left.get(partition);
        if (failure !== undefined || isStale()) return;
        const first = next.get(partition) ?? 0;
        const messages = batch.messages.filter(
          ({ offset }) => stretch !== undefined && Number(offset) >= first && Number(offset) < stretch.to,
        );
        next.set(partition, Math.max(first, Number(batch.lastOffset()) + 1));
        const beating = setInterval(() => void heartbeat().catch(() => undefined), heartbeatMs);
        taking += 1;
        try {
          if (messages.length > 0) await take(partition, messages);
        } catch (error) {
          failure ??= error;
          return;
        } finally {
          taking -= 1;
          clearInterval(beating);
        }
        cameMs = Date.now();
        balance();
        resolveOffset(batch.lastOffset());
        if (stretch !== undefined && Number(batch.lastOffset()) + 1 >= stretch.to) left.delete(partition);
      },
    });
    for (const { partition, from } of left.values()) consumer.seek({ topic, partition, offset: String(from) });
    while (left.size > 0 && failure === undefined) {
      signal.throwIfAborted();
      balance();
      if (taking > 0 || paused.size > 0) cameMs = Date.now();
      if (Date.now() - cameMs > silentMs)
        throw new Error(`Cannot read ${topic} to its end: nothing came for ${silentMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    if (failure !== undefined) throw failure;
  } finally {
    await settles(
      consumer.disconnect().then(() => admin.deleteGroups([groupId])),
      leaveMs,
    );
    await settles(admin.disconnect(), leaveMs);
  }
}
