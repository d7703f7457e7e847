import { resourceBody } from "../../http/resource-body.ts";
import { type BodyKind, servedModel } from "../../http/resource-models.ts";
import type { Call, Route } from "../../http/route.ts";
import { Problem } from "../../model/problem.ts";
import type { IntentKind } from "../../resources/command.ts";
import { isAtLeast } from "../../resources/document.ts";
import type { Json } from "../../resources/field.ts";
import { isPersonal } from "../../resources/head.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { type Outcome, pendingAnswer, repeated, resourceAnswer, throwRefusal } from "../change-answers.ts";
import { createsOnly, ofUnconditionalWrites, ofWrites } from "../conditions.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import {
  answersUndecided,
  bodyProblems,
  callerOf,
  changed,
  json,
  linksOf,
  membersOnly,
  mergePatch,
  type SpaceParts,
  spaceOf,
  writeProblems,
} from "../request.ts";
import { type Context, edgeOf, idOf, scopeOf, seesDeleted } from "./resource-place.ts";

const resourceHeaders = ["ETag", "Consistency-Token", "Idempotency-Replayed"] as const;

export function changeRoutes(context: Context): Route[] {
  return [...creating(context), ...patching(context), ...ending(context), ...lacking(context)];
}

function answersResource({ type }: Context): Route["answers"] {
  const schema = servedModel(type);
  return { 200: { description: `The ${type.name}`, schema, headers: resourceHeaders }, ...answersUndecided };
}

function answersNew({ type }: Context): Route["answers"] {
  const schema = servedModel(type);
  const headers = ["Location", ...resourceHeaders] as const;
  return { 201: { description: `The new ${type.name}`, schema, headers }, ...answersUndecided };
}

type Own = Pick<Route, "method" | "path" | "id" | "summary" | "answers" | "problems" | "handle"> & Partial<Route>;

function routeOf(context: Context, own: Own): Route {
  const { parts, place, name, suffix } = context;
  return {
    tag: `${name}s`,
    auth: "user",
    ...scopeOf(context),
    ...ofWrites,
    ...place.aliasesOf(own.path),
    before: membersOnly(parts),
    ...own,
    id: `${own.id}${suffix}`,
  };
}

function bodied({ type, parts }: Context, kind: BodyKind, types: readonly string[] = [json]) {
  const body = resourceBody(type, kind);
  return {
    body: { schema: body.model, types },
    faults: (call: Call) => body.furtherFaults(call.body, edgeOf(parts)),
    kept: (call: Call) => body.kept(call.body, edgeOf(parts)),
  };
}

/** POST, and PUT, which also replaces where the type has that. */
function creating(context: Context): Route[] {
  const { type, place, name } = context;
  const { may } = type;
  if (may.create === undefined || type.isContent !== true) return [];
  const routes: Route[] = [];
  const { kept, ...creation } = bodied(context, "create");
  routes.push(
    routeOf(context, {
      method: "POST",
      path: place.collection,
      id: `create${name}`,
      summary: `Create a ${type.name}`,
      description: "Its id is made by the server. Fields that are not named have their defaults.",
      ...creation,
      ...ofUnconditionalWrites,
      answers: answersNew(context),
      problems: [...bodyProblems, ...writeProblems, "invalid-reference"],
      handle: (call) => change(context, call, "create", { id: undefined, body: kept(call) }),
    }),
  );
  const replacement = may.replace === undefined ? undefined : bodied(context, "replace");
  const whole = bodied(context, "create");
  routes.push(
    routeOf(context, {
      method: "PUT",
      path: place.one,
      id: `put${name}`,
      summary:
        replacement === undefined
          ? `Create a ${type.name} under a chosen id with If-None-Match: *`
          : `Replace a ${type.name}'s writable fields, or create it under a chosen id with If-None-Match: *`,
      description:
        "Clients that work offline choose ids themselves. With `If-None-Match: *` an id that the space has already is 412; without it an id that it does not have is 404.",
      body: { schema: (replacement ?? whole).body.schema, types: [json] },
      faults(call) {
        const isCreation = createsOnly(call.request.headers);
        // Of some types PUT only creates.
        if (!isCreation && replacement === undefined)
          throw new Problem("method-not-allowed", undefined, { headers: { allow: "GET, HEAD, PATCH, DELETE" } });
        return (isCreation || replacement === undefined ? whole : replacement).faults(call);
      },
      headers: [...ofWrites.headers, "If-None-Match"],
      checkHeaders: (headers) => {
        ofWrites.checkHeaders(headers);
        createsOnly(headers);
      },
      answers:
        replacement === undefined ? answersNew(context) : { ...answersResource(context), ...answersNew(context) },
      problems: [...bodyProblems, ...writeProblems, "version-mismatch", "invalid-reference"],
      handle(call) {
        const isCreation = createsOnly(call.request.headers);
        const id = idOf(context, call);
        return isCreation || replacement === undefined
          ? change(context, call, "create", { id, body: whole.kept(call), onTaken: "version-mismatch" })
          : change(context, call, "replace", { id, body: replacement.kept(call) });
      },
    }),
  );
  return routes;
}

