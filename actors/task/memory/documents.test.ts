import { expect, test } from "bun:test";
import type { Document } from "../../resources/document.ts";
import { registry } from "../../resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../../resources/space-for-tests.ts";
import type { Verdict } from "../../resources/verdict.ts";
import { spaceDocuments } from "./documents.ts";

const ann = idOf(11);
const partition = 1;

function teller() {
  const space = new SpaceForTests();
  return (kind: "create" | "patch", type: string, id: string, body: object): Verdict & { kind: "decided" } => {
    // A patch of columns needs the version that it was made from.
    const expected = kind === "patch" ? { expected: "*" as const } : {};
    const command = commandOf({ spaceId: ann, userId: ann }, [{ type, kind, id, body: body as never, ...expected }]);
    const { fact, documents } = space.take(command);
    const { operationId } = command;
    return { kind: "decided", position: fact.position, spaceId: ann, operationId, fact, documents };
  };
}

test("what was told replaces what is older, and what was read never replaces what is newer", () => {
  const memory = spaceDocuments(registry);
  const tell = teller();
  const made = tell("create", "task", idOf(31), { title: "first" });
  const changed = tell("patch", "task", idOf(31), { title: "second" });
  memory.take(partition, made);
  memory.take(partition, changed);
  memory.take(partition, made);
  expect(memory.get(ann, idOf(31))?.version).toBe(2);
  const old = { spaceId: ann, id: idOf(31), type: "task", version: 1, isDeleted: false, text: "{}" };
  memory.fill(partition, old, 10);
  expect(JSON.parse(memory.get(ann, idOf(31))?.resource()?.text ?? "").title).toBe("second");
});

test("what does not fit goes, the longest unused first, and its position is remembered as forgotten", () => {
  const memory = spaceDocuments(registry, { charsMax: 20_000 });
  const tell = teller();
  const told = Array.from({ length: 5 }, (_, at) =>
    tell("create", "task", idOf(31 + at), { title: `${at}`, description: "x".repeat(4_000) }),
  );
  for (const each of told.slice(0, 4)) memory.take(partition, each);
  expect(memory.forgottenTo(partition)).toBe(-1);
  memory.get(ann, idOf(31));
  memory.take(partition, told[4] as Verdict);
  expect(memory.get(ann, idOf(32))).toBeUndefined();
  expect(memory.get(ann, idOf(31))?.version).toBe(1);
  expect(memory.forgottenTo(partition)).toBe(1);
  // A copy that may lack what was forgotten is not remembered.
  const copy = { spaceId: ann, id: idOf(32), type: "task", version: 1, isDeleted: false, text: "{}" };
  memory.fill(partition, copy, 0);
  expect(memory.get(ann, idOf(32))).toBeUndefined();
  memory.fill(partition, copy, 1);
  expect(memory.get(ann, idOf(32))?.version).toBe(1);
});

test("of a change that was told without its document only the version is known", () => {
  const memory = spaceDocuments(registry);
  const tell = teller();
  memory.take(partition, tell("create", "task", idOf(31), { title: "first" }));
  memory.take(partition, { ...tell("patch", "task", idOf(31), { title: "second" }), documents: [] });
  const known = memory.get(ann, idOf(31));
  expect([known?.version, known?.position, known?.resource()]).toEqual([2, 1, undefined]);
});

test("a task is shown by the columns that its project has now, and not at all while these are not known", () => {
  const memory = spaceDocuments(registry);
  const tell = teller();
  const column = (id: string) => ({ id, name: "A column", status: "todo" });
  const project = tell("create", "project", idOf(41), { name: "P", columns: [column(idOf(71)), column(idOf(72))] });
  const task = tell("create", "task", idOf(31), { title: "T", projectId: idOf(41), columnId: idOf(72) });
  const shown = () => {
    const text = memory.get(ann, idOf(31))?.resource()?.text;
    return text === undefined ? undefined : (JSON.parse(text) as { columnId: string }).columnId;
  };
  memory.take(partition, task);
  expect([shown(), memory.get(ann, idOf(31))?.shownBy]).toEqual([undefined, idOf(41)]);
  memory.take(partition, project);
  expect(shown()).toBe(idOf(72));
  memory.take(partition, tell("patch", "project", idOf(41), { columns: [column(idOf(71))] }));
  expect(shown()).toBe(idOf(71));
});

test("a task that was read is forgotten when the columns of its project change", () => {
  const memory = spaceDocuments(registry);
  const tell = teller();
  const column = (id: string) => ({ id, name: "A column", status: "todo" });
  tell("create", "project", idOf(41), { name: "P", columns: [column(idOf(71)), column(idOf(72))] });
  const [document] = tell("create", "task", idOf(31), { title: "T", projectId: idOf(41) }).documents as [Document];
  const text = JSON.stringify({ id: idOf(31), projectId: document.fields.projectId, columnId: idOf(72) });
  memory.fill(partition, { spaceId: ann, id: idOf(31), type: "task", version: 1, isDeleted: false, text }, 1);
  expect(memory.get(ann, idOf(31))?.resource()?.text).toBe(text);
  memory.take(partition, tell("patch", "project", idOf(41), { columns: [column(idOf(71))] }));
  expect(memory.get(ann, idOf(31))).toBeUndefined();
  expect(memory.forgottenTo(partition)).toBe(2);
});
