/** Comments on tasks. */
import { isAtLeast } from "./document.ts";
import { reference, text } from "./field.ts";
import type { Attempt, ResourceType } from "./resource-type.ts";
import { refuseArchived } from "./task.ts";

const isAuthor = ({ document, userId }: Attempt) => document.creatorId === userId;

export const comment: ResourceType = {
  name: "comment",
  plural: "comments",
  isContent: true,
  isReadApart: true,
  fields: {
    taskId: reference("task", { setBy: "once" }),
    body: text({ min: 1, max: 20_000, blank: false }),
  },
  filters: { task: { kind: "any", field: "taskId" } },
  defaultSort: "createdAt",
  hidings: [{ field: "taskId", askedBy: [] }],
  may: {
    create: { least: "member" },
    patch: { least: "member", and: isAuthor },
    delete: { least: "member", and: (attempt) => isAuthor(attempt) || isAtLeast(attempt.role, "admin") },
    restore: {
      least: "member",
      and: ({ document, userId, role }) => document.deletedBy === userId || isAtLeast(role, "admin"),
    },
  },
  guard(draft, _before, { taskId }) {
    const projectId = typeof taskId === "string" ? draft.document(taskId)?.fields.projectId : undefined;
    if (typeof projectId === "string") refuseArchived(draft, projectId);
  },
};
