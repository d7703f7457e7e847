import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeUtf8, parseJson } from "./json.ts";
import { problemOf } from "./problem-of-for-tests.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("any JSON value comes through as it was sent, however it is spaced", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      expect(parseJson(decodeUtf8(bytes(text)))).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test("a repeated name is refused at any depth, also when it is spelled with escapes", () => {
  const spelled = (name: string) =>
    fc.constantFrom(
      JSON.stringify(name),
      `"${[...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`,
    );
  const names = fc.constantFrom("a", "constructor", "__proto__", "1", "");
  const repeated = names
    .chain((name) => fc.tuple(spelled(name), spelled(name)))
    .map(([one, other]) => `{${one}:1,"other":[{"x":"\\\\\\":{"}],${other}:{}}`);
  const wrapped = fc
    .tuple(repeated, fc.array(fc.constantFrom("[", "{"), { maxLength: 10 }))
    .map(([inner, wraps]) =>
      wraps.reduce((text, wrap) => (wrap === "[" ? `[0,${text}]` : `{"k":${text},"l":":"}`), inner),
    );
  fc.assert(
    fc.property(wrapped, (text) => {
      expect(() => parseJson(text)).toThrow("repeated name");
      expect(() => JSON.parse(text)).not.toThrow();
    }),
  );
});

test("equal names in different objects, and colons and braces in strings, are no repetition", () => {
  for (const text of [
    '[{"a":1},{"a":1}]',
    '{"a":{"a":{"a":1}}}',
    '{"a:b":"{\\":[","\\\\":":"}',
    '{"__proto__":{"a":1}}',
    '"\\\\"',
    '[[],{},""]',
  ]) {
    expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
  }
});

test.each([
  ["64 levels are taken", 64, undefined],
  ["65 levels are refused", 65, "malformed-json"],
  ["a hundred thousand levels are refused without harm", 100_000, "malformed-json"],
] as const)("%s", async (_name, depth, code) => {
  expect(await problemOf(() => parseJson("[".repeat(depth) + "]".repeat(depth)))).toBe(code);
  expect(await problemOf(() => parseJson(`${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`))).toBe(code);
  if (depth > 1000) expect(await problemOf(() => parseJson("[".repeat(depth)))).toBe(code);
});

test("brackets in strings and side by side do not nest", () => {
  expect(parseJson(JSON.stringify(["[".repeat(200), ...Array.from({ length: 200 }, () => [])]))).toHaveLength(201);
});

test.each([
  ["nothing", ""],
  ["white space", " \n"],
  ["a byte order mark", "\ufeff{}"],
  ["a trailing comma", '{"a":1,}'],
  ["single quotes", "{'a':1}"],
  ["a leading zero", "[01]"],
  ["NaN", "NaN"],
  ["a comment", "{}//"],
  ["two texts", "{}{}"],
  ["a raw control character", '"\t"'],
  ["an unknown escape", '"\\x41"'],
  ["an unended string", '"\\"'],
  ["other white space", "\u00a0{}"],
])("%s is malformed", async (_name, text) => {
  expect(await problemOf(() => parseJson(decodeUtf8(bytes(text))))).toBe("malformed-json");
});

test.each([
  ["a stray byte", [0x22, 0xff, 0x22]],
  ["an overlong form", [0x22, 0xc0, 0x80, 0x22]],
  ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ["a code point beyond the last", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ["a sequence cut off", [0x22, 0xe2, 0x82]],
  ["UTF-16", [0xff, 0xfe, 0x7b, 0x00]],
])("%s is no UTF-8", async (_name, given) => {
  expect(await problemOf(() => decodeUtf8(new Uint8Array(given)))).toBe("malformed-json");
});

test("lone surrogate escapes pass, for the models to refuse by field", () => {
  expect(parseJson('"\\ud800"')).toBe("\ud800");
});

test("any bytes are taken or refused, never anything else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (given) => {
      expect([undefined, "malformed-json"]).toContain((await problemOf(() => parseJson(decodeUtf8(given)))) as never);
    }),
  );
});
