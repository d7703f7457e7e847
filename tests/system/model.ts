/** The contract of tasks as a plain value in memory: what a server must answer after any sequence of requests. Instants are taken from the answers. */
import type { Due, HistoryEntry, Json, Task } from "./client.ts";

export const writableFields = ["title", "description", "status", "priority", "labels", "dueAt"] as const;
export type Writable = Pick<Task, (typeof writableFields)[number]>;
/** Fields as they are stored: `dueAt` is a shorthand of `due`. */
const tracked = [
  "title",
  "description",
  "status",
  "priority",
  "labels",
  "due",
  "projectId",
  "columnId",
  "parentId",
  "assigneeIds",
  "estimateMinutes",
  "rank",
  "completedAt",
] as const;
/** What these requests never set. */
const unset = { projectId: null, columnId: null, parentId: null, assigneeIds: [], estimateMinutes: null };

export const defaults: Writable = {
  title: "",
  description: "",
  status: "todo",
  priority: "none",
  labels: [],
  dueAt: null,
};

type Snapshot = { readonly task: Task; readonly deleted: boolean };
export type Entry = Omit<HistoryEntry, "operationId" | "actorId" | "seq">;
export type Stored = Snapshot & {
  /** Each version as it was, from version 1 on. */
  readonly versions: readonly Snapshot[];
  readonly history: readonly Entry[];
  /** What the next undo goes back to, latest last. */
  readonly undoable: readonly (Snapshot & { readonly by: Entry["kind"] })[];
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function differences(from: Task | undefined, to: Task): Entry["changes"] {
  const changes: Entry["changes"] = {};
  for (const field of tracked) {
    const [before, after] = [from === undefined ? null : from[field], to[field]] as [Json, Json];
    if (!same(before, after)) changes[field] = { from: before, to: after };
  }
  return changes;
}

function step(stored: Stored, kind: Entry["kind"], next: Snapshot, undoable: Stored["undoable"]): Stored {
  const entry: Entry = {
    version: next.task.version,
    kind,
    at: next.task.updatedAt,
    changes: differences(stored.task, next.task),
  };
  return { ...next, versions: [...stored.versions, next], history: [entry, ...stored.history], undoable };
}

/** In UTC, its time in the shortest form. */
function dueOf(dueAt: string | null): Due | null {
  if (dueAt === null) return null;
  const time = dueAt
    .slice(11, 23)
    .replace(/\.000$/, "")
    .replace(/^(..:..):00$/, "$1");
  return { date: dueAt.slice(0, 10), time, timeZone: "UTC" };
}

/** A new task with these fields; the rest is the server's. */
export function created(
  fields: Partial<Writable>,
  server: Pick<Task, "id" | "spaceId" | "creatorId" | "createdAt" | "rank">,
): Stored {
  const writable = { ...defaults, ...fields };
  const task: Task = {
    ...server,
    ...writable,
    ...unset,
    due: dueOf(writable.dueAt),
    completedAt: writable.status === "done" ? server.createdAt : null,
    version: 1,
    updatedAt: server.createdAt,
  };
  const first = { task, deleted: false };
  return {
    ...first,
    versions: [first],
    history: [{ version: 1, kind: "created", at: server.createdAt, changes: differences(undefined, task) }],
    undoable: [],
  };
}

/** The task with these fields set, at this instant; itself when nothing changes. */
export function changed(stored: Stored, fields: Partial<Writable>, at: string): Stored {
  const { task } = stored;
  const wanted = { ...task, ...fields };
  wanted.due = dueOf(wanted.dueAt);
  if (writableFields.every((field) => same(task[field], wanted[field]))) return stored;
  const completedAt = wanted.status !== "done" ? null : task.status === "done" ? task.completedAt : at;
  const next = { task: { ...wanted, completedAt, version: task.version + 1, updatedAt: at }, deleted: false };
  return step(stored, "changed", next, [...stored.undoable, { task, deleted: false, by: "changed" }]);
}

export function deleted(stored: Stored, at: string): Stored {
  const { task } = stored;
  const next = { task: { ...task, version: task.version + 1, updatedAt: at }, deleted: true };
  return step(stored, "deleted", next, [...stored.undoable, { task, deleted: false, by: "deleted" }]);
}

export function restored(stored: Stored, at: string): Stored {
  const { task } = stored;
  const next = { task: { ...task, version: task.version + 1, updatedAt: at }, deleted: false };
  return step(stored, "restored", next, [...stored.undoable, { task, deleted: true, by: "restored" }]);
}

/** Undefined when there is nothing to take back. */
export function undone(stored: Stored, at: string): Stored | undefined {
  const before = stored.undoable.at(-1);
  if (before === undefined) return undefined;
  const next = { task: { ...before.task, version: stored.task.version + 1, updatedAt: at }, deleted: before.deleted };
  return step(stored, "undone", next, stored.undoable.slice(0, -1));
}

export type Filters = {
  status?: readonly Task["status"][];
  priority?: Task["priority"];
  label?: readonly string[];
  q?: string;
  dueBefore?: string;
  dueAfter?: string;
  updatedAfter?: string;
  deleted?: boolean;
};

const ranks: readonly Task["priority"][] = ["none", "low", "medium", "high", "urgent"];
const searchForm = (text: string): string => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const words = (text: string): string[] => searchForm(text).match(/[\p{L}\p{N}]+/gu) ?? [];

export function matches({ task, deleted: gone }: Stored, filters: Filters): boolean {
  const { status, priority, label = [], q = "", dueBefore, dueAfter, updatedAfter } = filters;
  const has = words(`${task.title} ${task.description}`);
  return (
    gone === (filters.deleted ?? false) &&
    (status === undefined || status.includes(task.status)) &&
    (priority === undefined || task.priority === priority) &&
    label.every((one) => task.labels.includes(one)) &&
    words(q).every((wanted) => has.some((word) => word.startsWith(wanted))) &&
    (dueBefore === undefined || (task.dueAt !== null && task.dueAt < dueBefore)) &&
    (dueAfter === undefined || (task.dueAt !== null && task.dueAt > dueAfter)) &&
    (updatedAfter === undefined || task.updatedAt > updatedAfter)
  );
}

export const sorts = ["createdAt", "updatedAt", "dueAt", "priority", "title"] as const;
export type Sort = (typeof sorts)[number] | `-${(typeof sorts)[number]}`;

/** Before (negative) or after (positive), as `sort` has it. */
export function order(a: Task, b: Task, sort: Sort): number {
  const turn = sort.startsWith("-") ? -1 : 1;
  const field = sort.replace("-", "") as (typeof sorts)[number];
  const key = (task: Task): string | number | null =>
    field === "priority" ? ranks.indexOf(task.priority) : field === "title" ? searchForm(task.title) : task[field];
  const [one, other] = [key(a), key(b)];
  if (one !== other) {
    if (one === null) return 1;
    if (other === null) return -1;
    return one < other ? -turn : turn;
  }
  return a.id < b.id ? -turn : turn;
}
