/** The board of a project: columns of cards, moved by pointer, by keys and by a menu. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import { boardOf, placeOf } from "../store/boards.ts";
import { projectOf, type Task } from "../store/fields.ts";
import { show } from "../store/route.ts";
import { type ShownColumn, shownBoard } from "../store/shown-board.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { moveTask, toggleDone } from "../store/tasks.ts";
import { BoardColumnView, moving } from "./column.tsx";
import { draggable } from "./drag.ts";
import { focusCard } from "./move.tsx";
import { announce } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

export function Board({
  store,
  project,
  matches,
}: {
  store: SpaceStore;
  project: Document | undefined;
  matches: (task: Task) => boolean;
}): JSX.Element {
  store.changed.value;
  const known = useRef<readonly ShownColumn[]>([]);
  const columns = shownBoard(store, project, matches, known.current);
  known.current = columns;
  const board = useRef<HTMLDivElement>(null);
  const canChange = canChangeIn(store) && !(project !== undefined && projectOf(project).archived);
  const current = useRef({ store, project, canChange });
  current.current = { store, project, canChange };
  useEffect(() => {
    if (board.current === null) return;
    return draggable(board.current, {
      canDrag: () => current.current.canChange,
      onDrop(taskId, { columnId, beforeId }) {
        const { store: now, project: of } = current.current;
        const task = now.get(taskId);
        const column = boardOf(now, of).find(({ id }) => id === columnId);
        if (task === undefined || column === undefined || beforeId === taskId) return;
        announce(moveTask(task, column, beforeId === undefined ? undefined : now.get(beforeId)));
      },
    });
  }, []);
  return (
    <div class="board" ref={board} onKeyDown={(event) => onBoardKey(event, store, canChange)}>
      {columns.map((shown, place) => (
        <BoardColumnView
          key={shown.column.id}
          shown={shown}
          store={store}
          project={project}
          canChange={canChange}
          isFirst={place === 0 && columns.every(({ madeFrom }) => madeFrom.tasks.length === 0)}
        />
      ))}
    </div>
  );
}

/** `j k h l` and arrows go from card to card; with Shift they move it. */
function onBoardKey(event: KeyboardEvent, store: SpaceStore, canChange: boolean): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-card]");
  const task = focused === null ? undefined : store.get(focused.dataset.card ?? "");
  if (focused === null || task === undefined) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const step = steps[key];
  if (step !== undefined) {
    event.preventDefault();
    if (event.shiftKey && canChange) moveByKey(task, store, step);
    else goBy(focused, step);
  } else if (key === "x" && canChange) toggleDone(task);
  else if (key === "m" && canChange) moving.value = task;
  else if (key === "e") show(task.spaceId, task.id);
}

const steps: Readonly<Record<string, readonly [number, number]>> = {
  j: [0, 1],
  ArrowDown: [0, 1],
  k: [0, -1],
  ArrowUp: [0, -1],
  h: [-1, 0],
  ArrowLeft: [-1, 0],
  l: [1, 0],
  ArrowRight: [1, 0],
};

function moveByKey(task: Task, store: SpaceStore, [sideways, down]: readonly [number, number]): void {
  const { board, column, place } = placeOf(store, task);
  const target = board[column + sideways];
  if (target === undefined || target.id === "") return;
  if (sideways !== 0) announce(moveTask(task, target, target.tasks[place]));
  else if (down < 0 && place > 0) announce(moveTask(task, target, target.tasks[place - 1]));
  else if (down > 0 && place < target.tasks.length - 1) announce(moveTask(task, target, target.tasks[place + 2]));
  focusCard(task.id);
}

function goBy(card: HTMLElement, [sideways, down]: readonly [number, number]): void {
  const columns = [...document.querySelectorAll(".column")].map((column) => [
    ...column.querySelectorAll<HTMLElement>("[data-card]"),
  ]);
  const at = columns.findIndex((cards) => cards.includes(card));
  const place = columns[at]?.indexOf(card) ?? 0;
  if (sideways === 0) {
    columns[at]?.[place + down]?.focus();
    return;
  }
  for (let next = at + sideways; next >= 0 && next < columns.length; next += sideways) {
    const cards = columns[next] ?? [];
    if (cards.length > 0) return cards[Math.min(place, cards.length - 1)]?.focus();
  }
}
