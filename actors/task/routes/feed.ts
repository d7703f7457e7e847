/** The routes of the feed: facts, and the snapshot that they bring up to date (section 3.7 of the contract). */
import { Type as t } from "@sinclair/typebox";
import { integerParameter } from "../../http/query-parameters.ts";
import type { Call, Route } from "../../http/route.ts";
import { instantMs } from "../../model/instant.ts";
import { Problem } from "../../model/problem.ts";
import { toldFact } from "../../resources/past.ts";
import { registry, resourceTypes } from "../../resources/registry.ts";
import { ofReads } from "../conditions.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import type { StoredResource } from "../ports.ts";
import { missing } from "../queries.ts";
import {
  callerOf,
  inSpace,
  membersOnly,
  privateRead,
  readerOf,
  readProblems,
  type SpaceParts,
  spaceOf,
} from "../request.ts";
import { changeKinds, FieldChanges } from "./history-models.ts";

const factsMax = 1_000;
const factsDefault = 100;
/** A page of facts ends here as well. */
const pageBytesMax = 4 * 2 ** 20;
/** Beside the space and its members, which its head names. */
const walkedTypes = resourceTypes
  // A snapshot is one for all members: what only some may read is not in it.
  .filter(
    ({ name, isReadApart, seenBy }) =>
      name !== "space" && name !== "member" && isReadApart !== true && seenBy === undefined,
  )
  .map(({ name }) => name);
const walkedAtOnce = 200;
const dayMs = 86_400_000;

const FactChange = t.Object(
  {
    type: t.Union(resourceTypes.map(({ name }) => t.Literal(name))),
    id: t.String({ format: "uuid" }),
    version: t.Integer({ minimum: 1, description: "Of the resource, with this change" }),
    kind: t.Union(changeKinds.map((kind) => t.Literal(kind))),
    fields: FieldChanges,
    deleted: t.Optional(t.Boolean({ description: "Where that changed" })),
  },
  { $id: "FactChange" },
);
const Fact = t.Object(
  {
    spaceId: t.String({ format: "uuid" }),
    seq: t.Integer({ minimum: 1, description: "1, 2, 3, ... without gap within the space" }),
    at: t.String({ format: "date-time" }),
    actorId: t.String({ format: "uuid", description: "The user who did it" }),
    operationId: t.String({ format: "uuid" }),
    changes: t.Array(FactChange),
  },
  { $id: "Fact", description: "What one operation did; there is one for each that changed something" },
);
const Facts = t.Object(
  {
    items: t.Array(Fact),
    after: t.Integer({ minimum: 0, description: "The last seq given, or the one asked for" }),
    seq: t.Integer({ minimum: 0, description: "The latest of the space" }),
    epoch: t.String({ description: "Names the store of facts" }),
  },
  { $id: "FactPage" },
);
const Snapshot = t.String({
  examples: [
    '{"spaceId":"0197a3b8-0f4d-7e19-b6a2-1c8d7e6f5a4b","seq":17,"epoch":"3f6c2d1e"}\n{"type":"space","resource":{}}\n{"end":true}\n',
  ],
});

export function feedRoutes(parts: SpaceParts): Route[] {
  const common = {
    tag: "Feed",
    auth: "user",
    ...ofReads,
    cacheControl: privateRead,
    before: membersOnly(parts),
  } as const;
  return [
    {
      method: "GET",
      path: `${inSpace.prefix}/facts`,
      id: "listFacts",
      summary: "What happened in the space, in its order",
      description:
        "From the beginning on, a page at a time: send the page's `after` again as `after`. A client that names another `epoch`, or is ahead of the space, gets 410: the store was restored, so it reads a snapshot.",
      query: {
        after: { schema: integerParameter({ minimum: 0, default: 0, description: "Facts behind this seq" }) },
        limit: {
          schema: integerParameter({
            minimum: 1,
            maximum: factsMax,
            default: factsDefault,
            description: "Facts at most",
          }),
        },
        epoch: { schema: t.String({ maxLength: 64, description: "As the client knows it: another one is 410" }) },
      },
      ...common,
      answers: { 200: { description: "A page of facts, ascending", schema: Facts, headers: ["Consistency"] } },
      problems: [...readProblems, "resync"],
      handle: (call) => facts(parts, call),
    },
    {
      method: "GET",
      path: `${inSpace.prefix}/facts/:seq`,
      id: "getFact",
      summary: "One fact",
      description: "Facts stay as they are for ever.",
      ...common,
      answers: { 200: { description: "The fact", schema: Fact, headers: ["Consistency"] } },
      problems: readProblems,
      handle(call) {
        const spaceId = spaceOf(parts, call);
        const seq = /^[1-9]\d{0,14}$/.test(call.params.seq ?? "") ? Number(call.params.seq) : 0;
        return then(parts.lists.isStale(readerOf(call)), (isStale) =>
          then(parts.reads.facts(spaceId, seq - 1, 1, pageBytesMax), ([fact]) => {
            if (seq === 0 || fact?.seq !== seq) throw missing(isStale);
            return { status: 200, json: JSON.stringify(toldFact(registry, fact)), headers: stale(isStale) };
          }),
        );
      },
    },
    {
      method: "GET",
      path: `${inSpace.prefix}/snapshot`,
      id: "getSnapshot",
      summary: "All that lives in the space but comments, a line each",
      description:
        "Lines of JSON: `{ spaceId, seq, epoch }`, then `{ type, resource }` of each, at last `{ end: true }`. Facts behind `seq` bring it up to date.",
      query: {
        done: {
          schema: integerParameter({
            minimum: 0,
            maximum: 36_500,
            description:
              "Leaves out tasks that were completed or cancelled more days ago. A fact that opens one again says only what changed: read the task",
          }),
        },
      },
      ...common,
      answers: {
        200: {
          description: "The snapshot",
          schema: Snapshot,
          type: "application/x-ndjson",
          headers: ["Consistency"],
        },
      },
      problems: readProblems,
      handle: (call) => snapshot(parts, call),
    },
  ];
}

