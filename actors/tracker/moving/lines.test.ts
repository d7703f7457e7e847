import { expect, test } from "bun:test";
import fc from "fast-check";
import { linesOf, objectOf } from "./lines.ts";

async function* chunks(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const each of texts) yield typeof each === "string" ? new TextEncoder().encode(each) : each;
}
const read = async (stream: AsyncGenerator<Uint8Array>, bytesMax = 100) => {
  const texts: (string | undefined)[] = [];
  for await (const { bytes } of linesOf(stream, bytesMax))
    texts.push(bytes === undefined ? undefined : new TextDecoder().decode(bytes));
  return texts;
};

test("lines are the same however the bytes are cut", async () => {
  const text = fc.array(fc.constantFrom("a", "\n", "é", "🍕"), { maxLength: 30 }).map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(80), { maxLength: 6 }), async (given, cuts) => {
      const bytes = new TextEncoder().encode(given);
      const at = [0, ...cuts.filter((cut) => cut <= bytes.length).sort((x, y) => x - y), bytes.length];
      const parts = at.slice(1).map((end, n) => bytes.subarray(at[n], end));
      const lines = given.split("\n");
      if (lines.at(-1) === "") lines.pop();
      expect(await read(chunks(...parts))).toEqual(lines);
    }),
  );
});

test("a line that is too long is not kept, and those behind it have their numbers", async () => {
  const long = "x".repeat(40);
  expect(await read(chunks("one\n", long, long, long, "\nthree\n"))).toEqual(["one", undefined, "three"]);
});

test("what is no UTF-8, no JSON or no object is no object", () => {
  const object = (bytes: Uint8Array) => objectOf({ number: 1, bytes });
  const encode = (text: string) => new TextEncoder().encode(text);
  expect(object(encode('{"a":"é🍕"}'))).toEqual({ a: "é🍕" });
  for (const text of ["", "[]", "null", "3", '{"a":', '{"a":1}x', '\ufeff{"a":1}'])
    expect(object(encode(text))).toBeUndefined();
  expect(object(new Uint8Array([0x7b, 0xff, 0x7d]))).toBeUndefined();
  expect(objectOf({ number: 1, bytes: undefined })).toBeUndefined();
});
