/**
 * The system, on four servers and embedded, beside the same kind of tracker on FastAPI (bench/seed/app: FastAPI, uvicorn, asyncpg, motor,
 * redis, aiokafka) on the same four servers: `bun run bench:seed`. All on one machine in one run, 32 connections kept alive, access tokens checked.
 *
 *   --rounds N             interleaved rounds after one that warms up, 3 unless told
 *   --seconds N            of each measurement, 3 unless told
 *   --only NAME,...        these loads: get, list, list-new, create, patch, mixed
 *   --client wrk|sockets   wrk when it is on the PATH, else the client in bench/http
 *   --quick                one round of two seconds each: whether everything runs, not how fast
 *   --json                 one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than FastAPI
 *   --help                 this text
 *
 * Loads: get: one's tasks by id, over and over. list: the newest 50 of 200 tasks, which both keep as a page. list-new: a list that nobody has asked
 * for before, so that both ask MongoDB. create, patch. mixed: 80 % get, 10 % list, 5 % create, 5 % patch. Before each measurement
 * all that was written before is in the read models. An answer that is no 2xx fails the run.
 *
 * Servers: as the environment gives them (DATABASE_URL, MONGO_URL, REDIS_URL, KAFKA_BROKERS), else `bun run services up`, which stay up. A
 * run has databases, topics and keys of its own there and removes them. Python's packages (bench/seed/requirements.txt) are installed
 * once, into a venv in the user's cache folder.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { CannotBeHad } from "../deploy/services/install.ts";
import type { ServerName } from "../deploy/services/place.ts";
import { up } from "../deploy/services/services.ts";
import { clientNamed, driver, rateOf } from "./http/client.ts";
import { type Kind, print, rowOf, type Sample } from "./http/figures.ts";
import { type LoadName, load } from "./http/loads.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { newPerson, type Person } from "./http/tracker.ts";
import { pythonWithRequirements } from "./seed/python.ts";
import { type System, startEmbedded, startFastApi, startServers } from "./seed/systems.ts";

const aimOf = (ratio: number): Kind => ({ unit: "1/s", aim: { ratio, text: `>= ${ratio}` } });
const figures = {
  "servers/get": aimOf(12),
  "servers/list": aimOf(8),
  "servers/list-new": aimOf(1),
  "servers/create": aimOf(5),
  "servers/patch": aimOf(4),
  "servers/mixed": aimOf(6),
  "embedded/get": aimOf(20),
  "embedded/list": aimOf(8),
  "embedded/list-new": { unit: "1/s" },
  "embedded/create": aimOf(6),
  "embedded/patch": aimOf(6),
  "embedded/mixed": aimOf(12),
} as const satisfies Record<string, Kind>;
type FigureName = keyof typeof figures;
const figureNames = Object.keys(figures) as FigureName[];
/** What leaves most to be projected comes last. */
const loadNames = ["get", "list", "list-new", "patch", "mixed", "create"] as const satisfies LoadName[];
/** More than a second of any system's answers: a list that is asked for again is not new. */
const newListsPerSecond = 10_000;

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    only: { type: "string" },
    client: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const rounds = options.quick ? 1 : wholeNumber("rounds", options.rounds);
const seconds = options.quick ? 2 : wholeNumber("seconds", options.seconds);
const client = await clientNamed(options.client);
const only = options.only?.split(",") ?? [...loadNames];
for (const each of only)
  if (!loadNames.some((name) => name === each)) refuse(`--only takes ${loadNames.join(", ")}, not ${each}`);

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const python = await pythonWithRequirements(say).catch((error: unknown) =>
  refuse(error instanceof CannotBeHad ? error.message : String(error)),
);
const { urls, missing } = await up({ say });
if (missing.length > 0) refuse(missing.map(({ service, reason }) => `${service} cannot be had (${reason})`).join("; "));

const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const loadFile = join(folder, "load");
/** A quick run shows that everything runs, also on servers that stand still for a moment. */
const { drive, faults } = driver(client, loadFile, seconds, options.quick ? { refusedShareMax: 0.02 } : {});

const servers = urls as Record<ServerName, string>;
const systems = {
  fastapi: await startFastApi(servers, python),
  servers: await startServers(servers, folder),
  embedded: await startEmbedded(folder),
} as const satisfies Record<string, System>;
type SystemName = keyof typeof systems;
const systemNames = Object.keys(systems) as SystemName[];
type Measured = Omit<Sample, "reference">;

async function measureOne(name: LoadName, systemName: SystemName, person: Person): Promise<Measured> {
  const system: System = systems[systemName];
  const requests = name === "list-new" ? newListsPerSecond * seconds : undefined;
  writeFileSync(loadFile, load(name, system.url, person, requests));
  const counted = await drive(`${systemName}/${name}`, system.url);
  if (requests !== undefined && counted.answers > requests)
    faults.push(`${systemName}/${name}: ${counted.answers} answers, and there were only ${requests} new lists`);
  const before = performance.now();
  await system.settled();
  say(
    `${systemName}/${name}: ${Math.round(rateOf(counted))}/s; settled after ${Math.round(performance.now() - before)} ms`,
  );
  return { value: rateOf(counted), p50Ms: counted.p50Ms, p99Ms: counted.p99Ms };
}

const samples = new Map<FigureName, Sample[]>(figureNames.map((name) => [name, []]));

/** Which system comes first changes from round to round. */
async function measure(round: number): Promise<void> {
  const order = systemNames.map((_, each) => systemNames[(each + round) % systemNames.length] as SystemName);
  const people = new Map<SystemName, Person>();
  for (const each of order) people.set(each, await newPerson(systems[each].url));
  for (const each of order) await systems[each].settled();
  for (const name of loadNames) {
    if (!only.includes(name)) continue;
    const measured: Partial<Record<SystemName, Measured>> = {};
    for (const each of order) measured[each] = await measureOne(name, each, people.get(each) as Person);
    if (round === 0) continue;
    for (const ours of ["servers", "embedded"] as const)
      samples
        .get(`${ours}/${name}`)
        ?.push({ ...(measured[ours] as Measured), reference: measured.fastapi?.value ?? Number.NaN });
  }
}

const [loadBefore = 0] = loadavg();
try {
  // The first round warms up and is not counted, except when a single quick one is all there is.
  for (let round = options.quick ? 1 : 0; round <= rounds; round++) await measure(round);
} finally {
  await Promise.all(systemNames.map((each) => systems[each].end()));
}

const measuredNames = figureNames.filter((name) => (samples.get(name) ?? []).length > 0);
print(
  `The system beside FastAPI, client ${client}, ${rounds} rounds of ${seconds} s, load ${loadBefore.toFixed(1)} before`,
  figures,
  measuredNames.map((name) => rowOf(name, figures[name], samples.get(name) ?? [])),
  options.json,
);
for (const fault of faults) say(fault);
process.exit(faults.length > 0 ? 1 : 0);
