import { expect, test } from "bun:test";
import { murmur2, partitionOf } from "./partition.ts";

// From Kafka's own UtilsTest.testMurmur2.
const vectors: readonly [string, number][] = [
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
  ["abc", 479_470_107],
];

test.each(vectors)("murmur2 of %p is Kafka's", (key, hash) => {
  expect(murmur2(key)).toBe(hash);
});

test("A key always belongs to the same member, and many keys to all of them", () => {
  const members = Array.from({ length: 1_000 }, (_, key) => partitionOf(`key-${key}`, 7));
  expect(members).toEqual(Array.from({ length: 1_000 }, (_, key) => partitionOf(`key-${key}`, 7)));
  expect(new Set(members)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
});
