/**
 * The memory of one thread's metrics: numbers, and a directory in text of what they are. The regions of all threads lie in the memory that the process
 * shares, so that `/metrics` reads them without asking: also while a thread hangs, and its next incarnation counts on from where the last one ended.
 *
 * One thread writes a region, any thread reads it. A line of the directory is published by the length behind it, so a reader never sees half of one.
 */

export type FamilyType = "counter" | "gauge" | "histogram";

/** What all series of one name have in common. */
export type Family = {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, without the last, which has none. */
  readonly buckets?: readonly number[];
  /** Shown for each thread, with its actor and index as labels, instead of as one sum. */
  readonly perThread?: true;
};

/** One combination of label values: its numbers begin at `at`. */
export type Series = { readonly family: Family; readonly values: readonly string[]; readonly at: number };

/** Numbers of a series: one, or for a histogram those of each bucket, of the last and the sum. */
export const widthOf = ({ buckets }: Family): number => (buckets === undefined ? 1 : buckets.length + 2);

const numbersMax = 8_192;
/** Where series that found no room count, unseen: the end of the numbers. */
export const overflowAt = numbersMax - 64;
const textBytesMax = 256 * 1_024;
/** The length of the text, padded so that numbers stay aligned. */
const headBytes = 8;
export const regionBytes = headBytes + 8 * numbersMax + textBytesMax;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A line of the directory. */
type Line = readonly ["family", Family] | readonly ["series", family: string, at: number, values: readonly string[]];

export class Region {
  readonly numbers: Float64Array;
  readonly #length: Int32Array;
  readonly #text: Uint8Array;

  constructor(memory: ArrayBufferLike, offset: number) {
    this.#length = new Int32Array(memory, offset, 1);
    this.numbers = new Float64Array(memory, offset + headBytes, numbersMax);
    this.#text = new Uint8Array(memory, offset + headBytes + 8 * numbersMax, textBytesMax);
  }

  /** All that the directory names, in the order in which it was added. */
  read(): { families: Map<string, Family>; series: Series[]; used: number } {
    const length = Atomics.load(this.#length, 0);
    // A copy: decoders refuse shared memory.
    const text = decoder.decode(this.#text.slice(0, length));
    const families = new Map<string, Family>();
    const series: Series[] = [];
    let used = 0;
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const entry = JSON.parse(line) as Line;
      if (entry[0] === "family") {
        families.set(entry[1].name, entry[1]);
        continue;
      }
      const [, name, at, values] = entry;
      const family = families.get(name);
      if (family === undefined) continue;
      series.push({ family, values, at });
      used = Math.max(used, at + widthOf(family));
    }
    return { families, series, used };
  }

  /** Adds lines to the directory; false, with nothing changed, when they or the numbers up to `used` do not fit. */
  add(lines: readonly Line[], used: number): boolean {
    const length = Atomics.load(this.#length, 0);
    const bytes = encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    if (used > overflowAt || length + bytes.length > textBytesMax) return false;
    this.#text.set(bytes, length);
    Atomics.store(this.#length, 0, length + bytes.length);
    return true;
  }
}
