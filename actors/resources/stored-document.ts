/** A document as two texts: what is served of it, and the rest. Nothing is kept twice. */
import type { Document, Fields } from "./document.ts";
import { isSame, type Json } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";
import { resourceOf } from "./served.ts";

export type StoredTexts = { readonly text: string; readonly rest: string };

type Rest = {
  readonly seq: number;
  readonly undoable: number;
  readonly deletedBy?: string;
  /** Hidden ones, and those that are shown with another value. */
  readonly fields?: Fields;
};

/** `shown`: values that readers see in the place of stored ones. */
export function storedTexts(type: ResourceType, document: Document, shown: Fields): StoredTexts {
  const served = resourceOf(type, document, shown);
  const { seq, undoable, deletedBy, fields } = document;
  const others = Object.entries(fields).filter(
    ([name, value]) =>
      type.fields[name] === undefined || type.fields[name].setBy === "hidden" || !isSame(served[name], value),
  );
  const rest: Rest = {
    seq,
    undoable,
    ...(deletedBy === undefined ? {} : { deletedBy }),
    ...(others.length === 0 ? {} : { fields: Object.fromEntries(others) }),
  };
  return { text: JSON.stringify(served), rest: JSON.stringify(rest) };
}

type Served = Readonly<Record<string, Json>> &
  Pick<Document, "id" | "spaceId" | "version" | "creatorId" | "createdAt" | "updatedAt">;

/** The document, and which fields are shown with another value. */
export function storedDocument(type: ResourceType, { text, rest }: StoredTexts): { value: Document; shown: Fields } {
  const served = JSON.parse(text) as Served;
  const { seq, undoable, deletedBy, fields: others = {} } = JSON.parse(rest) as Rest;
  const fields: Record<string, Json> = {};
  const shown: Record<string, Json> = {};
  for (const [name, { setBy }] of Object.entries(type.fields)) {
    const isOther = others[name] !== undefined;
    fields[name] = isOther ? (others[name] as Json) : (served[name] ?? null);
    if (isOther && setBy !== "hidden") shown[name] = served[name] ?? null;
  }
  const { spaceId, id, version, creatorId, createdAt, updatedAt } = served;
  const value: Document = {
    spaceId,
    id,
    type: type.name,
    version,
    seq,
    fields: { ...fields, ...others },
    creatorId,
    createdAt,
    updatedAt,
    ...(deletedBy === undefined ? {} : { deletedBy }),
    undoable,
  };
  return { value, shown };
}
