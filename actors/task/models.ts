/** What tasks' routes take and answer, as TypeBox models. */
import { Type as t } from "@sinclair/typebox";
import { patchFields } from "../http/merge-patch.ts";
import { defaults } from "../model/created.ts";
import { Task, writable } from "../model/task.ts";

/** A whole task as a client sends it: what is left out takes its default. */
export const NewTask = t.Object(
  { ...t.Partial(t.Object(writable)).properties, title: writable.title },
  { $id: "NewTask", additionalProperties: false },
);

export const TaskPatch = t.Object(patchFields(writable, defaults), { $id: "TaskPatch", additionalProperties: false });

export const HistoryEntry = t.Object(
  {
    version: t.Integer({ minimum: 1 }),
    kind: t.Union(["created", "changed", "deleted", "restored", "undone"].map((kind) => t.Literal(kind))),
    at: t.String({ format: "date-time" }),
    actorId: t.String({ format: "uuid" }),
    operationId: t.String({ format: "uuid" }),
    changes: t.Record(t.String(), t.Object({ from: t.Unknown(), to: t.Unknown() }), {
      description: "The fields that changed",
    }),
  },
  { $id: "HistoryEntry" },
);

export const Operation = t.Object(
  {
    id: t.String({ format: "uuid" }),
    status: t.Union([t.Literal("pending"), t.Literal("applied"), t.Literal("rejected")]),
    task: t.Optional(t.Ref(Task)),
    problem: t.Optional(t.Object({}, { description: "Why it was rejected, as its answer said" })),
  },
  { $id: "Operation" },
);
