/**
 * Everything of a type of resources follows from its one file: a type that is made up here has routes, checks, history, undo, past, lists, documents and the
 * feed on both stores, and every writable field of every type goes all the way.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choice, instant, integer, type Json, text, texts } from "../../actors/resources/field.ts";
import { registry, resourceTypes } from "../../actors/resources/registry.ts";
import { isWritable, type ResourceType } from "../../actors/resources/resource-type.ts";
import { describeWith, service } from "../system/services.ts";
import type { enginePlace as EnginePlace } from "./engine-place.ts";

const least = "member";
/** Five fields of five kinds. */
const toy: ResourceType = {
  name: "toy",
  plural: "toys",
  isContent: true,
  fields: {
    label: text({ min: 1, max: 20, blank: false }, { sortable: true }),
    size: choice(["small", "middle", "large"], { byDefault: "middle", ranked: true, sortable: true }),
    weight: integer(0, 1_000, { byDefault: null, sortable: true }),
    boughtAt: instant({ byDefault: null, sortable: true }),
    colors: texts({ max: 3, textMax: 10 }),
  },
  may: {
    create: { least },
    patch: { least },
    replace: { least },
    delete: { least },
    restore: { least },
    undo: { least },
  },
  filters: {
    q: { kind: "words", fields: ["label"] },
    size: { kind: "any", field: "size", repeatable: true },
    weight: { kind: "any", field: "weight", orNone: true },
    boughtAfter: { kind: "after", field: "boughtAt" },
    color: { kind: "all", field: "colors" },
    label: { kind: "any", field: "label" },
  },
};
// Before anything that makes something of the types is loaded.
resourceTypes.push(toy);
(registry as Map<string, ResourceType>).set(toy.name, toy);
const { enginePlace } = await import("./engine-place.ts");
const { openSpaceDatabase } = await import("../../actors/consumer/embedded/database.ts");
const { sqliteFactStore } = await import("../../actors/consumer/embedded/fact-store.ts");
const { sqliteSpaceReads } = await import("../../actors/task/embedded/reads.ts");

const ann = "018f2f6e-0000-7000-8000-000000000001";
type Place = Awaited<ReturnType<typeof EnginePlace>>;
type Opened = { place: Place; close(): Promise<void> };

