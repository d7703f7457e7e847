/** A string schema whose bounds count code points and which refuses NUL and lone surrogates (JSON Schema's own way to count; TypeBox counts UTF-16 units). */
import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";
import { counted } from "../model/counted.ts";

export type TextBounds = {
  minLength?: number;
  maxLength: number;
  /** false: not only white space (Unicode's White_Space) */
  blank?: boolean;
  /** For the published schema alone: what the further rule comes to, or nearly. */
  format?: string;
  /** true: `null` is taken as well */
  orNull?: boolean;
  /** A further rule: the fault of a string within the bounds, or undefined. */
  fault?: (value: string) => string | undefined;
};
export type TText = TSchema & { static: string } & TextBounds;

const blank = /^\p{White_Space}*$/u;

/** Every fault of a string against its bounds. What is no text has no length, and only what is within the bounds is asked for the further rule. */
export function textFaults(value: unknown, bounds: TextBounds): string[] {
  if (value === null && bounds.orNull === true) return [];
  if (typeof value !== "string") return [`must be a string${bounds.orNull === true ? " or null" : ""}`];
  const { minLength = 0, maxLength } = bounds;
  const faults: string[] = [];
  if (!value.isWellFormed()) faults.push("must be well-formed Unicode");
  if (value.includes("\0")) faults.push("must not contain NUL");
  let length = value.length;
  // Only a string near a bound needs its code points counted: UTF-16 units are never fewer, and at most twice as many.
  if (length > maxLength || length < minLength * 2) {
    length = 0;
    for (const _ of value) length += 1;
  }
  if (length < minLength) faults.push(`must have at least ${counted(minLength, "character")}`);
  else if (bounds.blank === false && blank.test(value)) faults.push("must not be only white space");
  if (length > maxLength) faults.push(`must have at most ${maxLength} characters`);
  const further = faults.length === 0 ? bounds.fault?.(value) : undefined;
  return further === undefined ? faults : [further];
}

TypeRegistry.Set<TextBounds>("Text", (schema, value) => textFaults(value, schema).length === 0);

export function text(bounds: TextBounds): TText {
  return { [Kind]: "Text", type: "string", ...bounds } as unknown as TText;
}

export type TextsBounds = { items: TextBounds; maxItems: number; orNull?: boolean };
export type TTexts = TSchema & { static: string[] } & TextsBounds;

/** The faults of a list of different texts; paths are JSON pointers from the list on. */
export function textsFaults(value: unknown, bounds: TextsBounds): { path: string; message: string }[] {
  const { items, maxItems, orNull: takesNull = false } = bounds;
  if (value === null && takesNull) return [];
  if (!Array.isArray(value)) return [{ path: "", message: `must be an array${takesNull ? " or null" : ""}` }];
  const faults: { path: string; message: string }[] = [];
  if (value.length > maxItems) faults.push({ path: "", message: `must have at most ${maxItems} items` });
  if (value.length > 1 && new Set(value.map(inFormC)).size < value.length)
    faults.push({ path: "", message: "must not repeat an item" });
  for (const [index, each] of value.entries())
    for (const message of textFaults(each, items)) faults.push({ path: `/${index}`, message });
  return faults;
}

/** Two texts that Unicode takes for the same are one item. */
function inFormC(item: unknown): unknown {
  return typeof item === "string" ? item.normalize("NFC") : item;
}

TypeRegistry.Set<TextsBounds>("Texts", (schema, value) => textsFaults(value, schema).length === 0);

/** A list of different texts. TypeBox's own `uniqueItems` hashes each item with big integers, which costs more than all other checks of a task. */
export function texts(items: TextBounds, { maxItems }: { maxItems: number }): TTexts {
  return { [Kind]: "Texts", type: "array", items: text(items), maxItems, uniqueItems: true } as unknown as TTexts;
}

/** The same text or list of texts, or `null`. */
export function orNull(schema: TSchema): TSchema {
  return { ...schema, type: [schema.type, "null"], orNull: true };
}