function patching(context: Context): Route[] {
  const { type, place, name } = context;
  if (type.may.patch === undefined) return [];
  const routes: Route[] = [];
  const { kept, ...patch } = bodied(context, "patch", [json, mergePatch]);
  const guarded = Object.entries(type.fields).find(([, { form }]) => form.kind === "columns")?.[0];
  routes.push(
    routeOf(context, {
      method: "PATCH",
      path: place.one,
      id: `patch${name}`,
      summary: "Change the named fields (JSON Merge Patch)",
      description:
        "Fields that are not named stay untouched, whoever else writes at the same moment; `null` sets a field to its default.",
      ...patch,
      answers: answersResource(context),
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
          guarded !== undefined && Object.hasOwn(call.body as object, guarded) && !call.request.headers.has("if-match");
        return isUnguarded ? requirePrecondition(context, call) : patching();
      },
    }),
  );
  return routes;
}

function ending(context: Context): Route[] {
  const { type, parts, place, name } = context;
  const { may } = type;
  const routes: Route[] = [];
  if (may.delete !== undefined)
    routes.push(
      routeOf(context, {
        method: "DELETE",
        path: place.one,
        id: `delete${name}`,
        summary: may.restore === undefined ? `End a ${type.name}` : `Delete a ${type.name}; it can be restored`,
        description: "It is 404 from then on; its history stays.",
        answers: {
          204: { description: "Deleted", headers: ["Consistency-Token", "Idempotency-Replayed"] },
          ...answersUndecided,
        },
        problems: [...writeProblems, "version-mismatch", "last-owner"],
        before: onceEnded(context),
        handle: (call) => change(context, call, "delete", { id: idOf(context, call), body: {} }),
      }),
    );
  for (const [kind, summary, description] of [
    ["restore", `Bring a deleted ${type.name} back`, "As it was when it was deleted. What is not deleted is 409."],
    [
      "undo",
      "Take back the latest change, as a new version",
      "Again: the one before it. Where there is nothing to take back it is 409.",
    ],
  ] as const)
    if (may[kind] !== undefined)
      routes.push(
        routeOf(context, {
          method: "POST",
          path: `${place.one}/${kind}`,
          id: `${kind}${name}`,
          summary,
          description,
          before: membersOnly(parts, seesDeleted(context)),
          answers: answersResource(context),
          problems: [...writeProblems, "version-mismatch"],
          handle: (call) => change(context, call, kind, { id: idOf(context, call), body: {} }),
        }),
      );
  return routes;
}

/** Whoever deleted a space and sends it again with its key is told again that it is deleted; the writer refuses everybody else. */
function onceEnded(context: Context): NonNullable<Route["before"]> {
  const first = membersOnly(context.parts);
  const again = membersOnly(context.parts, seesDeleted(context));
  return (call) => (call.request.headers.has("idempotency-key") ? again : first)(call);
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
      takesNone: true,
      answers: {},
      problems: ["method-not-allowed"],
      handle() {
        throw new Problem("method-not-allowed");
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
  throwRefusal(outcome);
  const [id = ""] = outcome.fact.answers;
  // What an undo has deleted is shown as every undo shows what it leaves.
  const withDeleted = outcome.fact.changes.some((each) => each.id === id && each.kind === "undone");
  const as = { withDeleted, asOf: repeated(outcome) };
  return then(parts.queries.textsOf(readerOfWrite(call), outcome.documents, as), (texts) => {
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
