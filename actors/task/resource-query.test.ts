import { expect, test } from "bun:test";
import fc from "fast-check";
import { checker } from "../http/validate.ts";
import { Problem } from "../model/problem.ts";
import { comment } from "../resources/comment.ts";
import { choice, flag, instant, reference, text, texts } from "../resources/field.ts";
import { project } from "../resources/project.ts";
import { registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { idOf } from "../resources/space-for-tests.ts";
import { task } from "../resources/task.ts";
import { sealCursor } from "./cursor.ts";
import { cursorAfter, type ListParameter, listFaults, listParametersOf, resourceQuery } from "./resource-query.ts";

const [ann, ben, here, there] = [11, 12, 1, 2].map(idOf) as [string, string, string, string];
const id = idOf(31);

const read = (query: string, userId = ann, spaceId = here, type: ResourceType = task) =>
  resourceQuery(type, { userId, spaceIds: [spaceId] }, new URLSearchParams(query));

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Problem ? error.code : "another error";
  }
}

const continued = (query: string, cursor: string, userId = ann, spaceId = here) =>
  codeOf(() => read(`${query}&cursor=${encodeURIComponent(cursor)}`, userId, spaceId));

test("each type has the parameters that its file tells, and those of every list", () => {
  const common = ["deleted", "sort", "limit", "cursor"];
  const of = (type: ResourceType) => Object.keys(listParametersOf(type));
  expect(of(task)).toEqual([
    ...["id", "project", "column", "parent", "assignee", "status", "priority", "label", "q"],
    ...["dueBefore", "dueAfter", "updatedAfter", "completedAfter", "timeZone"],
    ...common,
  ]);
  expect(of(project)).toEqual(common);
  expect(of(comment)).toEqual(["task", ...common]);
  const sorts = (type: ResourceType): string[] =>
    (listParametersOf(type).sort as ListParameter).schema.anyOf
      .map((each: { const: string }) => each.const)
      .filter((name: string) => !name.startsWith("-"));
  expect(sorts(task)).toEqual(["createdAt", "updatedAt", "title", "priority", "dueAt", "rank"]);
  expect(sorts(project)).toEqual(["createdAt", "updatedAt", "name"]);
  for (const name of ["comment", "member", "invitation"])
    expect(sorts(registry.get(name) as ResourceType)).toEqual(["createdAt"]);
  expect(read("").sort).toBe("createdAt");
  expect(read("").descending).toBe(true);
  expect(read("", ann, here, comment).descending).toBe(false);
});

test("a new type has its parameters, of each kind of field, from its file alone", () => {
  const toy: ResourceType = {
    name: "toy",
    plural: "toys",
    fields: {
      maker: text({ max: 20 }, { sortable: true }),
      size: choice(["small", "large"], { byDefault: "small", ranked: true, sortable: true }),
      isLent: flag({ byDefault: false }),
      boughtAt: instant({ byDefault: null, sortable: true }),
      ownerId: reference("member", { byDefault: null }),
      colors: texts({ max: 5, textMax: 10 }),
    },
    filters: {
      size: { kind: "any", field: "size", repeatable: true },
      lent: { kind: "any", field: "isLent" },
      boughtBefore: { kind: "before", field: "boughtAt" },
      owner: { kind: "any", field: "ownerId", orNone: true },
      color: { kind: "all", field: "colors" },
    },
    may: {},
  };
  const query = read(
    `size=large&size=small&lent=true&boughtBefore=2026-01-01T00:00:00Z&owner=none&color=red&sort=-boughtAt`,
    ann,
    here,
    toy,
  );
  expect(query.conditions).toEqual([
    { kind: "any", field: "size", values: ["large", "small"] },
    { kind: "any", field: "isLent", values: ["true"] },
    { kind: "before", field: "boughtAt", ms: Date.UTC(2026, 0, 1) },
    { kind: "any", field: "ownerId", values: [null] },
    { kind: "all", field: "colors", values: ["red"] },
  ]);
  const faults = (name: string, value: string) => {
    const parameter = listParametersOf(toy)[name];
    return parameter === undefined ? undefined : checker(parameter.schema)(value).length;
  };
  expect(faults("lent", "yes")).toBe(1);
  expect(faults("size", "huge")).toBe(1);
  expect(faults("owner", "me")).toBe(1);
  expect(faults("color", "x".repeat(11))).toBe(1);
});

