/**
 * PostgreSQL, MongoDB, Redis and Kafka for tests and benchmarks. `up` has one shared set that stays between test files and runs;
 * `startPrivate` starts one service for a test that hurts it. See docs/services.md.
 */
import { mkdtempSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { doesAnswer } from "./given.ts";
import { CannotBeHad, type Say } from "./install.ts";
import { type NativeName, nativeOf, startAgain, startFresh } from "./natives.ts";
import { crash, end, isAlive, thisProcess } from "./processes.ts";
import { type Service, serviceIn } from "./service.ts";
import {
  defaultDir,
  givenUrl,
  privatePrefix,
  type ServiceName,
  serviceNames,
  type Urls,
  variableOf,
} from "./settings.ts";
import { changing, type EntryName, FolderError, readState, removeFolder, type State, writeState } from "./state.ts";

export type { Service, ServiceName, Urls };
export { FolderError, serviceNames, variableOf };

export type UpOptions = {
  /** The set's folder; the user's shared one unless given. */
  dir?: string;
  /** All four unless given. */
  only?: readonly ServiceName[];
  /** Kafka 3.9 with ZooKeeper in place of Kafka 4.1 (KRaft). */
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
  const { only = serviceNames, zookeeper = false, say = () => {} } = options;
  return await changing(
    dir,
    () => say("waiting for another process that changes the same services"),
    async () => {
      const state: State = readState(dir) ?? { entries: {}, ...(isPrivate ? { owner: thisProcess() } : {}) };
      writeState(dir, state);
      const set: WorkingSet = { dir, state, say, zookeeper };
      const urls: Urls = {};
      const missing: Missing[] = [];
      await Promise.all(
        serviceNames
          .filter((name) => only.includes(name))
          .map(async (name) => {
            try {
              urls[variableOf[name]] = (isPrivate ? undefined : await given(name, state)) ?? (await ours(name, set));
            } catch (error) {
              missing.push({ service: name, reason: error instanceof Error ? error.message : "unknown" });
            }
          }),
      );
      return { urls, missing };
    },
  );
}

type WorkingSet = { readonly dir: string; readonly state: State; readonly say: Say; readonly zookeeper: boolean };

/** What the environment gives, when it is not this set's own URL that a shell has kept. */
async function given(name: ServiceName, { entries }: State): Promise<string | undefined> {
  const url = givenUrl(name);
  if (url === undefined || url === entries[name]?.url) return undefined;
  if (await doesAnswer(name, url)) return url;
  const variable = variableOf[name];
  throw new CannotBeHad(`${variable} is given, but nothing answers there; unset ${variable} to have one started`);
}

async function ours(name: ServiceName, set: WorkingSet): Promise<string> {
  if (name !== "kafka") return await entryUp(name, name, set);
  const entry = set.state.entries.kafka;
  const program = set.zookeeper ? "coordinated" : "kraft";
  if (entry?.from === "native" && entry.program !== program)
    throw new CannotBeHad(
      `it runs ${set.zookeeper ? "without" : "with"} ZooKeeper; take it down first, or use another --dir`,
    );
  if (set.zookeeper) await entryUp("zookeeper", "zookeeper", set);
  return await entryUp("kafka", program, set);
}

async function entryUp(name: EntryName, program: NativeName, { dir, state, say }: WorkingSet): Promise<string> {
  const { entries } = state;
  const keep = () => writeState(dir, state);
  const entry = entries[name];
  if (entry?.from === "native") {
    if (!entry.isSettled) await crash(entry.process);
    else {
      const lives = isAlive(entry.process);
      if (lives && (await nativeOf(entry).isReady(entry))) return entry.url;
      say(`${name}: ${lives ? "does not answer" : "is dead"}, starting it again`);
      await crash(entry.process);
      await startAgain(name, entry, keep);
      return entry.url;
    }
  }
  const begunMs = performance.now();
  const coordinatorPort = entries.zookeeper?.ports[0];
  const started = await startFresh(name, program, { dir, coordinatorPort }, say, (each) => {
    entries[name] = each;
    keep();
  });
  say(`${name}: up after ${Math.round(performance.now() - begunMs)} ms`);
  return started.url;
}

/** Ends what `up` started, removes its folder, and sweeps away private sets whose owner is gone. Nothing there is no error. */
export async function down(options: { dir?: string } = {}): Promise<void> {
  const dir = options.dir ?? defaultDir;
  await downOf(dir);
  const folder = dirname(privatePrefix);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(basename(privatePrefix))) continue;
    const owner = readState(join(folder, name))?.owner;
    if (owner !== undefined && !isAlive(owner)) await downOf(join(folder, name));
  }
}

async function downOf(dir: string): Promise<void> {
  await changing(
    dir,
    () => {},
    async () => {
      const state = readState(dir);
      if (state === undefined) return;
      await Promise.all(
        Object.values(state.entries).map(async (entry) => {
          if (entry.from === "native") await end(entry.process, nativeOf(entry).stopSignal, stopDeadlineMs);
        }),
      );
      removeFolder(dir);
    },
  );
}
const stopDeadlineMs = 10_000;

/** What is in the set, and whether it serves. */
export async function status(
  options: { dir?: string } = {},
): Promise<{ name: EntryName; serves: boolean; service: Service }[]> {
  const dir = options.dir ?? defaultDir;
  const names = Object.keys(readState(dir)?.entries ?? {}) as EntryName[];
  return await Promise.all(
    names.map(async (name) => {
      const service = serviceIn(dir, name);
      return { name, serves: await service.serves(), service };
    }),
  );
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
