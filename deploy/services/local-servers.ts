/** Servers that run as processes of this machine. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isFault, linesOf, type Say } from "./install.ts";
import { coordinated, kraft, zookeeper } from "./kafka.ts";
import { mongo } from "./mongo.ts";
import type { Native } from "./native.ts";
import { freePorts } from "./ports.ts";
import { postgres } from "./postgres.ts";
import { crash, end, isAlive, launch, pause, resume } from "./processes.ts";
import type { ProgramName } from "./protocol-probe.ts";
import { untilServes, withTries } from "./ready.ts";
import { redis } from "./redis.ts";
import type { Control, EntryName, NativeEntry } from "./state.ts";

const localServers: Record<ProgramName, Native> = { postgres, mongo, redis, kraft, coordinated, zookeeper };

/** What starting these would install on this machine, in words. */
export const missingFor = (programs: readonly ProgramName[]): string[] => [
  ...new Set(programs.flatMap((each) => localServers[each].missing())),
];

const stopDeadlineMs = 10_000;

/**
 * Installs and starts one afresh in a folder of its own below `dir`. `keep` is told as soon as there is a process, so that none is lost
 * from sight.
 */
export async function startNative(
  name: EntryName,
  program: ProgramName,
  { dir, coordinatorPort }: { dir: string; coordinatorPort: number | undefined },
  say: Say,
  keep: (entry: NativeEntry) => void,
): Promise<NativeEntry> {
  const native = localServers[program];
  const tools = await native.install((line) => say(`${name}: ${line}`));
  const place = { dir: join(dir, name), ports: await freePorts(native.portCount), tools };
  rmSync(place.dir, { recursive: true, force: true });
  mkdirSync(place.dir, { mode: 0o700 });
  const url = await native.prepare(place, coordinatorPort);
  const process = { pid: 0, began: "" };
  const entry: NativeEntry = { from: "native", program, ...place, url, process, isSettled: false };
  await startAgain(name, entry, () => keep(entry));
  await native.settle?.(entry, url);
  entry.isSettled = true;
  keep(entry);
  return entry;
}

async function startAgain(name: EntryName, entry: NativeEntry, keep: () => void): Promise<void> {
  const native = localServers[entry.program];
  const log = join(entry.dir, "..", `${name}.log`);
  if (entry.isSettled) native.clear?.(entry);
  entry.process = await launch(native.command(entry), entry.dir, log);
  keep();
  try {
    await untilServes(
      entry,
      () => isAlive(entry.process),
      () => complaint(log),
      async () => await native.whileNotReady?.(entry),
    );
  } catch (error) {
    await crash(entry.process);
    throw error;
  }
}

/** The last thing that the log complains of. */
function complaint(log: string): string {
  const lines = linesOf(readFileSync(log, "utf8"));
  return lines.findLast(isFault) ?? lines.at(-1) ?? "it said nothing";
}

export function nativeControl(name: EntryName, entry: NativeEntry, keep: () => void): Control {
  return {
    pid: () => entry.process.pid,
    isAlive: async () => isAlive(entry.process),
    crash: () => crash(entry.process),
    pause: async () => void pause(entry.process),
    resume: async () => resume(entry.process),
    start: () => withTries(() => startAgain(name, entry, keep)),
    end: () => end(entry.process, localServers[entry.program].stopSignal, stopDeadlineMs),
  };
}
