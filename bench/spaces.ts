/**
 * What a client does with a whole space, on the embedded system over HTTP: `npm run bench:spaces`.
 *
 *   --tasks N           in the space, 100000 unless told
 *   --seconds N         of searches, 5 unless told
 *   --runtime bun|deno  bun unless told
 *   --quick             2000 tasks and one second: whether everything runs, not how fast
 *   --json              one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *   --help              this text
 *
 * batch: changes a second in batches of 500, one after the other, beside creates one by one on 32 connections. lag: from the answer of a create until a list
 * has the task; 250 ms. facts: all of the space's facts, in pages of 1,000, in megabytes of JSON a second, beside the snapshot. snapshot: until its first
 * byte, 50 ms, and megabytes a second, 100. search: pages of 50 for two words, one after the other; p99 of 30 ms. other: another user's single reads meanwhile; p99 of 5 ms.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Kind, percentile, print, rowOf, type Sample } from "./http/figures.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { runtimes } from "./http/processes.ts";
import { answered, newPerson, newTask, post, startTracker } from "./http/tracker.ts";

const figures = {
  batch: { unit: "1/s" },
  "lag p99": { unit: "ms", aim: { ratio: 1, text: "<= 250 ms" } },
  facts: { unit: "MB/s" },
  "snapshot, first byte": { unit: "ms", aim: { ratio: 1, text: "<= 50 ms" } },
  snapshot: { unit: "MB/s", aim: { ratio: 1, text: ">= 100 MB/s" } },
  "search p99": { unit: "ms", aim: { ratio: 1, text: "<= 30 ms" } },
  "other p99": { unit: "ms", aim: { ratio: 1, text: "<= 5 ms" } },
} as const satisfies Record<string, Kind>;

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    tasks: { type: "string" },
    seconds: { type: "string", default: "5" },
    runtime: { type: "string", default: "bun" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seconds = options.quick ? 1 : wholeNumber("seconds", options.seconds);
const tasks = Number(options.tasks ?? (options.quick ? 2_000 : 100_000));
if (!(Number.isInteger(tasks) && tasks >= 1_000 && tasks <= 1_000_000))
  refuse(`--tasks is a whole number from 1000 to 1000000, not ${options.tasks}`);
const runtime =
  runtimes.find((each) => each === options.runtime) ?? refuse(`--runtime is bun or deno, not ${options.runtime}`);

const inBatch = 500;
const inPage = 1_000;
const connections = 32;
const lags = 50;
const otherPerSecond = 50;
const megabyte = 1_000_000;

const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const tracker = await startTracker(runtime, join(folder, "data"));
const { url } = tracker;
const [ada, other] = [await newPerson(url, 1), await newPerson(url, 1)];
const headers = { authorization: `Bearer ${ada.token}` };
const ask = async (path: string) => await answered(await fetch(`${url}${path}`, { headers }), 200);
const sinceMs = (beganMs: number) => performance.now() - beganMs;

/** Tasks a second that 32 connections create one by one. */
async function createsPerSecond(count: number): Promise<number> {
  const beganMs = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) await answered(await post(`${url}/v1/tasks`, newTask(next++), ada.token), 201);
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return count / (sinceMs(beganMs) / 1_000);
}

/** The same in batches; all that the other figures are about. */
async function batchesPerSecond(): Promise<number> {
  const beganMs = performance.now();
  for (let made = 0; made < tasks; made += inBatch) {
    const changes = Array.from({ length: Math.min(inBatch, tasks - made) }, (_, at) => ({
      type: "task",
      kind: "create",
      body: newTask(made + at),
    }));
    await answered(await post(`${url}/v1/batch`, { changes }, ada.token), 200);
  }
  return tasks / (sinceMs(beganMs) / 1_000);
}

