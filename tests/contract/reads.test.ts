/** The port `Reads` over each adapter, fed by the writers' own code with the same commands: their answers must be equal, byte for byte. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { command, userA, userB } from "../../actors/consumer/commands-for-tests.ts";
import type { Command } from "../../actors/model/command.ts";
import { priorities, statuses, type Task } from "../../actors/model/task.ts";
import { fold } from "../../actors/model/words.ts";
import { cursorAfter, type ListQuery, listQuery, sortFields } from "../../actors/task/list-query.ts";
import type { Listed, Reads } from "../../actors/task/ports.ts";
import { random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";
import { type Fresh, inMongo, sqlite, taken } from "./read-models.ts";

const server = await service("MONGO_URL");
const choose = random(2026);
const tasksMade = 200;
const stranger = "00000000-0000-4000-8000-00000000000c";

const titles = [
  ...["Buy milk", "buy MILK", "Çay al", "cay", "Straße", "STRASSE", "ΟΔΟΣ", "οδός", "Zoo", "zebra", "_under score"],
  ...[
    "İstanbul'da ışık",
    "ISTANBUL",
    "ﬁle x² ½",
    "😀 party",
    "👨‍👩‍👧 family",
    "naïve café",
    "cafe\u0301",
    "日本語 テスト",
    "ﾃｽﾄ",
  ],
  ...[
    "a.*b (c) [d] {e} ^f $g |h \\i ?j +k",
    "100%",
    "-1 < 0",
    "\ud83d\ude00\ud83d\ude01",
    "ǅ ǆ",
    "Å Å",
    "가각",
    "ﷺ",
    "\uffff",
    "𝒳 math",
  ],
];
const labels = ["home", "Home", "home ", "Ev işi", "ev isi", "a b", "a", "$a.b", "^h.*", "😀", "é", "e\u0301", "İ"];
const instants = [
  "2026-01-01T00:00:00.000Z",
  "2026-01-01T00:00:00.001Z",
  "1969-12-31T23:59:59.999Z",
  "0000-01-01T00:00:00.000Z",
  "9999-12-31T23:59:59.999Z",
];

/** Lives of tasks, some of them long, by two users, with few instants so that ties are common. */
function livesOf(count: number): Command[] {
  const commands: Command[] = [];
  const at = () => new Date(Date.UTC(2026, 0, 1) + choose.int(20) * 1_000).toISOString();
  const body = (): Command["body"] => ({
    title: choose.chance(0.7) ? choose.pick(titles) : `${choose.pick(titles)} ${choose.pick(titles)}`.slice(0, 200),
    description: choose.chance(0.3) ? `${choose.pick(titles)}\n${choose.pick(titles)}` : "",
    status: choose.pick(statuses),
    priority: choose.pick(priorities),
    labels: choose.chance(0.02) ? Array.from({ length: 20 }, (_, index) => `l${index}`) : choose.some(labels, 0.2),
    dueAt: choose.chance(0.4) ? null : choose.pick(instants),
  });
  for (let made = 0; made < count; made += 1) {
    const userId = choose.chance(0.75) ? userA : userB;
    const create = command({ kind: "create", keyed: choose.chance(0.5), userId, body: body(), at: at() });
    const more = { taskId: create.taskId, userId };
    commands.push(create);
    for (let changes = choose.chance(0.1) ? 12 : choose.int(3); changes > 0; changes -= 1) {
      const kind = choose.pick(["patch", "patch", "replace", "delete", "restore", "undo"] as const);
      const isWhole = kind === "patch" || kind === "replace";
      commands.push(command({ ...more, kind, body: isWhole ? body() : {}, at: at(), keyed: choose.chance(0.5) }));
    }
  }
  return commands;
}

function toQuery(given: Readonly<Record<string, string | readonly string[] | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given))
    for (const each of typeof value === "string" ? [value] : (value ?? [])) query.append(name, each);
  return query;
}

const maybe = <T>(probability: number, value: () => T): T | undefined =>
  choose.chance(probability) ? value() : undefined;

