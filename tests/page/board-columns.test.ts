/** The board's columns, brought up to date by what changed, against the same made anew. */
import { expect, test } from "bun:test";
import type { Document } from "../../actors/resources/document.ts";
import { type BoardKind, boardFrom, type MadeBoard } from "../../web/store/board-columns.ts";
import { taskOf } from "../../web/store/fields.ts";
import { type TaskIndex, updatedIndex } from "../../web/store/task-index.ts";

const columns = [
  { id: "a", name: "A", status: "todo" },
  { id: "b", name: "B", status: "in_progress" },
  { id: "c", name: "C", status: "done" },
];
const last = { id: "", name: "Cancelled", status: "cancelled" };

let state = 11;
function below(max: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * max);
}

function taskWith(id: number, parents: number): Document {
  const column = columns[below(4)];
  return {
    id: `task ${id}`,
    fields: {
      rank: String(below(500)).padStart(4, "0") + id,
      projectId: below(5) === 0 ? null : below(6) === 0 ? "other" : "one",
      columnId: column?.id ?? null,
      status: column?.status ?? "cancelled",
      parentId: below(4) === 0 ? `task ${below(parents)}` : null,
      labels: [`label ${below(5)}`],
    },
  } as unknown as Document;
}

const titles = ({ columns: made }: MadeBoard) =>
  made.map(({ id, tasks }) => [id, tasks.map((task) => `${task.id} ${taskOf(task).rank}`)]);

for (const projectId of ["one", null])
  test(`a board ${projectId === null ? "without a project" : "of a project"} that is brought up to date is the same as one made anew, whatever comes, goes and changes`, () => {
    let tasks: readonly Document[] = Array.from({ length: 60 }, (_, id) => taskWith(id, 60));
    const kind: BoardKind = {
      projectId,
      columns: projectId === null ? columns.map((column) => ({ ...column, id: column.status })) : columns,
      last,
      // Left out while the task above it is not there.
      isLeftOut: (task) => !tasks.some(({ id }) => id === taskOf(task).parentId),
    };
    let index: TaskIndex | undefined;
    let board: MadeBoard | undefined;
    for (let step = 0; step < 1_500; step++) {
      for (let change = below(3); change >= 0; change--) {
        const place = below(tasks.length);
        const what = below(8);
        if (what === 0 && tasks.length > 30) tasks = tasks.toSpliced(place, 1);
        else if (what === 1) tasks = [...tasks, taskWith(100 + step * 3 + change, 60)];
        else tasks = tasks.with(place, taskWith(Number(tasks[place]?.id.slice(5)), 60));
      }
      const next = updatedIndex(index, tasks);
      const anew = updatedIndex(undefined, tasks);
      expect(next.labels).toEqual(anew.labels);
      expect(Object.fromEntries(next.counts)).toEqual(Object.fromEntries(anew.counts));
      // A board that was not asked for at the step before is made anew.
      if (step % 7 !== 3) board = boardFrom(kind, next, board);
      if (step % 7 !== 3) expect(titles(board as MadeBoard)).toEqual(titles(boardFrom(kind, anew, undefined)));
      index = next;
    }
  });

test("a column in which nothing changed keeps its list, and what is the same for all tasks its objects", () => {
  const tasks = Array.from({ length: 3_000 }, (_, id) => {
    const column = columns[id % 3];
    const fields = {
      rank: String(id).padStart(6, "0"),
      projectId: "one",
      columnId: column?.id,
      status: column?.status,
    };
    return { id: `task ${id}`, fields: { ...fields, parentId: null, labels: ["one"] } } as unknown as Document;
  });
  const kind: BoardKind = { projectId: "one", columns, last, isLeftOut: () => false };
  const before = updatedIndex(undefined, tasks);
  const board = boardFrom(kind, before, undefined);
  const moved = tasks.with(9, { ...tasks[9], fields: { ...tasks[9]?.fields, columnId: "b" } } as Document);
  const index = updatedIndex(before, moved);
  const { columns: after } = boardFrom(kind, index, board);
  expect(after.map(({ tasks: list }) => list.length)).toEqual([999, 1_001, 1_000]);
  expect(after[2]?.tasks).toBe(board.columns[2]?.tasks as readonly Document[]);
  expect(index.counts).toBe(before.counts);
  expect(index.labels).toBe(before.labels);
  expect([index.gone.size, index.come.length]).toEqual([1, 1]);
  // One that goes from the middle leaves all others where they are.
  const less = updatedIndex(index, moved.toSpliced(1_500, 1));
  expect([less.gone.size, less.come.length]).toEqual([1, 0]);
});
