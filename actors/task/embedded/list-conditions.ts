/** What a list asks for, as SQL over `documents`, and how those that a condition leaves are found without looking at all. */
import type { SQLInputValue } from "node:sqlite";
import { uuidBytes } from "../../model/uuid-bytes.ts";
import type { Field } from "../../resources/field.ts";
import { askedValue } from "../../resources/listing.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import {
  columnOf,
  filterIndex,
  indexOf,
  itemsOf,
  localColumnOf,
  sortColumn,
  sqlValue,
} from "../../sqlite/space-tables.ts";
import { matching, matchingWhole } from "../../sqlite/space-terms.ts";
import type { DueSpans, Span } from "../due-bounds.ts";
import type { Condition } from "../resource-query.ts";

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
  readonly accesses: readonly Found[];
};

/** A way to the documents by what some index finds: where its rows are few. */
export type Found = {
  readonly counted: Sql;
  /** A part of the counted rows that is counted sooner: where these are too many, all are. */
  readonly some?: Sql;
  /** Rows of which the counted ones are a part: where there are too many of them, counting would take too long. */
  readonly among?: Sql;
  readonly documents: Access;
  /** The counted rows as numbers of documents, of all states, where they may be more than few: those of a word. */
  readonly numbers?: Sql;
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
    case "words":
      return { where: undefined, accesses: condition.words.map((word) => byWord(word, condition.words, place)) };
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
      const { accesses } = byIndex(filterIndex(type, condition.field)?.name, coarse, { type, space, state });
      return { where: allOf(coarse, exact), accesses };
    }
  }
}

function isItems({ fields }: ResourceType, name: string): boolean {
  const kind = fields[name]?.form.kind;
  return kind === "texts" || kind === "members";
}

function byIndex(index: string | undefined, where: Sql, place: Place): Asked {
  if (index === undefined) return { where, accesses: [] };
  const from = `documents INDEXED BY ${index}`;
  const found = allOf(ofPlace(place), where);
  return {
    where,
    accesses: [
      { counted: { sql: `${from} WHERE ${found.sql}`, values: found.values }, documents: { from, where: found } },
    ],
  };
}

/** By another table whose rows name documents. */
function byRows(rows: Sql, column: string, place: Place): Found {
  const among: Sql = { sql: `document IN (SELECT ${column} FROM ${rows.sql})`, values: rows.values };
  // Without an index of the list: the rows are the way to the documents.
  return { counted: rows, documents: { from: "documents NOT INDEXED", where: allOf(ofPlace(place), among) } };
}

/** Many documents with the very word are found sooner than all words that begin so. */
function byWord(word: string, words: readonly string[], place: Place): Found {
  const matches = (expression: string): Sql => ({ sql: "terms WHERE terms MATCH ?", values: [expression] });
  const { counted, documents } = byRows(matches(matching(place.space, [word])), "rowid", place);
  const some = matches(matchingWhole(place.space, [word]));
  const numbers = { sql: `SELECT rowid AS number FROM ${counted.sql}`, values: counted.values };
  return { counted, some, numbers, documents: words.length > 1 ? documents : { ...documents, isByWords: true } };
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
  const having = (table: string, some: readonly string[]): Sql => ({
    sql: `items AS ${table} WHERE ${table}.space = ? AND ${table}.field = ? AND ${table}.item IN (${marks(some)})`,
    values: [space, field, ...some],
  });
  const existing = (some: readonly string[], document: string): Sql => {
    const { sql, values } = having("other", some);
    return { sql: `EXISTS (SELECT 1 FROM ${sql} AND other.document = ${document})`, values };
  };
  const each = groups.map((some) => existing(some, "documents.document"));
  const accesses = groups.map((some): Found => {
    const among = allOf(having("own", some), { sql: "own.state = ?", values: [state] });
    const others = groups.filter((other) => other !== some).map((other) => existing(other, "own.document"));
    return { ...byRows(allOf(among, ...others), "document", place), ...(others.length === 0 ? {} : { among }) };
  });
  return { where: allOf(...each), accesses };
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
