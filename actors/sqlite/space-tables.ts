/**
 * Facts, documents and heads of spaces in SQLite. Ids are the 16 bytes of the UUID, and a space has a number of its own: narrow keys are what makes the
 * indexes affordable. The columns that lists are sorted and filtered by, and their indexes, follow from the types of resources.
 */

import { uuidBytes } from "../model/uuid-bytes.ts";
import { fold } from "../model/words.ts";
import { type Due, instantOfDue } from "../resources/due.ts";
import type { Field, Json } from "../resources/field.ts";
import type { Registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";

export type SqlValue = null | number | string | Uint8Array;

/** `seq` is null where nothing changed; a document's row number is its own for ever. */
const core = `
CREATE TABLE spaces (space INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE heads (space INTEGER PRIMARY KEY, position INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE facts (
  fact INTEGER PRIMARY KEY, space INTEGER NOT NULL, operation BLOB NOT NULL, seq INTEGER, json TEXT NOT NULL, UNIQUE (space, operation)
);
CREATE UNIQUE INDEX facts_by_seq ON facts (space, seq) WHERE seq IS NOT NULL;
`;

/** Field columns of all types: types that have a field of the same name share its column. */
export function listColumns(registry: Registry): string[] {
  return [...new Set([...registry.values()].flatMap((type) => listFields(type).map(([name]) => name)))];
}

/** What lists are sorted by, and what they are filtered by: choices and references. */
export function listFields({ fields }: ResourceType): [string, Field][] {
  return Object.entries(fields).filter(
    ([, { sortable, setBy, form }]) =>
      setBy !== "hidden" && (sortable === true || form.kind === "choice" || form.kind === "reference"),
  );
}

export function columnOf(name: string): string {
  return `"field_${name}"`;
}

/** The value by which a list is sorted or filtered. */
export function listValue({ form, setBy }: Field, value: Json): SqlValue {
  if (value === null) return null;
  switch (form.kind) {
    case "choice":
      return form.ranked ? form.values.indexOf(value as string) : (value as string);
    case "flag":
      return Number(value);
    case "instant":
      return Date.parse(value as string);
    case "reference":
      return uuidBytes(value as string);
    case "due":
      return dueMs(value as unknown as Due);
    case "text":
      // Texts of the writer, as ranks are, compare by their bytes.
      return setBy === "client" ? fold(value as string) : (value as string);
    default:
      return value as number | string;
  }
}

/** A whole day is due at its end; without a zone a time counts as UTC. */
function dueMs(due: Due): number | null {
  const instant = instantOfDue({ ...due, time: due.time ?? "23:59:59.999", timeZone: due.timeZone ?? "UTC" });
  return instant === null ? null : Date.parse(instant);
}

/** All tables and indexes. Each index holds the documents of one type only. */
export function spaceTables(registry: Registry): string {
  const columns = listColumns(registry).map((name) => `, ${columnOf(name)}`);
  const documents = `
CREATE TABLE documents (
  document INTEGER PRIMARY KEY, space INTEGER NOT NULL, id BLOB NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, json TEXT NOT NULL${columns.join("")}, UNIQUE (space, id)
);`;
  return [core, documents, ...[...registry.values()].flatMap(indexesOf)].join("\n");
}

function indexesOf(type: ResourceType): string[] {
  const sortable = Object.entries(type.fields).filter(([, { sortable: is }]) => is === true);
  const index = (name: string, columns: string, where = "") =>
    `CREATE INDEX "${type.plural}_by_${name}" ON documents (space, deleted, ${columns}) WHERE type = '${type.name}'${where};`;
  return [
    index("created", "created_at, id"),
    ...(sortable.length > 0 ? [index("updated", "updated_at, id")] : []),
    ...sortable.map(([name]) => index(name, `${columnOf(name)}, id`)),
    ...Object.entries(type.fields)
      .filter(([, { form }]) => form.kind === "reference")
      .map(([name]) => index(name, `${columnOf(name)}, created_at, id`, ` AND ${columnOf(name)} IS NOT NULL`)),
  ];
}
