/** The folder of a set of services and what its state file says: enough for another process to use, restart or stop them. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { underLock } from "./lock.ts";
import type { Place } from "./native.ts";
import type { ProcessId } from "./processes.ts";
import type { ProgramName } from "./protocol-probe.ts";
import type { ServiceName } from "./settings.ts";

/** ZooKeeper is no service to anybody but Kafka, but runs, and fails, like one. */
export type EntryName = ServiceName | "zookeeper";

/** One that runs (or ran until it crashed) as a process of this machine. */
export type NativeEntry = Place & {
  readonly from: "native";
  readonly program: ProgramName;
  readonly url: string;
  process: ProcessId;
  /** False until it has answered once: what an interrupted start left is not worth keeping. */
  isSettled: boolean;
};

/** One that runs in a container of the set's compose project; `dir` is the data's folder inside. */
export type ContainerEntry = {
  readonly from: "container";
  readonly program: ProgramName;
  readonly container: string;
  readonly url: string;
  readonly ports: readonly number[];
  readonly dir: string;
  isSettled: boolean;
};

export type Entry = NativeEntry | ContainerEntry;

/** What can be done to a server, wherever it runs. */
export type Control = {
  pid(): number;
  /** Whether there is a process at all, halted or not. */
  isAlive(): Promise<boolean>;
  crash(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Starts one that is down, on its ports and with its data. */
  start(): Promise<void>;
  /** Ends it for good; its data is not needed any more. */
  end(): Promise<void>;
};

export type State = {
  /** Which process a private set is for; it is swept away when that process is gone. */
  owner?: ProcessId;
  entries: Partial<Record<EntryName, Entry>>;
};

const fileOf = (dir: string): string => join(dir, "state.json");
const lockDeadlineMs = 900_000;

/** The folder cannot be used; the message is one clear line. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/** What the folder says; nothing when there is no set. Throws when the folder is somebody else's, so that nothing of theirs is touched. */
export function readState(dir: string): State | undefined {
  const refuse = (why: string) => new FolderError(`Cannot use ${dir}: ${why}`);
  const found = asFolder(dir, () => lstatSync(dir, { throwIfNoEntry: false }));
  if (found === undefined) return undefined;
  if (!found.isDirectory()) throw refuse("it is no folder");
  if (process.getuid !== undefined && found.uid !== process.getuid()) throw refuse("it belongs to another user");
  if (!existsSync(fileOf(dir))) {
    if (readdirSync(dir).length > 0) throw refuse("it holds other files");
    return undefined;
  }
  try {
    return JSON.parse(readFileSync(fileOf(dir), "utf8")) as State;
  } catch {
    throw refuse("its state.json is broken; end what runs and remove the folder");
  }
}

/** What the system refuses to do with the folder is a `FolderError`. */
function asFolder<T>(dir: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new FolderError(`Cannot use ${dir}: ${(error as { code?: string }).code ?? "the system refuses it"}`);
  }
}

/** Replaces the state file as one act. It holds passwords. */
export function writeState(dir: string, state: State): void {
  asFolder(dir, () => mkdirSync(dir, { recursive: true }));
  // Another user (PostgreSQL's) must get through to its own folder, and see nothing else.
  chmodSync(dir, 0o711);
  const draft = `${fileOf(dir)}.draft`;
  writeFileSync(draft, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  renameSync(draft, fileOf(dir));
}

export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** A short name for a folder that is the same in every process. */
export function nameOf(dir: string): string {
  return createHash("sha256").update(resolve(dir)).digest("hex").slice(0, 12);
}

/** Does the work while no other process changes the same set. */
export function changing<T>(dir: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  return underLock(`set-${nameOf(dir)}`, lockDeadlineMs, onWait, work);
}
