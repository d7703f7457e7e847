/** Whether what a resource refers to is there. */
import type { Document, Fields } from "./document.ts";
import { type Draft, livingDocument } from "./draft.ts";
import type { Field, Json } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";

export type DeadReference = { readonly path: string; readonly message: string };

/** The first reference of `fields` that is new and does not hold. What was referred to before may have gone since: it is not looked at. */
export function deadReference(
  draft: Draft,
  type: ResourceType,
  before: Document | undefined,
  fields: Fields,
  body: Fields = {},
): DeadReference | undefined {
  for (const [name, field] of Object.entries(type.fields)) {
    const value = fields[name] ?? null;
    const earlier = before?.fields[name] ?? null;
    const dead = deadReferenceOf(draft, field, value, earlier);
    if (dead !== undefined) return { path: `/${name}${pathOf(dead.item, body[name])}`, message: dead.message };
  }
  return undefined;
}

function deadReferenceOf(
  draft: Draft,
  { form }: Field,
  value: Json,
  earlier: Json,
): { item?: string; message: string } | undefined {
  if (form.kind === "reference") {
    if (typeof value !== "string" || value === earlier || livingDocument(draft, value, form.to) !== undefined)
      return undefined;
    return { message: `must be the id of a ${form.to} of this space` };
  }
  if (form.kind !== "members") return undefined;
  const known = new Set([...((earlier ?? []) as readonly string[]), ...draft.head.members.map(({ userId }) => userId)]);
  const item = ((value ?? []) as readonly string[]).find((id) => !known.has(id));
  return item === undefined ? undefined : { item, message: "must be the user id of a member of this space" };
}

/** Where in the body an item of a set stands: in the list, or in what is added to it. */
function pathOf(item: string | undefined, given: Json | undefined): string {
  if (item === undefined || given === undefined || given === null) return "";
  if (Array.isArray(given)) return `/${given.indexOf(item)}`;
  return `/add/${(given as { readonly add: readonly string[] }).add.indexOf(item)}`;
}
