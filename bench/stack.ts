/**
 * The system on real PostgreSQL, MongoDB, Redis and Kafka, measured over HTTP from outside beside the raw limits of the same servers in the
 * same run: `bun run bench:stack`. 32 connections kept alive, access tokens checked, one process with all roles unless told.
 *
 *   --rounds N             interleaved rounds after one that warms up, 5 unless told
 *   --seconds N            of each measurement, 3 unless told
 *   --runtime bun|deno     on which system and references run, bun unless told
 *   --client wrk|sockets   wrk when it is on the PATH, else the client in bench/http
 *   --apart                a process for each role
 *   --quick                one round of one second each: whether everything runs, not how fast
 *   --json                 one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *   --help                 this text
 *
 * Servers: as the environment gives them (DATABASE_URL, MONGO_URL, REDIS_URL, KAFKA_BROKERS), else `bun run services up`, which stay up.
 * A run has databases, topics and keys of its own there and removes them.
 *
 * References: create: kafkajs alone, in batches from 64 writers, on the same Kafka. get, get-miss, list, patch, mixed: the same requests to
 * Elysia routes that answer a constant of the same size. patch-p99: 30 ms, for 100 changes a second. lag: from the answer of a create to the
 * task seen in MongoDB, at 100 a second; beside it, from the answer of Kafka to the document that a bare consumer inserts. consumer: commands
 * a second that the writer takes from a backlog; beside it, bulk writes of the same documents by four writers at once.
 * get reads tasks that Redis has, get-miss each task once after Redis has forgotten all of them. An answer that is no 2xx fails the run; a change
 * that was not decided in time (202) is told.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { keyOf, spaceCollections } from "../actors/mongo/space-collections.ts";
import { spaceKeys } from "../actors/redis/space-cache.ts";
import { settles } from "../actors/waiting.ts";
import { allServers, forgetKeys, placeOn, type ServerName } from "../deploy/services/place.ts";
import { up } from "../deploy/services/services.ts";
import { clientNamed, driver, rateOf } from "./http/client.ts";
import { type Kind, print, rowOf, type Sample } from "./http/figures.ts";
import { type LoadName, load, separator } from "./http/loads.ts";
import { helpIfAsked, refuse, wholeNumber } from "./http/options.ts";
import { run, runtimes, start } from "./http/processes.ts";
import { answered, keepAnswers, newPerson, newTask, type Person, post } from "./http/tracker.ts";
import { batching } from "./stack/batches.ts";
import { createRecord } from "./stack/command.ts";
import { seenLog } from "./stack/log.ts";
import { changes, lags } from "./stack/paced.ts";
import { connectKafka, connectMongo, partitions, topicOf } from "./stack/servers.ts";
import { sights } from "./stack/sights.ts";
import { startStack } from "./stack/trackers.ts";

const figures = {
  "stack/create": { unit: "1/s", aim: { ratio: 0.5, text: ">= 0.5" } },
  "stack/get": { unit: "1/s" },
  "stack/get-miss": { unit: "1/s" },
  "stack/list": { unit: "1/s" },
  "stack/patch": { unit: "1/s" },
  "stack/mixed": { unit: "1/s" },
  "stack/patch-p99": { unit: "ms", aim: { ratio: 1, text: "<= 30 ms" } },
  "stack/lag-p50": { unit: "ms" },
  "stack/lag-p99": { unit: "ms" },
  "stack/consumer": { unit: "1/s" },
} as const satisfies Record<string, Kind>;
type FigureName = keyof typeof figures;
const figureNames = Object.keys(figures) as FigureName[];

const patchMsAim = 30;
/** A change that takes so long is answered 202: it was not decided in time. */
const verdictMs = 2_000;
/** What is left then goes on in the servers, and whoever comes next has to wait for it. */
const removeMs = 60_000;
/** More than the page of a list. */
const answersOf = 60;

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    runtime: { type: "string", default: "bun" },
    client: { type: "string" },
    apart: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const rounds = options.quick ? 1 : wholeNumber("rounds", options.rounds);
const seconds = options.quick ? 1 : wholeNumber("seconds", options.seconds);
/** A percentile of 100 a second needs some hundreds. */
const pacedSeconds = options.quick ? 1 : Math.max(5, seconds);
const backlogCommands = options.quick ? 500 : 2_000 * seconds;
const runtime =
  runtimes.find((each) => each === options.runtime) ?? refuse(`--runtime is bun or deno, not ${options.runtime}`);
const client = await clientNamed(options.client);

const { urls, missing } = await up({ say: (line) => process.stderr.write(`${line}\n`) });
if (missing.length > 0) refuse(missing.map(({ service, reason }) => `${service} cannot be had (${reason})`).join("; "));

