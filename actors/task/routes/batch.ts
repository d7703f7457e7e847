/** The routes of many changes at once, and of operations as a whole (section 3.6 of the contract). */
import { Type as t } from "@sinclair/typebox";
import { type ResourceBody, resourceBody } from "../../http/resource-body.ts";
import { bodyKinds, bodyModel, importedInstants } from "../../http/resource-models.ts";
import type { Answer, Call, Route } from "../../http/route.ts";
import type { Fault } from "../../model/problem.ts";
import type { Intent } from "../../resources/command.ts";
import type { Json } from "../../resources/field.ts";
import { resourceTypes } from "../../resources/registry.ts";
import { type Outcome, pendingAnswer, repeated, settledHeaders, throwRefusal } from "../change-answers.ts";
import { changeCommand, type OperationIds, operationIds, undoCommand } from "../commands.ts";
import { ofReads, ofUnconditionalWrites } from "../conditions.ts";
import { then } from "../maybe-promise.ts";
import { operationMembers } from "../queries.ts";
import {
  type Address,
  answersUndecided,
  askingOf,
  bodyProblems,
  callerOf,
  inOwn,
  inSpace,
  json,
  linksOf,
  membersOnly,
  Operation,
  OperationItems,
  privateRead,
  readerOf,
  readProblems,
  type SpaceParts,
  shown,
  spaceOf,
  suffixOf,
  writeProblems,
} from "../request.ts";
import { edgeOf } from "./resource-place.ts";

const changesMax = 500;
const batchBytesMax = 2 * 2 ** 20;
const kinds = ["create", "patch", "replace", "delete", "restore"] as const;
const contentTypes = resourceTypes.filter(({ isContent }) => isContent === true);

const oneOf = (values: readonly string[]) => t.Union(values.map((value) => t.Literal(value)));
/** Which of them it is follows from type and kind: each is checked as such. */
const bodyModels = contentTypes.flatMap((type) =>
  bodyKinds.flatMap((kind) =>
    type.may[kind] === undefined
      ? []
      : [false, true].flatMap((isImport) =>
          isImport && importedInstants(type, kind).length === 0 ? [] : [bodyModel(type, kind, { isImport })],
        ),
  ),
);
const Batch = t.Object(
  {
    changes: t.Array(
      t.Object(
        {
          type: oneOf(contentTypes.map(({ name }) => name)),
          id: t.Optional(t.String({ format: "uuid", description: "Needed for all but a creation" })),
          kind: oneOf(kinds),
          expected: t.Optional(t.Integer({ minimum: 1, description: "The version that the resource must have then" })),
          body: t.Optional(
            t.Object(
              {},
              { published: { anyOf: bodyModels }, description: "As the request about the one resource would have it" },
            ),
          ),
        },
        { $id: "BatchChange", additionalProperties: false },
      ),
      { minItems: 1, maxItems: changesMax },
    ),
    import: t.Optional(t.Boolean({ description: "`createdAt` and `completedAt` of the past may be given" })),
  },
  { $id: "Batch", additionalProperties: false },
);
const BatchAnswer = t.Object(
  {
    operationId: t.String({ format: "uuid" }),
    seq: t.Integer({ minimum: 0, description: "The operation's place in what happened in the space" }),
    items: OperationItems,
  },
  { $id: "BatchAnswer" },
);

type Change = {
  readonly type: string;
  readonly id?: string;
  readonly kind: (typeof kinds)[number];
  readonly expected?: number;
  readonly body?: unknown;
};
type BatchBody = { readonly changes: readonly Change[]; readonly import?: boolean };

export function batchRoutes(parts: SpaceParts): Route[] {
  return [inOwn, inSpace].flatMap((address) => routesAt(parts, address));
}

