/**
 * The whole system in one process on its embedded default, measured over HTTP from outside, beside a bare Elysia route and bare SQLite in
 * the same run: `bun run bench:http`. 32 connections kept alive, access tokens checked, every create and change durable.
 *
 *   --rounds N             interleaved rounds after one that warms up, 5 unless told
 *   --seconds N            of each measurement, 3 unless told
 *   --runtime bun|deno     on which system and references run, bun unless told
 *   --client wrk|sockets   wrk when it is on the PATH, else the client in this folder
 *   --quick                one round of one second each: whether everything runs, not how fast
 *   --json                 one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *
 * References: get, list, patch and mixed: the same requests to routes that answer a constant of the same size. create: tasks that SQLite
 * commits in batches of 64. start: 600 ms to the first 2xx. memory: 150 MB, resident, idle. An answer that is no 2xx fails the run.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Client, type Counted, clientAtHand, clients, drive } from "./http/client.ts";
import {
  type FigureName,
  figureNames,
  heading,
  line,
  memoryMbAim,
  rowOf,
  type Sample,
  startMsAim,
} from "./http/figures.ts";
import { type LoadName, load, loadNames } from "./http/loads.ts";
import { residentMb, run, runtimes, start } from "./http/processes.ts";
import { answered, newPerson, type Person, startTracker, type Tracker } from "./http/tracker.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    runtime: { type: "string", default: "bun" },
    client: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const rounds = options.quick ? 1 : wholeNumber("rounds", options.rounds);
const seconds = options.quick ? 1 : wholeNumber("seconds", options.seconds);
const runtime =
  runtimes.find((each) => each === options.runtime) ?? refuse(`--runtime is bun or deno, not ${options.runtime}`);
const client: Client =
  options.client === undefined
    ? await clientAtHand()
    : (clients.find((each) => each === options.client) ?? refuse(`--client is wrk or sockets, not ${options.client}`));

function refuse(why: string): never {
  process.stderr.write(`Cannot measure: ${why}\n`);
  process.exit(2);
}

function wholeNumber(name: string, given: string): number {
  const value = Number(given);
  return Number.isInteger(value) && value >= 1 && value <= 1_000
    ? value
    : refuse(`--${name} is a whole number from 1 to 1000, not ${given}`);
}

/** Both sides of every measurement write here, so that they share a disk. */
const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const taskFile = join(folder, "task.json");
const pageFile = join(folder, "page.json");
const loadFile = join(folder, "load");
/** How long a fresh process settles before its memory is read. */
const idleMs = 1_000;

const faults: string[] = [];

async function counted(what: string, url: string): Promise<Counted> {
  const result = await drive(client, url, loadFile, seconds);
  const { answers, refused, broken } = result;
  if (refused > 0 || answers === 0)
    faults.push(`${what}: ${refused} of ${answers} answers were no 2xx (${((refused * 100) / answers).toFixed(2)} %)`);
  if (broken > 0) faults.push(`${what}: ${broken} connections failed`);
  return result;
}

const rateOf = ({ answers, refused, seconds: spent }: Counted): number => (answers - refused) / spent;

/** One load on the system and on its reference; which of them comes first changes from round to round. */
async function measure(
  name: LoadName,
  tracker: Tracker,
  bareUrl: string,
  person: Person,
  round: number,
): Promise<Sample> {
  writeFileSync(loadFile, load(name, tracker.url, person));
  const ours = () => counted(name, tracker.url);
  const theirs = async (): Promise<number> =>
    name === "create"
      ? Number(await run(runtime, "bench/http/sqlite.ts", [join(folder, "reference.db"), taskFile, String(seconds)]))
      : rateOf(await counted(`reference of ${name}`, bareUrl));
  const first = round % 2 === 0 ? await theirs() : undefined;
  const result = await ours();
  return { value: rateOf(result), reference: first ?? (await theirs()), p50Ms: result.p50Ms, p99Ms: result.p99Ms };
}

/** A fresh process on a fresh folder: how soon it answers and what it holds when nobody asks. */
async function measureStart(round: number): Promise<{ start: Sample; memory: Sample }> {
  const tracker = await startTracker(runtime, join(folder, `start-${round}`));
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const residentNow = await residentMb(tracker.pid);
  await tracker.end();
  return {
    start: { value: tracker.startMs, reference: startMsAim },
    memory: { value: residentNow, reference: memoryMbAim },
  };
}

/** The reference answers with what the system answers, to the byte. */
async function keepAnswers(tracker: Tracker, { token, taskIds }: Person): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  writeFileSync(taskFile, await answered(await fetch(`${tracker.url}/v1/tasks/${taskIds[0]}`, { headers }), 200));
  writeFileSync(pageFile, await answered(await fetch(`${tracker.url}/v1/tasks`, { headers }), 200));
}

const samples = new Map<FigureName, Sample[]>(figureNames.map((name) => [name, []]));
const tracker = await startTracker(runtime, join(folder, "data"));
await keepAnswers(tracker, await newPerson(tracker.url));
const bare = await start(runtime, "bench/http/bare.ts", [taskFile, pageFile]);
// The first round warms up and is not counted, except when a single quick one is all there is.
for (let round = options.quick ? 1 : 0; round <= rounds; round++) {
  const person = await newPerson(tracker.url);
  const results: Partial<Record<FigureName, Sample>> = await measureStart(round);
  for (const name of loadNames) results[name] = await measure(name, tracker, bare.greeting, person, round);
  for (const name of figureNames) if (round > 0 && results[name] !== undefined) samples.get(name)?.push(results[name]);
}
await Promise.all([tracker.end(), bare.end()]);

if (!options.json)
  process.stdout.write(
    `The system on ${runtime}, client ${client}, ${rounds} rounds of ${seconds} s; a ratio above 1 is better than the reference.\n${heading}\n`,
  );
for (const name of figureNames) {
  const row = rowOf(name, samples.get(name) ?? []);
  const { value, unit, reference, ratio } = row;
  process.stdout.write(`${options.json ? JSON.stringify({ name, value, unit, reference, ratio }) : line(row)}\n`);
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exit(faults.length > 0 ? 1 : 0);
