/** The routes of a type of resource (section 3.1 of the contract), derived from what the type is. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { integerParameter } from "../http/integer-parameter.ts";
import { resourceBody } from "../http/resource-body.ts";
import { type BodyKind, servedModel } from "../http/resource-models.ts";
import type { Call, Route } from "../http/route.ts";
import { uuidPattern } from "../http/validate.ts";
import { instantMs } from "../model/instant.ts";
import { Problem } from "../model/problem.ts";
import type { IntentKind } from "../resources/command.ts";
import { isAtLeast } from "../resources/document.ts";
import type { Json } from "../resources/field.ts";
import { isPersonal } from "../resources/head.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { createsOnly, ofReads, ofWrites } from "./conditions.ts";
import { cursorParameter, limitParameter, pageLimit } from "./list-query.ts";
import { type MaybePromise, then } from "./maybe-promise.ts";
import { listFaults, listParametersOf, resourceQuery } from "./resource-query.ts";
import { type Outcome, pendingAnswer, resourceAnswer, throwRefusal } from "./space-answers.ts";
import type { Moment } from "./space-past.ts";
import type { Shown } from "./space-queries.ts";
import {
  type Address,
  answersUndecided,
  bodyProblems,
  callerOf,
  changed,
  inOwn,
  inSpace,
  json,
  linksOf,
  membersOnly,
  mergePatch,
  privateRead,
  readerOf,
  readProblems,
  type SpaceParts,
  shown,
  spaceOf,
  suffixOf,
  tagged,
  writeProblems,
} from "./space-request.ts";

const resourceHeaders = ["ETag", "Consistency-Token", "Idempotency-Replayed"] as const;

/** Where a type's resources are; a space is itself the address. */
type Place = {
  readonly address: Address;
  readonly collection: string;
  readonly one: string;
  readonly idOf: (call: Call) => string;
  readonly aliasesOf: (path: string) => { aliases?: readonly string[] };
};

export function resourceRoutes(type: ResourceType, parts: SpaceParts): Route[] {
  return type.isContent === true
    ? [...routesAt(type, parts, inOwn), ...routesAt(type, parts, inSpace)]
    : routesAt(type, parts, inSpace);
}

function routesAt(type: ResourceType, parts: SpaceParts, address: Address): Route[] {
  const place = placeOf(type, address);
  const context: Context = {
    type,
    parts,
    place,
    name: capital(type.name),
    suffix: suffixOf(address, type.isContent === true),
  };
  return [...readRoutes(context), ...changeRoutes(context)];
}

type Context = {
  readonly type: ResourceType;
  readonly parts: SpaceParts;
  readonly place: Place;
  readonly name: string;
  readonly suffix: string;
};

function placeOf(type: ResourceType, address: Address): Place {
  const aliasesOf = (path: string) =>
    address.isOwn && type.name === "task" ? { aliases: [path.replace("/v1/", "/")] } : {};
  if (type.name === "space")
    return {
      address,
      collection: "/v1/spaces",
      one: "/v1/spaces/:spaceId",
      idOf: (call) => call.params.spaceId as string,
      aliasesOf,
    };
  const collection = `${address.prefix}/${type.plural}`;
  return { address, collection, one: `${collection}/:id`, idOf: (call) => call.params.id as string, aliasesOf };
}

/** An owner may still look at a deleted space, and bring it back. */
function seesDeleted({ type }: Context) {
  return type.name === "space" ? { isDeletedSeen: true } : {};
}

function idOf({ type, parts, place }: Context, call: Call): string {
  return type.name === "space" ? spaceOf(parts, call) : place.idOf(call);
}

/** API tokens change people's spaces, members and invitations only where they may. */
function scopeOf({ type }: Context): { scope?: string } {
  return type.isContent === true ? {} : { scope: "spaces:admin" };
}

