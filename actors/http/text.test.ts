import { expect, test } from "bun:test";
import fc from "fast-check";
import { textFaults } from "./text.ts";

const bounds = { minLength: 2, maxLength: 4 };

test.each([
  ["a", "must have at least 2 characters"],
  ["ab", undefined],
  ["abcd", undefined],
  ["abcde", "must have at most 4 characters"],
  ["😀", "must have at least 2 characters"],
  ["😀😀😀😀", undefined],
  ["😀😀😀😀😀", "must have at most 4 characters"],
  ["e\u0301", undefined],
])("%s against 2 to 4 characters: %s", (value, fault) => {
  expect(textFaults(value, bounds)).toEqual(fault === undefined ? [] : [fault]);
});

test("code points are counted, whatever the string", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.nat(6),
      fc.integer({ min: 6, max: 12 }),
      (value, minLength, maxLength) => {
        if (value.includes("\0")) return;
        const length = [...value].length;
        expect(textFaults(value, { minLength, maxLength }).length === 0).toBe(
          length >= minLength && length <= maxLength,
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  ["NUL", "a\0b", "must not contain NUL"],
  ["a lone high surrogate", "a\ud83d", "must be well-formed Unicode"],
  ["a lone low surrogate", "\ude00a", "must be well-formed Unicode"],
  ["surrogates in the wrong order", "\ude00\ud83d", "must be well-formed Unicode"],
  ["a number", 12, "must be a string"],
  ["null", null, "must be a string"],
])("%s is refused", (_name, value, fault) => {
  expect(textFaults(value, { maxLength: 10 })).toEqual([fault]);
});

test("only white space is refused where it is, by Unicode's White_Space and nothing else", () => {
  const spaces =
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
  for (const space of spaces)
    expect(textFaults(space, { maxLength: 9, blank: false }), space.charCodeAt(0).toString(16)).toEqual([
      "must not be only white space",
    ]);
  for (const other of ["\ufeff", "\u200b", "\u180e", "\u2060", ` x${spaces.slice(0, 3)}`])
    expect(textFaults(other, { maxLength: 9, blank: false })).toEqual([]);
  expect(textFaults(" ", { maxLength: 9 })).toEqual([]);
});

test("a string may have several faults", () => {
  const strict = { minLength: 2, maxLength: 3, blank: false };
  expect(textFaults("\ud800\0\0\0", strict)).toEqual([
    "must be well-formed Unicode",
    "must not contain NUL",
    "must have at most 3 characters",
  ]);
  expect(textFaults("    ", strict)).toEqual(["must not be only white space", "must have at most 3 characters"]);
  expect(textFaults("", strict)).toEqual(["must have at least 2 characters"]);
});

test("a further rule is asked last, of what is within the bounds", () => {
  const rule = { maxLength: 3, fault: (value: string) => (value === "no" ? "must not be no" : undefined) };
  expect([textFaults("no", rule), textFaults("yes", rule), textFaults("nope", rule)]).toEqual([
    ["must not be no"],
    [],
    ["must have at most 3 characters"],
  ]);
});
