import { expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import fc from "fast-check";
import { NewTask, TaskPatch } from "../task/models.ts";
import { checker } from "./validate.ts";

const newTask = checker(NewTask);
const patch = checker(TaskPatch);
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
    "/status": 'must be "todo", "in_progress" or "done"',
    "/dueAt": "must be an RFC 3339 instant or null",
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
    { labels: [text(51)] },
    { labels: ["a", "a"] },
    { labels: null },
    { status: "TODO" },
    { dueAt: 0 },
  ]) {
    expect(patch(bad), JSON.stringify(bad).slice(0, 40)).toHaveLength(1);
  }
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

test("a hundred thousand faults are not all listed", () => {
  expect(newTask({ title: "a", labels: Array.from({ length: 100_000 }, () => 1) })).toHaveLength(1000);
});

test("messages of other types read as sentences", () => {
  const check = checker(
    t.Object({
      a: t.Array(t.Integer()),
      b: t.String({ format: "uuid" }),
      c: t.Boolean(),
      d: t.String({ pattern: "^x$" }),
    }),
  );
  expect(check({ a: {}, b: "X", c: 1, d: "y" }).map(({ message }) => message)).toEqual([
    "must be an array",
    "must be a lower-case UUID",
    "must be a boolean",
    "must match ^x$",
  ]);
  expect(check(3)).toEqual([{ path: "", message: "must be an object" }]);
});