function readRoutes(context: Context): Route[] {
  const { type, parts, place, name, suffix } = context;
  const Model = servedModel(type);
  const page = t.Object({ items: t.Array(Model), nextCursor: t.Union([t.String(), t.Null()]) });
  const common = { tag: `${name}s`, auth: "user", cacheControl: privateRead } as const;
  const hasPast = type.name !== "invitation";
  const listing: Route = {
    method: "GET",
    path: place.collection,
    ...place.aliasesOf(place.collection),
    id: `list${name}s${suffix}`,
    summary: `List ${type.plural} by filters, sorted, a page at a time`,
    ...common,
    ...ofReads,
    headers: [...ofReads.headers, "If-None-Match"],
    query: listParametersOf(type),
    faults: ({ query }) => listFaults(type, query),
    before: membersOnly(parts),
    answers: {
      200: { description: `A page of ${type.plural}`, schema: page, headers: ["ETag", "Consistency"] },
      304: { description: "The client has this page", headers: ["ETag"] },
    },
    problems: [...readProblems, "invalid-cursor"],
    handle(call) {
      const reader = readerOf(call);
      const spaceId = spaceOf(parts, call);
      const query = resourceQuery(type, { userId: reader.userId, spaceIds: [spaceId] }, call.query);
      return parts.lists.page(call, reader, [spaceId], () => parts.queries.page(reader, query));
    },
  };
  const reading: Route = {
    method: "GET",
    path: place.one,
    ...place.aliasesOf(place.one),
    id: `get${name}${suffix}`,
    summary: hasPast ? `Read a ${type.name}, now or as it was` : `Read a ${type.name}`,
    ...common,
    ...ofReads,
    headers: [...ofReads.headers, "If-None-Match"],
    ...(hasPast ? { query: momentParameters(type.name), faults: momentFaults } : {}),
    before: membersOnly(parts, seesDeleted(context)),
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
    ...common,
    ...ofReads,
    query: { limit: limitParameter, cursor: cursorParameter },
    before: membersOnly(parts, seesDeleted(context)),
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

function changeRoutes(context: Context): Route[] {
  const { type, parts, place, name, suffix } = context;
  const { may } = type;
  const Model = servedModel(type);
  const answersResource: Route["answers"] = {
    200: { description: `The ${type.name}`, schema: Model, headers: resourceHeaders },
    ...answersUndecided,
  };
  const answersNew: Route["answers"] = {
    201: { description: `The new ${type.name}`, schema: Model, headers: ["Location", ...resourceHeaders] },
    ...answersUndecided,
  };
  const route = (
    of: Pick<Route, "method" | "path" | "id" | "summary" | "answers" | "problems" | "handle"> & Partial<Route>,
  ): Route => ({
    tag: `${name}s`,
    auth: "user",
    ...scopeOf(context),
    ...ofWrites,
    ...place.aliasesOf(of.path),
    before: membersOnly(parts),
    ...of,
    id: `${of.id}${suffix}`,
  });
  const bodied = (kind: BodyKind, types: readonly string[] = [json]) => {
    const body = resourceBody(type, kind);
    return {
      body: { schema: body.model, types },
      faults: (call: Call) => body.furtherFaults(call.body, edgeOf(parts)),
      kept: (call: Call) => body.kept(call.body, edgeOf(parts)),
    };
  };
  const routes: Route[] = [];
  if (may.create !== undefined && type.isContent === true) {
    const { kept, ...creation } = bodied("create");
    routes.push(
      route({
        method: "POST",
        path: place.collection,
        id: `create${name}`,
        summary: `Create a ${type.name}`,
        ...creation,
        headers: ["Idempotency-Key"],
        answers: answersNew,
        problems: [...bodyProblems, ...writeProblems, "invalid-reference"],
        handle: (call) => change(context, call, "create", { id: undefined, body: kept(call) }),
      }),
    );
    const replacement = may.replace === undefined ? undefined : bodied("replace");
    const whole = bodied("create");
    routes.push(
      route({
        method: "PUT",
        path: place.one,
        id: `put${name}`,
        summary:
          replacement === undefined
            ? `Create a ${type.name} under a chosen id with If-None-Match: *`
            : `Replace a ${type.name}'s writable fields, or create it under a chosen id with If-None-Match: *`,
        body: { schema: (replacement ?? whole).body.schema, types: [json] },
        faults: (call) =>
          (createsOnly(call.request.headers) || replacement === undefined ? whole : replacement).faults(call),
        headers: [...ofWrites.headers, "If-None-Match"],
        checkHeaders: (headers) => {
          ofWrites.checkHeaders(headers);
          createsOnly(headers);
        },
        answers: { ...answersResource, ...answersNew },
        problems: [...bodyProblems, ...writeProblems, "version-mismatch", "invalid-reference"],
        handle(call) {
          const isCreation = createsOnly(call.request.headers);
          // Of some types PUT only creates.
          if (!isCreation && replacement === undefined)
            throw new Problem("method-not-allowed", undefined, { headers: { allow: "GET, HEAD, PATCH, DELETE" } });
          const id = idOf(context, call);
          return isCreation || replacement === undefined
            ? change(context, call, "create", { id, body: whole.kept(call), onTaken: "version-mismatch" })
            : change(context, call, "replace", { id, body: replacement.kept(call) });
        },
      }),
    );
  }
  if (may.patch !== undefined) {
    const { kept, ...patch } = bodied("patch", [json, mergePatch]);
    const guarded = Object.entries(type.fields).find(([, { form }]) => form.kind === "columns")?.[0];
    routes.push(
      route({
        method: "PATCH",
        path: place.one,
        id: `patch${name}`,
        summary: "Change the named fields (JSON Merge Patch)",
        description:
          "Fields that are not named stay untouched, whoever else writes at the same moment; `null` sets a field to its default.",
        ...patch,
        answers: answersResource,
        problems: [
          ...bodyProblems,
          ...writeProblems,
          "version-mismatch",
          "invalid-reference",
          "last-owner",
          ...(guarded === undefined ? [] : (["precondition-required"] as const)),
        ],
        handle: (call) => {
          const patching = () => change(context, call, "patch", { id: idOf(context, call), body: kept(call) });
          const isUnguarded =
            guarded !== undefined &&
            Object.hasOwn(call.body as object, guarded) &&
            !call.request.headers.has("if-match");
          return isUnguarded ? requirePrecondition(context, call) : patching();
        },
      }),
    );
  }
  if (may.delete !== undefined)
    routes.push(
      route({
        method: "DELETE",
        path: place.one,
        id: `delete${name}`,
        summary: may.restore === undefined ? `End a ${type.name}` : `Delete a ${type.name}; it can be restored`,
        answers: {
          204: { description: "Deleted", headers: ["Consistency-Token", "Idempotency-Replayed"] },
          ...answersUndecided,
        },
        problems: [...writeProblems, "version-mismatch", "last-owner"],
        handle: (call) => change(context, call, "delete", { id: idOf(context, call), body: {} }),
      }),
    );
  for (const [kind, summary] of [
    ["restore", `Bring a deleted ${type.name} back`],
    ["undo", "Take back the latest change, as a new version"],
  ] as const)
    if (may[kind] !== undefined)
      routes.push(
        route({
          method: "POST",
          path: `${place.one}/${kind}`,
          id: `${kind}${name}`,
          summary,
          before: membersOnly(parts, seesDeleted(context)),
          answers: answersResource,
          problems: [...writeProblems, "version-mismatch"],
          handle: (call) => change(context, call, kind, { id: idOf(context, call), body: {} }),
        }),
      );
  return [...routes, ...lacking(context)];
}

/** Paths that other types have: here they take no method. */
function lacking({ type, place, name, suffix }: Context): Route[] {
  return (["restore", "undo"] as const).flatMap((kind) => {
    if (type.may[kind] !== undefined) return [];
    return {
      method: "POST",
      path: `${place.one}/${kind}`,
      id: `${kind}${name}${suffix}`,
      summary: `A ${type.name} has no ${kind}`,
      tag: `${name}s`,
      auth: "none",
      isUnlisted: true,
      answers: {},
      problems: ["method-not-allowed"],
      handle() {
        throw new Problem("method-not-allowed", undefined, { headers: { allow: "" } });
      },
    };
  });
}

type Asked = {
  readonly id: string | undefined;
  readonly body: Record<string, Json>;
  readonly onTaken?: "version-mismatch";
};

async function change(context: Context, call: Call, kind: IntentKind, asked: Asked) {
  const { type, parts } = context;
  const spaceId = spaceOf(parts, call);
  const path =
    type.name === "space"
      ? kind === "restore"
        ? "/restore"
        : ""
      : `/${type.plural}${asked.id === undefined ? "" : `/${asked.id}`}${kind === "restore" || kind === "undo" ? `/${kind}` : ""}`;
  const outcome = await changed(parts, call, spaceId, { ...asked, type: type.name, kind, path });
  return answerTo(parts, call, outcome, type);
}

/** The answer about the one resource that an operation is answered with. */
export function answerTo(parts: SpaceParts, call: Call, outcome: Outcome, type: ResourceType) {
  const links = linksOf(parts, call);
  if (outcome.kind === "pending") return pendingAnswer(outcome, links);
  throwRefusal(outcome, { isMany: false });
  return then(parts.queries.textsOf(readerOfWrite(call), outcome.documents), (texts) => {
    const [id = ""] = outcome.fact.answers;
    const version = outcome.documents.get(id)?.version ?? 1;
    const location =
      type.name === "space"
        ? `${links.site.url}/v1/spaces/${id}`
        : `${links.site.url}${links.base}/${type.plural}/${id}`;
    return resourceAnswer(outcome, { text: texts.get(id), version, location });
  });
}

function readerOfWrite(call: Call) {
  return { userId: callerOf(call).userId, token: undefined };
}

/** What is asked of what one may not change, or is not there, is refused as such first. */
function requirePrecondition(context: Context, call: Call): MaybePromise<never> {
  const { type, parts } = context;
  const reader = readerOfWrite(call);
  const spaceId = spaceOf(parts, call);
  return then(isPersonal(spaceId, reader.userId) ? undefined : parts.access.of(reader, spaceId), (access) => {
    if (access !== undefined && !isAtLeast(access.role, type.may.patch?.least ?? "owner"))
      throw new Problem("forbidden");
    return then(parts.queries.get(reader, spaceId, type.name, idOf(context, call)), () => {
      throw new Problem("precondition-required");
    });
  });
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

export const HistoryEntry: TSchema = t.Object(
  {
    version: t.Integer({ minimum: 1 }),
    seq: t.Integer({ minimum: 1 }),
    kind: t.Union(["created", "changed", "deleted", "restored", "undone"].map((kind) => t.Literal(kind))),
    at: t.String({ format: "date-time" }),
    actorId: t.String({ format: "uuid" }),
    operationId: t.String({ format: "uuid" }),
    changes: t.Record(t.String(), t.Object({ from: t.Unknown(), to: t.Unknown() })),
  },
  { $id: "HistoryEntry" },
);
const History = t.Object({ items: t.Array(HistoryEntry), nextCursor: t.Union([t.String(), t.Null()]) });

export function edgeOf({ now }: Pick<SpaceParts, "now">) {
  return { nowMs: now(), newId: () => crypto.randomUUID() };
}

export function isUuid(text: unknown): text is string {
  return typeof text === "string" && uuidPattern.test(text);
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
