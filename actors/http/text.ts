/** A string schema whose bounds count code points and which refuses NUL and lone surrogates (JSON Schema's own way to count; TypeBox counts UTF-16 units). */
import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

export type TextBounds = {
  minLength?: number;
  maxLength: number;
  /** false: not only white space (Unicode's White_Space) */
  blank?: boolean;
  /** A further rule: the fault of a string within the bounds, or undefined. */
  fault?: (value: string) => string | undefined;
};
export type TText = TSchema & { static: string } & TextBounds;

const blank = /^\p{White_Space}*$/u;

/** The fault of a string against its bounds, or undefined. */
export function textFault(value: unknown, bounds: TextBounds): string | undefined {
  if (typeof value !== "string") return "must be a string";
  if (!value.isWellFormed()) return "must be well-formed Unicode";
  if (value.includes("\0")) return "must not contain NUL";
  const { minLength = 0, maxLength } = bounds;
  let length = value.length;
  // Only a string near a bound needs its code points counted: UTF-16 units are never fewer, and at most twice as many.
  if (length > maxLength || length < minLength * 2) {
    length = 0;
    for (const _ of value) length += 1;
  }
  if (length < minLength) return `must have at least ${minLength} character${minLength === 1 ? "" : "s"}`;
  if (length > maxLength) return `must have at most ${maxLength} characters`;
  if (bounds.blank === false && blank.test(value)) return "must not be only white space";
  return bounds.fault?.(value);
}

TypeRegistry.Set<TextBounds>("Text", (schema, value) => textFault(value, schema) === undefined);

export function text(bounds: TextBounds): TText {
  return { [Kind]: "Text", type: "string", ...bounds } as unknown as TText;
}

export type TextsBounds = { items: TextBounds; maxItems: number };
export type TTexts = TSchema & { static: string[] } & TextsBounds;

/** The faults of a list of different texts; paths are JSON pointers from the list on. */
export function textsFaults(value: unknown, { items, maxItems }: TextsBounds): { path: string; message: string }[] {
  if (!Array.isArray(value)) return [{ path: "", message: "must be an array" }];
  const faults: { path: string; message: string }[] = [];
  if (value.length > maxItems) faults.push({ path: "", message: `must have at most ${maxItems} items` });
  if (new Set(value).size < value.length) faults.push({ path: "", message: "must not repeat an item" });
  for (const [index, each] of value.entries()) {
    const message = textFault(each, items);
    if (message !== undefined) faults.push({ path: `/${index}`, message });
  }
  return faults;
}

TypeRegistry.Set<TextsBounds>("Texts", (schema, value) => textsFaults(value, schema).length === 0);

/** A list of different texts. TypeBox's own `uniqueItems` hashes each item with big integers, which costs more than all other checks of a task. */
export function texts(items: TextBounds, { maxItems }: { maxItems: number }): TTexts {
  return { [Kind]: "Texts", type: "array", items: text(items), maxItems, uniqueItems: true } as unknown as TTexts;
}
