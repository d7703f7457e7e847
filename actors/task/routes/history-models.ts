/** What reads tell of changes of the past. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import type { ChangeKind } from "../../resources/fact.ts";

export const changeKinds = [
  "created",
  "changed",
  "deleted",
  "restored",
  "undone",
] as const satisfies readonly ChangeKind[];

const FieldChange: TSchema = t.Object(
  { from: t.Unknown({ description: "Null at the creation" }), to: t.Unknown() },
  { $id: "FieldChange", examples: [{ from: "todo", to: "done" }] },
);
export const FieldChanges: TSchema = t.Record(t.String(), FieldChange, {
  $id: "FieldChanges",
  description: "By the name of the field, as it is stored: those that differ",
});

const HistoryEntry: TSchema = t.Object(
  {
    version: t.Integer({ minimum: 1, description: "Of the resource, with this change" }),
    seq: t.Integer({ minimum: 1, description: "The operation's place in what happened in the space" }),
    kind: t.Union(changeKinds.map((kind) => t.Literal(kind))),
    at: t.String({ format: "date-time" }),
    actorId: t.String({ format: "uuid", description: "The user who did it" }),
    operationId: t.String({ format: "uuid" }),
    changes: FieldChanges,
  },
  { $id: "HistoryEntry" },
);

/** A page of a list, under its own name in the published document. */
export function pageModel(item: TSchema, name: string): TSchema {
  const nextCursor = t.Union([t.String({ description: "For the page that follows" }), t.Null()]);
  return t.Object({ items: t.Array(item), nextCursor }, { $id: `${name}Page` });
}

export const History = pageModel(HistoryEntry, "History");
