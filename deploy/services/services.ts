/**
 * PostgreSQL, MongoDB, Redis and Kafka for tests and benchmarks. `up` has one shared set that stays between test files and runs;
 * `startPrivate` starts one service for a test that hurts it. See docs/services.md.
 */
import { mkdtempSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isEngineHere, removeProject, startContainer } from "./containers.ts";
import { doesAnswer } from "./external.ts";
import { CannotBeHad, type Say } from "./install.ts";
import { missingFor, startNative } from "./local-servers.ts";
import { isAlive, thisProcess } from "./processes.ts";
import type { ProgramName } from "./protocol-probe.ts";
import { controlOf, type Service, serves, serviceIn } from "./service.ts";
import {
  defaultDir,
  givenUrl,
  isContainersWanted,
  privatePrefix,
  type ServiceName,
  serviceNames,
  type Urls,
  variableOf,
} from "./settings.ts";
import {
  changing,
  type Entry,
  type EntryName,
  FolderError,
  readState,
  removeFolder,
  type State,
  writeState,
} from "./state.ts";

export type { Service, ServiceName, Urls };
export { FolderError, serviceNames, variableOf };

export type UpOptions = {
  /** The set's folder; the user's shared one unless given. */
  dir?: string;
  /** All four unless given. */
  only?: readonly ServiceName[];
  /** Kafka 3.9 with ZooKeeper (true) or Kafka 4.1 without; unless said, what is there already, else without. */
  zookeeper?: boolean;
  /** Is told what takes long; nobody unless given. */
  say?: Say;
};
export type Missing = { readonly service: ServiceName; readonly reason: string };
export type Up = { readonly urls: Urls; readonly missing: readonly Missing[] };

/** Has the services up: those given by their variables as they are, those of the set that live as they run, the others started. */
export async function up(options: UpOptions = {}): Promise<Up> {
  return await upIn(options.dir ?? defaultDir, options, { isPrivate: false });
}

async function upIn(dir: string, options: UpOptions, { isPrivate }: { isPrivate: boolean }): Promise<Up> {
  const { only = serviceNames, say = () => {} } = options;
  const onWait = () => say("waiting for another process that changes the same services");
  return await changing(dir, onWait, async () => {
    const state: State = readState(dir) ?? { entries: {}, ...(isPrivate ? { owner: thisProcess() } : {}) };
    writeState(dir, state);
    const set: WorkingSet = { dir, state, say, zookeeper: options.zookeeper };
    const urls: Urls = {};
    const missing: Missing[] = [];
    const one = async (name: ServiceName) => {
      try {
        urls[variableOf[name]] = (isPrivate ? undefined : await external(name, state)) ?? (await ours(name, set));
      } catch (error) {
        missing.push({ service: name, reason: error instanceof Error ? error.message : "unknown" });
      }
    };
    await Promise.all(serviceNames.filter((name) => only.includes(name)).map(one));
    return { urls, missing };
  });
}

/** What `up` would install on this machine, in words; empty when all is here, given or in containers. */
export function wouldInstall(): string[] {
  if (isContainersWanted) return [];
  const wanted = serviceNames.filter((name) => givenUrl(name) === undefined);
  return missingFor(wanted.map((name) => (name === "kafka" ? "kraft" : name)));
}

type WorkingSet = {
  readonly dir: string;
  readonly state: State;
  readonly say: Say;
  readonly zookeeper: boolean | undefined;
};

/** What the environment gives, when it is not this set's own URL that a shell has kept. */
async function external(name: ServiceName, { entries }: State): Promise<string | undefined> {
  const url = givenUrl(name);
  if (url === undefined || url === entries[name]?.url) return undefined;
  if (await doesAnswer(name, url)) return url;
  const variable = variableOf[name];
  throw new CannotBeHad(`${variable} is given, but nothing answers there; unset ${variable} to have one started`);
}

async function ours(name: ServiceName, set: WorkingSet): Promise<string> {
  if (name !== "kafka") return await entryUp(name, name, set);
  const there = set.state.entries.kafka?.program;
  const zookeeper = set.zookeeper ?? there === "coordinated";
  if (there !== undefined && zookeeper !== (there === "coordinated"))
    throw new CannotBeHad(
      `it runs ${zookeeper ? "without" : "with"} ZooKeeper; take it down first, or use another set`,
    );
  if (!zookeeper) return await entryUp("kafka", "kraft", set);
  await entryUp("zookeeper", "zookeeper", set);
  return await entryUp("kafka", "coordinated", set);
}

