import { expect, test } from "bun:test";
import { searchedWords, sortForm, wordsOf } from "./words.ts";

function finds(search: string, text: string): boolean {
  const has = wordsOf([text]);
  const searched = searchedWords(search);
  return searched.length > 0 && searched.every((word) => has.some((each) => each.startsWith(word)));
}

test.each([
  ["mil", "Buy MILK", true],
  ["ilk", "Buy milk", false],
  ["milk buy", "buy milk", true],
  ["cay", "Çay al", true],
  ["STRASSE", "Straße", true],
  ["物", "買い物リスト", true],
  ["い物", "買い物リスト", true],
  ["買い物", "買い物リスト", true],
  ["リスト", "買い物リスト", true],
  ["物買", "買い物リスト", false],
  ["ถูก", "ราคาถูก", true],
  ["tower", "東京Tower", true],
  ["東京", "東京Tower", true],
  ["가", "가각", true],
  ["각", "가각", false],
  ["👍", "done 👍🏽", true],
  ["👍🏿", "done 👍", true],
  ["👨‍👩‍👧", "👨‍👩‍👧 trip", true],
  ["👧", "👨‍👩‍👧 trip", false],
  ["❤", "I ❤️ tea", true],
  ["❤️", "I ❤ tea", true],
  ["🇩🇪", "🇫🇷🇩🇪", true],
  ["🇷🇩", "🇫🇷🇩🇪", false],
  ["1️⃣", "step 1️⃣", true],
  ["x👍y", "x y 👍", true],
  ["c++", "C++ notes", true],
  ["c++", "C notes", false],
  ["$", "costs $5", true],
  ["€5", "5 €", true],
  ["<", "a < b", true],
  ["a-b", "a b", true],
  ["!", "wow!", false],
  ["", "anything", false],
  ["...", "a ... b", false],
  ["‼️", "wow ‼️", true],
  ["soft", "so\u00adft", true],
  ["5", "№5", true],
  ["№", "room№5", true],
  ["№5", "№ 5", true],
  ["kg", "5㎏", true],
] as const)("a search for %p in %p: %p", (search, text, isFound) => {
  expect(finds(search, text)).toBe(isFound);
});

test("a text of plain letters has the same words by the short way and by the long one", () => {
  const text = "It's 3 o'clock: C++ & a_b-c, x^2 <b> `code` 100% $5 {z}";
  expect(wordsOf([`${text} é`]).filter((word) => word !== "e")).toEqual(wordsOf([text]).filter((word) => word !== "e"));
});

test("words longer than anybody can ask for are told apart by their beginnings", () => {
  const long = "a".repeat(20_000);
  expect(wordsOf([long])).toEqual(["a".repeat(500)]);
  expect(finds("a".repeat(500), long)).toBe(true);
  expect(searchedWords("é".repeat(20_000))).toEqual(["e".repeat(500)]);
});

test("numbers are sorted by value, whatever their zeros and scripts, and between signs and letters", () => {
  const sorted = ["", "-1", "a 2", "a 2b", "a 03", "a 10", "a 99999999", "a 100000000", "a 1000000000", "a b", "b"];
  const shuffled = sorted
    .toReversed()
    .toSorted((a, b) => Buffer.compare(Buffer.from(sortForm(a)), Buffer.from(sortForm(b))));
  expect(shuffled).toEqual(sorted);
  const lengths = Array.from({ length: 60 }, (_, length) => sortForm("9".repeat(length + 1)));
  expect(lengths.toSorted()).toEqual(lengths);
  expect(["7", "007", "٧", "७", "７", "𝟕"].map(sortForm)).toEqual(Array(6).fill(sortForm("7")));
  expect(sortForm("0")).toBe(sortForm("000"));
});
