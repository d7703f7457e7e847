import { expect, test } from "bun:test";
import { type TSchema, Type as t } from "@sinclair/typebox";
import fc from "fast-check";
import { authRoutes } from "../auth/routes/routes.ts";
import { Problem } from "../model/problem.ts";
import { task } from "../resources/task.ts";
import { allSpaceRoutes } from "../task/routes.ts";
import { integerParameter } from "./query-parameters.ts";
import { bodyModel } from "./resource-models.ts";
import { rootSite } from "./site.ts";
import { checker } from "./validate.ts";

const newTask = checker(bodyModel(task, "create", { isImport: false }));
const patch = checker(bodyModel(task, "patch", { isImport: false }));
const paths = (faults: { path: string }[]): string[] => faults.map(({ path }) => path).sort();

test("every fault is listed, each at its own place", () => {
  const faults = newTask({
    description: 1,
    status: "later",
    priority: null,
    labels: ["ok", "", 3, "x".repeat(51)],
    dueAt: "tomorrow",
    id: "x",
    version: 1,
  });
  expect(paths(faults)).toEqual([
    "/description",
    "/dueAt",
    "/id",
    "/labels/1",
    "/labels/2",
    "/labels/3",
    "/priority",
    "/status",
    "/title",
    "/version",
  ]);
  expect(Object.fromEntries(faults.map(({ path, message }) => [path, message]))).toMatchObject({
    "/title": "is required",
    "/id": "is not a known field",
    "/status": 'must be "todo", "in_progress", "done" or "cancelled"',
    "/dueAt": "must be an RFC 3339 instant such as 2026-01-31T09:30:00Z or null",
    "/labels/1": "must have at least 1 character",
  });
});

test("two faults of one place are both listed", () => {
  const labels = [...Array.from({ length: 20 }, (_, index) => String(index)), "0"];
  expect(newTask({ title: "a", labels })).toEqual([
    { path: "/labels", message: "must have at most 20 items" },
    { path: "/labels", message: "must not repeat an item" },
  ]);
});

test("paths are JSON pointers, with ~ and / escaped and without lone surrogates", () => {
  expect(paths(patch({ "a/b": 1, "m~n": 1, "": 1, é: 1, "\ud800": 1 }))).toEqual(
    ["/", "/a~1b", "/m~0n", "/é", "/\ufffd"].sort(),
  );
});

test("names of the prototype are fields like any other", () => {
  expect(paths(patch(JSON.parse('{"__proto__":{"title":"x"},"constructor":1,"toString":1}')))).toEqual([
    "/__proto__",
    "/constructor",
    "/toString",
  ]);
});

test("bounds are exact", () => {
  const text = (length: number): string => "é".repeat(length);
  for (const good of [
    { title: text(1) },
    { title: text(500) },
    { description: "" },
    { description: text(20_000) },
    { labels: [] },
    { labels: [text(50)] },
    { dueAt: null },
    { labels: null, status: null, priority: null, description: null },
    {},
  ]) {
    expect(patch(good)).toEqual([]);
  }
  for (const bad of [
    { title: "" },
    { title: text(501) },
    { title: " \u3000" },
    { title: null },
    { description: text(20_001) },
    { status: "TODO" },
    { dueAt: 0 },
  ]) {
    expect(patch(bad), JSON.stringify(bad).slice(0, 40)).toHaveLength(1);
  }
  for (const labels of [[text(51)], ["a", "a"], [null]]) expect(newTask({ title: "a", labels })).toHaveLength(1);
});

test("whatever JSON comes, faults are listed and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const { path, message } of newTask(value)) {
        expect(path === "" || path.startsWith("/")).toBe(true);
        expect(message).toMatch(/^(must|is) /);
      }
    }),
  );
});

test("of a hundred thousand faults a thousand are told, the last of which says that there are more; of a thousand all are", () => {
  const of = (count: number) => newTask({ title: "a", labels: Array.from({ length: count }, (_, index) => index) });
  const told = new Problem("validation", undefined, { errors: of(100_000) }).errors ?? [];
  expect(told).toHaveLength(1000);
  expect(told.slice(-2)).toEqual([
    { path: "/labels/997", message: "must be a string" },
    { path: "", message: "has more faults than these 999" },
  ]);
  // With the fault of the list itself, which has too many items.
  const all = of(999);
  expect(all).toHaveLength(1000);
  expect(new Problem("validation", undefined, { errors: all }).errors).toEqual(all);
});

