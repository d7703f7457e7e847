/**
 * The reference of creates: what the same Kafka takes from kafkajs alone, in batches from 64 writers of which each waits for its record.
 * `bun|deno sends.ts <JSON of variables> <seconds>`; prints the records a second.
 */

import process from "node:process";
import { batching } from "./batches.ts";
import { createRecord } from "./command.ts";
import { connectKafka, type Env, partitions, topicOf } from "./servers.ts";

const env = JSON.parse(process.argv[2] ?? "") as Env;
const seconds = Number(process.argv[3]);
const writers = 64;
const userId = crypto.randomUUID();
// Made before the clock starts: what is measured is Kafka and its client.
const records = Array.from({ length: 1_000 }, (_, each) => createRecord(each, userId));

const producer = connectKafka(env).producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
const send = batching(producer, topicOf(env, "sends"));
await Promise.all(records.slice(0, partitions).map(send));

let sent = 0;
const beganMs = performance.now();
const untilMs = beganMs + seconds * 1_000;
async function writer(): Promise<void> {
  while (performance.now() < untilMs) {
    const record = records[sent % records.length];
    sent += 1;
    if (record !== undefined) await send(record);
  }
}
await Promise.all(Array.from({ length: writers }, writer));
const spentMs = performance.now() - beganMs;
await producer.disconnect();
process.stdout.write(`${(sent * 1_000) / spentMs}\n`);