const folder = mkdtempSync(join(tmpdir(), "task-tracker-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const taskFile = join(folder, "task.json");
const pageFile = join(folder, "page.json");
const loadFile = join(folder, "load");
/** A quick run shows that everything runs, also on servers that stand still for a moment. */
const { drive, faults } = driver(client, loadFile, seconds, options.quick ? { refusedShareMax: 0.02 } : {});
/** What a reader of the figures should know; it fails no run. */
const slow: string[] = [];

const { env, remove } = await placeOn(urls as Record<ServerName, string>, allServers, { prefix: "bench", partitions });
const ofServers = JSON.stringify(env);
const reference = async (script: "sends" | "bulk-writes"): Promise<number> =>
  Number(await run(runtime, `bench/stack/${script}.ts`, [ofServers, String(seconds)]));
const log = await seenLog(env);
const mongo = connectMongo(env);
const { documents } = spaceCollections(mongo.db);
const producer = connectKafka(env).producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
const send = batching(producer, topicOf(env, "copied"));
const stack = await startStack(runtime, folder, env, options.apart);
const first = await newPerson(stack.url, answersOf);
await log.settled();
await keepAnswers(stack.url, first, { taskFile, pageFile });
const bare = await start(runtime, "bench/http/bare.ts", [taskFile, pageFile]);
const copier = await start(runtime, "bench/stack/copier.ts", [ofServers]);

/** Which side comes first changes from round to round. */
async function beside<T, U>(round: number, ours: () => Promise<T>, theirs: () => Promise<U>): Promise<[T, U]> {
  const before = round % 2 === 0 ? await theirs() : undefined;
  const measured = await ours();
  return [measured, before ?? (await theirs())];
}

const onBare = (name: FigureName) => async () => rateOf(await drive(`reference of ${name}`, bare.greeting));

/** A load over the 32 connections; the reference gets the same bytes unless it is another. */
async function driven(name: FigureName, requests: string, round: number, theirs = onBare(name)): Promise<Sample> {
  writeFileSync(loadFile, requests);
  const [counted, reference] = await beside(round, () => drive(name, stack.url), theirs);
  const { answers, longestMs, p50Ms, p99Ms } = counted;
  if (longestMs >= verdictMs) slow.push(`${name}: an answer took ${Math.round(longestMs)} ms`);
  const distinct = requests.split(separator).length;
  if (name === "stack/get-miss" && answers > distinct)
    (options.quick ? slow : faults).push(`${name}: ${answers} answers, and there were only ${distinct} tasks to miss`);
  return { value: rateOf(counted), reference, p50Ms, p99Ms };
}

/** Tasks of a person as the read model has them: creates over the connections told nobody their ids. */
async function idsOf({ token }: Person): Promise<string[]> {
  const { sub: space = "" } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
    sub?: string;
  };
  const found = documents.find({ space, type: "task" }).project<{ id: string }>({ id: 1 });
  return (await found.toArray()).map(({ id }) => id);
}

/** The key of its document. */
async function create(token: string, each: number): Promise<string> {
  const text = await answered(await post(`${stack.url}/v1/tasks`, newTask(each), token), 201);
  const { spaceId, id } = JSON.parse(text) as { spaceId: string; id: string };
  return keyOf(spaceId, id);
}

async function copied(each: number): Promise<string> {
  const record = createRecord(each, crypto.randomUUID());
  await send(record);
  return record.key;
}

async function measure(round: number): Promise<Record<FigureName, Sample>> {
  const person = await newPerson(stack.url);
  const crowd = await newPerson(stack.url, 0);
  const { token } = crowd;
  const loadOf = (name: LoadName) => load(name, stack.url, person);
  await log.settled();
  const get = await driven("stack/get", loadOf("get"), round);
  const list = await driven("stack/list", loadOf("list"), round);
  const patch = await driven("stack/patch", loadOf("patch"), round);
  const mixed = await driven("stack/mixed", loadOf("mixed"), round);
  await log.settled();
  const { undecided, ...paced } = await changes(stack.url, person, pacedSeconds);
  if (undecided > 0) slow.push(`stack/patch-p99: ${undecided} changes were answered 202, not decided in time`);
  const [lag, bareLag] = await beside(
    round,
    () => lags((each) => create(token, each), sights(documents), pacedSeconds),
    () => lags(copied, sights(mongo.db.collection<{ _id: string }>("bench_copied")), pacedSeconds),
  );
  const made = await driven("stack/create", load("create", stack.url, crowd), round, () => reference("sends"));
  await log.settled();
  const taskIds = await idsOf(crowd);
  await forgetKeys(env.REDIS_URL ?? "", `${env.TT_NAMESPACE}.${spaceKeys.resource("*", "*")}`);
  const misses = load("get", stack.url, { token, taskIds }, taskIds.length);
  const getMiss = await driven("stack/get-miss", misses, round);
  const backlog = Array.from({ length: backlogCommands }, (_, each) => createRecord(each, crypto.randomUUID()));
  const [taken, bulk] = await beside(
    round,
    () => log.takenPerSecond(backlog),
    () => reference("bulk-writes"),
  );
  return {
    "stack/create": made,
    "stack/get": get,
    "stack/get-miss": getMiss,
    "stack/list": list,
    "stack/patch": patch,
    "stack/mixed": mixed,
    "stack/patch-p99": { ...paced, value: paced.p99Ms, reference: patchMsAim },
    "stack/lag-p50": { value: lag.p50Ms, reference: bareLag.p50Ms },
    "stack/lag-p99": { value: lag.p99Ms, reference: bareLag.p99Ms },
    "stack/consumer": { value: taken, reference: bulk },
  };
}

const samples = new Map<FigureName, Sample[]>(figureNames.map((name) => [name, []]));
try {
  // The first round warms up and is not counted, except when a single quick one is all there is.
  for (let round = options.quick ? 1 : 0; round <= rounds; round++) {
    const measured = await measure(round);
    if (round > 0) for (const name of figureNames) samples.get(name)?.push(measured[name]);
  }
} finally {
  await Promise.all([stack.end(), bare.end(), copier.end(), producer.disconnect(), log.close(), mongo.close()]);
  // A server that takes long to forget so much goes on with it alone.
  await settles(remove(), removeMs);
}

const how = options.apart ? "a process for each role" : "one process with all roles";
print(
  `The system on ${runtime} and four servers, ${how}, client ${client}, ${rounds} rounds of ${seconds} s`,
  figures,
  figureNames.map((name) => rowOf(name, figures[name], samples.get(name) ?? [])),
  options.json,
);
for (const fault of [...slow, ...faults]) process.stderr.write(`${fault}\n`);
process.exit(faults.length > 0 ? 1 : 0);
