/**
 * Lists from SQLite. A condition that leaves few documents is looked up, and what it leaves is sorted; otherwise the index of the sort is walked, a part at
 * a time, until the page is full: no statement looks at more than a bounded number of rows.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import type { Fields } from "../../resources/document.ts";
import { shownStates, wordFields, wordsIn } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { sortColumn } from "../../sqlite/space-tables.ts";
import { firstOf, isBehindEnd } from "../page-order.ts";
import type { ListedResource } from "../ports.ts";
import { isNothing, type ResourceQuery } from "../resource-query.ts";
import { type Access, type Asked, allOf, asked, ofPlace, type Place, type Sql, sortIndex } from "./list-conditions.ts";

/** How much is looked at. */
export type ListBounds = {
  /** A condition that leaves fewer than these is looked up. */
  readonly fewRows: number;
  /** Rows of the sort's index that are looked at between two turns: few at first, since most pages are soon full. */
  readonly rowsAtOnce: number;
  readonly rowsAtOnceMax: number;
  /** The same where each row's text is searched. */
  readonly textsAtOnce: number;
};
const defaultBounds: ListBounds = { fewRows: 4_000, rowsAtOnce: 500, rowsAtOnceMax: 2_000, textsAtOnce: 200 };
/** Rows of which it is looked whether something else holds of them, at most. */
const scannedMax = 20_000;
const statementsMax = 500;

type Row = { id: Uint8Array; key: string | number | null; text: string };
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
  const { fewRows, rowsAtOnce, rowsAtOnceMax, textsAtOnce } = bounds;
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
    const few = fewest(of.asked);
    if (few === "none") return [];
    return few === undefined ? yield* walked(of) : gathered(of, few);
  }

  /** The way to the documents by the condition that leaves the fewest, if they are few. */
  function fewest(conditions: readonly Asked[]): Access | "none" | undefined {
    let least = fewRows;
    let best: Access | undefined;
    for (const { counted, some, among, documents } of conditions.flatMap(({ accesses }) => accesses)) {
      if (some !== undefined && countUpTo(some, fewRows) === undefined) continue;
      if (among !== undefined && countUpTo(among, scannedMax) === undefined) continue;
      const count = countUpTo(counted, fewRows);
      if (count === 0) return "none";
      if (count !== undefined && count < least) [least, best] = [count, documents];
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
