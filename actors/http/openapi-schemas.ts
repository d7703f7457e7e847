/** Models as the published document has them: JSON Schema alone, named ones once under `components`, and every rule that JSON Schema has a word for. */
import type { TSchema } from "@sinclair/typebox";
import { uuidPattern } from "./validate.ts";

export type Schema = Readonly<Record<string, unknown>>;
export type Schemas = Record<string, unknown>;

/** Members of our models that are no words of JSON Schema. */
const ownWords = ["blank", "orNull", "fault", "note", "published", "$id"];

/** Unicode's White_Space, as `text` counts it: a regular expression's own `\s` is another set. */
const whiteSpace = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const notNul = "[^\\u0000]*";
const withoutNul = `^${notNul}$`;
const notBlank = `^${notNul}[^\\u0000${whiteSpace}]${notNul}$`;

/** The published form of a model. A model with an `$id` is added to `named` and referred to; `published` stands in the place of what only our checks need. */
export function publishedSchema(schema: TSchema, named: Schemas): Schema {
  const { $id, $ref, orNull, note, published } = schema;
  if (typeof $ref === "string") return { $ref: `#/components/schemas/${$ref}` };
  if ($id !== undefined && orNull === true) {
    const { orNull: _orNull, type, ...rest } = schema;
    const [own] = [type].flat();
    return { anyOf: [publishedSchema({ ...rest, type: own } as unknown as TSchema, named), { type: "null" }] };
  }
  if (published !== undefined) return { ...publishedSchema(published, named), description: schema.description };
  if ($id === undefined) return withNote(keywords(schema, named), note);
  const inner = keywords(schema, named);
  const ofUse = "default" in inner ? { default: inner.default } : {};
  const { default: _default, ...model } = inner;
  named[$id] ??= model;
  return withNote({ $ref: `#/components/schemas/${$id}`, ...ofUse }, note);
}

function withNote(schema: Schema, note: unknown): Schema {
  if (typeof note !== "string") return schema;
  return { ...schema, description: [schema.description, note].filter((each) => each !== undefined).join(". ") };
}

function keywords(schema: TSchema, named: Schemas): Schema {
  const inner = Object.fromEntries(
    Object.entries(schema)
      .filter(([word]) => !ownWords.includes(word))
      .map(([word, value]) => [wordOf(word), innerOf(word, value, named)]),
  );
  return choice(nullable(ruled(schema, inner)));
}

/** TypeBox writes a record of any names as a pattern. */
function wordOf(word: string): string {
  return word === "patternProperties" ? "additionalProperties" : word;
}

function innerOf(word: string, value: unknown, named: Schemas): unknown {
  if (word === "examples" || word === "default") return value;
  if (word === "patternProperties") return within(Object.values(value as object)[0], named);
  if (word !== "properties") return within(value, named);
  return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, within(each, named)]));
}

function within(value: unknown, named: Schemas): unknown {
  if (Array.isArray(value)) return value.map((item) => within(item, named));
  return typeof value === "object" && value !== null ? publishedSchema(value as TSchema, named) : value;
}

/** Rules that our checks know by other means. */
function ruled({ blank, maxLength, orNull }: TSchema, inner: Record<string, unknown>): Record<string, unknown> {
  if (inner.format === "uuid") return { ...inner, pattern: uuidPattern.source };
  const isText = maxLength !== undefined && (inner.type === "string" || orNull === true);
  if (!isText || inner.pattern !== undefined || inner.format !== undefined) return inner;
  if (blank !== false) return { ...inner, pattern: withoutNul };
  return { ...inner, pattern: notBlank, description: inner.description ?? "Not only white space" };
}

/** One of some constants is an `enum`. */
function choice(inner: Record<string, unknown>): Record<string, unknown> {
  const { anyOf, ...rest } = inner;
  if (!Array.isArray(anyOf) || anyOf.length === 0) return inner;
  const constants = anyOf.filter((each) => "const" in each);
  const isNullable = anyOf.some((each) => each.type === "null");
  if (constants.length === 0 || constants.length + Number(isNullable) < anyOf.length) return inner;
  const values = constants.map((each) => each.const);
  if (!values.every((each) => typeof each === "string")) return inner;
  return isNullable
    ? { ...rest, type: ["string", "null"], enum: [...values, null] }
    : { ...rest, type: "string", enum: values };
}

/** `null` beside one plain type is a second type. */
function nullable(inner: Record<string, unknown>): Record<string, unknown> {
  const { anyOf, ...rest } = inner;
  if (!Array.isArray(anyOf) || anyOf.length !== 2 || anyOf[1].type !== "null") return inner;
  const [own] = anyOf as [Record<string, unknown>];
  if (typeof own.type !== "string" || "const" in own || own.enum !== undefined || own.$ref !== undefined) return inner;
  return { ...own, ...rest, type: [own.type, "null"] };
}
