/**
 * The reference of the lag: kafkajs takes batches from a topic and writes each as it is into MongoDB, as one insert.
 * `bun|deno copier.ts <JSON of variables>`; prints a line when it has its partitions, and ends with SIGTERM.
 */

import process from "node:process";
import { connectKafka, connectMongo, type Env, topicOf } from "./servers.ts";

const env = JSON.parse(process.argv[2] ?? "") as Env;
const topic = topicOf(env, "copied");
const { db, close } = connectMongo(env);
const copied = db.collection<{ _id: string; json: string }>("bench_copied");
const consumer = connectKafka(env).consumer({ groupId: topicOf(env, "copier"), maxWaitTimeInMs: 500 });
const joined = new Promise<void>((resolve) => {
  consumer.on(consumer.events.GROUP_JOIN, () => resolve());
});

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: 4,
  async eachBatch({ batch, commitOffsetsIfNecessary, resolveOffset }) {
    const documents = batch.messages.map(({ key, value }) => ({ _id: String(key), json: String(value) }));
    await copied.insertMany(documents, { ordered: false });
    const offset = String(Number(batch.lastOffset()) + 1);
    await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: batch.partition, offset }] }] });
    resolveOffset(batch.lastOffset());
  },
});
await joined;
process.once("SIGTERM", async () => {
  await consumer.disconnect();
  await close();
  process.exit(0);
});
process.stdout.write("copies\n");
