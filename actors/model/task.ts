/** A task as clients see it, and the values it may hold (lengths count code points). */
import { type Static, Type as t } from "@sinclair/typebox";
import { text, texts } from "../http/text.ts";

export const statuses = ["todo", "in_progress", "done"] as const;
/** In rank order: `none` is the lowest. */
export const priorities = ["none", "low", "medium", "high", "urgent"] as const;

const uuid = t.String({ format: "uuid" });
const instant = t.String({ format: "date-time", description: "RFC 3339, answered as UTC with milliseconds" });

export const writable = {
  title: text({ minLength: 1, maxLength: 500, blank: false }),
  description: text({ maxLength: 20_000 }),
  status: t.Union(statuses.map((status) => t.Literal(status))),
  priority: t.Union(priorities.map((priority) => t.Literal(priority))),
  labels: texts({ minLength: 1, maxLength: 50 }, { maxItems: 20 }),
  dueAt: t.Union([instant, t.Null()]),
};

export const Task = t.Object(
  {
    id: uuid,
    ...writable,
    completedAt: t.Union([instant, t.Null()]),
    ownerId: uuid,
    version: t.Integer({ minimum: 1 }),
    createdAt: instant,
    updatedAt: instant,
  },
  { $id: "Task", additionalProperties: false },
);

export type Status = (typeof statuses)[number];
export type Priority = (typeof priorities)[number];
export type Writable = {
  title: string;
  description: string;
  status: Status;
  priority: Priority;
  labels: string[];
  dueAt: string | null;
};
export type Task = Static<typeof Task> & Writable;
