/** What every request about a space has: who asks, which space, where links lead, and how a change is named. */
import { Type as t } from "@sinclair/typebox";
import { Refusal } from "../http/problem-models.ts";
import { servedModel } from "../http/resource-models.ts";
import type { Answer, Call, Caller, Route } from "../http/route.ts";
import type { Site } from "../http/site.ts";
import { pathOf } from "../http/target.ts";
import { type Fault, Problem } from "../model/problem.ts";
import { isAtLeast, type Role } from "../resources/document.ts";
import { resourceTypes } from "../resources/registry.ts";
import type { SpaceAccess } from "./access.ts";
import type { Links } from "./change-answers.ts";
import type { SpaceChanges } from "./changes.ts";
import { type Asking, changeCommand, fingerprintOf, type OperationIds, operationIds } from "./commands.ts";
import { etag, hasVersion, parseConsistencyToken, parseIfMatch } from "./conditions.ts";
import type { Lists } from "./lists.ts";
import { then } from "./maybe-promise.ts";
import type { Reader, SpaceReads } from "./ports.ts";
import type { Shown, SpaceQueries } from "./queries.ts";

export type SpaceParts = {
  readonly access: SpaceAccess;
  readonly changes: SpaceChanges;
  readonly queries: SpaceQueries;
  readonly lists: Lists;
  readonly reads: SpaceReads;
  readonly site: Pick<Site, "url">;
  readonly now: () => number;
  /** Why nobody may have this address called; nothing is refused where it is missing. */
  readonly urlFault?: ((url: string) => string | undefined) | undefined;
};

export const json = "application/json";
export const mergePatch = "application/merge-patch+json";
export const privateRead = "private, no-cache";

/** Below a space that the path names, or below the caller's own. */
export type Address = { readonly prefix: "/v1/spaces/:spaceId" | "/v1"; readonly isOwn: boolean };
export const inSpace: Address = { prefix: "/v1/spaces/:spaceId", isOwn: false };
export const inOwn: Address = { prefix: "/v1", isOwn: true };

/** Ends the ids of routes that name a space where the same is served without. */
export function suffixOf({ isOwn }: Address, isBoth: boolean): string {
  return isBoth && !isOwn ? "InSpace" : "";
}

/** The resources that an operation left, in the order of its changes. */
export const OperationItems = t.Array(t.Union([...resourceTypes.map(servedModel), t.Null()]), {
  description: "Of each change the resource as it is at the end, null where it is deleted",
});

export const Operation = t.Object(
  {
    id: t.String({ format: "uuid" }),
    status: t.Union(["pending", "applied", "rejected"].map((status) => t.Literal(status))),
    seq: t.Optional(
      t.Integer({ minimum: 0, description: "Of an applied one: its place in what happened in the space" }),
    ),
    items: t.Optional(OperationItems),
    problem: t.Optional(Refusal),
  },
  { $id: "Operation" },
);

export const answersUndecided: Route["answers"] = {
  202: {
    description: "The log has it; what becomes of it is told under Location",
    schema: Operation,
    headers: ["Location", "Consistency-Token"],
  },
};

export const bodyProblems = ["malformed-json", "body-too-large", "unsupported-media-type", "validation"] as const;
export const writeProblems = [
  "not-found",
  "forbidden",
  "idempotency-mismatch",
  "conflict",
  "limit-reached",
  "malformed-header",
  "log-unavailable",
  "overloaded",
] as const;
export const readProblems = [
  "not-found",
  "malformed-header",
  "validation",
  "not-yet-visible",
  "read-model-unavailable",
] as const;

export function callerOf({ caller }: Call): Caller {
  if (caller === undefined) throw new Error("Cannot serve a space to nobody: the route must ask for a user.");
  return caller;
}

export function readerOf(call: Call): Reader {
  return { userId: callerOf(call).userId, token: parseConsistencyToken(call.request.headers.get("consistency-token")) };
}

export function spaceOf({ access }: Pick<SpaceParts, "access">, call: Call): string {
  return access.spaceIdOf(callerOf(call).userId, call.params.spaceId);
}

