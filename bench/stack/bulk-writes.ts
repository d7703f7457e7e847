/**
 * The reference of the writer: what the same MongoDB takes as bulk writes of the same documents into collections with the same indexes, several
 * at once, each a fact, a task and a head per command. `bun|deno bulk-writes.ts <JSON of variables> <seconds>`; prints the commands a
 * second.
 */

import process from "node:process";
import { v7 } from "uuid";
import { keyOf, type SpaceCollections, spaceCollections } from "../../actors/mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import { connectMongo, type Env } from "./servers.ts";

const env = JSON.parse(process.argv[2] ?? "") as Env;
const seconds = Number(process.argv[3]);
/** As the writer takes them at most: so many of one partition, so many partitions at once. */
const batchCommands = 500;
const lanes = 4;

const { db, close } = connectMongo(env);
const own: SpaceCollections = {
  facts: db.collection("bench_facts"),
  documents: db.collection("bench_documents"),
  heads: db.collection("bench_heads"),
  erased: db.collection("bench_erased"),
  store: db.collection("bench_store"),
};
await ensureSpaceIndexes(own);
const { facts, documents, heads } = spaceCollections(db);
const [fact, task, head] = await Promise.all([
  facts.findOne({ seq: { $gt: 0 } }),
  documents.findOne({ type: "task" }),
  heads.findOne(),
]);
if (fact === null || task === null || head === null) throw new Error("Cannot measure: there are no documents yet");

const unordered = { ordered: false };
let written = 0;
const beganMs = performance.now();
const untilMs = beganMs + seconds * 1_000;
const lane = async (): Promise<void> => {
  while (performance.now() < untilMs) {
    const ids = Array.from({ length: batchCommands }, () => v7());
    const of = ids.map((id) => ({ _id: keyOf(id, id), space: id, id }));
    await own.facts.insertMany(
      of.map(({ _id, space }) => ({ ...fact, _id, space })),
      unordered,
    );
    await own.documents.insertMany(
      of.map((each) => ({ ...task, ...each })),
      unordered,
    );
    await own.heads.insertMany(
      of.map(({ space }) => ({ ...head, _id: space, space })),
      unordered,
    );
    written += batchCommands;
  }
};
await Promise.all(Array.from({ length: lanes }, lane));
const spentMs = performance.now() - beganMs;
await close();
process.stdout.write(`${(written * 1_000) / spentMs}\n`);
