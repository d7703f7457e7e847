/**
 * Lists from SQLite. A condition that leaves few documents is looked up, and what it leaves is sorted; a word that more documents have, a part at a time;
 * otherwise the index of the sort is walked, a part at a time, until the page is full: no statement looks at more than a bounded number of rows.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import type { Fields } from "../../resources/document.ts";
import { shownStates, wordFields, wordsIn } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { sortColumn } from "../../sqlite/space-tables.ts";
import { compareEnds, firstOf, isBehindEnd } from "../page-order.ts";
import type { ListedResource, PageEnd } from "../ports.ts";
import { isNothing, type ResourceQuery } from "../resource-query.ts";
import {
  type Access,
  type Asked,
  allOf,
  asked,
  type Found,
  ofPlace,
  type Place,
  type Sql,
  sortIndex,
} from "./list-conditions.ts";

/** How much is looked at. */
export type ListBounds = {
  /** A condition that leaves fewer than these is looked up. */
  readonly fewRows: number;
  /** A word that fewer documents have is looked up too, so many of them between two turns. */
  readonly manyRows: number;
  readonly numbersAtOnce: number;
  /** Rows of the sort's index that are looked at between two turns: few at first, since most pages are soon full. */
  readonly rowsAtOnce: number;
  readonly rowsAtOnceMax: number;
  /** The same where each row's text is searched. */
  readonly textsAtOnce: number;
};
const defaultBounds: ListBounds = {
  fewRows: 4_000,
  manyRows: 20_000,
  numbersAtOnce: 1_000,
  rowsAtOnce: 500,
  rowsAtOnceMax: 2_000,
  textsAtOnce: 200,
};
/** Rows of which it is looked whether something else holds of them, at most. */
const scannedMax = 20_000;
const statementsMax = 500;

type Row = { id: Uint8Array; key: string | number | null; text: string };
/** A document's number and its place in the list. */
type Numbered = { readonly number: number; readonly id: Uint8Array; readonly key: Row["key"]; readonly end: PageEnd };
type End = { readonly key: string | number | null; readonly id: Uint8Array };
type Query = {
  readonly query: ResourceQuery;
  readonly spaceId: string;
  readonly place: Place;
  readonly asked: readonly Asked[];
  readonly words: readonly string[];
};

export type SpaceList = (
  query: ResourceQuery,
  numberOf: (spaceId: string) => number | undefined,
) => Generator<void, ListedResource[]>;

