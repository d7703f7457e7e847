/** What a list asks for, as SQL over `documents`, and how those that a condition leaves are found without looking at all. */
import type { SQLInputValue } from "node:sqlite";
import { uuidBytes } from "../model/uuid-bytes.ts";
import type { Field } from "../resources/field.ts";
import { askedValue } from "../resources/listing.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import {
  columnOf,
  filterIndex,
  indexOf,
  itemsOf,
  localColumnOf,
  sortColumn,
  sqlValue,
} from "../sqlite/space-tables.ts";
import { matching } from "../sqlite/space-terms.ts";
import type { DueSpans, Span } from "./due-bounds.ts";
import type { Condition } from "./resource-query.ts";

export type Sql = { readonly sql: string; readonly values: readonly SQLInputValue[] };

/** Some of a space's documents of one state: `from` names the table with its index, and `where` holds for all that are found there. */
export type Access = {
  readonly from: string;
  readonly where: Sql;
  /** They have all words that are asked for. */
  readonly isByWords?: true;
};

/** One or more things that are asked of a document. */
export type Asked = {
  /** Undefined: no SQL tells; words are looked for in the text. */
  readonly where: Sql | undefined;
  /** Where an index finds those that are asked for: rows to be counted, and the way to the documents. */
  readonly access?: { readonly counted: Sql; readonly documents: Access };
};

export type Place = { readonly type: ResourceType; readonly space: number; readonly state: number };

export function ofPlace({ type, space, state }: Place): Sql {
  return { sql: `type = '${type.name}' AND space = ? AND state = ?`, values: [space, state] };
}

export function allOf(...conditions: readonly Sql[]): Sql {
  return {
    sql: conditions.map(({ sql }) => sql).join(" AND "),
    values: conditions.flatMap(({ values }) => values),
  };
}

/** */
export function asked(condition: Condition, place: Place): Asked {
  const { type, space, state } = place;
  switch (condition.kind) {
    case "ids": {
      const where = { sql: `id IN (${marks(condition.ids)})`, values: condition.ids.map(uuidBytes) };
      return byIndex("documents_by_id", where, place);
    }
    case "any":
    case "all":
      return isItems(type, condition.field) ? askedOfSet(condition, place) : askedOfField(condition, place);
    case "words": {
      const match: Sql = { sql: "terms WHERE terms MATCH ?", values: [matching(space, condition.words)] };
      const { counted, documents } = byRows(match, "rowid", place);
      return { where: undefined, access: { counted, documents: { ...documents, isByWords: true } } };
    }
    case "before":
    case "after": {
      const where = {
        sql: `${sortColumn(condition.field)} ${condition.kind === "before" ? "<" : ">"} ?`,
        values: [condition.ms],
      };
      return byIndex(filterIndex(type, condition.field)?.name, where, place);
    }
    case "due": {
      const { coarse, exact } = dueConditions(condition.field, condition.spans);
      const { where, access } = byIndex(filterIndex(type, condition.field)?.name, coarse, { type, space, state });
      return { where: where === undefined ? exact : allOf(where, exact), ...(access === undefined ? {} : { access }) };
    }
  }
}

function isItems({ fields }: ResourceType, name: string): boolean {
  const kind = fields[name]?.form.kind;
  return kind === "texts" || kind === "members";
}

function byIndex(index: string | undefined, where: Sql, place: Place): Asked {
  if (index === undefined) return { where };
  const from = `documents INDEXED BY ${index}`;
  const found = allOf(ofPlace(place), where);
  return {
    where,
    access: { counted: { sql: `${from} WHERE ${found.sql}`, values: found.values }, documents: { from, where: found } },
  };
}

/** By another table whose rows name documents. */
function byRows(rows: Sql, column: string, place: Place): NonNullable<Asked["access"]> {
  const among: Sql = { sql: `document IN (SELECT ${column} FROM ${rows.sql})`, values: rows.values };
  // Without an index of the list: the rows are the way to the documents.
  return { counted: rows, documents: { from: "documents NOT INDEXED", where: allOf(ofPlace(place), among) } };
}

function askedOfField(condition: Extract<Condition, { kind: "any" | "all" }>, place: Place): Asked {
  const { type } = place;
  const field = type.fields[condition.field] as Field;
  const column = columnOf(condition.field);
  const values = condition.values.flatMap((value) => (value === null ? [] : sqlValue(field, askedValue(field, value))));
  const parts = [
    ...(values.length > 0 ? [`${column} IN (${marks(values)})`] : []),
    ...(condition.values.length > values.length ? [`${column} IS NULL`] : []),
  ];
  const index = filterIndex(type, condition.field);
  const isFound = index !== undefined && !(index.isPartial && condition.values.length > values.length);
  // An index of those with a value is taken only where the query says that there is one.
  const some = index?.isPartial === true ? ` AND ${column} IS NOT NULL` : "";
  const sql = parts.length === 1 ? `${parts[0]}${isFound ? some : ""}` : `(${parts.join(" OR ")})`;
  return byIndex(isFound ? index.name : undefined, { sql, values }, place);
}

function askedOfSet(condition: Extract<Condition, { kind: "any" | "all" }>, place: Place): Asked {
  const { type, space, state } = place;
  const field = itemsOf(type, condition.field);
  const items = condition.values.map((value) => value ?? "");
  const groups = condition.kind === "any" ? [items] : items.map((item) => [item]);
  const having = (some: readonly string[]): Sql => ({
    sql: `items WHERE space = ? AND field = ? AND item IN (${marks(some)})`,
    values: [space, field, ...some],
  });
  const each = groups.map((some): Sql => {
    const { sql, values } = having(some);
    return { sql: `EXISTS (SELECT 1 FROM ${sql} AND document = documents.document)`, values };
  });
  const [first = []] = groups;
  const rows = allOf(having(first), { sql: "state = ?", values: [state] });
  return { where: allOf(...each), access: byRows(rows, "document", place) };
}

/** `coarse`: one range of the column, of which `exact` leaves those that are meant. */
function dueConditions(name: string, { instants, local }: DueSpans): { coarse: Sql; exact: Sql } {
  const column = columnOf(name);
  const isLocal = localColumnOf(name);
  const spans = [instants, ...local];
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.max(...spans.map((span) => span.to));
  const of = (span: Span): Sql => within(column, span);
  const locals = local.map(of);
  const anyLocal = locals.length === 0 ? "0" : locals.map(({ sql }) => sql).join(" OR ");
  const instant = of(instants);
  return {
    coarse: within(column, { from, to }),
    exact: {
      sql: `((${isLocal} = 0 AND ${instant.sql}) OR (${isLocal} = 1 AND (${anyLocal})))`,
      values: [...instant.values, ...locals.flatMap(({ values }) => values)],
    },
  };
}

/** Also says that there is a value. */
function within(column: string, { from, to }: Span): Sql {
  const bounds: [string, number][] = [
    [`${column} >= ?`, from],
    [`${column} < ?`, to],
  ];
  const finite = bounds.filter(([, bound]) => Number.isFinite(bound));
  if (finite.length === 0) return { sql: `${column} IS NOT NULL`, values: [] };
  return { sql: finite.map(([sql]) => sql).join(" AND "), values: finite.map(([, bound]) => bound) };
}

function marks(values: readonly unknown[]): string {
  return values.map(() => "?").join(", ");
}

/** The index that has the order of a sort. */
export function sortIndex(type: ResourceType, sort: string): string {
  return indexOf(type, sort);
}
