/** Tasks and projects as views use them: typed, in their order, and the changes that people make. */
import { v7 as uuidv7 } from "uuid";
import type { Document } from "../../actors/resources/document.ts";
import type { Due } from "../../actors/resources/due.ts";
import type { Json } from "../../actors/resources/field.ts";
import { type Column, shownColumn } from "../../actors/resources/project.ts";
import { change } from "../sync/sending.ts";
import { storeOf } from "../sync/spaces.ts";
import { language, t } from "../text/language.ts";
import type { SpaceStore } from "./space-store.ts";

export type TaskFields = {
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly priority: string;
  readonly labels: readonly string[];
  readonly due: Due | null;
  readonly projectId: string | null;
  readonly columnId: string | null;
  readonly parentId: string | null;
  readonly assigneeIds: readonly string[];
  readonly estimateMinutes: number | null;
  readonly rank: string;
  readonly completedAt: string | null;
};
export type ProjectFields = {
  readonly name: string;
  readonly description: string;
  readonly color: string | null;
  readonly columns: readonly Column[];
  readonly archived: boolean;
};
export type Task = Document;
export const taskOf = (document: Document): TaskFields => document.fields as unknown as TaskFields;
export const projectOf = (document: Document): ProjectFields => document.fields as unknown as ProjectFields;

export const isClosed = (task: Document): boolean => ["done", "cancelled"].includes(taskOf(task).status);

/** Ranks compare by their characters, which are all ASCII. */
export function byRank(a: Document, b: Document): number {
  const [one, other] = [taskOf(a).rank, taskOf(b).rank];
  return one < other ? -1 : one > other ? 1 : 0;
}

export function projectsOf(store: SpaceStore): Document[] {
  return [...store.all("project")].sort((a, b) => projectOf(a).name.localeCompare(projectOf(b).name));
}

/** A task below one that is deleted, or of a deleted or archived project, is left out as the lists of the server leave it out. */
export function isHidden(store: SpaceStore, task: Document): boolean {
  const { projectId } = taskOf(task);
  const project = projectId === null ? undefined : store.get(projectId);
  if (project !== undefined && (project.deletedBy !== undefined || projectOf(project).archived)) return true;
  let above = taskOf(task).parentId;
  for (let depth = 0; above !== null && depth < 10; depth++) {
    const parent = store.get(above);
    if (parent === undefined) return false;
    if (parent.deletedBy !== undefined) return true;
    above = taskOf(parent).parentId;
  }
  return false;
}

export type BoardColumn = Column & { readonly tasks: readonly Task[] };

/** Tasks without a project stand in a column for each status. */
const statusColumns = (): Column[] =>
  (["todo", "in_progress", "done"] as const).map((status) => ({
    id: status,
    name: t(status === "done" ? "statusDone" : status),
    status,
  }));

export function columnsOfBoard(project: Document | undefined): readonly Column[] {
  return project === undefined ? statusColumns() : projectOf(project).columns;
}

type KnownBoard = { readonly at: string; readonly project: Document | undefined; readonly board: BoardColumn[] };
const boards = new WeakMap<SpaceStore, KnownBoard>();

/** The same one until something in the space changes, and the same list of tasks for a column in which nothing has. */
export function boardOf(store: SpaceStore, project: Document | undefined): BoardColumn[] {
  const at = `${store.changed.value} ${language.value}`;
  const known = boards.get(store);
  if (known?.at === at && known.project === project) return known.board;
  const before = known?.project?.id === project?.id ? known?.board : undefined;
  const board = newBoardOf(store, project).map((column) => {
    const old = before?.find(({ id }) => id === column.id);
    return old !== undefined && isSameList(old.tasks, column.tasks) ? { ...column, tasks: old.tasks } : column;
  });
  boards.set(store, { at, project, board });
  return board;
}

function isSameList(one: readonly Task[], other: readonly Task[]): boolean {
  if (one.length !== other.length) return false;
  for (let place = 0; place < one.length; place++) if (one[place] !== other[place]) return false;
  return true;
}

