/** JSON Merge Patch (RFC 7396) over fields with defaults: `null` sets a field to its default, and is a fault where it has none. */
import { Kind, type TSchema, Type as t } from "@sinclair/typebox";
import { orNull } from "./text.ts";

type Fields = Readonly<Record<string, TSchema>>;
type Defaults = Readonly<Record<string, unknown>>;

/** Each field as a patch takes it: not required, and `null` too where it has a default. */
export function patchFields<F extends Fields>(fields: F, defaults: Defaults): F {
  return Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [
      name,
      t.Optional(Object.hasOwn(defaults, name) ? nullable(schema, defaults[name]) : schema),
    ]),
  ) as unknown as F;
}

/** The patch with each `null` replaced by the field's default. */
export function withDefaults<Patch extends object>(patch: Patch, defaults: Defaults): Patch {
  const nulls = Object.entries(patch).filter(([, value]) => value === null);
  if (nulls.length === 0) return patch;
  return { ...patch, ...Object.fromEntries(nulls.map(([name]) => [name, defaults[name]])) };
}

function nullable(schema: TSchema, byDefault: unknown): TSchema {
  const description = [schema.description, `\`null\` sets the default: \`${JSON.stringify(byDefault)}\``]
    .filter((each) => each !== undefined)
    .join(". ");
  if (schema[Kind] === "Text" || schema[Kind] === "Texts") return { ...orNull(schema), description };
  const choices: TSchema[] = schema.anyOf ?? [schema];
  const hasNull = choices.some(({ type }) => type === "null");
  return t.Union(hasNull ? choices : [...choices, t.Null()], { description });
}
