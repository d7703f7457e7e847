/** Strict JSON (RFC 8259 + I-JSON's unique names, RFC 7493 §2.3): UTF-8, no byte order mark, no duplicate keys, at most 64 levels. */
import { Problem } from "../model/problem.ts";

const depthMax = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of the bytes; throws `malformed-json` when they are no UTF-8. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem("malformed-json", "The body is not UTF-8.");
  }
}

/** The value of a JSON text; throws `malformed-json`. */
export function parseJson(text: string): unknown {
  if (text.length === 0) throw new Problem("malformed-json", "The body is empty.");
  if (text.charCodeAt(0) === 0xfeff) throw new Problem("malformed-json", "The body begins with a byte order mark.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("malformed-json", "The body is not well-formed JSON.");
  }
  const { members, depth } = outline(text);
  if (depth > depthMax) throw new Problem("malformed-json", `The body nests deeper than ${depthMax} levels.`);
  // JSON.parse keeps the last of equal names: fewer members in the value than in the text means that some were equal.
  if (countMembers(value) !== members)
    throw new Problem("malformed-json", "The body has an object with a repeated name.");
  return value;
}

/** Members (colons outside strings) and nesting of a text already known to be JSON. */
function outline(text: string): { members: number; depth: number } {
  let members = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = stringEnd(text, i + 1);
        break;
      case 0x3a: // :
        members += 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
    }
  }
  return { members, depth: deepest };
}

/** Index of the quote that closes a string whose first character is at `from`. */
function stringEnd(text: string, from: number): number {
  let end = text.indexOf('"', from);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countMembers(item), 0);
  const items = Object.values(value);
  let sum = items.length;
  for (const item of items) if (typeof item === "object") sum += countMembers(item);
  return sum;
}
