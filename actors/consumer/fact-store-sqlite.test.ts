import { expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { Document, Head } from "../resources/document.ts";
import { choice, text } from "../resources/field.ts";
import { type Registry, registry, registryOf, resourceTypes } from "../resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../resources/space-for-tests.ts";
import { spaceTables } from "../sqlite/space-tables.ts";
import { sqliteFactStore } from "./fact-store-sqlite.ts";

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
    `SELECT json FROM documents WHERE type = 'toy' AND space = 1 AND deleted = 0 ORDER BY ${order}, id`;
  const makers = (order: string) =>
    db
      .prepare(sql(order))
      .all()
      .map((row) => (JSON.parse(`${row.json}`) as Document).fields.maker);
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