async function entryUp(name: EntryName, program: ProgramName, set: WorkingSet): Promise<string> {
  const { dir, state, say } = set;
  const entry = state.entries[name];
  if (entry?.isSettled) {
    const control = controlOf(name, entry, () => writeState(dir, state));
    if (await serves(entry, control)) return entry.url;
    say(`${name}: does not answer, starting it again`);
    await control.crash();
    await control.start();
    return entry.url;
  }
  // What an interrupted start left.
  if (entry !== undefined) await controlOf(name, entry, () => {}).end();
  const begunMs = performance.now();
  const { url } = await startFresh(name, program, set);
  say(`${name}: up after ${Math.round(performance.now() - begunMs)} ms`);
  return url;
}

async function startFresh(name: EntryName, program: ProgramName, { dir, state, say }: WorkingSet): Promise<Entry> {
  const keep = (entry: Entry) => {
    state.entries[name] = entry;
    writeState(dir, state);
  };
  const coordinator = state.entries.zookeeper;
  // A Kafka goes where its ZooKeeper went: they must reach each other.
  const isContainer = program === "coordinated" ? coordinator?.from === "container" : isContainersWanted;
  if (isContainer) return await startContainer(name, program, dir, say, keep);
  try {
    return await startNative(name, program, { dir, coordinatorPort: coordinator?.ports[0] }, say, keep);
  } catch (error) {
    if (!(error instanceof CannotBeHad) || program === "coordinated" || !(await isEngineHere())) throw error;
    say(`${name}: ${error.message}`);
    return await startContainer(name, program, dir, say, keep);
  }
}

/** Ends what `up` started, removes its folder, and sweeps away private sets whose owner is gone. Nothing there is no error. */
export async function down(options: { dir?: string } = {}): Promise<void> {
  await downOf(options.dir ?? defaultDir);
  for (const dir of privateDirs()) if (isAbandoned(dir)) await downOf(dir);
}

async function downOf(dir: string): Promise<void> {
  const nobody = () => {};
  await changing(dir, nobody, async () => {
    const state = readState(dir);
    if (state === undefined) return;
    const entries = Object.entries(state.entries) as [EntryName, Entry][];
    await Promise.all(entries.map(([name, entry]) => controlOf(name, entry, nobody).end()));
    if (entries.some(([, { from }]) => from === "container")) await removeProject(dir);
    removeFolder(dir);
  });
}

function privateDirs(): string[] {
  const folder = dirname(privatePrefix);
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(privatePrefix)))
    .map((name) => join(folder, name));
}

function isAbandoned(dir: string): boolean {
  try {
    const owner = readState(dir)?.owner;
    return owner !== undefined && !isAlive(owner);
  } catch (error) {
    if (error instanceof FolderError) return false;
    throw error;
  }
}

/** All that are in the set; each can be asked whether it serves. */
export function status(options: { dir?: string } = {}): Service[] {
  const dir = options.dir ?? defaultDir;
  const names = Object.keys(readState(dir)?.entries ?? {}) as EntryName[];
  return names.map((name) => serviceIn(dir, name));
}

/** One service of the set, to look at or to hurt. Throws when it is not in the set. */
export function service(name: EntryName, options: { dir?: string } = {}): Service {
  return serviceIn(options.dir ?? defaultDir, name);
}

export type PrivateService = Service & {
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** Of a Kafka with ZooKeeper. */
  readonly zookeeper?: Service;
};

/** Starts one service for the caller alone, with a fresh folder. Throws with the reason when it cannot be had. */
export async function startPrivate(
  name: ServiceName,
  options: { zookeeper?: boolean; say?: Say } = {},
): Promise<PrivateService> {
  const dir = mkdtempSync(privatePrefix);
  const stop = () => downOf(dir);
  const { missing } = await upIn(dir, { ...options, only: [name] }, { isPrivate: true });
  const [gone] = missing;
  if (gone !== undefined) {
    await stop();
    throw new CannotBeHad(`Cannot start ${name}: ${gone.reason}`);
  }
  const more = options.zookeeper === true ? { zookeeper: serviceIn(dir, "zookeeper") } : {};
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(serviceIn(dir, name)),
      ...Object.getOwnPropertyDescriptors({ stop, ...more }),
    },
  ) as PrivateService;
}
