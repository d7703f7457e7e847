/** The rules of each type, by example. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Intent, IntentKind } from "./command.ts";
import type { Fact } from "./fact.ts";
import type { Json } from "./field.ts";
import { commandOf, idOf, SpaceForTests, undoOf } from "./space-for-tests.ts";

const spaceId = idOf(1);
const [ann, bob, cai, dan] = [11, 12, 13, 14].map(idOf) as [string, string, string, string];
const [p, q, t1, t2, t3, c1] = [21, 22, 31, 32, 33, 41].map(idOf) as [string, string, string, string, string, string];
const columns = [
  { id: idOf(51), name: "To do", status: "todo" },
  { id: idOf(52), name: "Next", status: "todo" },
  { id: idOf(53), name: "Done", status: "done" },
];

let shared: SpaceForTests;
type Body = Record<string, Json>;

const as = (userId: string, ...intents: Intent[]): Fact => shared.take(commandOf({ spaceId, userId }, intents)).fact;
const intent = (type: string, kind: IntentKind, id: string, body: Body = {}, more: Partial<Intent> = {}): Intent => ({
  type,
  kind,
  id,
  body,
  ...more,
});
const create = (type: string, id: string, body: Body) => intent(type, "create", id, body);
const patch = (type: string, id: string, body: Body) => intent(type, "patch", id, body);
const end = (type: string, id: string) => intent(type, "delete", id);
const codeOf = ({ refusal }: Fact) => refusal?.code;
const fieldsOf = (id: string) => shared.documents.get(id)?.fields ?? {};
const newTask = (id: string, body: Body = {}) => create("task", id, { title: "Milk", ...body });
const memberId = (userId: string) => shared.head?.members.find((member) => member.userId === userId)?.id ?? "";

/** Ann owns; the others come in by invitation. */
function join(userId: string, role: string): void {
  const id = idOf(900 + shared.facts.length);
  as(ann, create("invitation", id, { role, expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: `hash ${id}` }));
  as(userId, intent("invitation", "accept", id, { tokenHash: `hash ${id}` }));
}

beforeEach(() => {
  shared = new SpaceForTests();
  as(ann, create("space", spaceId, { name: "Home" }));
});

