/**
 * One space that changes 50 times a second, followed on 5,000 streams of events by one worker of the embedded system: `npm run bench:live`.
 *
 *   --streams N         5000 unless told, 20 for each person
 *   --seconds N         of changes, 30 unless told
 *   --runtime bun|deno  bun unless told
 *   --quick             40 streams for two seconds: whether everything runs, not how well
 *   --json              one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *   --help              this text
 *
 * Runs on Bun and on Deno. Readers (a process of their own), the writer and the system share the machine. References: reaches all: 150 ms from the sending of a change until the last
 * stream has its fact, 95 of 100 facts. memory a stream: 20 KB of the server's resident memory; at rest, and the most while facts flow. A stream that misses or repeats a fact,
 * or ends, fails the run.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Kind, percentile, print, rowOf, type Sample } from "./http/figures.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { residentMb, runtimes } from "./http/processes.ts";
import { answered, newPerson, post, startTracker } from "./http/tracker.ts";
import { follow } from "./live/follow.ts";

const figures = {
  "reaches all p95": { unit: "ms", aim: { ratio: 1, text: "<= 150 ms" } },
  "memory a stream, at rest": { unit: "KB", aim: { ratio: 1, text: "<= 20 KB" } },
  "memory a stream, facts flowing": { unit: "KB", aim: { ratio: 1, text: "<= 20 KB" } },
} as const satisfies Record<string, Kind>;

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    streams: { type: "string" },
    seconds: { type: "string", default: "30" },
    runtime: { type: "string", default: "bun" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seconds = options.quick ? 2 : wholeNumber("seconds", options.seconds);
const streams = Number(options.streams ?? (options.quick ? 40 : 5_000));
if (!(Number.isInteger(streams) && streams >= 1 && streams <= 9_000))
  refuse(`--streams is a whole number from 1 to 9000, not ${options.streams}`);
const runtime =
  runtimes.find((each) => each === options.runtime) ?? refuse(`--runtime is bun or deno, not ${options.runtime}`);

const streamsEach = 20;
const changesPerSecond = 50;
const usesMax = 100;
const warmUp = 200;
const arrivalMs = 20_000;

const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const tracker = await startTracker(runtime, join(folder, "data"));
const { url } = tracker;

async function send<Body>(path: string, body: object, status: number, token?: string): Promise<Body> {
  return JSON.parse(await answered(await post(`${url}${path}`, body, token), status)) as Body;
}

const newToken = async (): Promise<string> => (await newPerson(url, 0)).token;

/** All of them members of one new space, the first its owner. */
async function team(people: number): Promise<{ spaceId: string; tokens: string[] }> {
  const owner = await newToken();
  const { id: spaceId } = await send<{ id: string }>("/v1/spaces", { name: "Live" }, 201, owner);
  const tokens = [owner];
  let invitation = "";
  for (let each = 1; each < people; each++) {
    const invite = { role: "member", maxUses: usesMax };
    if (each % usesMax === 1)
      invitation = (await send<{ token: string }>(`/v1/spaces/${spaceId}/invitations`, invite, 201, owner)).token;
    const token = await newToken();
    await send("/v1/invitations/accept", { token: invitation }, 201, token);
    tokens.push(token);
  }
  return { spaceId, tokens };
}

const { spaceId, tokens } = await team(Math.ceil(streams / streamsEach));
const owner = tokens[0] as string;
const sentMs = new Map<number, number>();

const tasks = `/v1/spaces/${spaceId}/tasks`;
const { id: taskId } = await send<{ id: string }>(tasks, { title: "Live" }, 201, owner);

/** The title says when it was sent: the fact tells its number by it. */
async function change(): Promise<void> {
  const title = String(performance.timeOrigin + performance.now());
  const answer = await fetch(`${url}${tasks}/${taskId}`, {
    method: "PATCH",
    headers: { "content-type": "application/json", authorization: `Bearer ${owner}` },
    body: JSON.stringify({ title }),
  });
  await answered(answer, 200);
}

type Page = { items: { seq: number; changes: { fields: { title?: { to: string } } }[] }[]; seq: number };
async function lastSeq(after = 0): Promise<number> {
  let last = after;
  for (;;) {
    const answer = await fetch(`${url}/v1/spaces/${spaceId}/facts?after=${last}&limit=1000`, {
      headers: { authorization: `Bearer ${owner}` },
    });
    const page = JSON.parse(await answered(answer, 200)) as Page;
    for (const { seq, changes } of page.items) sentMs.set(seq, Number(changes[0]?.fields.title?.to));
    last = page.items.at(-1)?.seq ?? last;
    if (last >= page.seq) return last;
  }
}

for (let each = 0; each < warmUp; each++) await change();
const tokensFile = join(folder, "tokens");
writeFileSync(tokensFile, tokens.join("\n"));
const beforeMb = await residentMb(tracker.pid);
const readers = await follow({ url, spaceId, tokensFile, streams });
const atRestMb = await residentMb(tracker.pid);
const firstSeq = (await lastSeq()) + 1;

let flowingMb = atRestMb;
const watch = setInterval(async () => {
  flowingMb = Math.max(flowingMb, await residentMb(tracker.pid));
}, 250);
const changes = changesPerSecond * seconds;
const underWay: Promise<void>[] = [];
let refusedChanges = 0;
const beganMs = performance.now();
while (underWay.length < changes) {
  const due = Math.min(changes, Math.ceil(((performance.now() - beganMs) * changesPerSecond) / 1_000));
  while (underWay.length < due) underWay.push(change().catch(() => void (refusedChanges += 1)));
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await Promise.all(underWay);
const last = await lastSeq(firstSeq - 1);
const received = await readers.end(last, arrivalMs);
clearInterval(watch);
await tracker.end();

const reachedMs: number[] = [];
const faults = { ...received.faults };
if (refusedChanges > 0) faults["change refused"] = refusedChanges;
for (let seq = firstSeq; seq <= last; seq++) {
  const fact = received.facts.find((each) => each.seq === seq);
  if (fact?.streams === streams) reachedMs.push(fact.lastMs - (sentMs.get(seq) ?? 0));
  else faults["fact did not reach all"] = (faults["fact did not reach all"] ?? 0) + 1;
}
const kilobytes = (mb: number) => (Math.max(1, mb - beforeMb) * 1_024) / streams;
const measured: Record<keyof typeof figures, Sample> = {
  "reaches all p95": {
    value: percentile(reachedMs, 95),
    reference: 150,
    p50Ms: percentile(reachedMs, 50),
    p99Ms: percentile(reachedMs, 99),
  },
  "memory a stream, at rest": { value: kilobytes(atRestMb), reference: 20 },
  "memory a stream, facts flowing": { value: kilobytes(flowingMb), reference: 20 },
};
print(
  `${streams} streams on one worker on ${runtime}, ${changesPerSecond} changes a second for ${seconds} s: ${last - firstSeq + 1} facts`,
  figures,
  (Object.keys(figures) as (keyof typeof figures)[]).map((name) => rowOf(name, figures[name], [measured[name]])),
  options.json,
);
for (const [what, count] of Object.entries(faults)) process.stderr.write(`${count} x ${what}\n`);
process.exit(Object.keys(faults).length > 0 ? 1 : 0);
