/** What holds of every decision, whatever people ask. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Command, Intent, IntentKind } from "./command.ts";
import type { Document } from "./document.ts";
import type { Json } from "./field.ts";
import { headAfter, unmadeHead } from "./head.ts";
import { documentAfter, type Past } from "./past.ts";
import { registry } from "./registry.ts";
import { resourceText } from "./served.ts";
import { commandOf, idOf, SpaceForTests, undoOf } from "./space-for-tests.ts";

const spaceId = idOf(1);
const users = [11, 12, 13].map(idOf);
const ids = { project: [21, 22], task: [31, 32, 33, 34], comment: [41], invitation: [51, 52] };
const columns = [61, 62, 63].map((number, index) => ({
  id: idOf(number),
  name: `Column ${index}`,
  status: ["todo", "todo", "done"][index] ?? "todo",
}));

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const idOfType = (type: keyof typeof ids) => oneOf(...ids[type].map(idOf));
const body: Record<string, fc.Arbitrary<Record<string, Json>>> = {
  task: fc.record(
    {
      title: oneOf("Milk", "Bread"),
      status: oneOf("todo", "in_progress", "done", "cancelled"),
      labels: oneOf<Json>([], ["a"], ["a", "b"], { add: ["c"] }, { remove: ["a"] }),
      due: oneOf<Json>(null, { date: "2026-01-31" }, { date: "2026-01-31", time: "09:30" }),
      projectId: fc.oneof(idOfType("project"), fc.constant(null)),
      columnId: oneOf(null, ...columns.map(({ id }) => id)),
      parentId: fc.oneof(idOfType("task"), fc.constant(null)),
      assigneeIds: fc.subarray(users),
      estimateMinutes: oneOf(null, 5),
      position: fc.record({ after: idOfType("task"), before: idOfType("task") }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  ),
  project: fc.record({ name: oneOf("House", "Hut"), archived: fc.boolean() }, { requiredKeys: [] }),
  comment: fc.record({ body: oneOf("Hi", "Ho") }, { requiredKeys: [] }),
  member: fc.record({ role: oneOf("viewer", "member", "admin", "owner") }),
  space: fc.record({ name: oneOf("Home", "Work") }),
  invitation: fc.constant({}),
};
const required: Record<string, Record<string, Json>> = {
  task: { title: "Milk" },
  project: { name: "House", columns },
  comment: { taskId: idOf(31), body: "Hi" },
  invitation: { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret", maxUses: 2 },
};

const kinds = ["create", "create", "patch", "patch", "replace", "delete", "restore", "undo", "accept"] as const;
const step = fc.record({
  user: fc.nat({ max: users.length - 1 }),
  intents: fc.array(
    fc
      .tuple(oneOf("task", "task", "task", "project", "comment", "invitation", "member", "space"), oneOf(...kinds))
      .chain(([type, kind]) =>
        fc.record({
          type: fc.constant(type),
          kind: fc.constant(kind),
          at: fc.nat(),
          body: body[type] ?? fc.constant({}),
        }),
      ),
    { minLength: 1, maxLength: 3 },
  ),
  /** Takes back the operation that many steps ago. */
  undoes: fc.option(fc.nat({ max: 5 }), { freq: 6 }),
  expected: fc.option(fc.nat({ max: 4 }), { freq: 8 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function commandsOf(space: SpaceForTests, { user, intents, undoes, expected }: Step): Command {
  const userId = users[user] as string;
  const past = undoes === null ? undefined : space.facts.at(-1 - undoes);
  if (past !== undefined) return undoOf({ spaceId, userId }, past.operationId);
  return commandOf(
    { spaceId, userId },
    intents.flatMap(({ type, kind, at, body }): Intent[] => {
      if (registry.get(type)?.may[kind as IntentKind] === undefined && !(type === "invitation" && kind === "accept"))
        return [];
      const own =
        type === "member"
          ? space.head?.members.map(({ id }) => id)
          : type === "space"
            ? [spaceId]
            : ids[type as keyof typeof ids].map(idOf);
      const id = own?.[at % own.length] ?? idOf(99);
      const whole = kind === "create" || kind === "replace";
      const isNamed = Object.fromEntries(
        Object.entries(body).filter(([, value]) => !whole || !isSetPatch(value as Json)),
      );
      return [
        {
          type,
          kind,
          id,
          body:
            kind === "accept"
              ? { tokenHash: "secret" }
              : whole
                ? { ...required[type], ...isNamed }
                : kind === "patch"
                  ? body
                  : {},
          ...(expected === null ? {} : { expected: [expected] }),
        },
      ];
    }),
  );
}

const isSetPatch = (value: Json) =>
  typeof value === "object" && value !== null && ("add" in value || "remove" in value);

function begun(): SpaceForTests {
  const space = new SpaceForTests();
  const ann = users[0] as string;
  space.take(
    commandOf({ spaceId, userId: ann }, [{ type: "space", kind: "create", id: spaceId, body: { name: "Home" } }]),
  );
  return space;
}

function pastOf(space: SpaceForTests, id: string): Past[] {
  return space.facts.flatMap((fact) => {
    const { seq } = fact;
    return seq === undefined
      ? []
      : fact.changes.filter((change) => change.id === id).map((change) => ({ change, fact: { ...fact, seq } }));
  });
}

const runs = { numRuns: 300 };
const steps = fc.array(step, { minLength: 1, maxLength: 25 });

test("documents and the head are the fold of the facts, whose numbers and versions have no gap", () => {
  fc.assert(
    fc.property(steps, (asked) => {
      const space = begun();
      for (const each of asked) space.take(commandsOf(space, each));
      const applied = space.facts.filter(({ seq }) => seq !== undefined);
      expect(applied.map(({ seq }) => seq as number)).toEqual(applied.map((_, index) => index + 1));
      expect(space.facts.every(({ seq, changes }) => (seq === undefined) === (changes.length === 0))).toBe(true);
      for (const document of space.documents.values()) {
        const past = pastOf(space, document.id);
        expect(past.map(({ change }) => change.version)).toEqual(past.map((_, index) => index + 1));
        const type = registry.get(document.type);
        if (type !== undefined) expect(documentAfter(type, past)).toEqual(document);
      }
      expect(applied.reduce(headAfter, unmadeHead(spaceId))).toEqual(space.head as never);
    }),
    runs,
  );
});

test("there is always an owner, no task is below itself, no two ranks are equal, and a column and its status agree", () => {
  fc.assert(
    fc.property(steps, (asked) => {
      const space = begun();
      for (const each of asked) {
        space.take(commandsOf(space, each));
        expect(space.head?.members.some(({ role }) => role === "owner")).toBe(true);
        const tasks = [...space.documents.values()].filter(({ type }) => type === "task");
        expect(new Set(tasks.map(({ fields }) => fields.rank)).size).toBe(tasks.length);
        for (const task of tasks) {
          expect(above(space, task)).toBeLessThanOrEqual(8);
          const column = columns.find(({ id }) => id === task.fields.columnId);
          if (column !== undefined) expect(task.fields.status).toBe(column.status);
          expect(task.fields.completedAt === null).toBe(task.fields.status !== "done");
        }
      }
    }),
    runs,
  );
});

function above(space: SpaceForTests, task: Document): number {
  let count = 0;
  let at = task.fields.parentId;
  while (typeof at === "string" && count <= 100) {
    count += 1;
    at = space.documents.get(at)?.fields.parentId ?? null;
  }
  return count;
}

test("the same command decides the same again, and undoing an operation that was just made restores what it changed", () => {
  fc.assert(
    fc.property(steps, step, (asked, last) => {
      const [one, other] = [begun(), begun()];
      const commands = asked.map((each) => {
        const command = commandsOf(one, each);
        one.take(command);
        return command;
      });
      other.head = null;
      other.facts.length = 0;
      other.documents.clear();
      const first = one.facts[0];
      if (first === undefined) throw new Error("the space was not made");
      other.take(
        commandOf({ spaceId, userId: users[0] as string, operationId: first.operationId, at: first.at }, [
          { type: "space", kind: "create", id: spaceId, body: { name: "Home" } },
        ]),
      );
      for (const command of commands) other.take(command);
      expect(other.facts).toEqual(one.facts);

      const before = new Map(
        [...one.documents].map(([id, { fields, deletedBy }]) => [id, { fields, isDeleted: deletedBy !== undefined }]),
      );
      const { fact } = one.take(commandsOf(one, { ...last, undoes: null }));
      if (fact.seq === undefined) return;
      const undone = one.take(undoOf({ spaceId, userId: fact.actorId }, fact.operationId)).fact;
      if (undone.verdict !== "applied") return;
      for (const { id } of fact.changes) {
        const document = one.documents.get(id);
        const was = before.get(id);
        if (was === undefined) expect(document?.deletedBy).toBeDefined();
        else expect({ fields: document?.fields, isDeleted: document?.deletedBy !== undefined }).toEqual(was as never);
      }
    }),
    runs,
  );
});

test("nothing hidden is ever served", () => {
  fc.assert(
    fc.property(steps, (asked) => {
      const space = begun();
      for (const each of asked) space.take(commandsOf(space, each));
      for (const document of space.documents.values()) {
        const type = registry.get(document.type);
        if (type !== undefined) expect(resourceText(type, document)).not.toContain("secret");
      }
    }),
    runs,
  );
});
