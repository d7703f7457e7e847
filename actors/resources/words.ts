/** How texts are compared when people search and sort: the same form in every store. */

import { fold } from "../model/words.ts";

/** Scripts that put no spaces between words. */
const unspaced =
  "\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}\\p{scx=Tibt}";
/** A flag, a keycap, or a pictograph with its joiners; what is a letter or a mark of punctuation only where it asks to be shown as an emoji. */
const pictograph =
  "(?:[\\p{ExtPict}--[\\p{P}\\p{L}]]|\\p{ExtPict}\\uFE0F)[\\uFE0F\\u{1F3FB}-\\u{1F3FF}\\u{E0020}-\\u{E007F}]*";
const emoji = new RegExp(`\\p{RI}{2}|[0-9#*]\\uFE0F?\\u20E3|${pictograph}(?:\\u200D${pictograph})*`, "gv");
/** Skin tones, and what chooses between the two looks of a character. */
const emojiLooks = /[\uFE0F\u{1F3FB}-\u{1F3FF}]/gv;
const mayHaveEmoji = /[\p{ExtPict}\p{RI}\u20E3]/v;
/** Invisible within a word. */
const ignorable = /[\u00AD\u200C\u200D\u2060]/gv;
const token = new RegExp(`(?<run>[[\\p{L}\\p{N}]&&[${unspaced}]]+)|[[\\p{L}\\p{N}]--[${unspaced}]]+|\\p{S}`, "gv");
/** Some are made of letters, such as №: these are no part of the word beside them. */
const symbol = /[\p{So}\p{Sc}]/gu;
const asciiToken = /[a-z0-9]+|[$+<=>^`|~]/g;
const ascii = /^\p{ASCII}*$/u;

/** Longer words are told apart by their beginnings; nobody can ask for more. */
const wordCharsMax = 500;

/** The different words of texts. Of a run without spaces: each pair of neighbours, and the last character. */
export function wordsOf(texts: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    for (const { word, isRun } of tokensOf(text)) {
      if (isRun) for (const pair of pairsOf(word)) found.add(pair);
      else found.add(word);
      if (isRun) found.add(lastOf(word));
    }
  }
  return [...found];
}

/** The beginnings of words that a search asks for, all of them. Of a run without spaces: its pairs. */
export function searchedWords(search: string): string[] {
  const found = new Set<string>();
  for (const { word, isRun } of tokensOf(search)) {
    const pairs = isRun ? pairsOf(word) : [word];
    for (const each of pairs.length === 0 ? [word] : pairs) found.add(each);
  }
  return [...found].sort();
}

type Token = { readonly word: string; readonly isRun: boolean };

function* tokensOf(text: string): Generator<Token> {
  if (ascii.test(text)) {
    for (const [word] of text.toLowerCase().matchAll(asciiToken)) yield { word: bounded(word), isRun: false };
    return;
  }
  let rest = text;
  if (mayHaveEmoji.test(text)) {
    const found: string[] = [];
    // A space takes the place of each, so that what stands on either side of it stays apart.
    rest = text.replace(emoji, (each) => {
      found.push(each.replace(emojiLooks, ""));
      return " ";
    });
    for (const word of found) yield { word: bounded(word), isRun: false };
  }
  for (const { 0: word, groups } of fold(rest.replace(ignorable, "").replace(symbol, " $& ")).matchAll(token))
    yield { word: groups?.run === undefined ? bounded(word) : word, isRun: groups?.run !== undefined };
}

function bounded(word: string): string {
  return word.length <= wordCharsMax ? word : [...word].slice(0, wordCharsMax).join("");
}

function pairsOf(run: string): string[] {
  const characters = [...run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function lastOf(run: string): string {
  return [...run].at(-1) ?? "";
}

const digits = /\p{Nd}+/gu;
const isDigit = /\p{Nd}/u;
const asciiDigits = /^[0-9]+$/;

/**
 * The form by which texts are sorted: as they are searched, with numbers by value. A number is written as how many digits it has, without zeros at its
 * beginning, and then its digits; a count of nine or more as a `9` for each nine and the rest.
 */
export function sortForm(text: string): string {
  return fold(text).replace(digits, (run) => {
    const value = (asciiDigits.test(run) ? run : Array.from(run, digitOf).join("")).replace(/^0+/, "");
    return "9".repeat(value.length / 9) + (value.length % 9) + value;
  });
}

/** Unicode's digits come in rows of ten, from zero on. */
function digitOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let before = 0;
  while (isDigit.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
}
