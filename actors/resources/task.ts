/** Tasks: what is to be done. */
import type { Document, Fields } from "./document.ts";
import { type Draft, livingDocument } from "./draft.ts";
import { type Due, instantOfDue } from "./due.ts";
import { choice, due, instant, integer, type Json, members, partId, reference, text, texts } from "./field.ts";
import { type Column, columnsOf, firstColumn, shownColumn, statuses } from "./project.ts";
import { rankAfter, rankBefore, rankBetween, rankLast, rankLengthMax } from "./rank.ts";
import type { Making, ResourceType } from "./resource-type.ts";
import { type Placing, rankLengthAim, shortRank } from "./spacing.ts";

/** In the order of a sort: `none` is the lowest. */
export const priorities = ["none", "low", "medium", "high", "urgent"] as const;
/** Tasks above a task at most. */
const ancestorsMax = 8;

const least = "member";

export const task: ResourceType = {
  name: "task",
  plural: "tasks",
  isContent: true,
  fields: {
    title: text({ min: 1, max: 500, blank: false }, { sortable: true }),
    description: text({ max: 20_000 }, { byDefault: "" }),
    status: choice(statuses, { byDefault: "todo" }),
    priority: choice(priorities, { byDefault: "none", ranked: true, sortable: true }),
    labels: texts({ max: 20, textMax: 50 }),
    due: due({ byDefault: null, sortable: true }),
    projectId: reference("project", { byDefault: null }),
    columnId: partId({ byDefault: null }),
    parentId: reference("task", { byDefault: null }),
    assigneeIds: members(20),
    estimateMinutes: integer(0, 100_000, { byDefault: null }),
    rank: text({ max: rankLengthMax }, { byDefault: null, sortable: true, setBy: "writer" }),
    completedAt: instant({ byDefault: null, setBy: "writer" }),
  },
  inputs: ["position"],
  may: {
    create: { least },
    patch: { least },
    replace: { least },
    delete: { least },
    restore: { least },
    undo: { least },
  },
  guard(draft, before, fields) {
    for (const id of new Set([before?.fields.projectId, fields.projectId]))
      if (typeof id === "string") refuseArchived(draft, id);
  },
  derive(making) {
    const columns = placeInProject(making);
    completion(making);
    checkParent(making);
    placeInOrder(making, columns);
  },
  filters: {
    id: { kind: "ids", max: 100 },
    project: { kind: "any", field: "projectId", orNone: true },
    column: { kind: "any", field: "columnId", isId: true },
    parent: { kind: "any", field: "parentId", orNone: true },
    assignee: { kind: "any", field: "assigneeIds", repeatable: true, orNone: true, orMe: true },
    status: { kind: "any", field: "status", repeatable: true },
    priority: { kind: "any", field: "priority", repeatable: true },
    label: { kind: "all", field: "labels" },
    q: { kind: "words", fields: ["title", "description"] },
    dueBefore: { kind: "dueBefore", field: "due" },
    dueAfter: { kind: "dueAfter", field: "due" },
    updatedAfter: { kind: "after", field: "updatedAt" },
    completedAfter: { kind: "after", field: "completedAt" },
  },
  hidings: [
    { field: "projectId", flag: "archived", askedBy: ["project", "id"] },
    { field: "parentId", isInherited: true, askedBy: ["parent"] },
  ],
  shown: {
    field: "columnId",
    by: "projectId",
    dependsOn: (project) => (project.columns as unknown as Column[]).map(({ id, status }) => `${id} ${status}`).join(),
    of: (fields, project) => shownColumn(project.columns as unknown as Column[], fields)?.id ?? null,
  },
  served: { due: { name: "dueAt", of: (fields) => instantOfDue(fields.due as Due | null) } },
};

/** Archived projects take no new tasks and no changes of their tasks. */
export function refuseArchived(draft: Draft, projectId: string): void {
  if (draft.document(projectId)?.fields.archived === true)
    draft.refuse("conflict", { message: "The project is archived." });
}

/** `columnId` and `status` go together: a column named sets the status, a status set alone moves to its first column. */
function placeInProject({ draft, before, fields, body, kind, isReplacement }: Making): readonly Column[] {
  const columns = typeof fields.projectId === "string" ? columnsOf(draft.document(fields.projectId)) : [];
  const named = body.columnId;
  if (typeof named === "string") {
    const column = columns.find(({ id }) => id === named);
    if (column === undefined)
      return draft.refuse("invalid-reference", {
        path: "/columnId",
        message: "must be a column of the task's project",
      });
    if (body.status !== undefined && fields.status !== column.status)
      return draft.refuse("invalid-reference", { path: "/status", message: `must be the column's, ${column.status}` });
    fields.status = column.status;
    return columns;
  }
  const isMoved =
    kind === "create" ||
    isReplacement ||
    named === null ||
    fields.projectId !== before?.fields.projectId ||
    fields.status !== before?.fields.status;
  if (isMoved) fields.columnId = firstColumn(columns, fields.status as string)?.id ?? null;
  return columns;
}