export function spaceList(db: DatabaseSync, registry: Registry, bounds: ListBounds = defaultBounds): SpaceList {
  const { fewRows, manyRows, numbersAtOnce, rowsAtOnce, rowsAtOnceMax, textsAtOnce } = bounds;
  const statements = new Map<string, StatementSync>();

  function prepared(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= statementsMax) statements.clear();
      statements.set(sql, (statement = db.prepare(sql)));
    }
    return statement;
  }

  return function* list(query, numberOf) {
    const type = typeNamed(registry, query.type);
    if (isNothing(type, query.conditions)) return [];
    const lists: ListedResource[][] = [];
    for (const spaceId of query.spaceIds) {
      const space = numberOf(spaceId);
      if (space === undefined) continue;
      for (const state of shownStates(type, query.deleted, query.shownThough)) {
        const place = { type, space, state };
        const conditions = query.conditions.map((condition) => asked(condition, place));
        lists.push(yield* found({ query, spaceId, place, asked: conditions, words: wordsAsked(query) }));
        yield;
      }
    }
    return firstOf(query, lists);
  };

  function* found(of: Query): Generator<void, ListedResource[]> {
    const way = shortest(of.asked);
    if (way === "none") return [];
    if (way === undefined) return yield* walked(of);
    return way.numbers === undefined ? gathered(of, way.documents) : yield* ranked(of, way.numbers);
  }

  /** The way to the documents by the condition that leaves the fewest, if they are few, or by a word that not many have; undefined where there is none. */
  function shortest(conditions: readonly Asked[]): Pick<Found, "documents" | "numbers"> | "none" | undefined {
    let least = Number.POSITIVE_INFINITY;
    let best: Pick<Found, "documents" | "numbers"> | undefined;
    for (const { counted, some, among, documents, numbers } of conditions.flatMap(({ accesses }) => accesses)) {
      const max = numbers === undefined ? fewRows : manyRows;
      if (some !== undefined && countUpTo(some, max) === undefined) continue;
      if (among !== undefined && countUpTo(among, scannedMax) === undefined) continue;
      const count = countUpTo(counted, max);
      if (count === 0) return "none";
      if (count === undefined || count >= least) continue;
      least = count;
      best = count < fewRows || numbers === undefined ? { documents } : { documents, numbers };
    }
    return best;
  }

  /** How many rows there are; undefined where they are not fewer than `max`. */
  function countUpTo({ sql, values }: Sql, max: number): number | undefined {
    const { n } = prepared(`SELECT count(*) AS n FROM (SELECT 1 FROM ${sql} LIMIT ${max})`).get(...values) as {
      n: number;
    };
    return n < max ? n : undefined;
  }

  function gathered(of: Query, access: Access): ListedResource[] {
    const { query, words, place } = of;
    const limit = query.limit + 1;
    const isSearched = words.length > 0 && access.isByWords !== true;
    const rows: Row[] = [];
    for (const part of partsOf(of)) {
      if (rows.length >= limit) break;
      const sql = select(of, { ...access, where: allOf(access.where, ...whereOf(of.asked), ...part.where) }, part);
      const values = sql.values;
      if (isSearched)
        for (const row of prepared(sql.sql).iterate(...values)) {
          if (hasWords(place.type, row as Row, words)) rows.push(row as Row);
          if (rows.length >= limit) break;
        }
      else rows.push(...(prepared(`${sql.sql} LIMIT ?`).all(...values, limit - rows.length) as Row[]));
    }
    return rows.map((row) => listed(of.spaceId, row));
  }

  /** Of these documents first the keys, in parts that are sorted each; then texts in the order of all parts together, until the page is full. */
  function* ranked(of: Query, numbers: Sql): Generator<void, ListedResource[]> {
    const { query, spaceId, place, words } = of;
    const limit = query.limit + 1;
    const all = (prepared(numbers.sql).all(...numbers.values) as { number: number }[]).map(({ number }) => number);
    const column = sortColumn(query.sort);
    const items: ListedResource[] = [];
    for (const part of partsOf(of)) {
      const where = allOf(ofPlace(place), ...whereOf(of.asked), ...part.where);
      const runs: Numbered[][] = [];
      for (let from = 0; from < all.length; from += numbersAtOnce) {
        yield;
        const among = JSON.stringify(all.slice(from, from + numbersAtOnce));
        const sql = `SELECT document AS number, id, ${column} AS key FROM documents NOT INDEXED WHERE document IN (SELECT value FROM json_each(?)) AND ${where.sql} ORDER BY ${part.order}`;
        const rows = prepared(sql).all(among, ...where.values) as Omit<Numbered, "end">[];
        runs.push(rows.map((row) => ({ ...row, end: { key: row.key, id: uuidText(row.id), spaceId } })));
      }
      const sql = `SELECT id, ${column} AS key, text FROM documents WHERE document = ? AND ${where.sql}`;
      let looked = 0;
      for (const { number, key } of merged(query, runs)) {
        // It may have changed since the parts were read; one that moved is told where it is now by another page.
        const row = prepared(sql).get(number, ...where.values) as Row | undefined;
        if (row?.key === key && hasWords(place.type, row, words)) items.push(listed(spaceId, row));
        if (items.length >= limit) return items;
        if (++looked % textsAtOnce === 0) yield;
      }
    }
    return items;
  }

  function* walked(of: Query): Generator<void, ListedResource[]> {
    const limit = of.query.limit + 1;
    const rows: Row[] = [];
    for (const part of partsOf(of)) {
      if (rows.length >= limit) break;
      yield* walkPart(of, part, { rows, limit });
    }
    return rows.map((row) => listed(of.spaceId, row));
  }

  function* walkPart(of: Query, part: Part, { rows, limit }: { rows: Row[]; limit: number }): Generator<void, void> {
    const { words, place } = of;
    const from = `documents INDEXED BY ${sortIndex(place.type, of.query.sort)}`;
    const where = whereOf(of.asked);
    const isWhole = where.length === 0 && words.length === 0;
    let atOnce = words.length > 0 ? textsAtOnce : rowsAtOnce;
    let begin = part.where;
    for (;;) {
      const end = isWhole ? undefined : lastOf(of, { from, where: allOf(ofPlace(place), ...begin) }, part, atOnce);
      const to = end === undefined ? [] : [part.until(end)];
      const { sql, values } = select(of, { from, where: allOf(ofPlace(place), ...where, ...begin, ...to) }, part);
      if (words.length === 0) rows.push(...(prepared(`${sql} LIMIT ?`).all(...values, limit - rows.length) as Row[]));
      else
        for (const row of prepared(sql).iterate(...values)) {
          if (hasWords(place.type, row as Row, words)) rows.push(row as Row);
          if (rows.length >= limit) break;
        }
      if (end === undefined || rows.length >= limit) return;
      begin = [...part.kind, part.behind(end)];
      if (words.length === 0) atOnce = Math.min(atOnce * 2, rowsAtOnceMax);
      yield;
    }
  }

  /** Where a part of the walk ends; undefined where it is the last one. */
  function lastOf(of: Query, access: Access, part: Part, atOnce: number): End | undefined {
    const sql = `SELECT id, ${sortColumn(of.query.sort)} AS key FROM ${access.from} WHERE ${access.where.sql} ORDER BY ${part.order} LIMIT 1 OFFSET ?`;
    return prepared(sql).get(...access.where.values, atOnce - 1) as End | undefined;
  }
}

