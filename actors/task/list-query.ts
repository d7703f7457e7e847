/** `GET /v1/tasks`: its parameters as a query for the read model, and the cursor that continues it. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { integerParameter } from "../http/query-parameters.ts";
import { text } from "../http/text.ts";
import { uuidPattern } from "../http/validate.ts";
import { instantMs } from "../model/instant.ts";
import { Problem } from "../model/problem.ts";
import { type Priority, priorities, type Status, statuses } from "../model/task.ts";
import { words } from "../model/words.ts";
import { sealCursor, unsealCursor } from "./cursor.ts";

export const sortFields = ["createdAt", "updatedAt", "dueAt", "priority", "title"] as const;
export type SortField = (typeof sortFields)[number];

/** Where a page ended: the last item's sort key (null: no due date) and its id. */
export type PageEnd = { readonly key: string | number | null; readonly id: string };

export type ListQuery = {
  readonly ownerId: string;
  readonly deleted: boolean;
  /** Any of these; none: all. */
  readonly statuses: readonly Status[];
  readonly priority: Priority | undefined;
  /** All of these. */
  readonly labels: readonly string[];
  /** Each must begin a word of title or description; in their search form. */
  readonly words: readonly string[];
  /** Epoch milliseconds, exclusive. */
  readonly dueBeforeMs: number | undefined;
  readonly dueAfterMs: number | undefined;
  readonly updatedAfterMs: number | undefined;
  readonly sort: SortField;
  readonly descending: boolean;
  readonly limit: number;
  readonly after: PageEnd | undefined;
};

const oneOf = (values: readonly string[], description: string): TSchema =>
  t.Union(
    values.map((value) => t.Literal(value)),
    { description },
  );
const instant = (description: string) => t.String({ format: "date-time", description });

const limitDefault = 50;
export const limitParameter = {
  schema: integerParameter({ minimum: 1, maximum: 100, default: limitDefault, description: "Items at most" }),
};
export const cursorParameter = { schema: t.String({ description: "`nextCursor` of the page before" }) };

export const listParameters = {
  status: { schema: oneOf(statuses, "Any of the given ones"), repeatable: true },
  priority: { schema: oneOf(priorities, "Exactly this one") },
  label: { schema: text({ minLength: 1, maxLength: 50 }), repeatable: true },
  q: { schema: text({ maxLength: 500 }) },
  dueBefore: { schema: instant("Due before this instant, exclusive") },
  dueAfter: { schema: instant("Due after this instant, exclusive") },
  updatedAfter: { schema: instant("Updated after this instant, exclusive") },
  deleted: { schema: oneOf(["true", "false"], "`true` lists only deleted tasks") },
  sort: {
    schema: oneOf(
      sortFields.flatMap((field) => [field, `-${field}`]),
      "`-` for descending; `-createdAt` unless given",
    ),
  },
  limit: limitParameter,
  cursor: cursorParameter,
};

/** The parameters are already checked against `listParameters`. Throws `invalid-cursor`. */
export function listQuery(ownerId: string, query: URLSearchParams): ListQuery {
  const sort = query.get("sort") ?? "-createdAt";
  const descending = sort.startsWith("-");
  const filters = {
    ownerId,
    deleted: query.get("deleted") === "true",
    statuses: [...new Set(query.getAll("status"))].sort() as Status[],
    priority: (query.get("priority") as Priority | null) ?? undefined,
    labels: [...new Set(query.getAll("label"))].sort(),
    words: [...new Set(words(query.get("q") ?? ""))].sort(),
    dueBeforeMs: optionalInstant(query.get("dueBefore"), "up"),
    dueAfterMs: optionalInstant(query.get("dueAfter")),
    updatedAfterMs: optionalInstant(query.get("updatedAfter")),
    sort: (descending ? sort.slice(1) : sort) as SortField,
    descending,
  };
  const cursor = query.get("cursor");
  return { ...filters, limit: pageLimit(query), after: cursor === null ? undefined : openCursor(cursor, filters) };
}

/** The cursor after a page of this query. */
export function cursorAfter(query: ListQuery, end: PageEnd): string {
  const { limit: _limit, after: _after, ...filters } = query;
  return sealCursor([end.key, end.id], filters);
}

export function pageLimit(query: URLSearchParams): number {
  return Number(query.get("limit") ?? limitDefault);
}

/** Tasks have whole milliseconds: what is before an instant finer than that is before the next of them. */
function optionalInstant(value: string | null, round: "down" | "up" = "down"): number | undefined {
  const ms = value === null ? undefined : instantMs(value);
  const isFiner = round === "up" && /\.\d{3}\d*[1-9]/.test(value ?? "");
  return ms !== undefined && isFiner ? ms + 1 : ms;
}

/** Throws `invalid-cursor`. */
function openCursor(cursor: string, filters: Omit<ListQuery, "limit" | "after">): PageEnd {
  const [key, id, ...more] = unsealCursor(cursor, filters);
  if (!isKey(key, filters.sort) || typeof id !== "string" || !uuidPattern.test(id) || more.length > 0)
    throw new Problem("invalid-cursor");
  return { key, id };
}

/** A seal is no secret: whoever makes one by hand may start anywhere in their own list, but with a key of the sort's own kind. */
function isKey(key: unknown, sort: SortField): key is PageEnd["key"] {
  if (sort === "title") return typeof key === "string";
  return Number.isSafeInteger(key) || (sort === "dueAt" && key === null);
}
