import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { apply } from "../consumer/apply.ts";
import { command, userA, userB } from "../consumer/commands-for-tests.ts";
import { openDatabase } from "../consumer/database.ts";
import { mailboxSource } from "../consumer/source-mailbox.ts";
import { sqliteStore } from "../consumer/store-sqlite.ts";
import { Problem } from "../model/problem.ts";
import { priorities, statuses, type Task } from "../model/task.ts";
import { fold, words } from "../model/words.ts";
import { cursorAfter, type ListQuery, listQuery, sortFields } from "./list-query.ts";
import { type SqliteReads, sqliteReads } from "./reads-sqlite.ts";

const dir = mkdtempSync(join(tmpdir(), "reads-"));
const db = openDatabase(dir);
db.exec("PRAGMA synchronous = OFF");
let reads: SqliteReads;
const all: { task: Task; deleted: boolean }[] = [];
/** Enough for filters that leave more tasks than are looked up one by one, and for filters that leave fewer. */
const tasksMade = 1_500;

const titles = [
  "Buy milk",
  "buy MILK",
  "Çay al",
  "cay",
  "Straße",
  "ΟΔΟΣ",
  "Zoo",
  "zebra crossing",
  "😀 party",
  "_under score",
];
const labels = ["home", "Home", "Ev işi", "a b", "x"];
const instants = [
  "2026-01-01T00:00:00.000Z",
  "2026-01-01T00:00:00.001Z",
  "2027-05-05T05:05:05.500Z",
  "1969-12-31T23:59:59.999Z",
  "9999-12-31T23:59:59.999Z",
];

beforeAll(async () => {
  const store = sqliteStore(db);
  const source = mailboxSource(store.end());
  const arbitrary = fc.record({
    userId: fc.constantFrom(userA, userA, userA, userB),
    title: fc.constantFrom(...titles),
    description: fc.constantFrom("", "pick up at the zoo", "süt ve çay"),
    status: fc.constantFrom(...statuses),
    priority: fc.constantFrom(...priorities),
    labels: fc.uniqueArray(fc.constantFrom(...labels), { maxLength: 3 }),
    dueAt: fc.constantFrom(null, ...instants),
    atS: fc.integer({ min: 0, max: 40 }),
    fate: fc.constantFrom("deleted", "patched", "kept", "kept", "kept"),
  });
  for (const { userId, atS, fate, ...body } of fc.sample(arbitrary, { numRuns: tasksMade, seed: 11 })) {
    const at = new Date(Date.UTC(2026, 0, 1) + atS * 1000).toISOString();
    const create = command({ kind: "create", userId, body, at });
    const commands = [create];
    const more = { taskId: create.taskId, userId, at: new Date(Date.parse(at) + 5_000).toISOString() };
    if (fate === "patched")
      commands.push(command({ ...more, kind: "patch", body: { title: "patched zoo", labels: ["x"] } }));
    const outcomes = await apply(store, source.deliveries(commands));
    const task = JSON.parse(outcomes.at(-1)?.task ?? "null") as Task;
    if (fate === "deleted") {
      await apply(store, source.deliveries([command({ ...more, kind: "delete" })]));
      Object.assign(task, { version: 2, updatedAt: more.at });
    }
    all.push({ task, deleted: fate === "deleted" });
  }
  reads = sqliteReads(dir);
});
afterAll(() => {
  reads.close();
  db.close();
  rmSync(dir, { recursive: true });
});

/** The contract's words on lists, in plain code over an array. */
function oracle(query: ListQuery): string[] {
  const key = (task: Task): string | number | null => {
    if (query.sort === "priority") return priorities.indexOf(task.priority);
    if (query.sort === "title") return fold(task.title);
    const instant = task[query.sort];
    return instant === null ? null : Date.parse(instant);
  };
  const order = (a: string | number, b: string | number): number =>
    typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : a - Number(b);
  const sign = query.descending ? -1 : 1;
  const due = ({ dueAt }: Task): number => (dueAt === null ? Number.NaN : Date.parse(dueAt));
  return all
    .filter(({ task, deleted }) => task.ownerId === query.ownerId && deleted === query.deleted)
    .map(({ task }) => task)
    .filter((task) => query.statuses.length === 0 || query.statuses.includes(task.status))
    .filter((task) => query.priority === undefined || task.priority === query.priority)
    .filter((task) => query.labels.every((label) => task.labels.includes(label)))
    .filter((task) =>
      query.words.every((word) => words(task.title, task.description).some((each) => each.startsWith(word))),
    )
    .filter((task) => query.dueBeforeMs === undefined || due(task) < query.dueBeforeMs)
    .filter((task) => query.dueAfterMs === undefined || due(task) > query.dueAfterMs)
    .filter((task) => query.updatedAfterMs === undefined || Date.parse(task.updatedAt) > query.updatedAfterMs)
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return x === y ? sign * order(a.id, b.id) : x === null ? 1 : -1;
      return sign * (order(x, y) || order(a.id, b.id));
    })
    .map(({ id }) => id);
}

