/** Lists of resources: their parameters as a query for the read model, and the cursor that continues it. All of it follows from the type's file. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { booleanParameter, integerParameter } from "../http/query-parameters.ts";
import { text } from "../http/text.ts";
import { uuidPattern } from "../http/validate.ts";
import { instantMs } from "../model/instant.ts";
import { type Fault, Problem } from "../model/problem.ts";
import { isDate, isTimeZone } from "../resources/due.ts";
import { type Field, isSet } from "../resources/field.ts";
import type { Filter } from "../resources/filter.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { searchedWords } from "../resources/words.ts";
import { sealCursor, unsealCursor } from "./cursor.ts";
import { bothSpans, type DueSpans, dueSpans } from "./due-bounds.ts";
import type { PageEnd } from "./ports.ts";

/** What is asked of each resource of a list: all of it. */
export type Condition =
  | { readonly kind: "ids"; readonly ids: readonly string[] }
  /** The field has, or contains, any of these; `null`: nothing. */
  | { readonly kind: "any"; readonly field: string; readonly values: readonly (string | null)[] }
  /** The set contains all of these. */
  | { readonly kind: "all"; readonly field: string; readonly values: readonly string[] }
  /** Each begins a word. None at all: nothing is found. */
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** Epoch milliseconds, exclusive. `field` may be `updatedAt`. */
  | { readonly kind: "before" | "after"; readonly field: string; readonly ms: number }
  | { readonly kind: "due"; readonly field: string; readonly spans: DueSpans };

export type ResourceQuery = {
  readonly type: string;
  /** Whoever asks. */
  readonly userId: string;
  /** The resources of all these spaces are one list; in the order of the ids. */
  readonly spaceIds: readonly string[];
  /** All spaces of whoever asks, which may be others when the next page is asked for. */
  readonly isAcross: boolean;
  readonly deleted: boolean;
  readonly conditions: readonly Condition[];
  /** Fields for whose sake a resource is hidden (`ResourceType.hidings`), and by which it was asked for all the same. */
  readonly shownThough: readonly string[];
  /** `createdAt`, `updatedAt` or a sortable field of the type. */
  readonly sort: string;
  readonly descending: boolean;
  readonly limit: number;
  readonly after: PageEnd | undefined;
  /** When the walk began that this page continues, in epoch milliseconds: of the newest fact then. Undefined on the first page. */
  readonly begunMs: number | undefined;
  /** What the read model must have for this page, where the one before was of something newer: an offset of the space's partition. */
  readonly seenOffset: number | undefined;
};

type Asked = Omit<ResourceQuery, "limit" | "after" | "begunMs" | "seenOffset">;
type DueFilter = Extract<Filter, { kind: "dueBefore" | "dueAfter" }>;

export type ListParameter = { readonly schema: TSchema; readonly repeatable?: true };

const limitDefault = 50;
const limitMax = 100;
const searchCharsMax = 500;

const oneOf = (values: readonly string[], more: object = {}): TSchema =>
  t.Union(
    values.map((value) => t.Literal(value)),
    more,
  );

/** The parameters of a type's lists with their schemas, in the order in which they are published. */
export function listParametersOf(type: ResourceType): Readonly<Record<string, ListParameter>> {
  const filters = Object.entries(type.filters ?? {});
  const sorts = sortNames(type).flatMap((name) => [name, `-${name}`]);
  return {
    ...Object.fromEntries(filters.map(([name, filter]) => [name, filterParameter(type, filter)])),
    ...(filters.some(([, filter]) => isDueFilter(filter)) ? { timeZone: { schema: zoneSchema } } : {}),
    deleted: { schema: booleanParameter({ description: "`true` lists only deleted ones" }) },
    sort: { schema: oneOf(sorts, { description: `\`-\` for descending; \`${sortDefault(type)}\` unless given` }) },
    limit: {
      schema: integerParameter({ minimum: 1, maximum: limitMax, default: limitDefault, description: "Items at most" }),
    },
    cursor: { schema: t.String({ description: "`nextCursor` of the page before" }) },
  };
}

const zoneSchema = text({
  maxLength: 64,
  fault: (value) => (isTimeZone(value) ? undefined : "must be a name of the IANA time zone database"),
});
zoneSchema.description = "What a day and a local time are for dueBefore and dueAfter; UTC unless given";
const instant = (description: string) => t.String({ format: "date-time", description });
const uuid = t.String({ format: "uuid" });

