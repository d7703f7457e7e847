/**
 * Facts, documents and heads of spaces in SQLite. Ids are the 16 bytes of the UUID, and a space has a number of its own: narrow keys are what makes the
 * indexes affordable. The columns that lists are sorted and filtered by, and their indexes, follow from the types of resources.
 */

import { uuidBytes } from "../model/uuid-bytes.ts";
import type { Field, Json } from "../resources/field.ts";
import { listFields, listValue } from "../resources/listing.ts";
import type { Registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { termsTable } from "./space-terms.ts";

export type SqlValue = null | number | string | Uint8Array;

export const spacesFileName = "tasks.db";
/** "TASK" in ASCII, so that the file tells whose it is. */
export const spacesApplicationId = 0x5441534b;
/** Raised by every change of the tables. */
export const spacesSchemaVersion = 4;

/**
 * `facts.seq` is null where nothing changed, and `expire_at` is set where the fact goes after a time. `changes` finds the changes of a resource: `place` is
 * that in the fact. `items` are the values of sets (an empty text: the set is empty), `store` has one row.
 */
const core = `
CREATE TABLE store (epoch TEXT NOT NULL, position INTEGER NOT NULL);
INSERT INTO store (epoch, position)
  SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-' || substr(h, 21, 12), -1
  FROM (SELECT lower(hex(randomblob(16))) AS h);
CREATE TABLE spaces (space INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE heads (space INTEGER PRIMARY KEY, position INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE facts (
  fact INTEGER PRIMARY KEY, space INTEGER NOT NULL, operation BLOB NOT NULL, seq INTEGER, expire_at INTEGER, json TEXT NOT NULL,
  UNIQUE (space, operation)
);
CREATE UNIQUE INDEX facts_by_seq ON facts (space, seq) WHERE seq IS NOT NULL;
CREATE INDEX facts_by_expiry ON facts (expire_at) WHERE expire_at IS NOT NULL;
CREATE TABLE changes (
  space INTEGER NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL, fact INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (space, id, version)
) WITHOUT ROWID;
CREATE TABLE items (
  space INTEGER NOT NULL, field TEXT NOT NULL, item ANY NOT NULL, document INTEGER NOT NULL, state INTEGER NOT NULL, PRIMARY KEY (space, field, item, document)
) STRICT, WITHOUT ROWID;
${termsTable}
CREATE TABLE erased (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE blanking (space INTEGER PRIMARY KEY, fact INTEGER NOT NULL);
`;

/** Field columns of all types: types that have a field of the same name share its column. */
export function listColumns(registry: Registry): string[] {
  return [...new Set([...registry.values()].flatMap((type) => listFields(type).map(([name]) => name)))];
}

export function columnOf(name: string): string {
  return `"field_${name}"`;
}

/** Beside the column of a `due`: whether it depends on the zone of its reader. */
export function localColumnOf(name: string): string {
  return `"local_${name}"`;
}

export function dueColumns(registry: Registry): string[] {
  const dues = [...registry.values()].flatMap((type) => listFields(type).filter(([, { form }]) => form.kind === "due"));
  return [...new Set(dues.map(([name]) => name))];
}

/** How a set's items are named in `items`. */
export function itemsOf(type: ResourceType, name: string): string {
  return `${type.plural}.${name}`;
}

export function sqlValue({ form }: Field, value: number | string | null): SqlValue {
  return form.kind === "reference" && typeof value === "string" ? uuidBytes(value) : value;
}

/** The value by which a list is sorted or filtered. */
export function columnValue(field: Field, value: Json): SqlValue {
  return sqlValue(field, listValue(field, value));
}

/** The column and the index by which lists are sorted by `sort`: `createdAt`, `updatedAt` or a field. */
export function sortColumn(sort: string): string {
  return sort === "createdAt" ? "created_at" : sort === "updatedAt" ? "updated_at" : columnOf(sort);
}

export function indexOf(type: ResourceType, name: string): string {
  return `"${type.plural}_by_${name}"`;
}

/** All tables and indexes. Each index holds the documents of one type only. */
export function spaceTables(registry: Registry): string {
  const columns = [
    ...listColumns(registry).map((name) => `, ${columnOf(name)}`),
    ...dueColumns(registry).map((name) => `, ${localColumnOf(name)} INTEGER`),
  ];
  // `user`: of a member. `state`: see listing.ts. `text` is what is served, `rest` what of the document is not in it.
  const documents = `
CREATE TABLE documents (
  document INTEGER PRIMARY KEY, space INTEGER NOT NULL, id BLOB NOT NULL, type TEXT NOT NULL, user BLOB, version INTEGER NOT NULL, state INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, text TEXT NOT NULL, rest TEXT NOT NULL${columns.join("")}
);
CREATE UNIQUE INDEX documents_by_id ON documents (space, id);`;
  return [core, documents, ...[...registry.values()].flatMap(indexesOf)].join("\n");
}

/** The index that finds a filter's resources: which columns stand before the state, and whether it lacks those without a value. */
export type FilterIndex = { readonly name: string; readonly isPartial: boolean };

/** By which index the resources are found whose field has some value. */
export function filterIndex(type: ResourceType, name: string): FilterIndex | undefined {
  if (name === "updatedAt" || name === "createdAt") return { name: indexOf(type, name), isPartial: false };
  const field = listFields(type).find(([each]) => each === name)?.[1];
  if (field === undefined) return undefined;
  if (field.sortable === true || field.form.kind === "choice" || field.form.kind === "flag")
    return { name: indexOf(type, name), isPartial: false };
  return { name: indexOf(type, name), isPartial: !isAskedForNone(type, name) };
}

function isAskedForNone(type: ResourceType, name: string): boolean {
  return Object.values(type.filters ?? {}).some(
    (filter) => filter.kind === "any" && filter.field === name && filter.orNone === true,
  );
}

function indexesOf(type: ResourceType): string[] {
  const index = (name: string, columns: string, where = "") =>
    `CREATE INDEX ${indexOf(type, name)} ON documents (space, ${columns}) WHERE type = '${type.name}'${where};`;
  const indexes = listFields(type).map(([name, { sortable, form }]) => {
    const column = columnOf(name);
    if (sortable === true) return index(name, `state, ${column}, id`);
    if (form.kind === "choice" || form.kind === "flag") return index(name, `state, ${column}`);
    const where = filterIndex(type, name)?.isPartial === true ? ` AND ${column} IS NOT NULL` : "";
    if (form.kind === "reference" || form.kind === "text")
      return index(name, `${column}, state, created_at, id`, where);
    return index(name, `state, ${column}`, where);
  });
  const isSorted = Object.values(type.fields).some(({ sortable }) => sortable === true);
  const isMember = type.name === "member";
  return [
    index("createdAt", "state, created_at, id"),
    ...(isSorted ? [index("updatedAt", "state, updated_at, id")] : []),
    ...indexes,
    ...(isMember
      ? ["CREATE INDEX members_by_user ON documents (user, space) WHERE user IS NOT NULL AND state = 0;"]
      : []),
  ];
}