test("a cursor goes on where the page ended, in every sort and with another limit", () => {
  const keys = { createdAt: 5, updatedAt: 7, dueAt: 1, priority: 2, title: "buy", rank: "0V" };
  for (const [sort, key] of Object.entries(keys))
    for (const sign of ["", "-"]) {
      const end = { key, id, spaceId: here };
      const cursor = cursorAfter(read(`sort=${sign}${sort}&limit=3`), end);
      expect(read(`sort=${sign}${sort}&limit=100&cursor=${encodeURIComponent(cursor)}`).after).toEqual(end);
    }
  const none = { key: null, id, spaceId: here };
  expect(read(`sort=dueAt&cursor=${cursorAfter(read("sort=dueAt"), none)}`).after).toEqual(none);
  expect(continued("sort=title", cursorAfter(read("sort=title"), none))).toBe("invalid-cursor");
});

test("the same filters said in another way take the same cursor", () => {
  const cursor = cursorAfter(
    read("status=todo&status=done&label=a&label=e%CC%81&q=Çay+AL&dueBefore=2026-01-01T00:00:00Z&assignee=me"),
    { key: 1, id, spaceId: here },
  );
  const again = `assignee=${ann}&q=al+cay+AL&label=%C3%A9&label=a&label=a&status=done&status=todo&dueBefore=2026-01-01T02:00:00.0%2B02:00&deleted=false&sort=-createdAt`;
  expect(continued(again, cursor)).toBeUndefined();
});

test("another user, space, filter or sort refuses the cursor", () => {
  const cursor = cursorAfter(read("status=todo&q=a"), { key: 1, id, spaceId: here });
  expect(continued("status=todo&q=a", cursor)).toBeUndefined();
  expect(continued("status=todo&q=a", cursor, ben)).toBe("invalid-cursor");
  expect(continued("status=todo&q=a", cursor, ann, there)).toBe("invalid-cursor");
  for (const other of [
    ...["status=done&q=a", "q=a", "status=todo", "status=todo&q=ab", "status=todo&q=a&deleted=true"],
    ...["&sort=createdAt", "&sort=-updatedAt", "&priority=low", "&label=x", "&project=none", "&assignee=none"].map(
      (more) => `status=todo&q=a${more}`,
    ),
    ...["dueBefore", "dueAfter"].map((name) => `status=todo&q=a&${name}=2026-01-01`),
    "status=todo&q=a&updatedAfter=2026-01-01T00:00:00Z",
  ])
    expect(continued(other, cursor), other).toBe("invalid-cursor");
  const comments = (query: string) => read(query, ann, here, comment);
  expect(codeOf(() => comments(`sort=-createdAt&cursor=${cursorAfter(read(""), { key: 1, id, spaceId: here })}`))).toBe(
    "invalid-cursor",
  );
});

test("a list over all of one's spaces goes on when one has come into another", () => {
  const across = (spaceIds: string[], query: string) =>
    resourceQuery(task, { userId: ann, spaceIds, isAcross: true }, new URLSearchParams(query));
  const end = { key: 1, id, spaceId: there };
  const cursor = cursorAfter(across([there, here], ""), end);
  expect(across([here, there, ben], `cursor=${cursor}`).after).toEqual(end);
  expect(across([here], `cursor=${cursor}`).after).toEqual(end);
  expect(continued("", cursor)).toBe("invalid-cursor");
});

