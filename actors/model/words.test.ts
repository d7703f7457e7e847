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

test("every character has one search form, in capitals and small, composed or not", () => {
  const others = [
    (text: string) => text.toUpperCase(),
    (text: string) => text.toLowerCase(),
    (text: string) => text.normalize("NFD"),
  ];
  const differing: string[] = [];
  for (let point = 0; point <= 0x10ffff; point += 1) {
    const character = String.fromCodePoint(point);
    if (!character.isWellFormed()) continue;
    if (others.some((other) => fold(other(character)) !== fold(character))) differing.push(point.toString(16));
  }
  expect(differing).toEqual([]);
  expect(words("STRASSE Straße")).toEqual(["strasse"]);
  expect(fold("한국어").startsWith(fold("하"))).toBe(false);
}, 120_000);
