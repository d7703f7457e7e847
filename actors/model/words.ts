/** How texts are compared when people search and sort: the same form in every store. */

const ascii = /^[\x20-\x7e]*$/;
const marks = /\p{M}+/gu;

/** Without case (ß is ss, ı is i), accents or compatibility forms, with one sigma. Titles are sorted by it. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  const caseless = text.normalize("NFKD").toLowerCase().toUpperCase().toLowerCase();
  // Case may itself bring forth marks or letters with a decomposition, hence once more; what then is left to compose is one letter to its readers.
  return caseless.normalize("NFKD").replace(marks, "").replaceAll("ς", "σ").normalize("NFC");
}
