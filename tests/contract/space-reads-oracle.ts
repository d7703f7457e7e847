/** The contract's words on lists, in plain code over arrays: what every adapter of `SpaceReads` must find. */
import type { Document } from "../../actors/resources/document.ts";
import type { Due } from "../../actors/resources/due.ts";
import { type Column, shownColumn } from "../../actors/resources/project.ts";
import { registry } from "../../actors/resources/registry.ts";
import { resourceText } from "../../actors/resources/served.ts";
import { priorities } from "../../actors/resources/task.ts";
import { searchedWords, sortForm, wordsOf } from "../../actors/resources/words.ts";

export type Documents = ReadonlyMap<string, Document>;

/** As it is served: a task whose column has gone is in another one. */
export function servedText(documents: Documents, document: Document): string {
  const type = registry.get(document.type);
  if (type === undefined) throw new Error(`there is no type ${document.type}`);
  return resourceText(type, document, { columnId: columnOf(documents, document) });
}

function columnOf(documents: Documents, { fields }: Document): string | null {
  const project = documents.get(`${fields.projectId}`);
  if (project === undefined) return (fields.columnId ?? null) as string | null;
  return shownColumn(project.fields.columns as unknown as Column[], fields)?.id ?? null;
}

const isDeleted = (document: Document | undefined) => document?.deletedBy !== undefined;

function isHidden(documents: Documents, document: Document, query: URLSearchParams): boolean {
  const { type, fields } = document;
  if (type === "comment") return isDeleted(documents.get(`${fields.taskId}`));
  if (type !== "task") return false;
  const project = documents.get(`${fields.projectId}`);
  const isProjectAsked = query.has("id") || query.getAll("project").some((value) => value !== "none");
  if (!isProjectAsked && (isDeleted(project) || project?.fields.archived === true)) return true;
  if (query.getAll("parent").some((value) => value !== "none")) return false;
  for (let at = documents.get(`${fields.parentId}`); at !== undefined; at = documents.get(`${at.fields.parentId}`))
    if (isDeleted(at)) return true;
  return false;
}

/** `spaces`: documents by id of each space that the list is of. Answers the served texts in their order. */
export function listedTexts(
  spaces: readonly Documents[],
  type: string,
  query: URLSearchParams,
  userId: string,
): string[] {
  const sort = query.get("sort") ?? (type === "comment" ? "createdAt" : "-createdAt");
  const [name, sign] = sort.startsWith("-") ? [sort.slice(1), -1] : [sort, 1];
  const found = spaces.flatMap((documents) =>
    [...documents.values()]
      .filter((document) => document.type === type && isDeleted(document) === (query.get("deleted") === "true"))
      .filter((document) => !isHidden(documents, document, query))
      .filter((document) => isAsked(document, columnOf(documents, document), query, userId))
      .map((document) => ({ document, text: servedText(documents, document), key: keyOf(document, name) })),
  );
  const order = (a: string | number, b: string | number) =>
    typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(`${b}`)) : a - Number(b);
  return found
    .sort((a, b) => {
      if (a.key === null || b.key === null) if (a.key !== b.key) return a.key === null ? 1 : -1;
      const byKey = a.key === null || b.key === null ? 0 : order(a.key, b.key);
      const byPlace = order(a.document.id, b.document.id) || order(a.document.spaceId, b.document.spaceId);
      return sign * (byKey || byPlace);
    })
    .map(({ text }) => text);
}

function keyOf({ fields, createdAt, updatedAt }: Document, name: string): string | number | null {
  switch (name) {
    case "createdAt":
      return createdAt;
    case "updatedAt":
      return updatedAt;
    case "dueAt":
      return fields.due === null ? null : (dueMs(fields.due as unknown as Due, "UTC") as number);
    case "priority":
      return priorities.indexOf(fields.priority as never);
    case "rank":
      return fields.rank as string;
    default:
      return sortForm(fields[name] as string);
  }
}

function dueMs(due: Due, zone: string): number {
  const local = Temporal.PlainDateTime.from(`${due.date}T${due.time ?? "23:59:59.999"}`);
  return local.toZonedDateTime(due.timeZone ?? zone).epochMilliseconds;
}

/** The day of a `due` where its reader is. */
function dayOf(due: Due, zone: string): string {
  if (due.timeZone === undefined) return due.date;
  return Temporal.Instant.fromEpochMilliseconds(dueMs(due, zone)).toZonedDateTimeISO(zone).toPlainDate().toString();
}

function isDue(due: Due | null, bound: string, zone: string, side: 1 | -1): boolean {
  if (due === null) return false;
  const isDate = bound.length === 10;
  const difference = isDate
    ? Temporal.PlainDate.compare(dayOf(due, zone), bound)
    : dueMs(due, zone) - Temporal.Instant.from(bound).epochMilliseconds;
  return difference * side > 0;
}

function isAsked(document: Document, columnId: string | null, query: URLSearchParams, userId: string): boolean {
  const { id, fields, updatedAt } = document;
  const any = (name: string, has: (value: string) => boolean) =>
    !query.has(name) || query.getAll(name).some((value) => has(value));
  const reference = (name: string, field: string) =>
    any(name, (value) => (value === "none" ? fields[field] === null : fields[field] === value));
  const after = (name: string, instant: unknown) =>
    any(name, (value) => typeof instant === "string" && Date.parse(instant) > Date.parse(value));
  const assignees = (fields.assigneeIds ?? []) as readonly string[];
  const labels = (fields.labels ?? []) as readonly string[];
  const zone = query.get("timeZone") ?? "UTC";
  const due = fields.due as unknown as Due | null;
  const has = wordsOf([`${fields.title}`, `${fields.description}`]);
  const searched = searchedWords(query.get("q") ?? "");
  return (
    any("id", (value) => value === id) &&
    reference("project", "projectId") &&
    any("column", (value) => value === columnId) &&
    reference("parent", "parentId") &&
    reference("task", "taskId") &&
    any("assignee", (value) =>
      value === "none" ? assignees.length === 0 : assignees.includes(value === "me" ? userId : value),
    ) &&
    any("status", (value) => value === fields.status) &&
    any("priority", (value) => value === fields.priority) &&
    query.getAll("label").every((label) => labels.includes(label.normalize("NFC"))) &&
    (!query.has("q") || (searched.length > 0 && searched.every((word) => has.some((each) => each.startsWith(word))))) &&
    any("dueBefore", (value) => isDue(due, value, zone, -1)) &&
    any("dueAfter", (value) => isDue(due, value, zone, 1)) &&
    after("updatedAfter", updatedAt) &&
    after("completedAfter", fields.completedAt)
  );
}