/** An import may name the instant of a completion; where the task is not done there is none, and what was named is never dropped in silence. */
function completion({ draft, before, fields, body }: Making): void {
  const isNamed = draft.isImport && body.completedAt !== undefined;
  if (isNamed && (typeof body.completedAt === "string") !== (fields.status === "done"))
    draft.refuse("invalid-reference", {
      path: "/completedAt",
      message: fields.status === "done" ? "must be an instant where the task is done" : "needs the status done",
    });
  if (fields.status !== "done") fields.completedAt = null;
  else if (draft.isImport && typeof body.completedAt === "string") fields.completedAt = body.completedAt;
  else if (before?.fields.status !== "done") fields.completedAt = before === undefined ? draft.askedAt : draft.at;
}

/** Above a task, and above the deepest one below it, are at most `ancestorsMax` others, and never itself. */
function checkParent({ draft, id, before, fields }: Making): void {
  if (fields.parentId === null || fields.parentId === before?.fields.parentId) return;
  const fault = parentFault(draft, id, fields.parentId as string);
  if (fault !== undefined) draft.refuse("invalid-reference", { path: "/parentId", message: fault });
}

/** `id` may be a task that others are below: the deepest of them counts. */
export function parentFault(draft: Draft, id: string, parentId: string): string | undefined {
  let above = 0;
  for (let at: Json | undefined = parentId; typeof at === "string"; at = draft.document(at)?.fields.parentId) {
    if (at === id) return "must not be the task itself or a task below it";
    if (++above > ancestorsMax) return `must have at most ${ancestorsMax - 1} tasks above it`;
  }
  const isTooDeep = hasTasksBelow(draft, id, ancestorsMax - above);
  return isTooDeep ? `must leave at most ${ancestorsMax} tasks above the deepest task below this one` : undefined;
}

/** Whether there are tasks more than so many steps below it. Deleted ones count: they can come back where they were. */
function hasTasksBelow(draft: Draft, id: string, steps: number): boolean {
  let level = [id];
  for (let step = 0; step <= steps && level.length > 0; step++) level = draft.referrers("task", "parentId", level);
  return level.length > 0;
}

type Position = { readonly after?: string; readonly before?: string };

/** The rank: beside the neighbour named, where it is, or last where the column is another. */
function placeInOrder({ draft, id, before, fields, body }: Making, columns: readonly Column[]): void {
  const column = columnKey(fields, columns);
  const { after, before: behind } = (body.position ?? {}) as Position;
  const neighbour = (neighbourId: string | undefined): string | undefined => {
    if (neighbourId === undefined || neighbourId === id) return undefined;
    const document = livingDocument(draft, neighbourId, "task");
    return document !== undefined && columnKey(document.fields, columns) === column
      ? (document.fields.rank as string)
      : undefined;
  };
  const [upper, lower] = [neighbour(after), neighbour(behind)];
  const beside = rankBeside(draft, upper, lower);
  if (beside !== undefined)
    fields.rank = beside.length > rankLengthAim ? shorter(draft, fields, { id, upper, lower, rank: beside }) : beside;
  else if (before === undefined || columnOf(draft, before) !== column)
    fields.rank = rankLast({ at: draft.askedAt, place: draft.place, operationId: draft.operationId });
  if ((fields.rank as string).length > rankLengthMax)
    draft.refuse("limit-reached", { message: "There is no more room between these two tasks." });
}

/** Both the wrong way round mean after the first. */
function rankBeside(draft: Draft, upper: string | undefined, lower: string | undefined): string | undefined {
  if (upper !== undefined && lower !== undefined && upper < lower) return rankBetween(upper, lower, draft.nextStep());
  if (upper !== undefined) return rankAfter(upper, draft.nextStep());
  return lower === undefined ? undefined : rankBefore(lower, draft.nextStep());
}

/** Tasks of archived projects do not change, and those of other projects are in other orders. */
function shorter(draft: Draft, { projectId }: Fields, placing: Omit<Placing, "isBesides">): string {
  return shortRank(draft, task, { ...placing, isBesides: (fields) => fields.projectId === projectId });
}

function columnOf(draft: Draft, { fields }: Document): string {
  const project = typeof fields.projectId === "string" ? draft.document(fields.projectId) : undefined;
  return columnKey(fields, columnsOf(project));
}

/** Names the order that a task stands in. Tasks without a project have one order in the space. */
function columnKey(fields: Fields, columns: readonly Column[]): string {
  if (fields.projectId === null) return "";
  return `${fields.projectId} ${shownColumn(columns, fields)?.id ?? ""}`;
}
