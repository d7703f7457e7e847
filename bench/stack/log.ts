/** The system's log seen from outside: how much of it is not taken yet, and more of it when a backlog is wanted. */

import type { Admin, Kafka } from "kafkajs";
import { type SpaceNames, spaceNamesIn } from "../../actors/kafka/names.ts";
import type { RawRecord } from "./batches.ts";
import { connectKafka, type Env, kafkaServersOf, partitions, topicOf } from "./servers.ts";

export type SeenLog = {
  /** Resolves when every command is in the read model and announced, and the cache is kept up to there; rejects when nothing moves for 30 s. */
  settled(): Promise<void>;
  /** Appends these at once; the commands a second that the writer takes from then until it has none left. */
  takenPerSecond(records: readonly RawRecord[]): Promise<number>;
  close(): Promise<void>;
};

const lookMs = 20;
const silentMs = 30_000;
const recordsPerSend = 500;

/** Makes the references' topics too. */
export async function seenLog(env: Env): Promise<SeenLog> {
  const kafka = connectKafka(env);
  const names = spaceNamesIn(kafkaServersOf(env));
  const admin = kafka.admin();
  await admin.connect();
  const topics = ["sends", "copied"].map((name) => ({ topic: topicOf(env, name), numPartitions: partitions }));
  await admin.createTopics({ topics, waitForLeaders: true });

  const taken = () => committed(admin, names.writers, names.commands);

  return {
    async settled() {
      await untilNoneWaits(admin, names.writers, names.commands);
      await untilNoneWaits(admin, names.keepers, names.facts);
    },
    async takenPerSecond(records) {
      await append(kafka, names, records);
      const [from, beganMs] = [await taken(), performance.now()];
      await untilNoneWaits(admin, names.writers, names.commands);
      return (((await taken()) - from) * 1_000) / (performance.now() - beganMs);
    },
    close: () => admin.disconnect(),
  };
}

/** Resolves when the group has committed the whole topic; rejects when nothing moves for 30 s. */
export async function untilNoneWaits(admin: Admin, group: string, topic: string): Promise<void> {
  let [before, movedMs] = [-1, performance.now()];
  for (;;) {
    const [now, end] = await Promise.all([committed(admin, group, topic), ended(admin, topic)]);
    if (now >= end) return;
    if (now !== before) [before, movedMs] = [now, performance.now()];
    if (performance.now() - movedMs > silentMs)
      throw new Error(`Cannot measure: ${group} does not go on, ${end - now} wait`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

async function append(kafka: Kafka, names: SpaceNames, records: readonly RawRecord[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let from = 0; from < records.length; from += recordsPerSend)
    await producer.send({ topic: names.commands, acks: -1, messages: records.slice(from, from + recordsPerSend) });
  await producer.disconnect();
}

async function committed(admin: Admin, groupId: string, topic: string): Promise<number> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

async function ended(admin: Admin, topic: string): Promise<number> {
  return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
}
