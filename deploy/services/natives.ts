/** All programs that run as processes of this machine, and how any of them is started. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Say } from "./install.ts";
import { coordinated, kraft, zookeeper } from "./kafka.ts";
import { mongo } from "./mongo.ts";
import type { Native } from "./native.ts";
import { freePorts } from "./ports.ts";
import { postgres } from "./postgres.ts";
import { crash, isAlive, launch } from "./processes.ts";
import { redis } from "./redis.ts";
import type { EntryName, NativeEntry } from "./state.ts";

const natives = { postgres, mongo, redis, kraft, coordinated, zookeeper };
export type NativeName = keyof typeof natives;

export const nativeOf = (entry: NativeEntry): Native => natives[entry.program];

const readyDeadlineMs = 60_000;

/** Installs and starts one afresh in `dir`. `keep` is told of the process as soon as there is one, so that nothing is ever lost from sight. */
export async function startFresh(
  name: EntryName,
  program: NativeName,
  at: { dir: string; coordinatorPort?: number | undefined },
  say: Say,
  keep: (entry: NativeEntry) => void,
): Promise<NativeEntry> {
  const native = natives[program];
  const tools = await native.install((line) => say(`${name}: ${line}`));
  const dir = join(at.dir, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const place = { dir, ports: await freePorts(native.portCount), tools };
  const url = await native.prepare(place, at.coordinatorPort);
  const entry: NativeEntry = {
    from: "native",
    program,
    ...place,
    url,
    process: { pid: 0, began: "" },
    isSettled: false,
  };
  await startAgain(name, entry, keep);
  await native.settle?.(entry, url);
  entry.isSettled = true;
  keep(entry);
  return entry;
}

/** Starts one that is down, on its ports and with its data, and waits until it serves. */
export async function startAgain(name: EntryName, entry: NativeEntry, keep: (entry: NativeEntry) => void) {
  const native = nativeOf(entry);
  const log = join(entry.dir, "..", `${name}.log`);
  entry.process = await launch(native.command(entry), entry.dir, log);
  keep(entry);
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await native.isReady(entry))) {
    if (!isAlive(entry.process)) throw new Error(`it ended at its start: ${lastLine(log)}`);
    if (performance.now() > deadline) {
      await crash(entry.process);
      throw new Error(`it does not answer after ${readyDeadlineMs} ms: ${lastLine(log)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function lastLine(log: string): string {
  return readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "its log is empty";
}