describe("spaces and members", () => {
  test("whoever makes a space owns it, and both come in one fact", () => {
    const [fact] = shared.facts;
    expect(fact?.seq).toBe(1);
    expect(fact?.changes.map(({ type, kind }) => [type, kind])).toEqual([
      ["space", "created"],
      ["member", "created"],
    ]);
    expect(shared.head?.members).toMatchObject([{ userId: ann, role: "owner" }]);
  });

  test("nobody else can do anything in it, and is told that it does not exist", () => {
    expect(codeOf(as(bob, newTask(t1)))).toBe("not-found");
    expect(codeOf(as(bob, create("space", spaceId, { name: "Mine" })))).toBe("conflict");
  });

  test("a personal space needs no fact, has one owner and can only be renamed", () => {
    const own = new SpaceForTests();
    const take = (...intents: Intent[]) => own.take(commandOf({ spaceId: ann, userId: ann }, intents)).fact;
    expect(take(newTask(t1)).seq).toBe(1);
    expect(take(patch("space", ann, { name: "Me" }))).toMatchObject({ seq: 2, changes: [{ version: 2 }] });
    expect(codeOf(take(end("space", ann)))).toBe("forbidden");
    const owner = own.head?.members[0]?.id ?? "";
    expect(codeOf(take(end("member", owner)))).toBe("forbidden");
    expect(codeOf(take(patch("member", owner, { role: "viewer" })))).toBe("forbidden");
    const invite = create("invitation", idOf(9), { role: "member", expiresAt: "2027-01-01T00:00:00.000Z" });
    expect(codeOf(take(invite))).toBe("forbidden");
    expect(own.take(commandOf({ spaceId: ann, userId: bob }, [newTask(t2)])).fact.refusal?.code).toBe("not-found");
  });

  test("roles: a viewer reads, a member works, an admin manages up to admins, an owner all", () => {
    join(bob, "admin");
    join(cai, "member");
    join(dan, "viewer");
    expect(codeOf(as(dan, newTask(t1)))).toBe("forbidden");
    expect(codeOf(as(cai, patch("space", spaceId, { name: "Ours" })))).toBe("forbidden");
    expect(codeOf(as(bob, patch("member", memberId(cai), { role: "owner" })))).toBe("forbidden");
    expect(codeOf(as(bob, patch("member", memberId(ann), { role: "viewer" })))).toBe("forbidden");
    expect(codeOf(as(bob, end("member", memberId(ann))))).toBe("forbidden");
    expect(codeOf(as(cai, patch("member", memberId(cai), { role: "admin" })))).toBe("forbidden");
    expect(as(cai, patch("member", memberId(cai), { role: "viewer" })).verdict).toBe("applied");
    expect(as(bob, patch("member", memberId(dan), { role: "admin" })).verdict).toBe("applied");
    expect(codeOf(as(bob, end("space", spaceId)))).toBe("forbidden");
    expect(as(dan, end("member", memberId(cai))).verdict).toBe("applied");
    expect(codeOf(as(cai, newTask(t1)))).toBe("not-found");
  });

  test("there is always an owner", () => {
    join(bob, "admin");
    expect(codeOf(as(ann, patch("member", memberId(ann), { role: "admin" })))).toBe("last-owner");
    expect(codeOf(as(ann, end("member", memberId(ann))))).toBe("last-owner");
    as(ann, patch("member", memberId(bob), { role: "owner" }));
    expect(as(ann, end("member", memberId(ann))).verdict).toBe("applied");
    expect(codeOf(as(bob, end("member", memberId(bob))))).toBe("last-owner");
  });

  test("an invitation lets in as often as it says, until it ends, and a member is answered again", () => {
    const accept = intent("invitation", "accept", idOf(70), { tokenHash: "secret" });
    as(
      ann,
      create("invitation", idOf(70), { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret" }),
    );
    expect(codeOf(as(bob, intent("invitation", "accept", idOf(70), { tokenHash: "guess" })))).toBe("not-found");
    const joined = as(bob, accept);
    expect(joined.answers).toEqual([memberId(bob)]);
    expect(as(bob, accept)).toMatchObject({ verdict: "unchanged", answers: [memberId(bob)] });
    expect(codeOf(as(cai, accept))).toBe("not-found");
    as(
      ann,
      create("invitation", idOf(71), { role: "member", expiresAt: "2026-01-01T00:00:01.000Z", tokenHash: "late" }),
    );
    expect(codeOf(as(cai, intent("invitation", "accept", idOf(71), { tokenHash: "late" })))).toBe("not-found");
  });

  test("a deleted space is there for its owners alone, to be restored", () => {
    join(bob, "admin");
    as(ann, end("space", spaceId));
    expect(codeOf(as(bob, newTask(t1)))).toBe("not-found");
    expect(codeOf(as(ann, newTask(t1)))).toBe("not-found");
    expect(codeOf(as(bob, intent("space", "restore", spaceId)))).toBe("not-found");
    expect(as(ann, intent("space", "restore", spaceId)).verdict).toBe("applied");
    expect(as(bob, newTask(t1)).verdict).toBe("applied");
  });
});

describe("tasks in projects", () => {
  beforeEach(() => {
    as(ann, create("project", p, { name: "House", columns }));
    as(ann, create("project", q, { name: "Other", columns: [] }));
  });

  test("a task begins in the first column of its status, or in none", () => {
    as(ann, newTask(t1, { projectId: p }));
    expect(fieldsOf(t1)).toMatchObject({ columnId: columns[0]?.id, status: "todo" });
    as(ann, newTask(t2, { projectId: p, status: "cancelled" }));
    expect(fieldsOf(t2).columnId).toBeNull();
  });

  test("a column sets the status, a status alone moves to its first column, and both must agree", () => {
    as(ann, newTask(t1, { projectId: p, columnId: columns[1]?.id ?? "" }));
    expect(fieldsOf(t1).status).toBe("todo");
    as(ann, patch("task", t1, { columnId: columns[2]?.id ?? "" }));
    expect(fieldsOf(t1)).toMatchObject({ status: "done", completedAt: shared.facts.at(-1)?.at });
    as(ann, patch("task", t1, { status: "todo" }));
    expect(fieldsOf(t1)).toMatchObject({ columnId: columns[0]?.id, completedAt: null });
    expect(as(ann, patch("task", t1, { columnId: columns[2]?.id ?? "", status: "todo" })).refusal).toMatchObject({
      code: "invalid-reference",
      path: "/status",
    });
    expect(as(ann, patch("task", t1, { columnId: idOf(99) })).refusal).toMatchObject({ path: "/columnId" });
  });

  test("another project means its first column of the status, and no project no column", () => {
    as(ann, newTask(t1, { projectId: p }));
    as(ann, patch("task", t1, { projectId: q }));
    expect(fieldsOf(t1).columnId).toBeNull();
    as(ann, patch("task", t1, { projectId: p }));
    expect(fieldsOf(t1).columnId).toBe(columns[0]?.id ?? "");
    as(ann, patch("task", t1, { projectId: null }));
    expect(fieldsOf(t1).columnId).toBeNull();
  });

  test("an archived project takes no tasks and no changes of its tasks and their comments", () => {
    as(ann, newTask(t1, { projectId: p }), create("comment", c1, { taskId: t1, body: "Hi" }));
    as(ann, patch("project", p, { archived: true }));
    for (const change of [
      newTask(t2, { projectId: p }),
      patch("task", t1, { title: "Bread" }),
      patch("task", t1, { projectId: null }),
      end("task", t1),
      patch("comment", c1, { body: "Ho" }),
      create("comment", idOf(42), { taskId: t1, body: "Hi" }),
    ])
      expect(codeOf(as(ann, change))).toBe("conflict");
  });

  test("a column keeps its status", () => {
    const changed = columns.map((column, index) => (index === 1 ? { ...column, status: "done" } : column));
    const patched = (next: Json) => as(ann, intent("project", "patch", p, { columns: next }, { expected: "*" }));
    expect(patched(changed).refusal).toMatchObject({
      code: "invalid-reference",
      path: "/columns/1/status",
    });
    expect(patched(columns.slice(1)).verdict).toBe("applied");
  });

  test("references must be there: a deleted project, another type's id, a stranger", () => {
    as(ann, end("project", q));
    as(ann, newTask(t1));
    expect(as(ann, patch("task", t1, { projectId: q })).refusal).toMatchObject({ path: "/projectId" });
    expect(as(ann, patch("task", t1, { parentId: p })).refusal).toMatchObject({ path: "/parentId" });
    expect(as(ann, patch("task", t1, { assigneeIds: [ann, bob] })).refusal).toMatchObject({ path: "/assigneeIds/1" });
    expect(as(ann, patch("task", t1, { assigneeIds: { add: [bob] } })).refusal?.path).toBe("/assigneeIds/add/0");
  });
});

describe("tasks", () => {
  test("a task is never below itself, and at most eight are above it", () => {
    const chain = Array.from({ length: 10 }, (_, index) => idOf(600 + index));
    for (const [index, id] of chain.entries()) {
      const { refusal } = as(ann, newTask(id, index === 0 ? {} : { parentId: chain[index - 1] ?? "" }));
      expect(refusal?.path).toBe(index === 9 ? "/parentId" : undefined);
    }
    expect(as(ann, patch("task", chain[0] ?? "", { parentId: chain[3] ?? "" })).refusal?.path).toBe("/parentId");
    expect(as(ann, patch("task", chain[0] ?? "", { parentId: chain[0] ?? "" })).refusal?.path).toBe("/parentId");
  });

  test("a patch leaves what it does not name, null is the default, and sets are added to", () => {
    as(ann, newTask(t1, { labels: ["a", "b"], priority: "high", due: { date: "2026-05-01" } }));
    as(ann, patch("task", t1, { labels: { add: ["c"], remove: ["a"] }, priority: null }));
    expect(fieldsOf(t1)).toMatchObject({ labels: ["b", "c"], priority: "none", title: "Milk" });
    as(ann, patch("task", t1, { due: { time: "09:30", timeZone: "Europe/Berlin" } }));
    expect(fieldsOf(t1).due).toEqual({ date: "2026-05-01", time: "09:30", timeZone: "Europe/Berlin" });
    expect(as(ann, patch("task", t1, { due: { time: null } })).refusal?.path).toBe("/due/timeZone");
    expect(as(ann, patch("task", t1, { due: { time: null, timeZone: null } })).verdict).toBe("applied");
    expect(as(ann, patch("task", t1, { priority: "none" }))).toMatchObject({ verdict: "unchanged" });
    expect(shared.documents.get(t1)?.version).toBe(4);
  });

  test("a version that is not expected is refused, after what cannot be found and before what stands in the way", () => {
    as(ann, newTask(t1));
    expect(codeOf(as(ann, intent("task", "patch", t1, { title: "x" }, { expected: [2] })))).toBe("version-mismatch");
    expect(as(ann, intent("task", "patch", t1, { title: "x" }, { expected: [1] })).verdict).toBe("applied");
    expect(codeOf(as(ann, intent("task", "restore", t1, {}, { expected: [1] })))).toBe("version-mismatch");
    expect(codeOf(as(ann, intent("task", "restore", t1, {}, { expected: "*" })))).toBe("conflict");
    expect(codeOf(as(ann, intent("task", "create", t1, { title: "x" }, { onTaken: "version-mismatch" })))).toBe(
      "version-mismatch",
    );
  });

  test("undo takes back one change after the other, a deletion too, and skips what came with others", () => {
    as(ann, newTask(t1));
    as(ann, newTask(t2));
    as(ann, patch("task", t1, { title: "One" }));
    as(ann, patch("task", t1, { priority: "high" }), patch("task", t2, { priority: "high" }));
    as(ann, end("task", t1));
    const undo = intent("task", "undo", t1);
    as(ann, undo);
    expect(shared.documents.get(t1)?.deletedBy).toBeUndefined();
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Milk", priority: "high" });
    expect(codeOf(as(ann, undo))).toBe("conflict");
  });

  test("undo takes back one after the other what one operation changed in one resource alone", () => {
    const undo = intent("task", "undo", t1);
    as(ann, newTask(t1), patch("task", t1, { title: "One" }));
    as(ann, patch("task", t1, { title: "Two" }), patch("task", t1, { priority: "high" }));
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Two", priority: "none" });
    as(ann, patch("task", t1, { estimateMinutes: 5 }));
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Two", estimateMinutes: null });
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "One", priority: "none" });
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Milk" });
    expect(codeOf(as(ann, undo))).toBe("conflict");
  });

  test("undo passes by a change that was taken back with its operation", () => {
    as(ann, newTask(t1));
    as(ann, patch("task", t1, { estimateMinutes: 5 }));
    const { operationId } = as(ann, patch("task", t1, { title: "One" }));
    as(ann, patch("task", t1, { priority: "high" }));
    shared.take(undoOf({ spaceId, userId: ann }, operationId));
    const undo = intent("task", "undo", t1);
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Milk", priority: "none", estimateMinutes: 5 });
    as(ann, undo);
    expect(fieldsOf(t1)).toMatchObject({ title: "Milk", estimateMinutes: null });
    expect(codeOf(as(ann, undo))).toBe("conflict");
  });

  test("an operation is taken back whole, unless a part was changed since, and taken back again", () => {
    as(ann, create("project", p, { name: "House", columns }));
    const { operationId } = as(
      ann,
      newTask(t1, { projectId: p }),
      newTask(t2, { parentId: t1 }),
      patch("project", p, { name: "Hut" }),
    );
    const undone = shared.take(undoOf({ spaceId, userId: ann }, operationId)).fact;
    expect(undone.changes.map(({ kind }) => kind)).toEqual(["undone", "undone", "undone"]);
    expect([t1, t2].map((id) => shared.documents.get(id)?.deletedBy)).toEqual([ann, ann]);
    expect(fieldsOf(p).name).toBe("House");
    expect(shared.take(undoOf({ spaceId, userId: ann }, undone.operationId)).fact.verdict).toBe("applied");
    expect(fieldsOf(p).name).toBe("Hut");
    as(ann, patch("task", t2, { title: "Mine" }));
    const late = shared.take(undoOf({ spaceId, userId: ann }, operationId)).fact;
    expect(late.refusal).toMatchObject({ code: "conflict", ids: [t2] });
  });

  test("a creation is not taken back with what others have put into it since", () => {
    const { operationId } = as(ann, newTask(t1), newTask(t2));
    as(ann, patch("task", t2, { estimateMinutes: 5 }));
    const late = () => shared.take(undoOf({ spaceId, userId: ann }, operationId)).fact;
    expect(late().refusal).toMatchObject({ code: "conflict", ids: [t2] });
    as(ann, patch("task", t2, { estimateMinutes: null }));
    expect(late().verdict).toBe("applied");
  });

  test("a task is moved only where the deepest task below it has at most eight above, by patch, batch and undo alike", () => {
    const [upper, lower] = [700, 800].map((first) => Array.from({ length: 5 }, (_, index) => idOf(first + index)));
    for (const chain of [upper, lower] as string[][])
      for (const [index, id] of chain.entries())
        as(ann, newTask(id, index === 0 ? {} : { parentId: chain[index - 1] ?? "" }));
    const [[u0, u1, , u3, u4], [l0, l1, , , l4]] = [upper, lower] as string[][] as [string[], string[]];
    const move = (id: string, parentId: string | null) => patch("task", id, { parentId });
    const tooDeep = { code: "invalid-reference", path: "/parentId" };
    // Five above and four below it: nine in all.
    expect(as(ann, move(l0 ?? "", u4 ?? "")).refusal).toMatchObject(tooDeep);
    expect(as(ann, move(l0 ?? "", u3 ?? "")).verdict).toBe("applied");
    as(ann, move(l0 ?? "", null));
    // Deleted ones can come back where they were.
    as(ann, end("task", l4 ?? ""));
    expect(as(ann, move(l0 ?? "", u4 ?? "")).refusal).toMatchObject(tooDeep);
    as(ann, intent("task", "restore", l4 ?? ""));
    // What an earlier change of the batch moves counts where it then is.
    expect(as(ann, move(l1 ?? "", null), move(l0 ?? "", u4 ?? ""), move(l1 ?? "", l0 ?? "")).refusal).toMatchObject({
      ...tooDeep,
      change: 2,
    });
    const { operationId } = as(ann, move(l1 ?? "", null), move(l0 ?? "", u4 ?? ""));
    expect(shared.documents.get(l0 ?? "")?.fields.parentId).toBe(u4 ?? "");
    expect(shared.take(undoOf({ spaceId, userId: ann }, operationId)).fact.verdict).toBe("applied");
    // An undo brings nothing back where it has become too deep meanwhile.
    as(ann, move(l1 ?? "", u4 ?? ""));
    as(ann, move(l1 ?? "", null));
    const more = Array.from({ length: 4 }, (_, index) => idOf(900 + index));
    for (const [index, id] of more.entries())
      as(ann, newTask(id, { parentId: index === 0 ? (l4 ?? "") : (more[index - 1] ?? "") }));
    expect(codeOf(as(ann, intent("task", "undo", l1 ?? "")))).toBe("conflict");
    expect([u0, u1].map((id) => shared.documents.get(id ?? "")?.deletedBy)).toEqual([undefined, undefined]);
  });

  test("an undo that would refer to something gone is refused", () => {
    as(ann, newTask(t1));
    as(ann, newTask(t2, { parentId: t1 }));
    as(ann, patch("task", t2, { parentId: null }));
    as(ann, end("task", t1));
    expect(codeOf(as(ann, intent("task", "undo", t2)))).toBe("conflict");
  });

  test("a batch is all or nothing, refers to what it makes, and says which change is refused", () => {
    const refused = as(ann, newTask(t1), newTask(t2, { parentId: t1 }), patch("task", idOf(98), { title: "x" }));
    expect(refused).toMatchObject({ refusal: { code: "not-found", change: 2 }, changes: [] });
    expect(shared.documents.has(t1)).toBe(false);
    const applied = as(ann, newTask(t1), newTask(t2, { parentId: t1 }), patch("task", t1, { title: "x" }));
    expect(applied.changes.map(({ version }) => version)).toEqual([1, 1, 2]);
    expect(applied.seq).toBe((refused.seq ?? 1) + 1);
  });

  test("a place is beside the neighbour named, whatever else is there", () => {
    const order = () =>
      [...shared.documents.values()]
        .filter(({ type }) => type === "task")
        .toSorted((a, b) => ((a.fields.rank as string) < (b.fields.rank as string) ? -1 : 1))
        .map(({ id }) => id);
    for (const id of [t1, t2, t3]) as(ann, newTask(id));
    expect(order()).toEqual([t1, t2, t3]);
    as(ann, patch("task", t3, { position: { after: t1 } }));
    expect(order()).toEqual([t1, t3, t2]);
    as(ann, patch("task", t2, { position: { before: t1 } }));
    expect(order()).toEqual([t2, t1, t3]);
    as(ann, patch("task", t2, { position: { after: t1, before: t3 } }));
    expect(order()).toEqual([t1, t2, t3]);
    expect(as(ann, patch("task", t2, { position: { after: idOf(97) } })).verdict).toBe("unchanged");
    expect(as(ann, patch("task", t2, { position: { after: t2 } })).verdict).toBe("unchanged");
  });
});

