/**
 * The reference of the writer: what the same MongoDB takes as bulk writes of the same documents into collections with the same indexes, several
 * at once, each an operation with its change and a task per command. `bun|deno bulk-writes.ts <JSON of variables> <seconds>`; prints the commands a
 * second.
 */

import process from "node:process";
import { v7 } from "uuid";
import { ensureIndexes, type ReadModel, readModelIn } from "../../actors/mongo/read-model.ts";
import { connectMongo, type Env } from "./servers.ts";

const env = JSON.parse(process.argv[2] ?? "") as Env;
const seconds = Number(process.argv[3]);
/** As the writer takes them at most: so many of one partition, so many partitions at once. */
const batchCommands = 500;
const lanes = 4;

const { db, close } = connectMongo(env);
const own: ReadModel = {
  tasks: db.collection("bench_tasks"),
  operations: db.collection("bench_operations"),
  erased: db.collection("bench_erased"),
};
await ensureIndexes(own);
const { tasks, operations } = readModelIn(db);
const [operation, task] = await Promise.all([operations.findOne({ change: { $exists: true } }), tasks.findOne()]);
if (operation === null || task === null) throw new Error("Cannot measure: there are no documents yet");

const unordered = { ordered: false };
let written = 0;
const beganMs = performance.now();
const untilMs = beganMs + seconds * 1_000;
const lane = async (): Promise<void> => {
  while (performance.now() < untilMs) {
    const ids = Array.from({ length: batchCommands }, () => v7());
    await own.operations.insertMany(
      ids.map((_id) => ({ ...operation, _id, task: _id })),
      unordered,
    );
    await own.tasks.insertMany(
      ids.map((_id) => ({ ...task, _id })),
      unordered,
    );
    written += batchCommands;
  }
};
await Promise.all(Array.from({ length: lanes }, lane));
const spentMs = performance.now() - beganMs;
await close();
process.stdout.write(`${(written * 1_000) / spentMs}\n`);
