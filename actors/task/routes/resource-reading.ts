/** The routes that read resources of a type: lists, one resource now or as it was, and its history. */
import { Type as t } from "@sinclair/typebox";
import { integerParameter } from "../../http/query-parameters.ts";
import { servedModel } from "../../http/resource-models.ts";
import type { Call, Route } from "../../http/route.ts";
import { instantMs } from "../../model/instant.ts";
import { ofReads } from "../conditions.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import { cursorParameter, limitParameter, pageLimit } from "../page-parameters.ts";
import type { Moment } from "../past.ts";
import type { Shown } from "../queries.ts";
import { membersOnly, privateRead, readerOf, readProblems, shown, spaceOf, tagged } from "../request.ts";
import { listFaults, listParametersOf, resourceQuery } from "../resource-query.ts";
import { History, pageModel } from "./history-models.ts";
import { type Context, idOf, scopeOf, seenBy } from "./resource-place.ts";

export function readRoutes(context: Context): Route[] {
  const { type, parts, place, name, suffix } = context;
  const Model = servedModel(type);
  const page = pageModel(Model, name);
  const common = {
    tag: `${name}s`,
    auth: "user",
    cacheControl: privateRead,
    ...(type.seenBy === undefined ? {} : scopeOf(context)),
  } as const;
  const seen = seenBy(context);
  const hasPast = type.name !== "invitation";
  const listing: Route = {
    method: "GET",
    path: place.collection,
    ...place.aliasesOf(place.collection),
    id: `list${name}s${suffix}`,
    summary: `List ${type.plural} by filters, sorted, a page at a time`,
    description:
      "All filters together. Walking by `nextCursor` while others write repeats none, and skips none whose sort key and filtered fields stay as they are.",
    ...common,
    ...ofReads,
    headers: [...ofReads.headers, "If-None-Match"],
    query: listParametersOf(type),
    faults: ({ query }) => listFaults(type, query),
    before: membersOnly(parts, seen),
    answers: {
      200: { description: `A page of ${type.plural}`, schema: page, headers: ["ETag", "Consistency"] },
      304: { description: "The client has this page", headers: ["ETag"] },
    },
    problems: [...readProblems, "invalid-cursor"],
    handle(call) {
      const reader = readerOf(call);
      const spaceId = spaceOf(parts, call);
      const query = resourceQuery(type, { userId: reader.userId, spaceIds: [spaceId] }, call.query);
      return parts.lists.pageOfSpace(call, reader, query, (replica) => parts.queries.page(reader, query, replica));
    },
  };
  const reading: Route = {
    method: "GET",
    path: place.one,
    ...place.aliasesOf(place.one),
    id: `get${name}${suffix}`,
    summary: hasPast ? `Read a ${type.name}, now or as it was` : `Read a ${type.name}`,
    description: hasPast
      ? "With `asOf` or `version` as it was then, a deleted one included."
      : "As it is now; its secret was shown once.",
    ...common,
    ...ofReads,
    headers: [...ofReads.headers, "If-None-Match"],
    ...(hasPast ? { query: momentParameters(type.name), faults: momentFaults } : {}),
    before: membersOnly(parts, seen),
    answers: {
      200: { description: `The ${type.name}`, schema: Model, headers: ["ETag", "Consistency"] },
      304: { description: "The client has this version", headers: ["ETag", "Consistency"] },
    },
    problems: readProblems,
    handle: (call) => then(find(context, call), (found) => tagged(call, found)),
  };
  const history: Route = {
    method: "GET",
    path: `${place.one}/history`,
    ...place.aliasesOf(`${place.one}/history`),
    id: `${type.name}History${suffix}`,
    summary: `Every change of a ${type.name}, newest first`,
    description:
      "With who made it, when, and what each field was before and after. That of a deleted one stays readable.",
    ...common,
    ...ofReads,
    query: { limit: limitParameter, cursor: cursorParameter },
    before: membersOnly(parts, seen),
    answers: { 200: { description: "A page of history", schema: History, headers: ["Consistency"] } },
    problems: [...readProblems, "invalid-cursor"],
    handle(call) {
      const { query } = call;
      const of = { spaceId: spaceOf(parts, call), type: type.name, id: idOf(context, call) };
      const page = { limit: pageLimit(query), cursor: query.get("cursor") };
      return then(parts.queries.history(readerOf(call), of, page), shown);
    },
  };
  return type.name === "space" ? [reading, history] : [listing, reading, history];
}

function find(context: Context, call: Call): MaybePromise<Shown & { readonly version: number }> {
  const { type, parts } = context;
  const { query } = call;
  const [reader, spaceId, id] = [readerOf(call), spaceOf(parts, call), idOf(context, call)];
  if (query.size === 0) return parts.queries.get(reader, spaceId, type.name, id);
  return parts.queries.past(reader, spaceId, type.name, id, momentOf(query));
}

function momentParameters(name: string): NonNullable<Route["query"]> {
  return {
    asOf: {
      schema: t.String({
        format: "date-time",
        description: `The ${name} as it was at this instant, a deleted one included`,
      }),
    },
    version: {
      schema: integerParameter({ minimum: 0, description: `The ${name} at this version, a deleted one included` }),
    },
  };
}

function momentFaults({ query }: Call) {
  return query.has("version") && query.has("asOf")
    ? [{ path: "/version", message: "must not be given together with asOf" }]
    : [];
}

function momentOf(query: URLSearchParams): Moment {
  const version = query.get("version");
  return version === null
    ? { asOfMs: instantMs(query.get("asOf") ?? "") ?? 0 }
    : { version: Math.min(Number(version), Number.MAX_SAFE_INTEGER - 1) };
}
