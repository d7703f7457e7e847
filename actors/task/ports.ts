/** What the task service needs of the world. Adapters carry their technology in their file's name. */
import type { Command, Outcome, Position } from "../model/command.ts";
import type { Change } from "../model/past.ts";
import type { ListQuery, PageEnd } from "./list-query.ts";

/** The ordered, durable log of commands. */
export type Log = {
  /**
   * Appends a command; commands of one task keep the order in which they were appended. Resolves when the command is durable and decided.
   * Throws `log-unavailable` when it could not be made durable in time: it may still have been taken, and sending it again is safe.
   */
  append(command: Command): Promise<Outcome>;
};

export type StoredTask = {
  readonly ownerId: string;
  readonly version: number;
  readonly deleted: boolean /** as it is served */;
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
  task(id: string): StoredTask | undefined;
  /** At most `limit + 1` items in the query's order, each with its place in it. */
  list(query: ListQuery): { json: string; end: PageEnd }[];
  /** Newest first, versions below `before`, `limit` at most. */
  history(taskId: string, before: number, limit: number): Change[];
  operation(id: string): StoredOperation | undefined;
  /** The last position that is visible here. */
  position(): Position;
};
