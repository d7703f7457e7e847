import { expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { Document, Head } from "../../resources/document.ts";
import { choice, text } from "../../resources/field.ts";
import { type Registry, registry, registryOf, resourceTypes } from "../../resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../../resources/space-for-tests.ts";
import { spaceTables } from "../../sqlite/space-tables.ts";
import { sqliteFactStore } from "./fact-store.ts";

const ann = idOf(11);

function opened(types: Registry = registry) {
  const db = new DatabaseSync(":memory:");
  db.exec(spaceTables(types));
  return { db, store: sqliteFactStore(db, types), space: new SpaceForTests(types) };
}

const reading = (id: string) => ({ heads: [ann], documents: [{ spaceId: ann, id }], operations: [], seqs: [] });

test("a batch is there whole, or not at all where a fact or a document of it cannot be written", async () => {
  const { db, store, space } = opened();
  const create = (number: number) =>
    space.take(
      commandOf({ spaceId: ann, userId: ann }, [
        { type: "task", kind: "create", id: idOf(number), body: { title: "Milk" } },
      ]),
    );
  const [first, second] = [create(31), create(32)];
  const head = space.head as Head;
  const noHead = { ...head, spaceId: null as unknown as string };
  expect(() => store.commit([first.fact], first.documents, [noHead])).toThrow();
  expect(db.prepare("SELECT count(*) AS count FROM facts").get()).toEqual({ count: 0 });
  expect(store.commit([first.fact], first.documents, [head])).toEqual([]);
  expect(store.commit([second.fact, first.fact], second.documents, [head])).toEqual([first.fact]);
  expect((await store.read(reading(idOf(32)))).documents).toEqual([]);
  expect(store.commit([second.fact], second.documents, [head])).toEqual([]);
  expect((await store.read(reading(idOf(32)))).documents).toEqual([...second.documents]);
  db.close();
});

test("each list of a type has an index that gives its order, a new type's too", async () => {
  const toy = {
    name: "toy",
    plural: "toys",
    isContent: true as const,
    fields: {
      maker: text({ max: 20 }, { sortable: true }),
      size: choice(["small", "large"], { byDefault: "small", ranked: true, sortable: true }),
    },
    may: { create: { least: "member" as const } },
  };
  const { db, store, space } = opened(registryOf([...resourceTypes, toy]));
  const made: Document[] = [];
  for (const [number, maker, size] of [
    [31, "Éclair", "large"],
    [32, "dachs", "small"],
    [33, "Falke", "small"],
  ] as const) {
    const intent = { type: "toy", kind: "create" as const, id: idOf(number), body: { maker, size } };
    const { fact, documents } = space.take(commandOf({ spaceId: ann, userId: ann }, [intent]));
    store.commit([fact], documents, [space.head as Head]);
    made.push(...documents);
  }
  expect(made.length).toBe(3);
  const sql = (order: string) =>
    `SELECT text FROM documents WHERE type = 'toy' AND space = 1 AND state = 0 ORDER BY ${order}, id`;
  const makers = (order: string) =>
    db
      .prepare(sql(order))
      .all()
      .map((row) => (JSON.parse(`${row.text}`) as { maker: string }).maker);
  expect(makers('"field_maker"')).toEqual(["dachs", "Éclair", "Falke"]);
  expect(makers('"field_size"')).toEqual(["dachs", "Falke", "Éclair"]);
  for (const order of ['"field_maker"', '"field_size"', "created_at", "updated_at"]) {
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN ${sql(order)}`)
      .all()
      .map(({ detail }) => `${detail}`);
    expect(plan.join()).toContain("USING INDEX toys_by_");
    expect(plan.join()).not.toContain("TEMP B-TREE");
  }
  db.close();
});

test("the position of the log moves with a batch, and never back", () => {
  const { db, store } = opened();
  expect(store.position()).toBe(-1);
  store.commit([], [], [], 5);
  store.commit([], [], [], 3);
  store.commit([], [], []);
  expect(store.position()).toBe(5);
  db.close();
});

test("records without a key that changed nothing go after a day, some at a time, and all others stay", async () => {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const { db } = opened();
  const store = sqliteFactStore(db, registry, { now: () => clock.ms });
  const space = new SpaceForTests();
  const create = (number: number) =>
    commandOf({ spaceId: ann, userId: ann }, [
      { type: "task", kind: "create", id: idOf(number), body: { title: "Milk" } },
    ]);
  const applied = space.take(create(31)).fact;
  const { seq: _, ...refused } = { ...space.take(create(31)).fact, verdict: "rejected" as const };
  const unkeyed = Array.from({ length: 600 }, (_each, at) => ({
    ...refused,
    operationId: idOf(1_000 + at),
    keyed: false,
  }));
  const keyed = { ...refused, operationId: idOf(999), keyed: true };
  await store.record([applied, keyed, ...unkeyed]);
  const kept = () => (db.prepare("SELECT count(*) AS n FROM facts").get() as { n: number }).n;
  clock.ms += 86_399_999;
  expect(store.expire()).toBe(false);
  expect(kept()).toBe(602);
  clock.ms += 1;
  expect(store.expire()).toBe(true);
  expect(kept()).toBe(102);
  expect(store.expire()).toBe(false);
  const found = await store.read({
    ...reading(idOf(31)),
    operations: [applied, keyed].map(({ spaceId, operationId }) => ({ spaceId, operationId })),
  });
  expect(found.facts).toEqual([applied, keyed]);
  expect(kept()).toBe(2);
  db.close();
});

test("what an erasure leaves, a document of an endless version, is overwritten by nothing", async () => {
  const { db, store, space } = opened();
  const id = idOf(31);
  const create = { type: "task", kind: "create", id, body: { title: "Milk" } } as const;
  const { documents } = space.take(commandOf({ spaceId: ann, userId: ann }, [create]));
  const [document] = documents as [Document];
  const blank = {
    ...document,
    version: Number.MAX_SAFE_INTEGER,
    seq: Number.MAX_SAFE_INTEGER,
    fields: { ...document.fields, title: "" },
  };
  const head = { ...(space.head as Head), position: Number.MAX_SAFE_INTEGER, members: [] };
  await store.project([document], [space.head as Head]);
  await store.project([blank], [head]);
  await store.project([document, { ...document, version: 99, seq: 99 }], [{ ...head, position: 99 }]);
  const found = await store.read(reading(id));
  expect(found.documents).toEqual([blank]);
  expect(found.heads).toEqual([head]);
  db.close();
});