function newBoardOf(store: SpaceStore, project: Document | undefined): BoardColumn[] {
  const columns = columnsOfBoard(project);
  const tasks = new Map<string, Task[]>(columns.map(({ id }) => [id, []]));
  const others: Task[] = [];
  const wanted = project?.id ?? null;
  for (const task of inKnownOrder(store)) {
    const { projectId, parentId } = taskOf(task);
    if (projectId !== wanted) continue;
    if (parentId !== null && isHidden(store, task)) continue;
    // A part of another task is found there; the inbox has what is still to be sorted.
    if (project === undefined && parentId !== null && store.get(parentId) !== undefined) continue;
    (tasks.get(columnIdOf(columns, project, task) ?? "") ?? others).push(task);
  }
  const shown = columns.map((column) => ({ ...column, tasks: tasks.get(column.id) ?? [] }));
  const last = { id: "", name: t("cancelled"), status: "cancelled", tasks: others };
  return others.length > 0 ? [...shown, last] : shown;
}

const orders = new WeakMap<SpaceStore, { from: readonly Task[]; sorted: readonly Task[] }>();

/** All tasks by rank. Those that are the same as before stand in their order already, and the others, few as a rule, are put among them. */
function inKnownOrder(store: SpaceStore): readonly Task[] {
  const from = store.all("task");
  const known = orders.get(store);
  if (known?.from === from) return known.sorted;
  const gone = new Set<Task>();
  const come: Task[] = [];
  for (let place = 0; place < Math.max(from.length, known?.from.length ?? 0); place++) {
    const [was, is] = [known?.from[place], from[place]];
    if (was === is) continue;
    if (was !== undefined) gone.add(was);
    if (is !== undefined) come.push(is);
  }
  const same = (known?.sorted ?? []).filter((task) => !gone.has(task));
  const sorted = merged(same, come.sort(byRank));
  orders.set(store, { from, sorted });
  return sorted;
}

/** Two lists in their order as one. */
function merged(many: readonly Task[], few: readonly Task[]): readonly Task[] {
  if (few.length === 0 || many.length === 0) return few.length === 0 ? many : few;
  const parts: Task[][] = [];
  let taken = 0;
  for (const task of few) {
    let [low, high] = [taken, many.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byRank(many[middle] as Task, task) <= 0) low = middle + 1;
      else high = middle;
    }
    parts.push(many.slice(taken, low), [task]);
    taken = low;
  }
  return [...parts, many.slice(taken)].flat();
}

function columnIdOf(columns: readonly Column[], project: Document | undefined, task: Task): string | undefined {
  if (project === undefined) return taskOf(task).status;
  return shownColumn(columns, task.fields)?.id;
}

/** Where a task stands on its board, and what is around it. */
export function placeOf(store: SpaceStore, task: Task): { board: BoardColumn[]; column: number; place: number } {
  const { projectId } = taskOf(task);
  const board = boardOf(store, projectId === null ? undefined : store.get(projectId));
  const column = board.findIndex(({ tasks }) => tasks.some(({ id }) => id === task.id));
  const place = board[column]?.tasks.findIndex(({ id }) => id === task.id) ?? -1;
  return { board, column, place };
}

export function newId(): string {
  return uuidv7();
}

export type NewTask = Partial<Omit<TaskFields, "rank" | "completedAt">> & { readonly title: string };

export function createTask(spaceId: string, body: NewTask): string {
  const id = newId();
  change(spaceId, [{ type: "task", id, kind: "create", body: body as Record<string, Json> }], {
    about: body.title,
    message: t("createdTask", { about: body.title }),
  });
  return id;
}

export function patchTask(
  task: Task,
  body: Readonly<Record<string, Json>>,
  options: { message?: string; expected?: number } = {},
): void {
  const { message, expected } = options;
  const from = Object.fromEntries(Object.keys(body).map((name) => [name, task.fields[name] ?? null]));
  const request = {
    type: "task",
    id: task.id,
    kind: "patch",
    body,
    ...(expected === undefined ? {} : { expected }),
  } as const;
  change(task.spaceId, [request], {
    about: taskOf(task).title,
    from,
    ...(message === undefined ? {} : { message }),
  });
}

