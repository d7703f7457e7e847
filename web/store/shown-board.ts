/**
 * A board as it is shown. What has not changed is the same object as before, so that views of it need not be rendered again: columns, and within a column the
 * chunks that its cards are held in. A card that comes or goes changes its own chunk alone.
 */
import type { Document } from "../../actors/resources/document.ts";
import type { Column } from "../../actors/resources/project.ts";
import { type Chunk, chunked, type Item } from "./chunks.ts";
import type { SpaceStore } from "./space-store.ts";
import { boardOf, subtaskCounts, type Task } from "./tasks.ts";

/** With the number of its subtasks. */
export type CardItem = Item & { readonly done: number; readonly all: number };
export type ShownColumn = {
  readonly column: Column;
  readonly count: number;
  readonly chunks: readonly Chunk<CardItem>[];
};

const noCount = { done: 0, all: 0 };

export function shownBoard(
  store: SpaceStore,
  project: Document | undefined,
  matches: (task: Task) => boolean,
  before: readonly ShownColumn[],
): readonly ShownColumn[] {
  const counts = subtaskCounts(store);
  return boardOf(store, project).map(({ tasks, ...column }) => {
    const old = before.find((each) => each.column.id === column.id);
    const shown = tasks.filter(matches);
    const isSameHead = old !== undefined && isSameColumn(old.column, column);
    if (isSameHead && isShown(shown, counts, old)) return old;
    const items = shown.map((task): CardItem => {
      const { done, all } = counts.get(task.id) ?? noCount;
      return { task, done, all };
    });
    return { column, count: items.length, chunks: chunked(items, old?.chunks ?? [], isSameCard) };
  });
}

export function isSameCard(one: CardItem, other: CardItem): boolean {
  return one.task === other.task && one.done === other.done && one.all === other.all;
}

function isSameColumn(one: Column, other: Column): boolean {
  return one.name === other.name && one.status === other.status;
}

function isShown(
  tasks: readonly Task[],
  counts: ReturnType<typeof subtaskCounts>,
  { count, chunks }: ShownColumn,
): boolean {
  if (tasks.length !== count) return false;
  let place = 0;
  for (const { items } of chunks)
    for (const { task, done, all } of items) {
      if (tasks[place] !== task) return false;
      const now = counts.get(task.id) ?? noCount;
      if (now.done !== done || now.all !== all) return false;
      place += 1;
    }
  return true;
}
