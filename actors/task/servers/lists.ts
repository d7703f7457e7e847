/** Lists from MongoDB: each is one aggregation for each stretch of an index in which its page lies. */
import { type AggregationCursor, BSONRegExp, type Collection } from "mongodb";
import type { ReadGate } from "../../mongo/read-gate.ts";
import { type DocumentRecord, keyOf, localName, lookedUp, termOf } from "../../mongo/space-collections.ts";
import { type Field, isSet } from "../../resources/field.ts";
import { askedValue, setFields, shownStates } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import type { Span } from "../due-bounds.ts";
import { firstOf, isBehindEnd } from "../page-order.ts";
import type { ListedResource } from "../ports.ts";
import { type Condition, isNothing, type ResourceQuery } from "../resource-query.ts";

/** Spaces that are read at the same time for one list. */
const spacesAtOnce = 8;
const letters = /[\\^$.*+?()[\]{}|]/g;

/** What is asked of each field, as operators or as the value itself. */
type Fields = { readonly [field: string]: unknown };
type Operators = { readonly [operator: string]: unknown };
/** A part of the order, which is one stretch of the sort's index. */
type Stretch = { readonly place: Fields; readonly order: Record<string, 1 | -1> };
type Source = { readonly documents: Collection<DocumentRecord>; readonly registry: Registry };
type Row = Pick<DocumentRecord, "_id" | "id" | "text"> & Record<string, string | number | null>;

export function mongoList(documents: Collection<DocumentRecord>, registry: Registry, gate: ReadGate) {
  async function ofSpace(query: ResourceQuery, spaceId: string, filter: Fields): Promise<ListedResource[]> {
    const limit = query.limit + 1;
    // By id: a resource that is moved between two stretches while they are read is listed once.
    const found = new Map<string, ListedResource>();
    for (const stretch of stretches(query, typeNamed(registry, query.type), spaceId)) {
      if (found.size >= limit) break;
      const asked = reading({ documents, registry }, query, { filter, stretch, limit: limit - found.size });
      for (const { id, text, [query.sort]: key = null } of await gate(() => asked.toArray()))
        if (!found.has(id)) found.set(id, { spaceId, text, end: { key, id, spaceId } });
    }
    return [...found.values()];
  }

  return async (query: ResourceQuery): Promise<ListedResource[]> => {
    const type = typeNamed(registry, query.type);
    if (isNothing(type, query.conditions)) return [];
    const sources = query.spaceIds.flatMap((spaceId) =>
      filtersOf(type, query, spaceId).map((filter) => ({ spaceId, filter })),
    );
    const lists: ListedResource[][] = [];
    for (let at = 0; at < sources.length; at += spacesAtOnce)
      lists.push(
        ...(await Promise.all(
          sources.slice(at, at + spacesAtOnce).map(({ spaceId, filter }) => ofSpace(query, spaceId, filter)),
        )),
      );
    return firstOf(query, lists);
  };
}

/** What a list's first page is read with, for a test to ask how each is answered. */
export function listReads(
  documents: Collection<DocumentRecord>,
  registry: Registry,
  query: ResourceQuery,
): AggregationCursor<Row>[] {
  const type = typeNamed(registry, query.type);
  return query.spaceIds.flatMap((spaceId) =>
    filtersOf(type, query, spaceId).flatMap((filter) =>
      stretches(query, type, spaceId).map((stretch) =>
        reading({ documents, registry }, query, { filter, stretch, limit: query.limit + 1 }),
      ),
    ),
  );
}

/**
 * First what one index finds by itself, since not every server uses one where something else is asked for beside it; MongoDB makes one of both, and chooses
 * among all indexes.
 */
function reading(
  { documents, registry }: Source,
  query: ResourceQuery,
  { filter, stretch, limit }: { filter: Fields; stretch: Stretch; limit: number },
): AggregationCursor<Row> {
  const all = narrowed(filter, stretch.place);
  const first = indexed(typeNamed(registry, query.type), all, longestWord(query));
  const others = Object.entries(all).filter(([field, asked]) => first[field] !== asked);
  return documents.aggregate<Row>([
    { $match: first },
    ...(others.length === 0 ? [] : [{ $match: Object.fromEntries(others) }]),
    { $sort: stretch.order },
    { $limit: limit },
    { $project: { id: 1, text: 1, [query.sort]: 1 } },
  ]);
}

/** The part of a filter that the most selective index finds: ids, then what a resource refers to, then words and items of sets. */
function indexed(type: ResourceType, filter: Fields, word: string | undefined): Fields {
  const { _id, space, state, createdAt } = filter;
  const { $in: ids } = operators(_id ?? null);
  if (ids !== undefined) return { _id: { $in: ids } };
  for (const name of lookedUp(type)) {
    const { $in: values } = operators(filter[name] ?? null);
    if (Array.isArray(values) && !values.includes(null))
      return { space, terms: { $in: values.map((value) => termOf(name, value)) } };
  }
  if (word !== undefined) return { space, words: { $gte: word, $lt: `${word}\u{10ffff}` } };
  for (const { name } of setFields(type)) {
    const { $all: all, $in: any } = operators(filter[name] ?? null);
    if (Array.isArray(all)) return { space, terms: termOf(name, all[0]) };
    if (Array.isArray(any)) return { space, terms: { $in: any.map((item) => termOf(name, item)) } };
  }
  return { space, type: type.name, state, ...(createdAt === undefined ? {} : { createdAt }) };
}

