import { expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import fc from "fast-check";
import { patchFields, withDefaults } from "./merge-patch.ts";
import { text } from "./text.ts";
import { checker } from "./validate.ts";

const fields = {
  name: text({ minLength: 1, maxLength: 9 }),
  kind: t.Union([t.Literal("a"), t.Literal("b")]),
  id: t.String(),
};
const defaults = { name: null, kind: "a" };
const patch = checker(t.Object(patchFields(fields, defaults), { additionalProperties: false }));

test("a patch takes every field, and null for each that has a default", () => {
  for (const name of Object.keys(fields))
    expect([name, patch({ [name]: null }).length]).toEqual([name, name in defaults ? 0 : 1]);
  expect(patch({})).toEqual([]);
  expect(patch({ name: "" }).map(({ message }) => message)).toEqual(["must have at least 1 character"]);
});

test("applied with its nulls replaced, a patch gives what RFC 7396 gives with the fields that are gone at their defaults", () => {
  const some = fc.record({ name: fc.constantFrom("x", "y"), kind: fc.constantFrom("a", "b") }, { requiredKeys: [] });
  fc.assert(
    fc.property(some, some, fc.subarray(Object.keys(defaults)), (before, given, nulls) => {
      const whole = { id: "1", ...defaults, ...before };
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