describe("bounds and clocks", () => {
  test("a space has 1,000 projects, and a deleted one makes room", () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      create("project", idOf(5_000 + index), { name: "P", columns: [] }),
    );
    as(ann, ...many.slice(0, 500));
    as(ann, ...many.slice(500));
    const one = create("project", p, { name: "P", columns: [] });
    expect(codeOf(as(ann, one))).toBe("limit-reached");
    as(ann, end("project", idOf(5_000)));
    expect(as(ann, one).verdict).toBe("applied");
    expect(codeOf(as(ann, intent("project", "restore", idOf(5_000))))).toBe("limit-reached");
  });

  test("a space has 500 members", () => {
    for (let number = 0; number < 499; number++) join(idOf(7_000 + number), "viewer");
    const secret = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret" };
    as(ann, create("invitation", idOf(70), secret));
    const accept = intent("invitation", "accept", idOf(70), { tokenHash: "secret" });
    expect(codeOf(as(bob, accept))).toBe("limit-reached");
    as(ann, end("member", memberId(idOf(7_000))));
    expect(as(bob, accept).verdict).toBe("applied");
  });

  test("time does not run backwards within a space, and a creation keeps the instant that its edge has answered", () => {
    as(ann, newTask(t1));
    const latest = shared.head?.at ?? "";
    const early = "2026-01-01T00:00:00.000Z";
    const { fact } = shared.take(commandOf({ spaceId, userId: ann, at: early }, [newTask(t2, { status: "done" })]));
    expect(fact.at).toBe(latest);
    expect(shared.documents.get(t2)).toMatchObject({
      createdAt: early,
      updatedAt: early,
      fields: { completedAt: early },
    });
    shared.take(commandOf({ spaceId, userId: ann, at: early }, [patch("task", t1, { status: "done" })]));
    expect(shared.documents.get(t1)).toMatchObject({ updatedAt: latest, fields: { completedAt: latest } });
  });

  test("an import brings the past along", () => {
    const past = { createdAt: "2020-01-01T00:00:00.000Z", completedAt: "2021-01-01T00:00:00.000Z" };
    const intents = [newTask(t1, { status: "done", ...past })];
    shared.take(commandOf({ spaceId, userId: ann }, intents, { isImport: true }));
    expect(shared.documents.get(t1)).toMatchObject({
      createdAt: past.createdAt,
      fields: { completedAt: past.completedAt },
    });
  });
});

describe("comments", () => {
  test("the author changes a comment, an admin may delete it, and who deleted it may restore it", () => {
    join(bob, "member");
    join(cai, "admin");
    as(ann, newTask(t1));
    as(bob, create("comment", c1, { taskId: t1, body: "Hi" }));
    expect(codeOf(as(ann, patch("comment", c1, { body: "Ho" })))).toBe("forbidden");
    expect(as(cai, end("comment", c1)).verdict).toBe("applied");
    expect(codeOf(as(bob, intent("comment", "restore", c1)))).toBe("forbidden");
    expect(as(cai, intent("comment", "restore", c1)).verdict).toBe("applied");
  });
});
