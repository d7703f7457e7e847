/** What the task service needs of the world. Adapters carry their technology in their file's name. */
import type { Command, Outcome, Position } from "../model/command.ts";
import type { Change } from "../model/past.ts";
import type { Entry } from "../redis/task-cache.ts";
import type { ListQuery, PageEnd } from "./list-query.ts";

export type MaybePromise<T> = T | Promise<T>;

/** The ordered, durable log of commands. */
export type Log = {
  /**
   * Appends a command; commands of one task keep the order in which they were appended. Resolves when the command is durable, and where a
   * verdict is wanted, when it is decided or its time is up. Throws `log-unavailable` when it could not be made durable in time: it may still have
   * been taken, and sending it again is safe. Throws `overloaded` when too much waits.
   */
  append(command: Command, wanted: { verdict: boolean }): Promise<Appended>;
};
export type Appended = {
  readonly position: Position;
  /** Undefined: durable, but not decided yet. */
  readonly outcome: Outcome | undefined;
};

export type StoredTask = {
  readonly ownerId: string;
  readonly version: number;
  readonly deleted: boolean;
  /** As it is served. */
  readonly json: string;
};
export type StoredOperation = {
  readonly userId: string;
  readonly taskId: string;
  readonly verdict: "applied" | "rejected";
  readonly code: string | null;
  readonly version: number | null;
};

/** The read model. Every method throws `read-model-unavailable` when it cannot be read. */
export type Reads = {
  task(id: string): MaybePromise<StoredTask | undefined>;
  /** At most `limit + 1` items in the query's order, each with its place in it. */
  list(query: ListQuery): MaybePromise<Listed[]>;
  /** Newest first, versions below `before`, `limit` at most. */
  history(taskId: string, before: number, limit: number): MaybePromise<Change[]>;
  operation(id: string): MaybePromise<StoredOperation | undefined>;
};
export type Listed = { readonly json: string; readonly end: PageEnd };

/** Who reads, and what they say that they have seen. */
export type Reader = { readonly userId: string; readonly token: Position | undefined };

/** Keeps what one reads as new as what one has written. Waits a second at most; `not-yet-visible` is thrown when the token's position is not reached by then. */
export type Latest = {
  /** The task as it is after the reader's own writes; `stale` when those are not all visible in time. Throws `read-model-unavailable`. */
  task(reader: Reader, id: string): MaybePromise<{ readonly task: StoredTask | undefined; readonly stale: boolean }>;
  /** Whether the read model lacks some of the reader's own writes (to one task, where it is named) after the wait. */
  isStale(reader: Reader, taskId?: string): MaybePromise<boolean>;
  /** Notes a write that the log has: from now on its author's reads wait for it. Never throws. */
  wrote(command: Command, appended: Appended): MaybePromise<void>;
  /** The user of an operation that was answered before it was decided; undefined when there is none such. */
  pending(operationId: string): MaybePromise<string | undefined>;
};

/** By partition, the offset of somebody's last acknowledged write. */
export type Positions = ReadonlyMap<number, number>;

export type Cached = {
  readonly own: Positions;
  readonly entry: Entry | undefined;
  /** The offset in the task's partition up to which the cache has been kept; -1 when that is not known. */
  readonly kept: number;
  /** On a miss, for one of those who ask: the right to fill it. */
  readonly lease: string | undefined;
};

/** What all `task` workers of all processes remember together. It may forget everything at any moment. Every method throws when it cannot be asked now. */
export type Cache = {
  read(userId: string, taskId: string, partition: number): Promise<Cached>;
  own(userId: string): Promise<Positions>;
  /** Notes a write that the log has, with the task as it is certain to be after it, and whether its verdict is still pending. */
  wrote(write: {
    readonly userId: string;
    readonly taskId: string;
    readonly operationId: string;
    readonly position: Position;
    readonly entry: Entry | undefined;
    readonly pending: boolean;
  }): Promise<void>;
  /** Has no effect once the lease is over, or anything newer was written. */
  fill(taskId: string, partition: number, entry: Entry, lease: string): Promise<void>;
  /** The user of an operation noted as pending. */
  pending(operationId: string): Promise<string | undefined>;
};