test("messages of other types read as sentences and name the bounds", () => {
  const check = checker(
    t.Object({
      a: t.Array(t.Integer()),
      b: t.String({ format: "uuid" }),
      c: t.Boolean(),
      d: t.String({ pattern: "^x$" }),
      e: t.Integer({ minimum: 0, maximum: 100_000 }),
      f: t.Integer({ minimum: 0, maximum: 100_000 }),
      g: t.Union([t.Integer({ minimum: 1 }), t.Null()]),
      h: t.Array(t.String(), { minItems: 1 }),
      i: t.Array(t.String(), { maxItems: 1 }),
      j: t.String({ minLength: 1 }),
      k: t.String({ maxLength: 2 }),
      l: t.Object({}),
      m: t.Number({ minimum: 1 }),
    }),
  );
  const value = { a: {}, b: "X", c: 1, d: "y", e: -1, f: 1.5, g: 0, h: [], i: ["", ""], j: "", k: "abc", l: [], m: 0 };
  expect(check(value).map(({ path, message }) => `${path} ${message}`)).toEqual([
    "/a must be an array",
    "/b must be a lower-case UUID",
    "/c must be a boolean",
    "/d must match ^x$",
    "/e must be from 0 to 100000",
    "/f must be an integer from 0 to 100000",
    "/g must be an integer of at least 1 or null",
    "/h must have at least 1 item",
    "/i must have at most 1 item",
    "/j must have at least 1 character",
    "/k must have at most 2 characters",
    "/l must be an object",
    "/m must be at least 1",
  ]);
  expect(check(3)).toEqual([{ path: "", message: "must be an object" }]);
});

test("an integer of a query is digits within its bounds", () => {
  const limit = checker(integerParameter({ minimum: 1, maximum: 100, description: "" }));
  for (const good of ["1", "99", "100"]) expect(limit(good)).toEqual([]);
  for (const bad of ["", "0", "101", "01", "+1", "-1", "1.0", "1e1", " 1", "0x1", "\u0661", 1])
    expect(limit(bad)).toEqual([{ path: "", message: "must be an integer from 1 to 100" }]);
  const version = checker(integerParameter({ minimum: 0, description: "" }));
  expect(version("9".repeat(400))).toEqual([]);
  expect(version("x")).toEqual([{ path: "", message: "must be an integer of at least 0" }]);
});

/** What tries every rule that a field may have. */
const hostile: unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e9, "", " ", "x", "\0", "\ud800", "0", "x".repeat(30_000), "password"],
  ...[[], [1], ["x", "x"], Array.from({ length: 30 }, (_, index) => `${index}`), {}, { x: 1 }],
];

test("each message that a route may tell of a body or a parameter is one of a few plain sentences", () => {
  const sentences = [
    /^is (required|not a known field)$/,
    /^must be (?:(?:an?|the) [\w -]+|(?:"[\w:-]+", )*"[\w:-]+"|null)(?:(?:,| or) (?:(?:an? )?[\w -]+|"[\w:-]+"))*$/,
    /^must be an RFC 3339 instant such as 2026-01-31T09:30:00Z(?: or null)?$/,
    /^must be (?:an integer )?(?:from \d+ to \d+|of at least \d+)$/,
    /^must have at (?:least|most) \d+ (?:character|item)s?$/,
    /^must not (?:be only white space|contain NUL|repeat an item|be one of the most common passwords)$/,
    "must be well-formed Unicode",
    "must be #rrggbb",
    "must be <space id> or <space id>:<seq>",
  ];
  const reads = (message: string) =>
    sentences.some((each) => (typeof each === "string" ? each === message : each.test(message)));
  const routes = [...allSpaceRoutes({ site: rootSite } as never), ...authRoutes({} as never)];
  const odd = new Set<string>();
  let tried = 0;
  const tries = (schema: TSchema, value: unknown) => {
    for (const { message } of checker(schema)(value)) {
      tried += 1;
      if (!reads(message) || /Expected|undefined|[\^\\|]/.test(message)) odd.add(message);
    }
  };
  for (const { body, query = {} } of routes) {
    for (const { schema } of Object.values(query)) for (const value of hostile) tries(schema, value);
    for (const name of Object.keys(body?.schema.properties ?? {}))
      for (const value of hostile) tries(body?.schema as TSchema, { [name]: value });
  }
  expect([...odd]).toEqual([]);
  expect(tried).toBeGreaterThan(500);
});