export function toggleDone(task: Task): void {
  const about = taskOf(task).title;
  const isDone = taskOf(task).status === "done";
  patchTask(task, { status: isDone ? "todo" : "done" }, { message: t(isDone ? "reopened" : "completed", { about }) });
}

export function deleteTask(task: Task): void {
  const about = taskOf(task).title;
  change(task.spaceId, [{ type: "task", id: task.id, kind: "delete" }], {
    about,
    message: t("deletedTask", { about }),
  });
}

/** Into a column of its board: before the neighbour, or last. Answers what to say of it. */
export function moveTask(task: Task, column: BoardColumn, before: Task | undefined): string {
  const about = taskOf(task).title;
  const others = column.tasks.filter(({ id }) => id !== task.id);
  const place = before === undefined ? others.length : others.findIndex(({ id }) => id === before.id);
  const above = others[place - 1];
  const position: Record<string, string> = {
    ...(above === undefined ? {} : { after: above.id }),
    ...(before === undefined ? {} : { before: before.id }),
  };
  const isHere = column.tasks.some(({ id }) => id === task.id);
  const target: Record<string, Json> = isHere
    ? {}
    : taskOf(task).projectId === null || column.id === ""
      ? { status: column.status }
      : { columnId: column.id };
  const message = t("movedTo", { about, column: column.name });
  patchTask(task, { ...target, ...(Object.keys(position).length > 0 ? { position } : {}) }, isHere ? {} : { message });
  return isHere ? t("movedPlace", { about, place: place + 1, all: others.length + 1, column: column.name }) : message;
}

/** To the end of a column of another project, or out of all. Answers what to say of it. */
export function moveToProject(
  task: Task,
  { project, column }: { project: Document | undefined; column: Column },
): string {
  const name = project === undefined ? t("noProject") : projectOf(project).name;
  const message = t("movedTo", { about: taskOf(task).title, column: `${name} · ${column.name}` });
  const target =
    project === undefined ? { projectId: null, status: column.status } : { projectId: project.id, columnId: column.id };
  patchTask(task, target, { message });
  return message;
}

export function subtasksOf(store: SpaceStore, taskId: string): Task[] {
  return store
    .all("task")
    .filter((task) => taskOf(task).parentId === taskId)
    .sort(byRank);
}

/** How many subtasks are done, by task; made anew where anything changed. */
export function subtaskCounts(store: SpaceStore): ReadonlyMap<string, { done: number; all: number }> {
  const counts = new Map<string, { done: number; all: number }>();
  for (const task of store.all("task")) {
    const { parentId } = taskOf(task);
    if (parentId === null) continue;
    const count = counts.get(parentId) ?? { done: 0, all: 0 };
    counts.set(parentId, { done: count.done + (isClosed(task) ? 1 : 0), all: count.all + 1 });
  }
  return counts;
}

export function labelsOf(store: SpaceStore): string[] {
  const labels = new Set<string>();
  for (const task of store.all("task")) for (const label of taskOf(task).labels) labels.add(label);
  return [...labels].sort((a, b) => a.localeCompare(b));
}

export function createProject(spaceId: string, name: string): string {
  const id = newId();
  const columns: Json = (["todo", "in_progress", "done"] as const).map((status) => ({
    id: newId(),
    name: t(status === "done" ? "statusDone" : status),
    status,
  }));
  const colors = ["#4f46e5", "#0891b2", "#059669", "#d97706", "#dc2626", "#9333ea", "#db2777", "#475569"];
  const color = colors[storeOf(spaceId).all("project").length % colors.length] ?? null;
  change(spaceId, [{ type: "project", id, kind: "create", body: { name, color, columns } }], { about: name });
  return id;
}

export function patchProject(project: Document, body: Readonly<Record<string, Json>>, message?: string): void {
  const expected = "columns" in body ? { expected: project.version } : {};
  const from = Object.fromEntries(Object.keys(body).map((name) => [name, project.fields[name] ?? null]));
  change(project.spaceId, [{ type: "project", id: project.id, kind: "patch", body, ...expected }], {
    about: projectOf(project).name,
    from,
    ...(message === undefined ? {} : { message }),
  });
}