/** All pages of a query, following its cursors as a client does. */
function walked(userId: string, parameters: URLSearchParams): string[] {
  const found: string[] = [];
  for (let pages = 0; pages <= tasksMade; pages += 1) {
    const query = listQuery(userId, parameters);
    const rows = reads.list(query);
    const page = rows.slice(0, query.limit);
    found.push(...page.map(({ json }) => (JSON.parse(json) as Task).id));
    const last = page.at(-1);
    if (rows.length <= query.limit || last === undefined) return found;
    parameters.set("cursor", cursorAfter(query, last.end));
  }
  throw new Error("The walk does not end");
}

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const parameters = fc.record({
  status: fc.uniqueArray(fc.constantFrom<string>(...statuses), { maxLength: 3 }),
  label: fc.uniqueArray(fc.constantFrom(...labels, "none has it"), { maxLength: 2 }),
  priority: optional(fc.constantFrom<string>(...priorities)),
  q: optional(
    fc.constantFrom("zoo", "BUY mil", "çay", "cay", "strasse", "οδος", "z p", "", "!!", "nothing like it", "😀"),
  ),
  dueBefore: optional(fc.constantFrom(...instants)),
  dueAfter: optional(fc.constantFrom(...instants)),
  updatedAfter: optional(fc.constantFrom("2026-01-01T00:00:10.000Z", "2026-01-01T00:00:40.000Z")),
  deleted: optional(fc.constantFrom("true", "false")),
  sort: optional(fc.constantFrom(...sortFields.flatMap((field) => [field, `-${field}`]))),
  limit: fc.constantFrom("2", "7", "50", "100"),
});

function toQuery(given: Readonly<Record<string, string | string[] | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) for (const each of [value ?? []].flat()) query.append(name, each);
  return query;
}

test("every sort, forth and back, by pages of any size, is the order of the contract", () => {
  for (const field of sortFields) {
    for (const sort of [field, `-${field}`]) {
      for (const limit of ["1", "100"]) {
        const query = toQuery({ sort, limit });
        expect(walked(userA, query), `${sort} ${limit}`).toEqual(oracle(listQuery(userA, toQuery({ sort, limit }))));
      }
    }
  }
});

test("any filters with any sort, walked by cursor, find what a plain array finds", () => {
  fc.assert(
    fc.property(fc.constantFrom(userA, userB), parameters, (userId, given) => {
      expect(walked(userId, toQuery(given))).toEqual(oracle(listQuery(userId, toQuery(given))));
    }),
    { numRuns: 250 },
  );
});

test("tasks without a due date are last both ways", () => {
  for (const sort of ["dueAt", "-dueAt"]) {
    const dues = walked(userA, toQuery({ sort, limit: "9" })).map(
      (id) => all.find(({ task }) => task.id === id)?.task.dueAt,
    );
    const first = dues.indexOf(null);
    expect(first).toBeGreaterThan(0);
    expect(dues.slice(first).every((due) => due === null)).toBe(true);
  }
});

test("a list of nobody, of too many labels, and of very many words is empty and no failure", () => {
  expect(reads.list(listQuery("00000000-0000-4000-8000-00000000000c", new URLSearchParams()))).toEqual([]);
  const label = Array.from({ length: 600 }, (_, index) => `label ${index}`);
  expect(reads.list(listQuery(userA, toQuery({ label })))).toEqual([]);
  const q = Array.from({ length: 250 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(" ");
  expect(reads.list(listQuery(userA, toQuery({ q })))).toEqual([]);
  for (const odd of ['"', "* OR", "NEAR(a b)", "w1x", "-", "a AND b", "{x}:y", "^a"])
    expect(Array.isArray(reads.list(listQuery(userA, toQuery({ q: odd }))))).toBe(true);
});

test("one task is read as it is served, by its owner's id, deleted or not", () => {
  for (const { task, deleted } of all.slice(0, 50)) {
    const found = reads.task(task.id);
    expect(found).toMatchObject({ ownerId: task.ownerId, deleted, version: task.version });
    if (!deleted) expect(JSON.parse(found?.json ?? "")).toEqual(task);
  }
  expect(reads.task("00000000-0000-4000-8000-000000000000")).toBeUndefined();
});

test("history is newest first, below a version, and the position is the last one written", () => {
  const twice = all.find(({ task }) => task.version === 2)?.task as Task;
  expect(reads.history(twice.id, 100, 100).map(({ entry }) => entry.version)).toEqual([2, 1]);
  expect(reads.history(twice.id, 2, 100).map(({ entry }) => entry.version)).toEqual([1]);
  expect(reads.history(twice.id, 100, 1).map(({ entry }) => entry.version)).toEqual([2]);
  const commands = all.reduce((sum, { task }) => sum + task.version, 0);
  expect(reads.position()).toEqual({ partition: 0, offset: commands });
});

test("a file that cannot be read is read-model-unavailable, without the driver's words", () => {
  const broken = sqliteReads(dir);
  broken.close();
  let failure: unknown;
  try {
    broken.task(userA);
  } catch (thrown) {
    failure = thrown;
  }
  expect(failure).toBeInstanceOf(Problem);
  expect((failure as Problem).code).toBe("read-model-unavailable");
  expect((failure as Problem).message).not.toContain("database");
});
