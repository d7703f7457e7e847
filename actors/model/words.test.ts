import { expect, test } from "bun:test";
import fc from "fast-check";
import { fold } from "./words.ts";

test("texts are compared without case, accents, compatibility forms and final sigma", () => {
  expect(["MILK", "Çay", "ΟΔΟΣ", "ﬁne", "İstanbul", "STRASSE"].map(fold)).toEqual([
    "milk",
    "cay",
    "οδοσ",
    "fine",
    "istanbul",
    "strasse",
  ]);
  expect(fold("Straße")).toBe(fold("STRASSE"));
});

test("the search form of a search form is itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(fold(fold(text))).toBe(fold(text));
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
  expect(fold("한국어").startsWith(fold("하"))).toBe(false);
}, 120_000);
