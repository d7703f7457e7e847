/**
 * A board as it is shown. What has not changed is the same object as before, so that views of it need not be rendered again: columns, and within a column the
 * chunks that its cards are held in. A card that comes or goes changes its own chunk alone.
 */
import type { Document } from "../../actors/resources/document.ts";
import type { Column } from "../../actors/resources/project.ts";
import { boardOf, subtaskCounts } from "./boards.ts";
import { type Chunk, chunked, type Item } from "./chunks.ts";
import type { Task } from "./fields.ts";
import type { SpaceStore } from "./space-store.ts";

/** With the number of its subtasks. */
export type CardItem = Item & { readonly done: number; readonly all: number };
export type ShownColumn = {
  readonly column: Column;
  readonly count: number;
  readonly chunks: readonly Chunk<CardItem>[];
  readonly madeFrom: MadeFrom;
};
/** While these are the same objects, so is what is shown. */
type MadeFrom = {
  readonly tasks: readonly Task[];
  readonly counts: ReturnType<typeof subtaskCounts>;
  readonly matches: (task: Task) => boolean;
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
    const madeFrom = { tasks, counts, matches };
    if (old !== undefined && isSameColumn(old.column, column) && isSame(old.madeFrom, madeFrom)) return old;
    const items = tasks.filter(matches).map((task): CardItem => {
      const { done, all } = counts.get(task.id) ?? noCount;
      return { task, done, all };
    });
    return { column, count: items.length, chunks: chunked(items, old?.chunks ?? [], isSameCard), madeFrom };
  });
}

function isSame(one: MadeFrom, other: MadeFrom): boolean {
  return one.tasks === other.tasks && one.counts === other.counts && one.matches === other.matches;
}

function isSameCard(one: CardItem, other: CardItem): boolean {
  return one.task === other.task && one.done === other.done && one.all === other.all;
}

function isSameColumn(one: Column, other: Column): boolean {
  return one.name === other.name && one.status === other.status;
}