async function lagMs(): Promise<number> {
  const { id } = JSON.parse(await answered(await post(`${url}/v1/tasks`, newTask(0), ada.token), 201)) as {
    id: string;
  };
  const beganMs = performance.now();
  while (!(await ask("/v1/tasks?limit=1&sort=-createdAt")).includes(id));
  return sinceMs(beganMs);
}

async function factsPerSecond(): Promise<number> {
  const beganMs = performance.now();
  let bytes = 0;
  for (let after = 0; ; ) {
    const text = await ask(`/v1/spaces/me/facts?limit=${inPage}&after=${after}`);
    bytes += Buffer.byteLength(text);
    const page = JSON.parse(text.slice(text.lastIndexOf('"after"') - 1).replace(/^,/, "{")) as {
      after: number;
      seq: number;
    };
    after = page.after;
    if (after >= page.seq) return bytes / megabyte / (sinceMs(beganMs) / 1_000);
  }
}

async function snapshot(): Promise<{ firstMs: number; perSecond: number }> {
  const beganMs = performance.now();
  const answer = await fetch(`${url}/v1/spaces/me/snapshot`, { headers });
  if (answer.status !== 200 || answer.body === null)
    throw new Error(`Cannot measure: the snapshot is ${answer.status}`);
  let [firstMs, bytes, end] = [0, 0, ""];
  for await (const part of answer.body as unknown as AsyncIterable<Uint8Array>) {
    if (bytes === 0) firstMs = sinceMs(beganMs);
    bytes += part.byteLength;
    end = new TextDecoder().decode(part.subarray(-20));
  }
  if (!end.includes('{"end":true}')) throw new Error("Cannot measure: the snapshot ended early");
  return { firstMs, perSecond: bytes / megabyte / (sinceMs(beganMs) / 1_000) };
}

/** Every search is one that was not asked before. */
async function searches(): Promise<{ ownMs: number[]; otherMs: number[] }> {
  const [ownMs, otherMs] = [[] as number[], [] as number[]];
  const endMs = performance.now() + seconds * 1_000;
  const reads = (async () => {
    while (performance.now() < endMs) {
      const beganMs = performance.now();
      const one = await fetch(`${url}/v1/tasks/${other.taskIds[0]}`, {
        headers: { authorization: `Bearer ${other.token}` },
      });
      await answered(one, 200);
      otherMs.push(sinceMs(beganMs));
      await new Promise((resolve) => setTimeout(resolve, 1_000 / otherPerSecond));
    }
  })();
  for (let each = 0; performance.now() < endMs; each++) {
    const beganMs = performance.now();
    await ask(`/v1/tasks?limit=50&q=${encodeURIComponent(`agreed ${each % tasks}`)}`);
    ownMs.push(sinceMs(beganMs));
  }
  await reads;
  return { ownMs, otherMs };
}

const single = await createsPerSecond(Math.min(tasks, 5_000));
const batch = await batchesPerSecond();
const lagsMs: number[] = [];
for (let each = 0; each < lags; each++) lagsMs.push(await lagMs());
const facts = await factsPerSecond();
const { firstMs, perSecond } = await snapshot();
const { ownMs, otherMs } = await searches();
await tracker.end();

const measured: Record<keyof typeof figures, Sample> = {
  batch: { value: batch, reference: single },
  "lag p99": { value: percentile(lagsMs, 99), reference: 250 },
  facts: { value: facts, reference: perSecond },
  "snapshot, first byte": { value: firstMs, reference: 50 },
  snapshot: { value: perSecond, reference: 100 },
  "search p99": { value: percentile(ownMs, 99), reference: 30 },
  "other p99": { value: percentile(otherMs, 99), reference: 5 },
};
print(
  `A space of ${tasks} tasks on ${runtime}: ${ownMs.length} searches and ${otherMs.length} other reads in ${seconds} s`,
  figures,
  (Object.keys(figures) as (keyof typeof figures)[]).map((name) => rowOf(name, figures[name], [measured[name]])),
  options.json,
);
process.exit(0);
