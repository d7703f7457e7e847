import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  choice,
  color,
  due,
  type Field,
  flag,
  instant as instantField,
  integer,
  type Json,
  text,
  texts,
} from "../resources/field.ts";
import { registryOf, resourceTypes } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { resourceOf } from "../resources/served.ts";
import { commandOf, idOf, SpaceForTests } from "../resources/space-for-tests.ts";
import { resourceBody } from "./resource-body.ts";
import { type BodyKind, bodyKinds, servedModel, writableFields } from "./resource-models.ts";
import { checker } from "./validate.ts";

const [ann, spaceId, otherTask, project] = [11, 1, 32, 21].map(idOf) as [string, string, string, string];
const columnId = idOf(61);
const edge = { nowMs: Date.UTC(2026, 5, 1), newId: () => idOf(900) };
const nextId = () => {
  let made = 900;
  return { ...edge, newId: () => idOf(++made) };
};

const typeOf = (name: string): ResourceType => {
  const type = resourceTypes.find((each) => each.name === name);
  if (type === undefined) throw new Error(`there is no type ${name}`);
  return type;
};
const faultsOf = (name: string, kind: BodyKind, body: unknown, isImport = false) =>
  resourceBody(typeOf(name), kind, { isImport }).faults(body, nextId());
const keptOf = (name: string, kind: BodyKind, body: unknown, isImport = false) => {
  const of = resourceBody(typeOf(name), kind, { isImport });
  expect(of.faults(body, nextId())).toEqual([]);
  return of.kept(body, nextId());
};
const pathsOf = (faults: readonly { path: string }[]) => faults.map(({ path }) => path).sort();

const toy: ResourceType = {
  name: "toy",
  plural: "toys",
  isContent: true,
  fields: {
    maker: text({ min: 1, max: 20, blank: false }, { sortable: true }),
    size: choice(["small", "large"], { byDefault: "small" }),
    pieces: integer(1, 5_000, { byDefault: 1 }),
    isBroken: flag({ byDefault: false }),
    boughtAt: instantField({ byDefault: null }),
    tags: texts({ max: 3, textMax: 10 }),
    paint: color({ byDefault: null }),
    lentUntil: due({ byDefault: null }),
  },
  may: { create: { least: "member" }, patch: { least: "member" }, replace: { least: "member" } },
};
const types = [...resourceTypes, toy];
const kindsOf = ({ may }: ResourceType) => bodyKinds.filter((kind) => may[kind] !== undefined);

/** Two different values of each form, as a client may send them. */
function samplesOf(name: string, { form }: Field): [Json, Json] {
  switch (form.kind) {
    case "text":
      return name === "columnId" ? [columnId, columnId] : ["One", "Two"];
    case "choice":
      return [form.values[1] as string, form.values[0] as string];
    case "integer":
      return [form.min, form.max];
    case "flag":
      return [true, false];
    case "instant":
      return ["2026-06-02T09:30:00+02:00", "2026-06-03T00:00:00Z"];
    case "color":
      return ["#AABBCC", "#00ff00"];
    case "reference":
      return form.to === "project" ? [project, project] : [otherTask, otherTask];
    case "url":
      return ["https://example.org/hook?a=1", "http://example.org:8080/"];
    case "texts":
      if (form.values !== undefined) return [[form.values[0] as string], { add: [form.values[1] as string] }];
      return [["a", "e\u0301"], { add: ["b"], remove: ["a"] }];
    case "members":
      return [[ann], { remove: [ann] }];
    case "due":
      return [{ date: "2026-01-31", time: "09:30:00", timeZone: "Europe/Berlin" }, { time: "10:00" }];
    case "columns":
      return [[{ name: "A", status: "todo" }], [{ id: columnId, name: "B", status: "todo" }]];
    case "hash":
      throw new Error("a client gives no hash");
  }
}

function spaceWithAll(): SpaceForTests {
  const space = new SpaceForTests(registryOf(types));
  const take = (type: string, id: string, body: Record<string, Json>) =>
    space.take(commandOf({ spaceId, userId: ann }, [{ type, kind: "create", id, body }]));
  take("space", spaceId, { name: "Home" });
  take("project", project, { name: "House", columns: [{ id: columnId, name: "A", status: "in_progress" }] });
  take("task", otherTask, { title: "Other" });
  return space;
}

function requiredOf(type: ResourceType): Record<string, Json> {
  const needed = writableFields(type, "create").filter(
    ([, { byDefault, form }]) => byDefault === undefined && form.kind !== "columns",
  );
  return Object.fromEntries(needed.map(([name, field]) => [name, samplesOf(name, field)[0]]));
}

