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
 *   --help                 this text
 *
 * References: get, list, patch and mixed: the same requests to routes that answer a constant of the same size. create: tasks that SQLite
 * commits in batches of 64. start: 600 ms to the first 2xx. memory: 150 MB, resident, idle. An answer that is no 2xx fails the run.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { clientNamed, driver, rateOf } from "./http/client.ts";
import { type Kind, print, rowOf, type Sample } from "./http/figures.ts";
import { type LoadName, load, loadNames } from "./http/loads.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { residentMb, run, runtimes, start } from "./http/processes.ts";
import { keepAnswers, newPerson, type Person, startTracker, type Tracker } from "./http/tracker.ts";

const figures = {
  get: { unit: "1/s", aim: { ratio: 0.6, text: ">= 0.6" } },
  list: { unit: "1/s" },
  create: { unit: "1/s", aim: { ratio: 0.6, text: ">= 0.6" } },
  patch: { unit: "1/s" },
  mixed: { unit: "1/s" },
  start: { unit: "ms", aim: { ratio: 1, text: "<= 600 ms" } },
  memory: { unit: "MB", aim: { ratio: 1, text: "<= 150 MB" } },
} as const satisfies Record<string, Kind>;
type FigureName = keyof typeof figures;
const figureNames = Object.keys(figures) as FigureName[];

/** The references of what has no contestant. */
const startMsAim = 600;
const memoryMbAim = 150;

helpIfAsked(import.meta.url);
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
const client = await clientNamed(options.client);

/** Both sides of every measurement write here, so that they share a disk. */
const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const taskFile = join(folder, "task.json");
const pageFile = join(folder, "page.json");
const loadFile = join(folder, "load");
/** How long a fresh process settles before its memory is read. */
const idleMs = 1_000;

const { drive, faults } = driver(client, loadFile, seconds);

/** One load on the system and on its reference; which of them comes first changes from round to round. */
async function measure(
  name: LoadName,
  tracker: Tracker,
  bareUrl: string,
  person: Person,
  round: number,
): Promise<Sample> {
  writeFileSync(loadFile, load(name, tracker.url, person));
  const ours = () => drive(name, tracker.url);
  const theirs = async (): Promise<number> =>
    name === "create"
      ? Number(await run(runtime, "bench/http/sqlite.ts", [join(folder, "reference.db"), taskFile, String(seconds)]))
      : rateOf(await drive(`reference of ${name}`, bareUrl));
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

const samples = new Map<FigureName, Sample[]>(figureNames.map((name) => [name, []]));
const tracker = await startTracker(runtime, join(folder, "data"));
await keepAnswers(tracker.url, await newPerson(tracker.url), { taskFile, pageFile });
const bare = await start(runtime, "bench/http/bare.ts", [taskFile, pageFile]);
// The first round warms up and is not counted, except when a single quick one is all there is.
for (let round = options.quick ? 1 : 0; round <= rounds; round++) {
  const person = await newPerson(tracker.url);
  const results: Partial<Record<FigureName, Sample>> = await measureStart(round);
  for (const name of loadNames) results[name] = await measure(name, tracker, bare.greeting, person, round);
  for (const name of figureNames) if (round > 0 && results[name] !== undefined) samples.get(name)?.push(results[name]);
}
await Promise.all([tracker.end(), bare.end()]);

print(
  `The system on ${runtime}, client ${client}, ${rounds} rounds of ${seconds} s`,
  figures,
  figureNames.map((name) => rowOf(name, figures[name], samples.get(name) ?? [])),
  options.json,
);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exit(faults.length > 0 ? 1 : 0);