function select({ query }: Query, access: Access, { order }: Part): { sql: string; values: readonly SQLInputValue[] } {
  return {
    sql: `SELECT id, ${sortColumn(query.sort)} AS key, text FROM ${access.from} WHERE ${access.where.sql} ORDER BY ${order}`,
    values: access.where.values,
  };
}

/** Documents with a key, or those without, which are last whichever the direction. */
type Part = {
  readonly kind: readonly Sql[];
  /** With the place where the page begins. */
  readonly where: readonly Sql[];
  readonly order: string;
  behind(end: End): Sql;
  until(end: End): Sql;
};

function partsOf({ query, spaceId, place: { type } }: Query): Part[] {
  const { sort, descending, after } = query;
  const column = sortColumn(sort);
  const direction = descending ? "DESC" : "ASC";
  const [beyond, notBeyond] = descending ? ["<", ">="] : [">", "<="];
  const first = isBehindEnd(query, spaceId) ? `${beyond}=` : beyond;
  const isNullable = type.fields[sort]?.nullable === true;
  const keyed = (operator: string, { key, id }: End): Sql => ({
    sql: `(${column}, id) ${operator} (?, ?)`,
    values: [key, id],
  });
  const byId = (operator: string, { id }: End): Sql => ({ sql: `id ${operator} ?`, values: [id] });
  const end = after === undefined ? undefined : { key: after.key, id: uuidBytes(after.id) };
  const notNull: Sql[] = isNullable ? [{ sql: `${column} IS NOT NULL`, values: [] }] : [];
  const isNull: Sql[] = [{ sql: `${column} IS NULL`, values: [] }];
  const parts: Part[] = [];
  if (end === undefined || end.key !== null)
    parts.push({
      kind: notNull,
      where: [...notNull, ...(end === undefined ? [] : [keyed(first, end)])],
      order: `${column} ${direction}, id ${direction}`,
      behind: (each) => keyed(beyond, each),
      until: (each) => keyed(notBeyond, each),
    });
  if (isNullable)
    parts.push({
      kind: isNull,
      where: [...isNull, ...(end?.key === null ? [byId(first, end)] : [])],
      order: `id ${direction}`,
      behind: (each) => byId(beyond, each),
      until: (each) => byId(notBeyond, each),
    });
  return parts;
}

/** What is in several runs, each in the query's order, in that order. */
function* merged(query: ResourceQuery, runs: readonly (readonly Numbered[])[]): Generator<Numbered> {
  const at = runs.map(() => 0);
  for (;;) {
    let first = -1;
    let least: Numbered | undefined;
    for (const [run, rows] of runs.entries()) {
      const next = rows[at[run] as number];
      if (next === undefined || (least !== undefined && compareEnds(query, next.end, least.end) >= 0)) continue;
      [first, least] = [run, next];
    }
    if (least === undefined) return;
    at[first] = (at[first] as number) + 1;
    yield least;
  }
}

function whereOf(conditions: readonly Asked[]): Sql[] {
  return conditions.flatMap(({ where }) => where ?? []);
}

function listed(spaceId: string, { id, key, text }: Row): ListedResource {
  return { spaceId, text, end: { key, id: uuidText(id), spaceId } };
}

function wordsAsked({ conditions }: ResourceQuery): readonly string[] {
  return conditions.flatMap((condition) => (condition.kind === "words" ? condition.words : []));
}

function hasWords(type: ResourceType, { text }: Row, words: readonly string[]): boolean {
  const has = wordsIn(wordFields(type), JSON.parse(text) as Fields);
  return words.every((word) => has.some((each) => each.startsWith(word)));
}