const writable = types.flatMap((type) =>
  type.name === "space" || type.may.create === undefined
    ? []
    : writableFields(type, "create").map(([name, field]) => [type.name, name, type, field] as const),
);

test.each(writable)("%s.%s is accepted, stored, served and patched", (_type, name, type, field) => {
  const space = spaceWithAll();
  const [first, second] = samplesOf(name, field);
  const id = idOf(500);
  const body = { ...requiredOf(type), ...(name === "columnId" ? { projectId: project } : {}), [name]: first };
  const creation = resourceBody(type, "create");
  expect(creation.faults(body, nextId())).toEqual([]);
  const kept = creation.kept(body, nextId());
  expect(kept[name]).toBeDefined();
  space.take(commandOf({ spaceId, userId: ann }, [{ type: type.name, kind: "create", id, body: kept }]));
  const created = space.documents.get(id);
  expect(created?.fields[name]).toEqual(kept[name] as Json);
  const served = created === undefined ? {} : resourceOf(type, created);
  expect(served[name]).toEqual(kept[name] as Json);
  expect(checker(servedModel(type))(served)).toEqual([]);

  if (type.may.patch === undefined || field.setBy !== "client") return;
  const patch = resourceBody(type, "patch");
  expect(patch.faults({ [name]: second }, nextId())).toEqual([]);
  const of = { spaceId, userId: ann };
  const changed = patch.kept({ [name]: second }, nextId());
  // A patch of columns needs the version that it was made from.
  space.take(commandOf(of, [{ type: type.name, kind: "patch", id, body: changed, expected: "*" }]));
  const isOther = JSON.stringify(first) !== JSON.stringify(second);
  expect(space.documents.get(id)?.version).toBe(isOther ? 2 : 1);
  const ofNull = patch.faults({ [name]: null }, nextId());
  expect(ofNull.length > 0).toBe(field.byDefault === undefined);
});

test("members and spaces are patched by their models", () => {
  expect(faultsOf("member", "patch", { role: "owner" })).toEqual([]);
  expect(pathsOf(faultsOf("member", "patch", { role: null, userId: ann }))).toEqual(["/role", "/userId"]);
  expect(faultsOf("space", "patch", { name: " " })).toEqual([
    { path: "/name", message: "must not be only white space" },
  ]);
});

test("every fault of every part is listed at its own place", () => {
  const body = {
    title: "",
    due: { date: "2026-02-30", time: "9", timeZone: "+02:00", day: 1 },
    dueAt: "tomorrow",
    labels: { add: ["", 3], drop: [] },
    assigneeIds: { remove: ["Ann"] },
    estimateMinutes: 100_001,
    position: { after: "x", above: 1 },
    rank: "a",
    completedAt: null,
    tokenHash: "x",
  };
  expect(pathsOf(faultsOf("task", "patch", body))).toEqual(
    [
      "/assigneeIds/remove/0",
      "/completedAt",
      "/due/date",
      "/due/day",
      "/due/time",
      "/due/timeZone",
      "/dueAt",
      "/dueAt",
      "/estimateMinutes",
      "/labels/add/0",
      "/labels/add/1",
      "/labels/drop",
      "/position/above",
      "/position/after",
      "/rank",
      "/title",
      "/tokenHash",
    ].sort(),
  );
  expect(pathsOf(faultsOf("task", "patch", { due: { day: null, time: null }, columnId: "x" }))).toEqual([
    "/columnId",
    "/due/day",
  ]);
  expect(pathsOf(faultsOf("task", "create", { title: "T", columnId: columnId.toUpperCase() }))).toEqual(["/columnId"]);
  const columns = [
    { id: "x", name: "", status: "later" },
    { name: "B" },
    1,
    { id: columnId, name: "A", status: "todo" },
  ];
  expect(pathsOf(faultsOf("project", "create", { name: "P", color: "red", columns }))).toEqual(
    ["/color", "/columns/0/id", "/columns/0/name", "/columns/0/status", "/columns/1/status", "/columns/2"].sort(),
  );
  expect(pathsOf(faultsOf("project", "patch", { columns: null, name: null, color: null }))).toEqual([
    "/columns",
    "/name",
  ]);
});

