/**
 * The full-text index of spaces: `terms`, FTS5 with the `ascii` tokenizer, a row for each document that has words. Each term begins with its space in two
 * characters, so that a search never leaves one space, and one for up to three letters is a single look-up.
 */

export const termsTable =
  "CREATE VIRTUAL TABLE terms USING fts5 (spelled, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '3 4 5');";

/** Digits of a space's number: characters that are three bytes each and whole tokens to the tokenizer. */
const firstDigit = 0x4e00;
const base = 0x5000;
/** The tokenizer parts words at these: their wide forms, which a folded word never has, stand for them. */
const parting = /[!-/:-@[-`{-~]/g;
const toWide = 0xfee0;

function spelled(word: string): string {
  return word.replace(parting, (each) => String.fromCharCode(each.charCodeAt(0) + toWide));
}

function spaceCode(space: number): string {
  if (space >= base * base)
    throw new Error(`Cannot index the words of space ${space}: there are at most ${base * base}`);
  return String.fromCharCode(firstDigit + Math.floor(space / base), firstDigit + (space % base));
}

/** The text of a document's row. */
export function termsOf(space: number, words: readonly string[]): string {
  const code = spaceCode(space);
  return words.map((word) => code + spelled(word)).join(" ");
}

/** The FTS5 MATCH expression for documents that have, for each of these, a word that begins with it. */
export function matching(space: number, words: readonly string[]): string {
  const code = spaceCode(space);
  return words.map((word) => `"${code}${spelled(word)}"*`).join(" AND ");
}

/** The same for documents that have the words themselves. */
export function matchingWhole(space: number, words: readonly string[]): string {
  const code = spaceCode(space);
  return words.map((word) => `"${code}${spelled(word)}"`).join(" AND ");
}
