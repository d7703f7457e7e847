/** A board as it is shown. What has not changed is the same object as before, so that views of it need not be made anew. */
import type { Document } from "../../actors/resources/document.ts";
import type { Column } from "../../actors/resources/project.ts";
import type { SpaceStore } from "./space-store.ts";
import { boardOf, subtaskCounts, type Task } from "./tasks.ts";

export type Item = { readonly task: Task; readonly done: number; readonly all: number };
export type ShownColumn = { readonly column: Column; readonly items: readonly Item[] };

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
    const items = tasks.filter(matches).map((task, place): Item => {
      const { done, all } = counts.get(task.id) ?? noCount;
      const known = old?.items[place];
      return known?.task === task && known.done === done && known.all === all ? known : { task, done, all };
    });
    return old !== undefined && isSameColumn(old.column, column) && isSameList(old.items, items)
      ? old
      : { column, items };
  });
}

function isSameColumn(one: Column, other: Column): boolean {
  return one.name === other.name && one.status === other.status;
}

function isSameList(one: readonly Item[], other: readonly Item[]): boolean {
  return one.length === other.length && one.every((item, place) => item === other[place]);
}
