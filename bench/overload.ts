/**
 * One user offers four times as many long lists as the system can answer, while another reads single tasks: `npm run bench:overload`.
 *
 *   --seconds N         of overload, 60 unless told
 *   --runtime bun|deno  bun unless told
 *   --quick             two seconds: whether everything runs, not how well
 *   --json              one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *   --help              this text
 *
 * Capacity is measured first, one list after the other. References: admitted p99: three times the p99 of lists without load. other p99: 100 ms, of
 * another user's single reads. memory: the growth of the second half over the first that counts as flat, 64 MB. recovery: 5 s to the first list that is answered
 * in the time of one without load. A cut connection, or an answer that is neither 2xx nor 503, fails the run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Kind, percentile, print, rowOf, type Sample } from "./http/figures.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { residentMb, run, runtimes } from "./http/processes.ts";
import { answered, newPerson, post, startTracker } from "./http/tracker.ts";
import { offer, type Result } from "./overload/load.ts";

const figures = {
  "admitted p99": { unit: "ms", aim: { ratio: 1, text: "<= 3 x without load" } },
  "other p99": { unit: "ms", aim: { ratio: 1, text: "<= 100 ms" } },
  "memory growth": { unit: "MB", aim: { ratio: 1, text: "<= 64 MB" } },
  recovery: { unit: "ms", aim: { ratio: 1, text: "<= 5 s" } },
} as const satisfies Record<string, Kind>;

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    runtime: { type: "string", default: "bun" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seconds = options.quick ? 2 : wholeNumber("seconds", options.seconds);
const runtime =
  runtimes.find((each) => each === options.runtime) ?? refuse(`--runtime is bun or deno, not ${options.runtime}`);

const tasks = 100;
const descriptionChars = 20_000;
const overloadFactor = 4;
const otherPerSecond = 20;
const capacitySamples = options.quick ? 20 : 200;
const recoveryMs = 20_000;

const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const tracker = await startTracker(runtime, join(folder, "data"));
const [many, other] = [await newPerson(tracker.url, 1), await newPerson(tracker.url, 1)];
for (let each = 0; each < tasks; each++)
  await answered(
    await post(
      `${tracker.url}/v1/tasks`,
      { title: `task ${each}`, description: "x".repeat(descriptionChars) },
      many.token,
    ),
    201,
  );
const lists = `${tracker.url}/v1/tasks?limit=100`;
const single = `${tracker.url}/v1/tasks/${other.taskIds[0]}`;

/** One list after the other. */
async function listMs(): Promise<number> {
  const beganMs = performance.now();
  const answer = await fetch(lists, { headers: { authorization: `Bearer ${many.token}` } });
  await answered(answer, 200);
  return performance.now() - beganMs;
}

const alone: number[] = [];
for (let each = 0; each < capacitySamples; each++) alone.push(await listMs());
const warm = alone.slice(capacitySamples / 10);
const perSecond = Math.round((overloadFactor * 1_000 * warm.length) / warm.reduce((sum, each) => sum + each, 0));

const memory: number[] = [];
const watch = setInterval(async () => memory.push(await residentMb(tracker.pid)), 250);
const [flood, reads] = await Promise.all([
  run("bun", "bench/overload/load.ts", [lists, many.token, String(perSecond), String(seconds)]).then(
    (printed) => JSON.parse(printed) as Result,
  ),
  offer(single, other.token, { perSecond: otherPerSecond, seconds }),
]);
clearInterval(watch);

const unloadedMs = percentile(warm, 99);
const overMs = performance.now();
let recovered = false;
while (!recovered && performance.now() - overMs < recoveryMs) {
  recovered = await listMs().then(
    (ms) => ms <= 3 * unloadedMs,
    () => false,
  );
}
const recovery = performance.now() - overMs;
await tracker.end();

const half = Math.ceil(memory.length / 2);
const growth = Math.max(1, Math.max(...memory.slice(half)) - Math.max(...memory.slice(0, half)));
const measured: Record<keyof typeof figures, Sample> = {
  "admitted p99": { value: percentile(flood.servedMs, 99), reference: 3 * unloadedMs },
  "other p99": { value: percentile(reads.servedMs, 99), reference: 100 },
  "memory growth": { value: growth, reference: 64 },
  recovery: { value: recovery, reference: 5_000 },
};
print(
  `The system on ${runtime} for ${seconds} s of ${perSecond} long lists a second: ${flood.servedMs.length} served, ${flood.refused} refused`,
  figures,
  (Object.keys(figures) as (keyof typeof figures)[]).map((name) => rowOf(name, figures[name], [measured[name]])),
  options.json,
);
const faults = [...Object.entries(flood.faults), ...Object.entries(reads.faults)];
if (reads.refused > 0) faults.push(["refused reads of another user", reads.refused]);
if (!recovered) faults.push(["not recovered", 1]);
for (const [fault, count] of faults) process.stderr.write(`${count} x ${fault}\n`);
process.exit(faults.length > 0 ? 1 : 0);
