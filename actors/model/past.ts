/** A task's history and what can be read from it: the task as it was at any version. */
import { defaults } from "./created.ts";
import type { Task, Writable } from "./task.ts";

export type ChangeKind = "created" | "changed" | "deleted" | "restored" | "undone";

export const tracked = ["title", "description", "status", "priority", "labels", "dueAt", "completedAt"] as const;
export type Tracked = Writable & { completedAt: string | null };
export type Changes = { [F in keyof Tracked]?: { from: Tracked[F] | null; to: Tracked[F] } };

/** One entry of a task's history, as clients see it. There is one for each version. */
export type Entry = {
  version: number;
  kind: ChangeKind;
  at: string;
  actorId: string;
  operationId: string;
  /** Only fields that differ; on creation every field that is not null, from null. */
  changes: Changes;
};

/** An entry with what the writer needs besides. */
export type Change = {
  entry: Entry;
  /** The task is deleted at this version. */
  deleted: boolean;
  /** The version of the change that an undo would have taken back just before this one; 0: none. */
  undoBefore: number;
};

export type Past = { task: Task; deleted: boolean };

/**
 * The task at the version of the last of these changes, which are those of one task from its creation on without gap.
 * Undefined when there are none.
 */
export function past(taskId: string, changes: readonly Change[]): Past | undefined {
  const [first] = changes;
  const last = changes.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const values: Tracked = { title: "", ...defaults, completedAt: null };
  for (const { entry } of changes) take(values, entry.changes, "to");
  return {
    task: {
      id: taskId,
      ...values,
      ownerId: first.entry.actorId,
      version: last.entry.version,
      createdAt: first.entry.at,
      updatedAt: last.entry.at,
    },
    deleted: last.deleted,
  };
}

/** Sets the changed fields of `values` to what they were before (`from`) or after (`to`) the changes. */
export function take(values: Tracked, changes: Changes, side: "from" | "to"): void {
  Object.assign(values, Object.fromEntries(Object.entries(changes).map(([field, change]) => [field, change[side]])));
}

/** What differs between two states of a task; from null where there was none. */
export function differences(before: Tracked | undefined, after: Tracked): Changes {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  for (const field of tracked) {
    const from = before === undefined ? null : before[field];
    const to = after[field];
    if (!same(from, to)) changes[field] = { from, to };
  }
  return changes;
}

function same(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
