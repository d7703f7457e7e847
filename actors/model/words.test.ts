import { expect, test } from "bun:test";
import fc from "fast-check";
import { fold, words } from "./words.ts";

test("words are compared without case, accents, compatibility forms and final sigma", () => {
  expect(words("Buy MILK, buy 2l!", "Çay_ve ΟΔΟΣ ﬁne İstanbul")).toEqual([
    "buy",
    "milk",
    "2l",
    "cay",
    "ve",
    "οδοσ",
    "fine",
    "istanbul",
  ]);
});

test("the search form of a search form is itself, and every word of a text is one word", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(fold(fold(text))).toBe(fold(text));
      for (const word of words(text)) expect(words(word)).toEqual([word]);
    }),
    { numRuns: 2_000 },
  );
});
