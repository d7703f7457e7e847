/** How texts are compared when people search and sort: the same form in every store. */

const ascii = /^[\x20-\x7e]*$/;
const marks = /\p{M}+/gu;
const noWord = /[^\p{L}\p{N}]+/u;

/** Lower case without accents or compatibility forms (NFKD, marks removed), and with one sigma. Titles are sorted by it. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  // Lower case may itself bring forth marks or letters with a decomposition, hence once more.
  return text.normalize("NFKD").toLowerCase().normalize("NFKD").replace(marks, "").replaceAll("ς", "σ");
}

/** The different words of the texts, in their first order: folded, split at whatever is no letter or digit. */
export function words(...texts: string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    if (text === "") continue;
    for (const word of fold(text).split(noWord)) if (word !== "") found.add(word);
  }
  return [...found];
}