/** Refuses those who are no members, before anything else of the request is looked at, and members with a lesser role than `least`. */
export function membersOnly(
  parts: Pick<SpaceParts, "access">,
  options?: { isDeletedSeen?: boolean; least?: Role },
): NonNullable<Route["before"]> {
  return (call) => {
    const { userId } = callerOf(call);
    const spaceId = spaceOf(parts, call);
    if (spaceId === userId) return;
    const reader = { userId, token: tokenIfUsable(call) };
    const { least } = options ?? {};
    if (least === undefined) return parts.access.check(reader, spaceId, options);
    return then(parts.access.of(reader, spaceId, options), ({ role }) => {
      if (!isAtLeast(role, least)) throw new Problem("forbidden");
    });
  };
}

/** A malformed token is refused later, and not to those who must not know of the space. */
function tokenIfUsable({ request }: Call): Reader["token"] {
  try {
    return parseConsistencyToken(request.headers.get("consistency-token"));
  } catch {
    return undefined;
  }
}

/** Links begin where the request did. */
export function linksOf({ site }: Pick<SpaceParts, "site">, { request, params }: Call): Links {
  const [, , , asked = ""] = pathOf(request.url).split("/");
  return { site, base: params.spaceId === undefined ? "/v1" : `/v1/spaces/${asked}` };
}

/** `path`: canonical, below the space. */
export function askingOf(call: Call, spaceId: string, path: string): Asking {
  return {
    userId: callerOf(call).userId,
    key: call.request.headers.get("idempotency-key"),
    target: `${call.request.method} /v1/spaces/${spaceId}${path}`,
    asked: call.body ?? {},
    traceparent: call.traceparent,
  };
}

/**
 * The faults of a request, none where this very request has been taken before: what is in the past today was not then, and its repeat is answered as it was.
 * While that cannot be read they stand.
 */
export async function faultsUnlessTaken(
  { reads }: Pick<SpaceParts, "reads">,
  asking: Asking,
  spaceId: string,
  faults: readonly Fault[],
): Promise<readonly Fault[]> {
  if (faults.length === 0 || asking.key === null) return faults;
  try {
    const known = await reads.operation(spaceId, operationIds(asking, spaceId).operationId);
    return known?.fingerprint === fingerprintOf(asking) ? [] : faults;
  } catch {
    return faults;
  }
}

export type ChangeOf = {
  readonly type: string;
  /** Undefined: a new one of the operation's. */
  readonly id: string | undefined;
  readonly kind: Parameters<typeof changeCommand>[1][number]["kind"];
  readonly body: Parameters<typeof changeCommand>[1][number]["body"];
  readonly onTaken?: "version-mismatch";
  readonly path: string;
};

/** Sends one change of one resource. */
export async function changed(parts: SpaceParts, call: Call, spaceId: string, change: ChangeOf) {
  const asking = askingOf(call, spaceId, change.path);
  const ids: OperationIds = operationIds(asking, spaceId);
  const expected = parseIfMatch(call.request.headers.get("if-match"));
  const { type, kind, body, onTaken } = change;
  const id = change.id ?? ids.newId(0);
  const intent = {
    type,
    id,
    kind,
    body,
    ...(expected === undefined ? {} : { expected }),
    ...(onTaken === undefined ? {} : { onTaken }),
  };
  return parts.changes.change(changeCommand({ asking, ids, nowMs: parts.now() }, [intent]));
}

export function shown({ json: text, isStale }: Shown): Answer {
  return { status: 200, json: text, ...(isStale ? { headers: { consistency: "stale" } } : {}) };
}

/** One version of a resource, or 304 when the client has it. */
export function tagged(call: Call, found: Shown & { readonly version: number }): Answer {
  const { json: text, version } = found;
  const headers: Record<string, string> = { etag: etag(version) };
  if (found.isStale) headers.consistency = "stale";
  if (hasVersion(call.request.headers.get("if-none-match"), version)) return { status: 304, headers };
  return { status: 200, json: text, headers };
}
