/** The lines of a stream of bytes, in bounded memory. */

export type Line = {
  /** From 1 on. */
  readonly number: number;
  /** Without the line break; undefined where the line is longer than the bound. */
  readonly bytes: Uint8Array | undefined;
};

const lineBreak = 10;

/** A last line without a line break is one, too. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let size = 0;
  const add = (part: Uint8Array): void => {
    size += part.length;
    // What is too long is counted and not kept.
    if (size > bytesMax) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const taken = (): Line => {
    const line = { number, bytes: size > bytesMax ? undefined : Buffer.concat(parts) };
    number += 1;
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(lineBreak); end >= 0; end = chunk.indexOf(lineBreak, from)) {
      add(chunk.subarray(from, end));
      yield taken();
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (size > 0) yield taken();
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The object of a line of JSON; undefined where the line is damaged. */
export function objectOf({ bytes }: Line): Readonly<Record<string, unknown>> | undefined {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
