/** The columns of a board with their tasks, brought up to date by the tasks that changed. */
import { type Column, shownColumn } from "../../actors/resources/project.ts";
import { type Task, taskOf } from "./fields.ts";
import { merged, type TaskIndex } from "./task-index.ts";

export type BoardColumn = Column & { readonly tasks: readonly Task[] };
/** `projectId` null: those without a project, in a column for each status. */
export type BoardKind = {
  readonly projectId: string | null;
  readonly columns: readonly Column[];
  /** Where tasks stand that have no column there. */
  readonly last: Column;
  /** Whether it is left out for what is above it. */
  isLeftOut(task: Task): boolean;
};
/** A board, and the index that it was made from. */
export type MadeBoard = { readonly of: BoardKind; readonly index: number; readonly columns: readonly BoardColumn[] };

/** A column in which nothing changed has the same list as before. */
export function boardFrom(kind: BoardKind, index: TaskIndex, before: MadeBoard | undefined): MadeBoard {
  const isNext = before?.of === kind && before.index === index.madeFrom && !index.isParentElsewhere;
  const made = isNext ? updated(before, index) : madeWhole(kind, index, before);
  return { of: kind, index: index.version, columns: made };
}

function madeWhole(kind: BoardKind, index: TaskIndex, before: MadeBoard | undefined): readonly BoardColumn[] {
  const lists = new Map<string, Task[]>();
  for (const task of index.byRank) {
    const id = placeOn(kind, task);
    if (id === undefined) continue;
    const list = lists.get(id);
    if (list === undefined) lists.set(id, [task]);
    else list.push(task);
  }
  const old = new Map(before?.columns.map(({ id, tasks }) => [id, tasks]));
  return withLast(kind, (id) => {
    const [was, is] = [old.get(id), lists.get(id) ?? []];
    return was !== undefined && isSameList(was, is) ? was : is;
  });
}

function updated({ of: kind, columns }: MadeBoard, { gone, come }: TaskIndex): readonly BoardColumn[] {
  const left = new Set<string>();
  for (const task of gone) {
    const id = placeOn(kind, task);
    if (id !== undefined) left.add(id);
  }
  const arrived = new Map<string, Task[]>();
  for (const task of come) {
    const id = placeOn(kind, task);
    if (id !== undefined) arrived.set(id, [...(arrived.get(id) ?? []), task]);
  }
  const old = new Map(columns.map(({ id, tasks }) => [id, tasks]));
  return withLast(kind, (id) => {
    const was = old.get(id) ?? [];
    const stayed = left.has(id) ? was.filter((task) => !gone.has(task)) : was;
    return merged(stayed, arrived.get(id) ?? []);
  });
}

/** Undefined: not on this board. */
function placeOn(kind: BoardKind, task: Task): string | undefined {
  const { projectId, parentId, status } = taskOf(task);
  if (projectId !== kind.projectId) return undefined;
  if (parentId !== null && kind.isLeftOut(task)) return undefined;
  if (projectId !== null) return shownColumn(kind.columns, task.fields)?.id ?? kind.last.id;
  return kind.columns.some(({ id }) => id === status) ? status : kind.last.id;
}

/** The last one is there only while something is in it. */
function withLast({ columns, last }: BoardKind, listOf: (id: string) => readonly Task[]): readonly BoardColumn[] {
  const shown = columns.map((column) => ({ ...column, tasks: listOf(column.id) }));
  const others = { ...last, tasks: listOf(last.id) };
  return others.tasks.length > 0 ? [...shown, others] : shown;
}

function isSameList(one: readonly Task[], other: readonly Task[]): boolean {
  return one.length === other.length && one.every((task, place) => task === other[place]);
}