function routesAt(parts: SpaceParts, address: Address): Route[] {
  const suffix = suffixOf(address, true);
  const answersBatch: Route["answers"] = {
    200: {
      description: "What became of it",
      schema: BatchAnswer,
      headers: ["Consistency-Token", "Idempotency-Replayed"],
    },
    ...answersUndecided,
  };
  return [
    {
      method: "POST",
      path: `${address.prefix}/batch`,
      id: `changeMany${suffix}`,
      summary: "Many changes as one operation: all or none",
      description:
        "Up to 500 changes of projects, tasks and comments, decided in their order. Later ones may refer to ids that earlier ones create. It counts as so many requests for the rate limit.",
      tag: "Operations",
      auth: "user",
      body: { schema: Batch, types: [json], bytesMax: batchBytesMax },
      faults: (call) => batchFaults(parts, call.body),
      toldWith: firstRefused,
      ...ofUnconditionalWrites,
      before: membersOnly(parts),
      answers: answersBatch,
      problems: [...bodyProblems, ...writeProblems, "version-mismatch", "precondition-required", "invalid-reference"],
      handle: (call) => changeMany(parts, call),
    },
    {
      method: "GET",
      path: `${address.prefix}/operations/:id`,
      ...(address.isOwn ? { aliases: ["/operations/:id"] } : {}),
      id: `getOperation${suffix}`,
      summary: "What became of a change",
      description:
        "For a client that got 202, and for finding what an operation of the history did. One that was refused or is not decided is shown to its author alone.",
      tag: "Operations",
      auth: "user",
      ...ofReads,
      before: membersOnly(parts),
      answers: { 200: { description: "The operation", schema: Operation } },
      problems: readProblems,
      cacheControl: privateRead,
      handle: (call) =>
        then(parts.queries.operation(readerOf(call), spaceOf(parts, call), call.params.id as string), shown),
    },
    {
      method: "POST",
      path: `${address.prefix}/operations/:id/undo`,
      id: `undoOperation${suffix}`,
      summary: "Take back all that one operation did, as one new operation",
      description:
        "Where each field that it changed still is as it left it, else 409 with the resources that stand in the way. The new operation can be undone in turn.",
      tag: "Operations",
      auth: "user",
      ...ofUnconditionalWrites,
      before: membersOnly(parts),
      answers: answersBatch,
      problems: writeProblems,
      async handle(call) {
        const spaceId = spaceOf(parts, call);
        const undoes = call.params.id as string;
        const asking = askingOf(call, spaceId, `/operations/${undoes}/undo`);
        const ids = operationIds(asking, spaceId);
        const outcome = await parts.changes.change(undoCommand({ asking, ids, nowMs: parts.now() }, undoes));
        return answerOf(parts, call, outcome);
      },
    },
  ];
}

/** The form of bodies by type, kind and whether the past may be given. */
const bodies = new Map(
  contentTypes.flatMap((type) =>
    bodyKinds.flatMap((kind) =>
      [false, true].map((isImport): [string, ResourceBody] => [
        keyOf(type.name, kind, isImport),
        resourceBody(type, kind, { isImport }),
      ]),
    ),
  ),
);

function keyOf(type: string, kind: string, isImport: boolean): string {
  return `${type} ${kind} ${isImport}`;
}

function bodyOf({ type, kind }: Pick<Change, "type" | "kind">, isImport: boolean): ResourceBody | undefined {
  return bodies.get(keyOf(type, kind, isImport));
}

/** What the schema cannot tell. It may find more wrong: only what has the right form is looked at. */
function batchFaults(parts: SpaceParts, given: unknown): Fault[] {
  const { changes, import: isImport } = given as { changes?: unknown; import?: unknown };
  if (!Array.isArray(changes) || changes.length > changesMax) return [];
  const edge = edgeOf(parts);
  return changes.flatMap((change: unknown, place) => {
    if (typeof change !== "object" || change === null) return [];
    const faults = changeFaults(change as Partial<Change>, isImport === true, edge);
    return faults.map(({ path, message }) => ({ path: `/changes/${place}${path}`, message }));
  });
}

