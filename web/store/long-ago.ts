/** Tasks that were completed long ago: a snapshot leaves them out, and so does the browser's own store at each start. */
import type { Document } from "../../actors/resources/document.ts";
import { isClosed, taskOf } from "./fields.ts";

/** Tasks completed longer ago are read when they are opened. */
export const doneDays = 90;
const dayMs = 86_400_000;

/**
 * What stays of a space that is opened at a start, and what does not: tasks completed too long before its last change, by the server's clock, and comments on what
 * is not there. What a task that stays is part of stays, and what a waiting change names (`needed`).
 */
export function withoutLongAgo(
  documents: readonly Document[],
  needed: ReadonlySet<string>,
): { stay: Document[]; go: Document[] } {
  const last =
    documents
      .map(({ updatedAt }) => updatedAt)
      .sort()
      .at(-1) ?? "";
  const beforeMs = Date.parse(last) - doneDays * dayMs;
  const above = new Map<string, string | null>();
  for (const document of documents)
    if (document.type === "task") above.set(document.id, document.fields.parentId as string | null);
  const staying = new Set<string>();
  for (const document of documents) {
    if (document.type !== "task" || (isLongAgo(document, beforeMs) && !needed.has(document.id))) continue;
    for (let id: string | null | undefined = document.id; id != null && !staying.has(id); id = above.get(id))
      staying.add(id);
  }
  const stay: Document[] = [];
  const go: Document[] = [];
  for (const document of documents) {
    const { id, type, fields } = document;
    const task = type === "task" ? id : type === "comment" && !needed.has(id) ? (fields.taskId as string) : undefined;
    const isStaying = task === undefined || (staying.has(task) && above.has(task));
    (isStaying ? stay : go).push(document);
  }
  return { stay, go };
}

/** As the server's snapshot tells them apart. */
function isLongAgo(task: Document, beforeMs: number): boolean {
  if (task.deletedBy !== undefined || !isClosed(task)) return false;
  return Date.parse(taskOf(task).completedAt ?? task.updatedAt) < beforeMs;
}
