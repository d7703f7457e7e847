import { expect, test } from "bun:test";
import type { Intent } from "./command.ts";
import type { Json } from "./field.ts";
import { commandOf, idOf, SpaceForTests } from "./space-for-tests.ts";

const [spaceId, ann, task] = [idOf(1), idOf(11), idOf(31)] as [string, string, string];

test("what is added to a set may fill it, and what would be one too many is refused at the set", () => {
  const shared = new SpaceForTests();
  const as = (type: string, kind: Intent["kind"], id: string, body: Record<string, Json>) =>
    shared.take(commandOf({ spaceId, userId: ann }, [{ type, kind, id, body }])).fact;
  const named = (count: number) => Array.from({ length: count }, (_, index) => `label ${index}`);
  as("space", "create", spaceId, { name: "Home" });
  as("task", "create", task, { title: "Milk", labels: ["first"] });

  const { refusal } = as("task", "patch", task, { labels: { add: named(20) } });
  expect(refusal).toMatchObject({ code: "invalid-reference", path: "/labels" });
  expect(as("task", "patch", task, { labels: { add: named(19) } }).verdict).toBe("applied");
  expect(shared.documents.get(task)?.fields.labels).toEqual(["first", ...named(19)]);
  expect(as("task", "patch", task, { labels: { remove: ["first"], add: ["last"] } }).verdict).toBe("applied");
});