function stale(isStale: boolean): Record<string, string> {
  return isStale ? { consistency: "stale" } : {};
}

function facts(parts: SpaceParts, call: Call) {
  const { query } = call;
  const spaceId = spaceOf(parts, call);
  const after = Number(query.get("after") ?? 0);
  const limit = Number(query.get("limit") ?? factsDefault);
  const known = query.get("epoch");
  return then(parts.lists.isStale(readerOf(call)), (isStale) =>
    then(parts.reads.epoch(), (epoch) =>
      then(parts.lists.seqOf(spaceId), (latest) => {
        if (known !== null && known !== epoch) throw new Problem("resync");
        return then(after <= latest || isStale || isTold(parts, call, spaceId, after), (isKnown) => {
          if (!isKnown) throw new Problem("resync");
          return then(parts.reads.facts(spaceId, after, limit, pageBytesMax), (found) => {
            const last = found.at(-1)?.seq ?? after;
            const items = found.map((fact) => toldFact(registry, fact));
            const json = JSON.stringify({ items, after: last, seq: Math.max(latest, last), epoch });
            return { status: 200, json, headers: stale(isStale) };
          });
        });
      }),
    ),
  );
}

/** Streams and answers to writes tell of facts before the read model has them: who knows of one of these is not ahead of the space. */
function isTold({ access }: SpaceParts, call: Call, spaceId: string, seq: number): MaybePromise<boolean> {
  const reader = { userId: callerOf(call).userId, token: undefined };
  return then(access.of(reader, spaceId), ({ head }) => seq <= head.seq);
}

async function snapshot(parts: SpaceParts, call: Call) {
  const spaceId = spaceOf(parts, call);
  const reader = readerOf(call);
  const headers = { "content-type": "application/x-ndjson" };
  if (call.request.method === "HEAD") return { status: 200, headers };
  const days = call.query.get("done");
  const isStale = await parts.lists.isStale(reader);
  const [epoch, seq] = await Promise.all([parts.reads.epoch(), parts.lists.seqOf(spaceId)]);
  const lines = snapshotLines(parts, {
    spaceId,
    seq,
    epoch,
    ...(days === null ? {} : { doneAfterMs: parts.now() - Number(days) * dayMs }),
  });
  return {
    status: 200,
    stream: streamOf(lines),
    headers: { ...headers, ...stale(isStale) },
  };
}

type Snapshot = {
  readonly spaceId: string;
  readonly seq: number;
  readonly epoch: string;
  readonly doneAfterMs?: number;
};

/** Some lines at a time. */
async function* snapshotLines(
  { queries, reads }: SpaceParts,
  { spaceId, seq, epoch, doneAfterMs }: Snapshot,
): AsyncGenerator<string> {
  yield `${JSON.stringify({ spaceId, seq, epoch })}\n`;
  const head = await reads.head(spaceId);
  const ids = [spaceId, ...(head?.members ?? []).map(({ id }) => id)];
  const found = new Map((await reads.resources(spaceId, ids)).map((each) => [each.id, each]));
  const first = head === undefined ? queries.born(spaceId) : ids.flatMap((id) => found.get(id) ?? []);
  // What a personal space has without any fact, unless it has changed.
  const born = queries.born(spaceId).filter(({ id }) => first.every((each) => each.id !== id));
  yield [...first, ...born].flatMap((each) => (each.isDeleted ? [] : [lineOf(each)])).join("");
  for (let after: string | undefined, isOver = false; !isOver; ) {
    const some = await reads.living(spaceId, walkedTypes, after, walkedAtOnce);
    isOver = some.length < walkedAtOnce;
    after = some.at(-1)?.id;
    yield some.flatMap((each) => (isWanted(each, doneAfterMs) ? [lineOf(each)] : [])).join("");
  }
  yield '{"end":true}\n';
}

function lineOf({ type, text }: StoredResource): string {
  return `{"type":"${type}","resource":${text}}\n`;
}

function isWanted({ type, text }: StoredResource, doneAfterMs: number | undefined): boolean {
  if (type !== "task" || doneAfterMs === undefined) return true;
  const { status, completedAt, updatedAt } = JSON.parse(text) as Record<string, string | null>;
  if (status !== "done" && status !== "cancelled") return true;
  return (instantMs(completedAt ?? updatedAt ?? "") ?? 0) >= doneAfterMs;
}

function streamOf(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: () => void lines.return(undefined),
  });
}