function filterParameter(type: ResourceType, filter: Filter): ListParameter {
  switch (filter.kind) {
    case "ids":
      return { schema: { ...uuid, description: `Any of the given ones, up to ${filter.max}` }, repeatable: true };
    case "any": {
      const { isId = false } = filter;
      const schema = valueSchema(isId ? uuid : singleSchema(fieldOf(type, filter.field)), [
        ...(filter.orMe === true ? ["me"] : []),
        ...(filter.orNone === true ? ["none"] : []),
      ]);
      const words = wordsOf(filter);
      if (filter.repeatable !== true)
        return { schema: { ...schema, description: `\`${filter.field}\` is this${words}` } };
      return {
        schema: { ...schema, description: `\`${filter.field}\` is any of the given ones${words}` },
        repeatable: true,
      };
    }
    case "all":
      return {
        schema: {
          ...itemSchema(fieldOf(type, filter.field)),
          description: `\`${filter.field}\` has all of the given ones`,
        },
        repeatable: true,
      };
    case "words":
      return {
        schema: {
          ...text({ maxLength: searchCharsMax }),
          description: `Words that begin words of ${filter.fields.join(" or ")}`,
        },
      };
    case "before":
    case "after":
      return { schema: instant(`\`${filter.field}\` is ${filter.kind} this instant, exclusive`) };
    default:
      return { schema: boundSchema };
  }
}

/** What the words beside the values mean. */
function wordsOf({ orMe, orNone }: { orMe?: true; orNone?: true }): string {
  const words = [...(orMe === true ? ["`me`: the caller"] : []), ...(orNone === true ? ["`none`: has none"] : [])];
  return words.length === 0 ? "" : `; ${words.join(", ")}`;
}

/** An instant or a date: in one schema, so that the fault names both. */
const boundSchema = text({
  maxLength: 100,
  fault: (value) =>
    isDate(value) || instantMs(value) !== undefined
      ? undefined
      : "must be an RFC 3339 instant or a date such as 2026-01-31",
});
boundSchema.description = "An RFC 3339 instant or a date, exclusive";

function valueSchema(value: TSchema, words: readonly string[]): TSchema {
  return words.length === 0 ? value : t.Union([value, ...words.map((word) => t.Literal(word))]);
}

function singleSchema({ form }: Field): TSchema {
  switch (form.kind) {
    case "choice":
      return oneOf(form.values);
    case "flag":
      return booleanParameter();
    case "integer":
      return integerParameter({ minimum: form.min, maximum: form.max, description: "Exactly" });
    case "text":
      return text({ maxLength: form.max });
    default:
      return uuid;
  }
}

/** Labels are kept in Unicode's form C, and compared so. */
function itemSchema({ form }: Field): TSchema {
  return form.kind === "texts" ? text({ minLength: 1, maxLength: form.textMax }) : uuid;
}

/** What no schema of one parameter can tell. */
export function listFaults(type: ResourceType, query: URLSearchParams): Fault[] {
  const faults: Fault[] = [];
  for (const [name, filter] of Object.entries(type.filters ?? {})) {
    if (filter.kind === "ids" && query.getAll(name).length > filter.max)
      faults.push({ path: `/${name}`, message: `must be given at most ${filter.max} times` });
  }
  return faults;
}

/** The names of what lists can be sorted by: those under which readers see the fields. */
function sortNames(type: ResourceType): string[] {
  const fields = Object.entries(type.fields).filter(([, { sortable }]) => sortable === true);
  const names = fields.map(([name]) => type.served?.[name]?.name ?? name);
  return ["createdAt", ...(fields.length > 0 ? ["updatedAt"] : []), ...names];
}

function sortDefault(type: ResourceType): string {
  return type.defaultSort ?? "-createdAt";
}

/** The parameters are already checked against `listParametersOf`. Throws `invalid-cursor`. */
export function resourceQuery(
  type: ResourceType,
  of: { readonly userId: string; readonly spaceIds: readonly string[]; readonly isAcross?: true },
  query: URLSearchParams,
): ResourceQuery {
  const sort = query.get("sort") ?? sortDefault(type);
  const descending = sort.startsWith("-");
  const asked = {
    type: type.name,
    userId: of.userId,
    spaceIds: [...new Set(of.spaceIds)].sort(),
    isAcross: of.isAcross === true,
    deleted: query.get("deleted") === "true",
    conditions: conditionsOf(type, of.userId, query),
    shownThough: (type.hidings ?? [])
      .filter(({ askedBy }) => askedBy.some((name) => query.getAll(name).some((value) => value !== "none")))
      .map(({ field }) => field),
    sort: sortedField(type, descending ? sort.slice(1) : sort),
    descending,
  };
  const cursor = query.get("cursor");
  return {
    ...asked,
    limit: Number(query.get("limit") ?? limitDefault),
    ...(cursor === null
      ? { after: undefined, begunMs: undefined, seenOffset: undefined }
      : openCursor(type, asked, cursor)),
  };
}

/** The cursor after a page of this query. */
export function cursorAfter(query: ResourceQuery, end: PageEnd): string {
  const place = [end.key, end.id, ...(query.isAcross ? [end.spaceId] : [])];
  const { begunMs = null, seenOffset } = query;
  return sealCursor([...place, begunMs, ...(seenOffset === undefined ? [] : [seenOffset])], boundTo(query));
}

/** What refuses the cursor where it differs. */
function boundTo({ type, userId, spaceIds, isAcross, deleted, conditions, sort, descending }: Asked): unknown {
  return [type, userId, isAcross ? [] : spaceIds, deleted, conditions, sort, descending];
}