function longestWord({ conditions }: ResourceQuery): string | undefined {
  const words = conditions.flatMap((condition) => (condition.kind === "words" ? condition.words : []));
  return words.toSorted((a, b) => b.length - a.length)[0];
}

/**
 * Behind a key come those of the same key and then the others, and at last those without a key, whichever the direction.
 */
function stretches({ sort, descending, after }: ResourceQuery, type: ResourceType, spaceId: string): Stretch[] {
  const direction = descending ? -1 : 1;
  const beyond = descending ? "$lt" : "$gt";
  const byKey = { [sort]: direction, _id: direction } as const;
  const byId = { _id: direction } as const;
  const isNullable = type.fields[sort]?.nullable === true;
  const last: Stretch[] = isNullable ? [{ place: { [sort]: null }, order: byId }] : [];
  if (after === undefined) return [{ place: isNullable ? { [sort]: { $ne: null } } : {}, order: byKey }, ...last];
  const { key, id } = after;
  const isFrom = isBehindEnd({ after, descending }, spaceId);
  const same = { place: { [sort]: key, _id: { [isFrom ? `${beyond}e` : beyond]: keyOf(spaceId, id) } }, order: byId };
  return key === null ? [same] : [same, { place: { [sort]: { [beyond]: key } }, order: byKey }, ...last];
}

/**
 * Both, field by field. Neither `$and` nor `$or`: what stands beside the fields is not looked up in an index by every server, and not walked in the
 * order of one.
 */
function narrowed(filter: Fields, place: Fields): Fields {
  const fields: Record<string, unknown> = { ...filter };
  for (const [field, asked] of Object.entries(place))
    fields[field] = field in filter ? tighter(operators(filter[field]), operators(asked)) : asked;
  return fields;
}

function operators(asked: unknown): Operators {
  return typeof asked === "object" && asked !== null && !Array.isArray(asked) ? (asked as Operators) : { $eq: asked };
}

/** One of two equal operators: the higher lower bound, the lower upper one. No value is asked for twice. */
function tighter(one: Operators, other: Operators): Operators {
  const both: Record<string, unknown> = { ...one, ...other };
  for (const [operator, pick] of [
    ["$gt", Math.max],
    ["$gte", Math.max],
    ["$lt", Math.min],
    ["$lte", Math.min],
  ] as const)
    if (operator in one && operator in other) both[operator] = pick(Number(one[operator]), Number(other[operator]));
  return both;
}

/** Most lists are one filter. One by a `due` is one for those with a time zone, and one for each span of the others. */
function filtersOf(type: ResourceType, query: ResourceQuery, spaceId: string): Fields[] {
  const states = shownStates(type, query.deleted, query.shownThough);
  const common: Fields = { space: spaceId, type: type.name, state: states.length === 1 ? states[0] : { $in: states } };
  let filters: Fields[] = [common];
  for (const condition of query.conditions) {
    const added = conditionFilters(type, spaceId, condition);
    filters = filters.flatMap((filter) => added.map((more) => narrowed(filter, more)));
  }
  return filters;
}

function conditionFilters(type: ResourceType, spaceId: string, condition: Condition): Fields[] {
  switch (condition.kind) {
    case "ids":
      return [{ _id: { $in: condition.ids.map((id) => keyOf(spaceId, id)) } }];
    case "any":
      return [
        { [condition.field]: { $in: condition.values.map((value) => storedValue(type, condition.field, value)) } },
      ];
    case "all":
      return [{ [condition.field]: { $all: [...condition.values] } }];
    case "words":
      // A prefix is a stretch of the index of words.
      return [
        { words: { $all: condition.words.map((word) => new BSONRegExp(`^${word.replaceAll(letters, "\\$&")}`)) } },
      ];
    case "before":
      return [{ [condition.field]: { $lt: condition.ms } }];
    case "after":
      return [{ [condition.field]: { $gt: condition.ms } }];
    case "due": {
      const { field, spans } = condition;
      const { instants, local } = spans;
      const [only] = local;
      if (local.length === 1 && only?.from === instants.from && only.to === instants.to)
        return [{ [field]: within(instants) }];
      return [
        { [field]: within(instants), [localName(field)]: false },
        ...local.map((span) => ({ [field]: within(span), [localName(field)]: true })),
      ];
    }
  }
}

/** Also says that there is a value. */
function within({ from, to }: Span): Operators {
  return {
    ...(Number.isFinite(from) ? { $gte: from } : {}),
    ...(Number.isFinite(to) ? { $lt: to } : {}),
    ...(Number.isFinite(from) || Number.isFinite(to) ? {} : { $ne: null }),
  };
}

function storedValue({ fields }: ResourceType, name: string, value: string | null): string | number | null {
  const field = fields[name] as Field;
  if (isSet(field)) return value ?? "";
  return value === null ? null : askedValue(field, value);
}
