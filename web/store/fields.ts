/** What the fields of documents are, typed, and how tasks compare. */
import type { Document } from "../../actors/resources/document.ts";
import type { Due } from "../../actors/resources/due.ts";
import type { Column } from "../../actors/resources/project.ts";

export type TaskFields = {
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly priority: string;
  readonly labels: readonly string[];
  readonly due: Due | null;
  readonly projectId: string | null;
  readonly columnId: string | null;
  readonly parentId: string | null;
  readonly assigneeIds: readonly string[];
  readonly estimateMinutes: number | null;
  readonly rank: string;
  readonly completedAt: string | null;
};
export type ProjectFields = {
  readonly name: string;
  readonly description: string;
  readonly color: string | null;
  readonly columns: readonly Column[];
  readonly archived: boolean;
};
export type Task = Document;
export const taskOf = (document: Document): TaskFields => document.fields as unknown as TaskFields;
export const projectOf = (document: Document): ProjectFields => document.fields as unknown as ProjectFields;

export const isClosed = (task: Document): boolean => ["done", "cancelled"].includes(taskOf(task).status);

/** Ranks compare by their characters, which are all ASCII. */
export function byRank(a: Document, b: Document): number {
  const [one, other] = [taskOf(a).rank, taskOf(b).rank];
  return one < other ? -1 : one > other ? 1 : 0;
}