test("any change of a cursor's text refuses it, and any text at all is taken or refused", () => {
  const cursors = ["buy", "長".repeat(500)].map((key) => cursorAfter(read("sort=title"), { key, id, spaceId: here }));
  fc.assert(
    fc.property(
      fc.constantFrom(...cursors),
      fc.nat(),
      fc.constantFrom("A", "b", "-", ".", "=", "", "é"),
      (cursor, place, other) => {
        const at = place % cursor.length;
        const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
        if (changed !== cursor) expect(continued("sort=title", changed)).toBe("invalid-cursor");
      },
    ),
    { numRuns: 300 },
  );
  for (const odd of ["", ".", `${cursors[0]}.x`, ` ${cursors[0]}`, "z.AAAA.AAAAAAAAAAAAAAAAAAAAAA"])
    expect(continued("sort=title", odd)).toBe("invalid-cursor");
});

test("a cursor sealed by another hand with values of another kind is refused", () => {
  const bound = ["task", ann, [here], false, [], "createdAt", true];
  for (const more of [[null], [5], [5, 7]]) expect(continued("", sealCursor([1, id, ...more], bound))).toBeUndefined();
  for (const end of [
    [],
    [1],
    [1, id],
    ["1", id, 2],
    [null, id, 2],
    [1.5, id, 2],
    [1, id, 2, 2, 2],
    [1, id, 2, -1],
    [1, id, 2, "2"],
    [1, id, "2"],
    [1, 7, 2],
    [1, "no id", 2],
    [{}, id, 2],
    [1, id.toUpperCase().replace("8", "A"), 2],
    [[1], [id], 2],
  ])
    expect(continued("", sealCursor(end, bound)), JSON.stringify(end)).toBe("invalid-cursor");
});

test.each([
  ["limit", ["1", "100"], ["0", "101", "-1", "1.5", "", "01"]],
  ["sort", ["createdAt", "-title", "dueAt", "rank"], ["", "+title", "Title", "id", "due", "description"]],
  ["status", ["todo", "cancelled"], ["", "TODO", "none"]],
  ["priority", ["none", "urgent"], ["", "0"]],
  ["deleted", ["true", "false"], ["", "1", "TRUE"]],
  ["project", [idOf(1), "none"], ["", "me", "NONE", idOf(1).toUpperCase().replace("8000", "A000")]],
  ["column", [idOf(1)], ["none", ""]],
  ["assignee", [idOf(1), "me", "none"], ["", "you"]],
  ["id", [idOf(1)], ["me", "none"]],
  [
    "dueBefore",
    ["2026-01-31", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00.5+02:00"],
    ["", "2026-02-30", "2026-01", "2026-01-31T09:30:00 02:00"],
  ],
  ["updatedAfter", ["2026-01-31T09:30:00Z"], ["2026-01-31", "now"]],
  ["timeZone", ["UTC", "Europe/Berlin"], ["", "+02:00", "Mars/Base"]],
  ["label", ["a", "😀".repeat(50)], ["", "😀".repeat(51), "\ud800", "a\0"]],
  ["q", ["", "a b", "é".repeat(500)], ["é".repeat(501), "\0"]],
] as const)("%s has its bounds", (name, good, bad) => {
  const check = checker(listParametersOf(task)[name]?.schema as never);
  for (const value of good) expect(check(value), value).toEqual([]);
  for (const value of bad) expect(check(value).length, value).toBeGreaterThan(0);
});

test("a hundred ids can be asked for, and no more", () => {
  const many = (count: number) =>
    new URLSearchParams(Array.from({ length: count }, (_, at) => `id=${idOf(at)}`).join("&"));
  expect(listFaults(task, many(100))).toEqual([]);
  expect(listFaults(task, many(101))).toEqual([{ path: "/id", message: "must be given at most 100 times" }]);
});

test("what is before an instant finer than a millisecond is before the next of them", () => {
  const ms = Date.parse("2026-01-01T00:00:03.001Z");
  const of = (query: string) => read(query).conditions[0];
  for (const [time, bound] of [
    ["00:00:03.001Z", ms],
    ["00:00:03.001000Z", ms],
    ["00:00:03.0010001Z", ms + 1],
  ] as const)
    expect(of(`dueBefore=2026-01-01T${time}`)).toMatchObject({ spans: { instants: { to: bound } } });
  expect(of("updatedAfter=2026-01-01T00:00:03.0019Z")).toMatchObject({ ms });
});