async function inSqlite(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const db = openSpaceDatabase(folder);
  db.exec("PRAGMA synchronous = OFF");
  const reads = sqliteSpaceReads(folder, registry);
  return {
    place: await enginePlace({ store: sqliteFactStore(db, registry), reads }),
    async close() {
      reads.close();
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const server = await service("MONGO_URL");
const inMongo = (serverUrl: string) => async (): Promise<Opened> => {
  const { connectMongo, toolBounds } = await import("../../actors/mongo/connect.ts");
  const { spaceCollections } = await import("../../actors/mongo/space-collections.ts");
  const { ensureSpaceIndexes } = await import("../../actors/mongo/space-indexes.ts");
  const { mongoFactStore } = await import("../../actors/consumer/servers/fact-store.ts");
  const { mongoSpaceReads } = await import("../../actors/task/servers/reads.ts");
  const url = new URL(serverUrl);
  url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
  const mongo = connectMongo({ url: url.href }, { bounds: toolBounds });
  const collections = spaceCollections(mongo.db);
  await ensureSpaceIndexes(collections);
  const store = mongoFactStore(collections, { now: Date.now, registry });
  return {
    place: await enginePlace({ store, reads: mongoSpaceReads(collections, registry) }),
    async close() {
      await mongo.db.dropDatabase();
      await mongo.close();
    },
  };
};

describe("in SQLite", () => cases(inSqlite));
describeWith("in MongoDB", [server], ({ url }) => cases(inMongo(url)));

function cases(open: () => Promise<Opened>): void {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open();
  }, 120_000);
  afterAll(() => opened.close());
  const call = (...request: Parameters<Place["call"]>) => opened.place.call(...request);
  const answered = async (status: number, method: string, path: string, body?: unknown, headers = {}) => {
    const answer = await call(ann, method, path, body, headers);
    expect(opened.place.failures).toEqual([]);
    expect([method, path, answer.status, answer.text]).toEqual([method, path, status, expect.any(String)]);
    expect(opened.place.failures).toEqual([]);
    return answer;
  };

  test("a type of five fields has routes, checks, history, undo and the past", async () => {
    const made = await answered(201, "POST", "/v1/toys", {
      label: "Bear",
      colors: ["brown"],
      boughtAt: "2026-01-01T00:00:00+01:00",
    });
    const { id } = made.body;
    const path = `/v1/toys/${id}`;
    expect(made.headers.get("location")).toBe(path);
    expect(made.body).toMatchObject({
      label: "Bear",
      size: "middle",
      weight: null,
      boughtAt: "2025-12-31T23:00:00.000Z",
      colors: ["brown"],
      version: 1,
    });
    const bad = await answered(422, "POST", "/v1/toys", {
      label: " ",
      size: "huge",
      weight: 1.5,
      boughtAt: "soon",
      colors: ["a", "b", "c", "d"],
      more: 1,
    });
    expect(bad.body.errors.map(({ path: at }: { path: string }) => at).toSorted()).toEqual([
      "/boughtAt",
      "/colors",
      "/label",
      "/more",
      "/size",
      "/weight",
    ]);
    const patched = await answered(200, "PATCH", path, { weight: 5, colors: { add: ["red"] } }, { "if-match": '"1"' });
    expect(patched.body).toMatchObject({ weight: 5, colors: ["brown", "red"], version: 2 });
    await answered(412, "PATCH", path, { weight: 6 }, { "if-match": '"1"' });
    await answered(304, "GET", path, undefined, { "if-none-match": '"2"' });
    await answered(200, "PUT", path, { label: "Lion" });
    expect((await answered(200, "GET", `${path}?version=2`)).body).toEqual(patched.body);
    expect((await answered(200, "GET", `${path}?asOf=${patched.body.updatedAt}`)).body.id).toBe(id);
    const undone = await answered(200, "POST", `${path}/undo`);
    expect(undone.body).toMatchObject({ label: "Bear", weight: 5, colors: ["brown", "red"], version: 4 });
    await answered(204, "DELETE", path);
    await answered(404, "GET", path);
    await answered(200, "POST", `${path}/restore`);
    const { items } = (await answered(200, "GET", `${path}/history`)).body;
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      "restored",
      "deleted",
      "undone",
      "changed",
      "changed",
      "created",
    ]);
    expect(items[4].changes).toEqual({
      weight: { from: null, to: 5 },
      colors: { from: ["brown"], to: ["brown", "red"] },
    });
    const chosen = crypto.randomUUID();
    await answered(201, "PUT", `/v1/spaces/me/toys/${chosen}`, { label: "Own" }, { "if-none-match": "*" });
    const many = await answered(200, "POST", "/v1/batch", {
      changes: [
        { type: "toy", kind: "patch", id: chosen, body: { weight: 1 } },
        { type: "toy", kind: "delete", id },
      ],
    });
    expect(many.body.items).toMatchObject([{ id: chosen, weight: 1 }, null]);
    await answered(200, "POST", `/v1/operations/${many.body.operationId}/undo`);
    expect((await answered(200, "GET", path)).body.version).toBe(8);
  });

  test("its lists are filtered and sorted by its fields, page by page", async () => {
    const ben = "018f2f6e-0000-7000-8000-000000000002";
    const toys = [
      { label: "Ball 10", size: "small", weight: 7, boughtAt: "2026-03-01T00:00:00Z", colors: ["red", "blue"] },
      { label: "ball 9", size: "large", weight: null, boughtAt: null, colors: [] },
      { label: "Zug", size: "middle", weight: 3, boughtAt: "2026-02-01T00:00:00Z", colors: ["red"] },
      { label: "Äpfel", size: "large", weight: 7, boughtAt: "2026-01-01T00:00:00Z", colors: ["blue"] },
    ];
    for (const body of toys) expect((await call(ben, "POST", "/v1/toys", body)).status).toBe(201);
    const labels = async (query: string) => {
      const found: string[] = [];
      for (let cursor = ""; ; ) {
        const { status, body } = await call(ben, "GET", `/v1/toys?limit=1&${query}${cursor}`);
        expect([query, status]).toEqual([query, 200]);
        found.push(...body.items.map(({ label }: { label: string }) => label));
        if (body.nextCursor === null) return found;
        cursor = `&cursor=${body.nextCursor}`;
      }
    };
    const [ten, nine, zug, apples] = toys.map(({ label }) => label) as [string, string, string, string];
    for (const [query, expected] of [
      ["sort=label", [apples, nine, ten, zug]],
      ["sort=-label", [zug, ten, nine, apples]],
      ["sort=size&weight=7", [ten, apples]],
      ["sort=weight", [zug, ...(await labels("weight=7&sort=weight")), nine]],
      ["sort=boughtAt", [apples, zug, ten, nine]],
      ["sort=-boughtAt", [ten, zug, apples, nine]],
      ["sort=createdAt&size=large&size=small", [ten, nine, apples]],
      ["sort=createdAt&weight=none", [nine]],
      ["sort=createdAt&color=red", [ten, zug]],
      ["sort=createdAt&color=red&color=blue", [ten]],
      ["sort=createdAt&boughtAfter=2026-01-01T00:00:00Z", [ten, zug]],
      ["sort=createdAt&q=ball", [ten, nine]],
      ["sort=createdAt&q=apf", [apples]],
      ["sort=createdAt&label=BALL 9", [nine]],
      ["sort=createdAt&deleted=true", []],
    ] as const)
      expect([query, await labels(query)]).toEqual([query, [...expected]]);
    const first = await call(ben, "GET", "/v1/toys?sort=label");
    expect(
      (await call(ben, "GET", "/v1/toys?sort=label", undefined, { "if-none-match": `${first.headers.get("etag")}` }))
        .status,
    ).toBe(304);
    for (const query of ["sort=colors", "size=huge", "weight=x", "boughtAfter=soon", "shape=round"])
      expect([query, (await call(ben, "GET", `/v1/toys?${query}`)).status]).toEqual([query, 422]);
  });

  test("it is in the published document", async () => {
    const { body } = await answered(200, "GET", "/v1/openapi.json");
    for (const path of [
      "/v1/toys",
      "/v1/spaces/{spaceId}/toys",
      "/v1/toys/{id}",
      "/v1/toys/{id}/history",
      "/v1/toys/{id}/undo",
      "/v1/toys/{id}/restore",
    ])
      expect(Object.keys(body.paths)).toContain(path);
    expect(Object.keys(body.components.schemas.Toy.properties)).toEqual(
      expect.arrayContaining(Object.keys(toy.fields)),
    );
    const names = body.paths["/v1/toys"].get.parameters.map(
      ({ name, $ref }: { name?: string; $ref?: string }) => name ?? $ref,
    );
    for (const name of [...Object.keys(toy.filters ?? {}), "sort"]) expect(names.join()).toContain(name);
  });

  test("it is in the feed: facts, streams and snapshots", async () => {
    const { body: made } = await answered(201, "POST", "/v1/toys", { label: "Kite" });
    const { items, seq } = (await answered(200, "GET", "/v1/spaces/me/facts?limit=1000")).body;
    const stream = await opened.place.fetch(ann, "GET", `/v1/events?space=${ann}:${seq - 1}`);
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    let told = "";
    for (const endMs = Date.now() + 60_000; !told.includes(made.id) && Date.now() < endMs; )
      told += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    const change = { type: "toy", id: made.id, version: 1, kind: "created" };
    expect(items.at(-1).changes).toMatchObject([{ ...change, fields: { label: { from: null, to: "Kite" } } }]);
    expect(told).toContain(JSON.stringify(items.at(-1).changes));
    const lines = (await answered(200, "GET", "/v1/spaces/me/snapshot")).text.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({ type: "toy", resource: made });
  });

  /** Two values of each kind of field that differ from each other and from the default. */
  const valuesOf = (references: Record<string, string[]>, { form }: ResourceType["fields"][string]): [Json, Json] => {
    switch (form.kind) {
      case "text":
        return ["First", "Second"];
      case "choice":
        return [form.values.at(-1) as string, form.values.at(-2) as string];
      case "integer":
        return [form.max, form.min + 1];
      case "flag":
        return [true, false];
      case "instant":
        return [1, 2].map((days) => new Date(Date.now() + days * 86_400_000).toISOString()) as [string, string];
      case "color":
        return ["#aabbcc", "#112233"];
      case "reference":
        return (references[form.to] ?? []) as [string, string];
      case "url":
        return ["https://one.example/a", "https://two.example/b"];
      case "texts":
        return form.values === undefined
          ? [["one", "two"], ["three"]]
          : [form.values.slice(0, 2), form.values.slice(2, 3)];
      case "members":
        return [[ann], []];
      case "due":
        return [{ date: "2026-01-31" }, { date: "2026-02-28", time: "09:30", timeZone: "Europe/Berlin" }];
      case "columns":
        return ["todo", "done"].map((status) => [{ id: crypto.randomUUID(), name: status, status }]) as unknown as [
          Json,
          Json,
        ];
      case "hash":
        throw new Error("no client writes it");
    }
  };

  test("every writable field of every type is accepted, stored, served, patched, undone, told and exported", async () => {
    const spaceId = (await answered(201, "POST", "/v1/spaces", { name: "All" })).body.id as string;
    const base = `/v1/spaces/${spaceId}`;
    const make = async (plural: string, body: object) =>
      (await answered(201, "POST", `${base}/${plural}`, body)).body.id as string;
    const references: Record<string, string[]> = { project: [], task: [] };
    for (const name of ["P", "Q"]) references.project?.push(await make("projects", { name }));
    for (const title of ["S", "T"]) references.task?.push(await make("tasks", { title }));
    const columnsIn = async (projectId: string) =>
      (await answered(200, "GET", `${base}/projects/${projectId}`)).body.columns;
    const [column] = await columnsIn(references.project?.[0] ?? "");

    for (const type of resourceTypes) {
      if (type.may.create === undefined || type.name === "space") continue;
      // Webhooks are served only where a courier is, and told and exported to nobody: tests/webhooks has them.
      if (type.seenBy !== undefined) continue;
      const fields = Object.entries(type.fields).filter(([, field]) => isWritable(field, "create"));
      const required = Object.fromEntries(
        fields
          .filter(([, field]) => field.byDefault === undefined && field.form.kind !== "columns")
          .map(([name, field]) => [name, valuesOf(references, field)[1]]),
      );
      for (const [name, field] of fields) {
        const where = `${type.name}.${name}`;
        const isColumn = where === "task.columnId";
        const [one, two] = isColumn ? [column.id, null] : valuesOf(references, field);
        // A column is one of the task's project.
        const rest = isColumn ? { ...required, projectId: references.project?.[0] } : required;
        const { body: made } = await answered(201, "POST", `${base}/${type.plural}`, { ...rest, [name]: one });
        const path = `${base}/${type.plural}/${made.id}`;
        const { token: _, url: __, ...shown } = made;
        expect([where, made[name]]).toEqual([where, one]);
        const read = await answered(200, "GET", path);
        expect([where, read.body]).toEqual([where, shown]);
        const lastFact = async () => {
          const { seq } = (await answered(200, "GET", `${base}/facts?limit=1`)).body;
          return (await answered(200, "GET", `${base}/facts/${seq}`)).body;
        };
        const created = (await lastFact()).changes[0];
        expect([where, created.id, created.fields[name]]).toEqual([where, made.id, { from: null, to: one }]);
        const exported = async () => {
          const lines = (await answered(200, "GET", `${base}/snapshot`)).text
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
          return lines.find(({ type: of, resource }) => of === type.name && resource.id === made.id)?.resource;
        };
        if (type.isReadApart !== true) expect([where, await exported()]).toEqual([where, shown]);
        if (type.may.patch === undefined || !isWritable(field, "change") || isColumn) continue;
        const patched = await answered(200, "PATCH", path, { [name]: two }, { "if-match": '"1"' });
        expect([where, patched.body[name], patched.body.version]).toEqual([where, two, 2]);
        expect([where, (await answered(200, "GET", path)).body]).toEqual([where, patched.body]);
        const changed = (await lastFact()).changes[0];
        expect([where, changed.fields[name]]).toEqual([where, { from: one, to: two }]);
        const { items } = (await answered(200, "GET", `${path}/history`)).body;
        expect([where, items[0].changes]).toEqual([where, changed.fields]);
        if (type.isReadApart !== true) expect([where, await exported()]).toEqual([where, patched.body]);
        if (type.may.undo === undefined) continue;
        const undone = await answered(200, "POST", `${path}/undo`);
        expect([where, undone.body]).toEqual([where, { ...made, version: 3, updatedAt: undone.body.updatedAt }]);
        expect([where, (await answered(200, "GET", path)).body]).toEqual([where, undone.body]);
      }
    }
  }, 120_000);
}
