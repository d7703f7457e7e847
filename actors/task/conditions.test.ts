import { expect, test } from "bun:test";
import fc from "fast-check";
import { problemOf } from "../http/problem-of-for-tests.ts";
import {
  consistencyToken,
  createsOnly,
  etag,
  hasTag,
  hasVersion,
  parseConsistencyToken,
  parseIfMatch,
} from "./conditions.ts";

test.each([
  [null, undefined],
  ["*", "*"],
  ['"3"', [3]],
  ['"3","4"', [3, 4]],
  [' "3" ,\t"4" ', [3, 4]],
  ['"3",, "4",', [3, 4]],
  ['W/"3"', []],
  ['W/"3", "4"', [4]],
  ['"03"', []],
  ['"0"', []],
  ['"-1"', []],
  ['""', []],
  ['"abc", "1"', [1]],
  ['"a,1", "2"', [2]],
  ['"9999999999999999999"', []],
])("If-Match: %s accepts %p", (header, versions) => {
  expect(parseIfMatch(header)).toEqual(versions as never);
});

test.each([
  "",
  "3",
  '"3',
  '3"',
  "'3'",
  'w/"3"',
  'W/ "3"',
  '"3" "4"',
  '"3";"4"',
  "*,*",
  '*, "3"',
  '"3", 4',
  ",",
  " , ",
  '"\t"',
  '"a"b"',
])("If-Match: %p is a malformed header", async (header) => {
  expect(await problemOf(() => parseIfMatch(header))).toBe("malformed-header");
});

test("any list of tags gives the versions among them, in order", () => {
  const version = fc.integer({ min: 1, max: 1e12 });
  const other = fc.constantFrom('"x"', '""', 'W/"7"', '"a,b"', '"07"');
  fc.assert(
    fc.property(
      fc.array(fc.oneof(version, other), { minLength: 1 }),
      fc.constantFrom(",", ", ", " ,, "),
      (members, separator) => {
        const header = members.map((each) => (typeof each === "number" ? etag(each) : each)).join(separator);
        expect(parseIfMatch(header)).toEqual(members.filter((each) => typeof each === "number"));
      },
    ),
  );
});

test("a long header that is no list is refused at once", async () => {
  const began = performance.now();
  expect(await problemOf(() => parseIfMatch(`${'"1" '.repeat(5_000)}x`))).toBe("malformed-header");
  expect(await problemOf(() => parseIfMatch(`${" ".repeat(20_000)}x`))).toBe("malformed-header");
  expect(performance.now() - began).toBeLessThan(200);
});

test.each([
  [null, false],
  ['"3"', true],
  ["*", true],
  ['"2", "3"', true],
  ['"2"', false],
  ['"33"', false],
  ['W/"3"', false],
  ["3", false],
])("If-None-Match: %s names version 3: %p", (header, named) => {
  expect(hasVersion(header, 3)).toBe(named);
});

test.each([
  [null, false],
  ['"e.3"', true],
  ["*", true],
  ['"x", "e.3"', true],
  ['"x,"e.3"', false],
  ['"e.33"', false],
  ['W/"e.3"', false],
  ['"x", W/"e.3"', false],
  ["e.3", false],
])("If-None-Match: %s names the list tagged e.3: %p", (header, named) => {
  expect(hasTag(header, '"e.3"')).toBe(named);
});

test("PUT creates under If-None-Match: * alone", async () => {
  expect(createsOnly(new Headers())).toBe(false);
  expect(createsOnly(new Headers({ "if-match": '"1"' }))).toBe(false);
  expect(createsOnly(new Headers({ "if-none-match": "*" }))).toBe(true);
  expect(await problemOf(() => createsOnly(new Headers({ "if-none-match": '"1"' })))).toBe("malformed-header");
  expect(await problemOf(() => createsOnly(new Headers({ "if-none-match": "*", "if-match": '"1"' })))).toBe(
    "malformed-header",
  );
});

test("a Consistency-Token comes back as the position it was made of, and anything else is a malformed header", async () => {
  fc.assert(
    fc.property(
      fc.nat(99_999),
      fc.nat(Number.MAX_SAFE_INTEGER).filter((offset) => offset < 1e15),
      (partition, offset) => {
        expect(parseConsistencyToken(consistencyToken({ partition, offset }))).toEqual({ partition, offset });
      },
    ),
  );
  expect(parseConsistencyToken(null)).toBeUndefined();
  for (const bad of ["", "0", "0-", "-1", "0-1-2", "0-1.5", "a-b", "0-9999999999999999", "0 -1", "٠-١"]) {
    expect(await problemOf(() => parseConsistencyToken(bad)), bad).toBe("malformed-header");
  }
});
