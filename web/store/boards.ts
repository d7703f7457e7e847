/** Projects, boards and what else is read of all tasks of a space. Each is made again only where something changed. */
import type { Document } from "../../actors/resources/document.ts";
import type { Column } from "../../actors/resources/project.ts";
import { language, t } from "../text/language.ts";
import { type BoardColumn, type BoardKind, boardFrom, type MadeBoard } from "./board-columns.ts";
import { byRank, projectOf, type Task, taskOf } from "./fields.ts";
import type { SpaceStore } from "./space-store.ts";
import { type SubtaskCount, type TaskIndex, updatedIndex } from "./task-index.ts";

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

const indexes = new WeakMap<SpaceStore, TaskIndex>();

function indexOf(store: SpaceStore): TaskIndex {
  const tasks = store.all("task");
  const known = indexes.get(store);
  if (known?.tasks === tasks) return known;
  const index = updatedIndex(known, tasks);
  indexes.set(store, index);
  return index;
}

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

type KnownBoard = { readonly project: Document | undefined; readonly look: string; readonly made: MadeBoard };
const boards = new WeakMap<SpaceStore, KnownBoard>();

/** The same list of tasks for a column in which nothing has changed. */
export function boardOf(store: SpaceStore, project: Document | undefined): readonly BoardColumn[] {
  const index = indexOf(store);
  const look = language.value;
  const known = boards.get(store);
  const isSame = known !== undefined && known.project === project && known.look === look;
  if (isSame && known.made.index === index.version) return known.made.columns;
  const kind = isSame ? known.made.of : boardKind(store, project);
  const made = boardFrom(kind, index, known?.project?.id === project?.id ? known?.made : undefined);
  boards.set(store, { project, look, made });
  return made.columns;
}

function boardKind(store: SpaceStore, project: Document | undefined): BoardKind {
  return {
    projectId: project?.id ?? null,
    columns: columnsOfBoard(project),
    last: { id: "", name: t("cancelled"), status: "cancelled" },
    isLeftOut(task) {
      const { parentId } = taskOf(task);
      // A part of another task is found there; the inbox has what is still to be sorted.
      const isPart = project === undefined && parentId !== null && store.get(parentId) !== undefined;
      return isPart || isHidden(store, task);
    },
  };
}

/** Where a task stands on its board, and what is around it. */
export function placeOf(
  store: SpaceStore,
  task: Task,
): { board: readonly BoardColumn[]; column: number; place: number } {
  const { projectId } = taskOf(task);
  const board = boardOf(store, projectId === null ? undefined : store.get(projectId));
  const column = board.findIndex(({ tasks }) => tasks.some(({ id }) => id === task.id));
  const place = board[column]?.tasks.findIndex(({ id }) => id === task.id) ?? -1;
  return { board, column, place };
}

export function subtasksOf(store: SpaceStore, taskId: string): Task[] {
  return store
    .all("task")
    .filter((task) => taskOf(task).parentId === taskId)
    .sort(byRank);
}

/** How many subtasks are done, by task. */
export function subtaskCounts(store: SpaceStore): ReadonlyMap<string, SubtaskCount> {
  return indexOf(store).counts;
}

export function labelsOf(store: SpaceStore): readonly string[] {
  return indexOf(store).labels;
}
