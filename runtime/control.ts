import { isMainThread, type MessagePort, workerData } from "node:worker_threads";
import type { LogLevel } from "./actor.ts";
import type { PackedError } from "./errors.ts";
import type { FaultKind } from "./fault.ts";
import type { KeyedOptions } from "./keyed-cells.ts";
import type { Directory, DirectoryEntry } from "./targets.ts";
import type { Subscriptions } from "./topics.ts";

/** What the main thread and a worker say to each other besides messages: arrays, where messages are text. */

export type ToWorker =
  /** Begin this generation (a spare waits for it). */
  | readonly ["go", generation: number, subscriptions: Subscriptions, directory: Directory]
  /** A way to another thread; what comes by it is for the actor at `to`. */
  | readonly ["port", slot: number, generation: number, port: MessagePort, to: number]
  | readonly ["down", slot: number, generation: number, cause: PackedError | undefined]
  | readonly ["subscriptions", table: Subscriptions]
  /** A child that starts at run time has got this place, or has left it. */
  | readonly ["place", slot: number, entry: DirectoryEntry]
  | readonly ["fault", how: FaultKind]
  | readonly ["stop", timeoutMs: number];

export type ToMain =
  /** Listens from now on: nothing is sent to it before. */
  | readonly ["hello"]
  | readonly ["loaded"]
  | readonly ["ready"]
  | readonly ["start-failed", error: PackedError]
  | readonly ["link", slot: number, generation: number]
  | readonly ["subscribe", slot: number, topic: string, kind: string, lossy: boolean]
  | readonly ["log", level: LogLevel, event: string, fields: Record<string, unknown>]
  /** The last word: the actor is over, its `stop` hook has run. Without it an exit is abnormal. */
  | readonly ["bye", failure: PackedError | undefined];

/** Tells the threads of a system from those that something else has started. */
const MARK = "actor-runtime";

/** An actor that a worker runs. */
export type ActorData = {
  readonly slot: number;
  readonly name: string;
  /** The address of its module; undefined when a registry has it. */
  readonly module: string | undefined;
  readonly args: unknown;
  readonly shutdownMs: number;
};

/** What a worker is born with. */
export type WorkerData = ActorData & {
  readonly mark: typeof MARK;
  readonly index: number;
  /** Of a group, from left to right; none of other children. */
  readonly members: readonly ActorData[];
  readonly keyed: KeyedOptions | null;
  readonly sharedTable: SharedArrayBuffer;
  readonly shared: SharedArrayBuffer;
  readonly directory: Directory;
  readonly epochMs: number;
  /** Its generation, or undefined for a spare: then it loads its module and waits. */
  readonly generation: number | undefined;
  readonly subscriptions: Subscriptions;
};

export const marked = (data: Omit<WorkerData, "mark">): WorkerData => ({ mark: MARK, ...data });

/** What this thread was born with; undefined when it is none of a system's. */
export function birthData(): WorkerData | undefined {
  const data = workerData as Partial<WorkerData> | null | undefined;
  return !isMainThread && data?.mark === MARK ? (data as WorkerData) : undefined;
}

/** Throws where a system would be made in each of its own threads, and so without end. */
export function refuseInActorThread(): void {
  const around = birthData();
  if (around !== undefined)
    throw new Error(
      `Cannot make a system in the thread of the actor ${around.name}: a module that is loaded there, or the worker's entry, makes one; keep actors and the system in modules of their own, or make the system only if isMainThread of node:worker_threads is true`,
    );
}
