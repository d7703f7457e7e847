/** How a body changes fields: a whole resource, or JSON Merge Patch (RFC 7396) with `{ add, remove }` for sets. */
import { defaultOf, type Fields } from "./document.ts";
import type { Draft } from "./draft.ts";
import { type Due, dueFaults, keptDue } from "./due.ts";
import { type Field, isSet, type Json } from "./field.ts";
import { isWritable, type ResourceType } from "./resource-type.ts";

/** The fields of a creation or a replacement: what the body leaves out has its default, but for fields that a replacement keeps. */
export function wholeFields(type: ResourceType, body: Fields, before: Fields | undefined): Record<string, Json> {
  const kind = before === undefined ? "create" : "change";
  return Object.fromEntries(
    Object.entries(type.fields).map(([name, field]) => {
      const isKept = before !== undefined && (!isWritable(field, kind) || field.form.kind === "columns");
      const otherwise = isKept ? (before[name] ?? null) : defaultOf(field);
      return [name, isWritable(field, kind) ? (body[name] ?? otherwise) : otherwise];
    }),
  );
}

/** The fields after a patch; `null` is a field's default. */
export function patchedFields(draft: Draft, type: ResourceType, before: Fields, patch: Fields): Record<string, Json> {
  const fields: Record<string, Json> = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    const field = type.fields[name];
    if (field === undefined || !isWritable(field, "change")) continue;
    fields[name] = value === null ? defaultOf(field) : patchedValue(draft, name, field, before[name] ?? null, value);
  }
  return fields;
}

function patchedValue(draft: Draft, name: string, field: Field, before: Json, value: Json): Json {
  if (field.form.kind === "due") return patchedDue(draft, name, before, value);
  if (isSet(field) && isObject(value)) return patchedSet(draft, name, field, before as readonly string[], value);
  return value;
}

type SetPatch = { readonly add?: readonly string[]; readonly remove?: readonly string[] };

/** What is to be removed goes first, so that an item in both lists moves to the end. */
function patchedSet(
  draft: Draft,
  name: string,
  { form }: Field,
  before: readonly string[],
  patch: SetPatch,
): readonly string[] {
  const { add = [], remove = [] } = patch;
  const after = [...new Set([...before.filter((item) => !remove.includes(item)), ...add])];
  const max = form.kind === "texts" || form.kind === "members" ? form.max : after.length;
  if (after.length > max)
    draft.refuse("invalid-reference", { path: `/${name}`, message: `must have at most ${max} items` });
  return after;
}

/** A merge patch reaches into a `due`; what comes out must be one. */
function patchedDue(draft: Draft, name: string, before: Json, value: Json): Json {
  const merged = Object.fromEntries(
    Object.entries({ ...(before as Due | null), ...(value as object) }).filter(([, each]) => each !== null),
  ) as Record<string, Json>;
  const [fault] = dueFaults(merged);
  if (fault !== undefined) draft.refuse("invalid-reference", { path: `/${name}${fault.path}`, message: fault.message });
  return keptDue(merged as unknown as Due) as unknown as Json;
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
