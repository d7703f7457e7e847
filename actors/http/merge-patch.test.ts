import { expect, test } from "bun:test";
import fc from "fast-check";
import { defaults } from "../model/created.ts";
import { writable } from "../model/task.ts";
import { NewTask, TaskPatch } from "../task/models.ts";
import { withDefaults } from "./merge-patch.ts";
import { checker } from "./validate.ts";

const newTask = checker(NewTask);
const patch = checker(TaskPatch);
const fields = fc.record(
  {
    title: fc.constantFrom("a", "b"),
    description: fc.constantFrom("", "d"),
    status: fc.constantFrom("todo", "done"),
    priority: fc.constantFrom("none", "high"),
    labels: fc.constantFrom([], ["l"]),
    dueAt: fc.constantFrom(null, "2026-05-01T00:00:00.000Z"),
  },
  { requiredKeys: [] },
);

test("a patch takes every writable field, and null for each but the title", () => {
  for (const name of Object.keys(writable))
    expect([name, patch({ [name]: null }).length]).toEqual([name, name === "title" ? 1 : 0]);
  expect(Object.keys(defaults).sort()).toEqual(
    Object.keys(writable)
      .filter((name) => name !== "title")
      .sort(),
  );
});

test("what a patch takes without null a new task takes too, with the same messages", () => {
  const hostile = fc.oneof(fc.jsonValue(), fc.string({ maxLength: 60 }), fc.array(fc.string({ maxLength: 60 })));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(writable)), hostile, (name, value) => {
      fc.pre(value !== null);
      const told = (messages: { path: string; message: string }[]) =>
        messages.map(({ path, message }) => `${path} ${message.replace(" or null", "").replace(/,? or /, ", ")}`);
      expect(told(patch({ title: "x", [name]: value }))).toEqual(told(newTask({ title: "x", [name]: value })));
    }),
  );
});

test("applied with its nulls replaced, a patch gives what RFC 7396 gives with the fields that are gone at their defaults", () => {
  fc.assert(
    fc.property(fields, fields, fc.subarray(Object.keys(defaults)), (before, given, nulls) => {
      const whole = { title: "t", ...defaults, ...before };
      const asked = { ...given, ...Object.fromEntries(nulls.map((name) => [name, null])) };
      expect(patch(asked)).toEqual([]);
      const merged: Record<string, unknown> = { ...whole };
      for (const [name, value] of Object.entries(asked)) {
        if (value === null) delete merged[name];
        else merged[name] = value;
      }
      expect({ ...whole, ...withDefaults(asked, defaults) } as object).toEqual({ ...defaults, ...merged });
    }),
  );
});
