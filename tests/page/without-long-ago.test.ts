/** What the page does not keep over a start. */
import { expect, test } from "bun:test";
import type { Document } from "../../actors/resources/document.ts";
import { withoutLongAgo } from "../../web/store/long-ago.ts";

const dayMs = 86_400_000;
const lastMs = Date.parse("2026-06-01T12:00:00.000Z");
const daysAgo = (days: number) => new Date(lastMs - days * dayMs).toISOString();

function document(id: string, type: string, fields: Record<string, unknown>, more: Partial<Document> = {}): Document {
  return { id, type, fields, updatedAt: daysAgo(0), ...more } as unknown as Document;
}
const task = (id: string, fields: Record<string, unknown>, more?: Partial<Document>) =>
  document(id, "task", { status: "todo", parentId: null, completedAt: null, ...fields }, more);
const done = (days: number) => ({ status: "done", completedAt: daysAgo(days) });
const stays = (documents: Document[], needed: string[] = []) => {
  const { stay, go } = withoutLongAgo(documents, new Set(needed));
  expect(stay.length + go.length).toBe(documents.length);
  return stay.map(({ id }) => id);
};

test("tasks that were completed or cancelled long before the last change of the space go, and no others", () => {
  const documents = [
    document("space", "space", { name: "Home" }, { updatedAt: daysAgo(400) }),
    task("open", {}, { updatedAt: daysAgo(400) }),
    task("done 89 days", done(89)),
    task("done 91 days", done(91)),
    task("cancelled 89 days", { status: "cancelled" }, { updatedAt: daysAgo(89) }),
    task("cancelled 91 days", { status: "cancelled" }, { updatedAt: daysAgo(91) }),
    task("deleted", done(91), { deletedBy: "somebody" }),
  ];
  expect(stays(documents)).toEqual(["space", "open", "done 89 days", "cancelled 89 days", "deleted"]);
});

test("in a space in which nothing happens any more, what was completed last stays", () => {
  expect(stays([task("a", done(500), { updatedAt: daysAgo(500) })])).toEqual(["a"]);
});

test("what a task that stays is part of stays, however long ago that was completed", () => {
  const documents = [
    task("whole", done(200)),
    task("part", { ...done(200), parentId: "whole" }),
    task("piece", { parentId: "part" }),
    task("other part", { ...done(200), parentId: "whole" }),
  ];
  expect(stays(documents)).toEqual(["whole", "part", "piece"]);
});

test("comments go with their tasks", () => {
  const comment = (id: string, taskId: string) => document(id, "comment", { taskId });
  const documents = [task("a", {}), comment("on a", "a"), task("b", done(91)), comment("on b", "b"), comment("?", "c")];
  expect(stays(documents)).toEqual(["a", "on a"]);
  // Nobody has the task above.
  expect(stays([task("d", { parentId: "gone" }), comment("on gone", "gone")])).toEqual(["d"]);
});

test("what a waiting change names stays", () => {
  const documents = [task("a", done(91)), task("b", done(91)), document("c", "comment", { taskId: "b" })];
  expect(stays(documents, ["a", "c"])).toEqual(["a", "c"]);
});
