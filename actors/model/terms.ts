/**
 * How a word and a label are spelled in the SQLite read model's full-text index (`terms`, FTS5 with the `ascii` tokenizer), by the
 * writer and by the reader alike. Each term begins with the owner's number, so a prefix search never leaves one owner's tasks.
 */

/** Of a folded word (words.ts) or of the beginning of one. Without ASCII punctuation, hence one token. */
export function wordTerm(owner: number, word: string): string {
  return `w${owner}x${word}`;
}

/** Of a whole label, compared exactly: as hexadecimal UTF-8, because labels may hold spaces and capitals. */
export function labelTerm(owner: number, label: string): string {
  return `l${owner}x${Buffer.from(label).toString("hex")}`;
}

/** The FTS5 MATCH expression for tasks that have all the labels, and a word that begins with each of the words. Undefined when nothing is asked for. */
export function matching(owner: number, words: readonly string[], labels: readonly string[]): string | undefined {
  const all = [
    ...words.map((word) => `"${wordTerm(owner, word)}"*`),
    ...labels.map((label) => `"${labelTerm(owner, label)}"`),
  ];
  return all.length === 0 ? undefined : all.join(" AND ");
}