/** A search without a word, and more items than a set can have, find nothing. */
export function isNothing({ fields }: ResourceType, conditions: readonly Condition[]): boolean {
  return conditions.some((condition) => {
    if (condition.kind === "words") return condition.words.length === 0;
    if (condition.kind !== "all") return false;
    const field = fields[condition.field];
    const max = field !== undefined && isSet(field) && "max" in field.form ? field.form.max : condition.values.length;
    return condition.values.length > max;
  });
}

function conditionsOf(type: ResourceType, userId: string, query: URLSearchParams): Condition[] {
  const conditions: Condition[] = [];
  const dues = new Map<string, DueSpans>();
  // Most lists ask for few of the many filters.
  const names = new Set(query.keys());
  for (const [name, filter] of Object.entries(type.filters ?? {})) {
    if (!names.has(name)) continue;
    const values = [...new Set(query.getAll(name))].sort();
    const value = values[0] as string;
    if (isDueFilter(filter)) {
      const spans = dueSpans(
        filter.kind === "dueBefore" ? "before" : "after",
        dueBound(filter, value),
        query.get("timeZone") ?? "UTC",
      );
      const other = dues.get(filter.field);
      dues.set(filter.field, other === undefined ? spans : bothSpans(other, spans));
    } else conditions.push(conditionOf(filter, values, userId));
  }
  return [...conditions, ...Array.from(dues, ([field, spans]) => ({ kind: "due", field, spans }) as const)];
}

function conditionOf(filter: Exclude<Filter, DueFilter>, values: readonly string[], userId: string): Condition {
  switch (filter.kind) {
    case "ids":
      return { kind: "ids", ids: values };
    case "any": {
      const { orNone, orMe } = filter;
      const meant = values.map((value) =>
        orNone === true && value === "none" ? null : orMe === true && value === "me" ? userId : value,
      );
      return { kind: "any", field: filter.field, values: [...new Set(meant)] };
    }
    case "all":
      return { kind: "all", field: filter.field, values: [...new Set(values.map((value) => value.normalize("NFC")))] };
    case "words":
      return { kind: "words", words: searchedWords(values.join(" ")) };
    default:
      return { kind: filter.kind, field: filter.field, ms: boundMs(filter.kind, values[0] as string) };
  }
}

function dueBound({ kind }: Filter, value: string): string | number {
  return isDate(value) ? value : boundMs(kind === "dueBefore" ? "before" : "after", value);
}

/** Instants are kept in whole milliseconds: what is before one that is finer is before the next of them. */
function boundMs(side: "before" | "after", value: string): number {
  const ms = instantMs(value) ?? Number.NaN;
  return side === "before" && /\.\d{3}\d*[1-9]/.test(value) ? ms + 1 : ms;
}

function isDueFilter(filter: Filter): filter is DueFilter {
  return filter.kind === "dueBefore" || filter.kind === "dueAfter";
}

function sortedField(type: ResourceType, name: string): string {
  return Object.entries(type.served ?? {}).find(([, served]) => served.name === name)?.[0] ?? name;
}

function fieldOf(type: ResourceType, name: string): Field {
  const field = type.fields[name];
  if (field === undefined) throw new Error(`Cannot filter ${type.plural} by ${name}: there is no such field`);
  return field;
}

/** Throws `invalid-cursor`. */
function openCursor(
  type: ResourceType,
  asked: Asked,
  cursor: string,
): Pick<ResourceQuery, "begunMs" | "seenOffset"> & { after: PageEnd } {
  const [key, id, ...more] = unsealCursor(cursor, boundTo(asked));
  const seenOffset = more.length > (asked.isAcross ? 2 : 1) ? more.pop() : undefined;
  const begunMs = more.pop();
  const spaceId = asked.isAcross ? more.pop() : asked.spaceIds[0];
  const isBegun = begunMs === null || Number.isSafeInteger(begunMs);
  const isSeen = seenOffset === undefined || isOffset(seenOffset);
  if (!isKey(type, asked.sort, key) || !isUuid(id) || !isUuid(spaceId) || !isBegun || !isSeen || more.length > 0)
    throw new Problem("invalid-cursor");
  return { after: { key, id, spaceId }, begunMs: (begunMs ?? undefined) as number | undefined, seenOffset };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isUuid(value: unknown): value is string {
  return typeof value === "string" && uuidPattern.test(value);
}

/** A seal is no secret: whoever makes one by hand may start anywhere in their own list, but with a key of the sort's own kind. */
function isKey(type: ResourceType, sort: string, key: unknown): key is PageEnd["key"] {
  const field = type.fields[sort];
  if (key === null) return field?.nullable === true;
  const isText =
    field?.form.kind === "text" ||
    field?.form.kind === "color" ||
    (field?.form.kind === "choice" && !field.form.ranked);
  return isText ? typeof key === "string" : Number.isSafeInteger(key);
}