/** What people search for: parts of titles, whole ones, and signs that mean something to some store. */
function search(): string {
  const title = choose.pick(titles);
  const from = choose.int(title.length);
  return choose.pick([
    title,
    title.slice(from),
    title.slice(0, 1 + from),
    title.toUpperCase(),
    ".*",
    "^",
    "$",
    "\\",
    "[",
    "(",
    "a|b",
    '"',
    "*",
    "zoo*",
    "NEAR(a b)",
    "!!",
    "w1x",
  ]);
}

const someFilters = () => ({
  status: choose.some(statuses, 0.3),
  label: choose.some(labels, 0.06),
  priority: maybe(0.2, () => choose.pick(priorities)),
  q: maybe(0.4, search),
  dueBefore: maybe(0.2, () => choose.pick(instants)),
  dueAfter: maybe(0.2, () => choose.pick(instants)),
  updatedAfter: maybe(0.2, () => `2026-01-01T00:00:${String(choose.int(20)).padStart(2, "0")}.000Z`),
  deleted: maybe(0.25, () => choose.pick(["true", "false"])),
});

describeWith("reads in SQLite and in MongoDB", [server], ({ url }) => {
  let stores: readonly Fresh[] = [];
  let ids: string[] = [];
  let operations: string[] = [];

  beforeAll(async () => {
    stores = await Promise.all([sqlite.fresh(), inMongo(url).fresh()]);
    const commands = livesOf(tasksMade);
    const [one, two] = await Promise.all(stores.map(({ store }) => taken(store, commands)));
    expect(two).toEqual(one as never);
    ids = [...new Set(commands.map(({ taskId }) => taskId))];
    operations = commands.map(({ operationId }) => operationId);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(stores.map((each) => each.remove()));
  });

  /** The answer of each, which must be the same text. */
  async function same<T>(what: string, read: (reads: Reads) => T | Promise<T>): Promise<T> {
    const [one, two] = await Promise.all(stores.map(async ({ reads }) => read(reads)));
    expect(JSON.stringify(two), what).toBe(JSON.stringify(one));
    return one as T;
  }

  async function walked(parameters: URLSearchParams, ownerId = userA): Promise<{ rows: Listed[]; query: ListQuery }> {
    const rows: Listed[] = [];
    for (;;) {
      const query = listQuery(ownerId, parameters);
      const found = await same(String(parameters), (reads) => reads.list(query));
      expect(found.length).toBeLessThanOrEqual(query.limit + 1);
      const page = found.slice(0, query.limit);
      rows.push(...page);
      const last = page.at(-1);
      if (found.length <= query.limit || last === undefined) return { rows, query };
      parameters.set("cursor", cursorAfter(query, last.end));
    }
  }

  test("a task is the same, deleted or not, and nobody's is nothing", async () => {
    for (const id of ids) {
      const found = await same(id, (reads) => reads.task(id));
      expect(found?.version).toBeGreaterThan(0);
    }
    expect(await same("unknown", (reads) => reads.task(stranger))).toBeUndefined();
  });

  test("every sort, both ways, walked by pages of any size, is the same whole order", async () => {
    for (const field of sortFields)
      for (const sort of [field, `-${field}`]) {
        const [whole, byFew] = [
          await walked(toQuery({ sort, limit: "100" })),
          await walked(toQuery({ sort, limit: "23" })),
        ];
        const texts = (rows: readonly Listed[]) => rows.map(({ json }) => json);
        expect(texts(byFew.rows)).toEqual(texts(whole.rows));
        const tasks = texts(whole.rows).map((json) => JSON.parse(json) as Task);
        expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
        expect(tasks.length).toBeGreaterThan(tasksMade / 4);
        inOrder(tasks, field, whole.query.descending);
      }
    const one = await walked(toQuery({ sort: "-dueAt", limit: "1", label: "Home" }));
    expect(one.rows.length).toBeGreaterThan(5);
  }, 120_000);

  test("any filters in any order find the same", async () => {
    let found = 0;
    for (let round = 0; round < 60; round += 1) {
      const sort = choose.pick(sortFields.flatMap((field) => [field, `-${field}`]));
      const parameters = toQuery({ ...someFilters(), sort, limit: choose.pick(["9", "50", "100"]) });
      found += (await walked(parameters, choose.chance(0.8) ? userA : userB)).rows.length;
    }
    expect(found).toBeGreaterThan(100);
  }, 120_000);

  test("a cursor that no page has given begins anywhere, with the same found behind it and nothing that was not asked for", async () => {
    const bounds = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:10.000Z"] as const;
    const keys = {
      dueAt: [...instants.map(Date.parse), null],
      updatedAt: bounds.map(Date.parse),
      priority: [0, 1, 2, 3],
    };
    const asked = {
      dueAt: [{ dueBefore: bounds[0] }, { dueAfter: bounds[0] }, { dueBefore: bounds[1], dueAfter: bounds[0] }],
      updatedAt: [{ updatedAfter: bounds[0] }, { updatedAfter: bounds[1] }],
      priority: priorities.map((priority) => ({ priority })),
    };
    for (const field of ["dueAt", "updatedAt", "priority"] as const)
      for (const sort of [field, `-${field}`])
        for (const filters of asked[field])
          for (const key of keys[field]) {
            const parameters = toQuery({ ...filters, sort, limit: "20" });
            parameters.set("cursor", cursorAfter(listQuery(userA, parameters), { key, id: choose.pick(ids) }));
            await walked(parameters);
          }
  }, 120_000);

  test("each title is found by itself, by its beginning, and in capitals", async () => {
    for (const title of titles)
      for (const q of [title, title.slice(0, 2), title.toUpperCase(), fold(title)]) {
        const { rows } = await walked(toQuery({ q, limit: "100" }));
        const isWord = /[\p{L}\p{N}]/u.test(q);
        if (isWord && q === title) expect(rows.length, q).toBeGreaterThan(0);
      }
  }, 120_000);

  test("a label is found exactly as it is written, and twenty of them at once", async () => {
    for (const label of labels) {
      const { rows } = await walked(toQuery({ label, limit: "100" }));
      for (const { json } of rows) expect((JSON.parse(json) as Task).labels).toContain(label);
    }
    const twenty = Array.from({ length: 20 }, (_, index) => `l${index}`);
    expect((await walked(toQuery({ label: twenty }))).rows.length).toBeGreaterThan(0);
    expect((await walked(toQuery({ label: [...twenty, "l20"] }))).rows).toEqual([]);
    const many = Array.from({ length: 250 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join(" ");
    expect((await walked(toQuery({ q: many }))).rows).toEqual([]);
    expect((await walked(toQuery({}), stranger)).rows).toEqual([]);
  });

  test("history is the same from any version back, by pages of any size", async () => {
    for (const id of ids.slice(0, 100)) {
      const whole = await same(id, (reads) => reads.history(id, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
      expect(whole.map(({ entry }) => entry.version)).toEqual(whole.map((_, index) => whole.length - index));
      const before = 1 + choose.int(whole.length + 1);
      const page = await same(id, (reads) => reads.history(id, before, 2));
      expect(page).toEqual(whole.filter(({ entry }) => entry.version < before).slice(0, 2));
    }
    expect(await same("unknown", (reads) => reads.history(stranger, 10, 10))).toEqual([]);
  }, 120_000);

  test("an operation is the same, applied or refused, and an unknown one is nothing", async () => {
    const verdicts = new Set<unknown>();
    for (const id of operations) verdicts.add((await same(id, (reads) => reads.operation(id)))?.verdict);
    expect([...verdicts].sort()).toEqual(["applied", "rejected"]);
    expect(await same("unknown", (reads) => reads.operation(stranger))).toBeUndefined();
  });
});

/** The contract's order, in plain code. */
function inOrder(tasks: readonly Task[], field: (typeof sortFields)[number], descending: boolean): void {
  const key = (task: Task): string | number | null => {
    if (field === "priority") return priorities.indexOf(task.priority);
    if (field === "title") return fold(task.title);
    const instant = task[field];
    return instant === null ? null : Date.parse(instant);
  };
  const order = (a: string | number, b: string | number): number =>
    typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : a - Number(b);
  const sign = descending ? -1 : 1;
  for (const [index, task] of tasks.entries()) {
    const next = tasks[index + 1];
    if (next === undefined) return;
    const [a, b] = [key(task), key(next)];
    // Without a due date last, whichever the direction.
    if (a === null || b === null) expect(b === null).toBe(true);
    if (a === null || (b !== null && order(a, b) === 0)) expect(sign * order(task.id, next.id)).toBeLessThan(0);
    else if (b !== null) expect(sign * order(a, b)).toBeLessThan(0);
  }
}