/** The place of the first change that is refused; none where the batch itself is at fault. */
function firstRefused(faults: readonly Fault[]): { change?: number } {
  const places = faults.flatMap(({ path }) => /^\/changes\/(\d+)/.exec(path)?.[1] ?? []).map(Number);
  return places.length === 0 ? {} : { change: Math.min(...places) };
}

function changeFaults(change: Partial<Change>, isImport: boolean, edge: ReturnType<typeof edgeOf>): Fault[] {
  const { type, kind, id, body, expected } = change;
  const known = contentTypes.find(({ name }) => name === type);
  if (known === undefined || kind === undefined || !kinds.includes(kind)) return [];
  if (known.may[kind] === undefined) return [{ path: "/kind", message: `is no change of a ${known.name}` }];
  const faults: Fault[] = [];
  if (id === undefined && kind !== "create") faults.push({ path: "/id", message: "is required" });
  if (expected !== undefined && kind === "create")
    faults.push({ path: "/expected", message: "must not be given with a creation" });
  const form = bodyOf({ type: known.name, kind }, isImport);
  if (form === undefined) {
    if (body !== undefined) faults.push({ path: "/body", message: `must not be given with ${kind}` });
    return faults;
  }
  if (body === undefined) return [...faults, { path: "/body", message: "is required" }];
  if (typeof body !== "object" || body === null || Array.isArray(body)) return faults;
  const ofCompletion = isImport ? completionFaults(kind, body as Record<string, unknown>) : [];
  const inBody = [...form.faults(body, edge), ...ofCompletion];
  return [...faults, ...inBody.map(({ path, message }) => ({ path: `/body${path}`, message }))];
}

/** The instant of a completion is not dropped silently where the task is not done. Which status a column has is known to the writer alone. */
function completionFaults(kind: Change["kind"], { completedAt, status, columnId }: Record<string, unknown>): Fault[] {
  if (typeof completedAt !== "string" || status === "done") return [];
  const isUnknown = status === undefined && (kind === "patch" || typeof columnId === "string");
  return isUnknown ? [] : [{ path: "/completedAt", message: "needs the status done" }];
}

async function changeMany(parts: SpaceParts, call: Call): Promise<Answer> {
  const { changes, import: isImport = false } = call.body as BatchBody;
  const caller = callerOf(call);
  // The request itself has been counted.
  caller.charge?.(changes.length - 1);
  const spaceId = spaceOf(parts, call);
  const asking = askingOf(call, spaceId, "/batch");
  const ids = operationIds(asking, spaceId);
  const edge = edgeOf(parts);
  const intents = changes.map((change, place) => intentOf(change, { place, isImport, ids, edge }));
  const command = changeCommand({ asking, ids, nowMs: parts.now() }, intents, { isImport, isBatch: true });
  return answerOf(parts, call, await parts.changes.change(command));
}

function intentOf(
  change: Change,
  {
    place,
    isImport,
    ids,
    edge,
  }: { place: number; isImport: boolean; ids: OperationIds; edge: ReturnType<typeof edgeOf> },
): Intent {
  const { type, kind, id, expected, body } = change;
  const form = bodyOf(change, isImport);
  const kept: Record<string, Json> = form === undefined ? {} : form.kept(body, edge);
  return {
    type,
    id: id ?? ids.newId(place),
    kind,
    body: kept,
    ...(expected === undefined ? {} : { expected: [expected] }),
  };
}

function answerOf(parts: SpaceParts, call: Call, outcome: Outcome): Answer | Promise<Answer> {
  if (outcome.kind === "pending") return pendingAnswer(outcome, linksOf(parts, call));
  throwRefusal(outcome);
  const reader = { userId: callerOf(call).userId, token: undefined };
  return then(parts.queries.textsOf(reader, outcome.documents, { asOf: repeated(outcome) }), (texts) => ({
    status: 200,
    json: `{"operationId":"${outcome.fact.operationId}",${operationMembers(outcome.fact, texts)}}`,
    headers: settledHeaders(outcome),
  }));
}