test("bodies are kept in one form", () => {
  const task = { title: "T", labels: ["e\u0301"], dueAt: "2026-01-31T10:30:00+01:00" };
  expect(keptOf("task", "create", task)).toEqual({
    title: "T",
    labels: ["\u00e9"],
    due: { date: "2026-01-31", time: "09:30", timeZone: "UTC" },
  });
  expect(keptOf("task", "patch", { dueAt: null })).toEqual({ due: null });
  expect(keptOf("task", "patch", { due: { time: "09:30:00.000", timeZone: null } })).toEqual({
    due: { time: "09:30", timeZone: null },
  });
  expect(keptOf("project", "create", { name: "P", color: "#ABCDEF" })).toMatchObject({
    color: "#abcdef",
    columns: [
      { id: idOf(901), status: "todo" },
      { id: idOf(902), status: "in_progress" },
      { id: idOf(903), status: "done" },
    ],
  });
  expect(keptOf("project", "replace", { name: "P" })).toEqual({ name: "P" });
  expect(keptOf("invitation", "create", { role: "member" })).toEqual({
    role: "member",
    expiresAt: "2026-06-08T00:00:00.000Z",
  });
});

test("an invitation ends within 30 days, and the past is taken from an import only", () => {
  const at = (expiresAt: string) => pathsOf(faultsOf("invitation", "create", { role: "viewer", expiresAt }));
  expect(at("2026-07-01T00:00:00Z")).toEqual([]);
  expect(at("2026-07-01T00:00:00.001Z")).toEqual(["/expiresAt"]);
  expect(at("2026-06-01T00:00:00Z")).toEqual(["/expiresAt"]);
  const past = { title: "T", status: "done", createdAt: "2020-01-01T00:00:00Z", completedAt: "2020-01-02T00:00:00Z" };
  expect(pathsOf(faultsOf("task", "create", past))).toEqual(["/completedAt", "/createdAt"]);
  expect(keptOf("task", "create", past, true)).toMatchObject({ completedAt: "2020-01-02T00:00:00.000Z" });
  expect(pathsOf(faultsOf("task", "create", { ...past, createdAt: "2027-01-01T00:00:00Z" }, true))).toEqual([
    "/createdAt",
  ]);
});

const value = fc.oneof(
  fc.constantFrom<Json>(
    null,
    "",
    "T",
    "todo",
    "done",
    "low",
    0,
    5,
    true,
    ann,
    otherTask,
    project,
    columnId,
    "2026-06-02T09:30:00+02:00",
    "#ABCDEF",
    [],
    ["a", "e\u0301"],
    [ann],
  ),
  fc.constantFrom<Json>(
    { date: "2026-01-31" },
    { date: "2026-01-31", time: "09:30:00" },
    { time: "10:00:00.000", timeZone: "Europe/Berlin" },
    { time: null },
    { add: ["a"], remove: ["b"] },
    { add: [ann] },
    { after: otherTask },
    [{ name: "A", status: "todo" }],
    [{ id: columnId, name: "B", status: "in_progress" }],
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

test("what is accepted is decided, and the kept form of a kept form is itself", () => {
  const cases = types.flatMap((type) => kindsOf(type).map((kind) => ({ type, kind })));
  const made = new Map(cases.map((each) => [each, resourceBody(each.type, each.kind)]));
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.dictionary(fc.nat().map(String), value, { maxKeys: 4 }),
      (each, chosen) => {
        const { type, kind } = each;
        const of = made.get(each) as ReturnType<typeof resourceBody>;
        const names = Object.keys((of.model as unknown as { properties: object }).properties);
        const named = Object.fromEntries(
          Object.entries(chosen).map(([number, json]) => [names[Number(number) % names.length] as string, json]),
        );
        const body = kind === "patch" ? named : { ...requiredOf(type), ...named };
        if (of.faults(body, nextId()).length > 0) return;
        accepted += 1;
        const kept = of.kept(body, nextId());
        expect(of.faults(kept, nextId())).toEqual([]);
        expect(of.kept(kept, nextId())).toEqual(kept);
        const space = spaceWithAll();
        const id =
          type.name === "member" ? (space.head?.members[0]?.id ?? "") : type.name === "space" ? spaceId : idOf(500);
        const take = (intentKind: BodyKind, of: Record<string, Json>) =>
          space.take(commandOf({ spaceId, userId: ann }, [{ type: type.name, kind: intentKind, id, body: of }]));
        if (kind !== "create" && type.may.create !== undefined && type.name !== "space")
          take("create", resourceBody(type, "create").kept(requiredOf(type), nextId()));
        expect(["applied", "unchanged", "rejected"]).toContain(take(kind, kept).fact.verdict);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(300);
});
