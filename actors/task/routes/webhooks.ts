/** The routes that webhooks have beside those of every type: secrets, deliveries, and moving them by hand. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import type { Action } from "../../courier/messages.ts";
import { resourceBody } from "../../http/resource-body.ts";
import { servedModel } from "../../http/resource-models.ts";
import type { Answer, Call, Route } from "../../http/route.ts";
import { Problem } from "../../model/problem.ts";
import { webhook, webhooksMax } from "../../resources/webhook.ts";
import type { Outcome } from "../change-answers.ts";
import { fingerprintOf, operationIds } from "../commands.ts";
import { ofReads, ofUnconditionalWrites } from "../conditions.ts";
import type { ConsistentReads } from "../ports.ts";
import {
  answersUndecided,
  askingOf,
  bodyProblems,
  changed,
  inSpace,
  json,
  membersOnly,
  privateRead,
  readerOf,
  readProblems,
  type SpaceParts,
  spaceOf,
  writeProblems,
} from "../request.ts";
import type { WebhookAt, Webhooks } from "../webhooks.ts";
import { answerTo } from "./resource-changing.ts";
import { edgeOf } from "./resource-place.ts";

export type WebhookParts = SpaceParts & {
  readonly webhooks: Webhooks;
  readonly consistent: Pick<ConsistentReads, "isStale">;
};

const common = { tag: "Webhooks", auth: "user", scope: "spaces:admin" } as const;
const collection = `${inSpace.prefix}/webhooks`;
const one = `${collection}/:id`;
const secretHeaders = ["ETag", "Consistency-Token", "Idempotency-Replayed"] as const;
const nullableInstant = t.Union([t.String({ format: "date-time" }), t.Null()]);

const WebhookWithSecret = t.Object(
  {
    ...servedModel(webhook).properties,
    secret: t.Union([t.String({ description: "Shown once; null in a repeat" }), t.Null()]),
  },
  { $id: "WebhookWithSecret" },
);
const deliveriesFields = {
  status: t.Union(["active", "paused", "disabled"].map((each) => t.Literal(each))),
  cursor: t.Integer({ minimum: 0, description: "The latest seq that is delivered, or was not to be" }),
  failures: t.Integer({ minimum: 0, description: "Failed attempts of the next fact" }),
  nextAttemptAt: nullableInstant,
};
const Deliveries = t.Object(deliveriesFields, { $id: "Deliveries" });
const Attempt = t.Object(
  {
    seq: t.Union([t.Integer({ minimum: 1 }), t.Null()], { description: "Null: a test" }),
    at: t.String({ format: "date-time" }),
    status: t.Union([t.Integer(), t.Null()], { description: "Null: there was no answer" }),
    durationMs: t.Integer({ minimum: 0 }),
    error: t.Union([t.String(), t.Null()], { description: "What went wrong" }),
  },
  { $id: "DeliveryAttempt" },
);
const DeliveryLog = t.Object({ ...deliveriesFields, items: t.Array(Attempt) }, { $id: "DeliveryLog" });
const Replay = t.Object(
  { from: t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "The first seq to be told again" }) },
  { $id: "Replay", additionalProperties: false },
);
const Skip = t.Object(
  {
    seq: t.Optional(
      t.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Left out only where it is the next one, so that a repeated request leaves out nothing more",
      }),
    ),
  },
  { $id: "Skip", additionalProperties: false },
);

export function webhookRoutes(parts: WebhookParts): Route[] {
  return [creating(parts), rotating(parts), ...delivering(parts)];
}

function creating(parts: WebhookParts): Route {
  const body = resourceBody(webhook, "create");
  return {
    method: "POST",
    path: collection,
    id: "createWebhook",
    summary: "Make a webhook: an address that is told each fact from then on",
    ...common,
    body: { schema: body.model, types: [json] },
    faults: (call) => body.furtherFaults(call.body, edgeOf(parts)),
    ...ofUnconditionalWrites,
    before: membersOnly(parts),
    answers: {
      201: {
        description: "The webhook, with its secret",
        schema: WebhookWithSecret,
        headers: ["Location", ...secretHeaders],
      },
      ...answersUndecided,
    },
    problems: [...bodyProblems, ...writeProblems],
    async handle(call) {
      const spaceId = spaceOf(parts, call);
      parts.webhooks.requireKey();
      // A repeat must find its answer.
      if (!call.request.headers.has("idempotency-key")) await refuseOverLimit(parts, call, spaceId);
      const outcome = await changed(parts, call, spaceId, {
        type: webhook.name,
        id: undefined,
        kind: "create",
        body: body.kept(call.body, edgeOf(parts)),
        path: "/webhooks",
      });
      return withSecret(parts, call, outcome);
    },
  };
}

/** Throws `limit-reached`. */
async function refuseOverLimit({ reads, consistent }: WebhookParts, call: Call, spaceId: string): Promise<void> {
  // Those that the caller has made before are counted.
  await consistent.isStale(readerOf(call));
  const found = await reads.living(spaceId, [webhook.name], undefined, webhooksMax);
  if (found.length >= webhooksMax) throw new Problem("limit-reached", `A space has at most ${webhooksMax} webhooks.`);
}

function rotating(parts: WebhookParts): Route {
  return {
    method: "POST",
    path: `${one}/rotate`,
    id: "rotateWebhookSecret",
    summary: "A new secret; the one before counts for another day",
    ...common,
    headers: ["Idempotency-Key", "If-Match"],
    before: membersOnly(parts),
    answers: {
      200: { description: "The webhook, with its new secret", schema: WebhookWithSecret, headers: secretHeaders },
      ...answersUndecided,
    },
    problems: [...writeProblems, "version-mismatch"],
    async handle(call) {
      const { id = "" } = call.params;
      parts.webhooks.requireKey();
      const outcome = await changed(parts, call, spaceOf(parts, call), {
        type: webhook.name,
        id,
        kind: "patch",
        body: { rotate: true },
        path: `/webhooks/${id}/rotate`,
      });
      return withSecret(parts, call, outcome);
    },
  };
}

async function withSecret(parts: WebhookParts, call: Call, outcome: Outcome): Promise<Answer> {
  const answer = await answerTo(parts, call, outcome, webhook);
  if (outcome.kind === "pending" || answer.json === undefined) return answer;
  const [id = ""] = outcome.fact.answers;
  const generation = outcome.documents.get(id)?.fields.generation as number;
  const secret = outcome.isReplayed ? null : parts.webhooks.secretOf(id, generation);
  return { ...answer, json: `${answer.json.slice(0, -1)},"secret":${JSON.stringify(secret)}}` };
}

function delivering(parts: WebhookParts): Route[] {
  const before = membersOnly(parts, { least: webhook.seenBy ?? "admin" });
  const problems = [...readProblems, "forbidden", "overloaded"] as const;
  const asked = {
    method: "POST",
    ...common,
    headers: [...ofReads.headers, "Idempotency-Key"],
    checkHeaders: ofReads.checkHeaders,
    before,
    problems: [...problems, "idempotency-mismatch"],
  } as const;
  const withBody = [...bodyProblems, ...asked.problems.filter((code) => code !== "validation")];
  const answered = (description: string, schema: TSchema) => ({
    200: { description, schema, headers: ["Idempotency-Replayed"] as const },
  });
  const moved = answered("Where the deliveries are now", Deliveries);
  return [
    {
      method: "GET",
      path: `${one}/deliveries`,
      id: "listDeliveries",
      summary: "Where the deliveries are, and the last 100 attempts, newest first",
      ...common,
      ...ofReads,
      before,
      answers: { 200: { description: "The deliveries", schema: DeliveryLog } },
      problems,
      cacheControl: privateRead,
      async handle(call) {
        const log = await parts.webhooks.deliveries(await webhookOf(parts, call));
        if (log === null) throw new Problem("not-found");
        return { status: 200, json: JSON.stringify(log) };
      },
    },
    {
      ...asked,
      path: `${one}/resume`,
      id: "resumeWebhook",
      summary: "Go on after a pause, where it was, at once",
      answers: moved,
      handle: (call) => act(parts, call, { kind: "resume" }),
    },
    {
      ...asked,
      path: `${one}/replay`,
      id: "replayWebhook",
      summary: "Tell the facts from a seq on again",
      body: { schema: Replay, types: [json] },
      answers: moved,
      problems: withBody,
      handle: (call) => act(parts, call, { kind: "replay", from: (call.body as { from: number }).from }),
    },
    {
      ...asked,
      path: `${one}/skip`,
      id: "skipDelivery",
      summary: "Leave out the next fact, for this webhook",
      body: { schema: Skip, types: [json], isOptional: true },
      answers: moved,
      problems: withBody,
      handle: (call) => act(parts, call, { kind: "skip", seq: (call.body as { seq?: number }).seq ?? null }),
    },
    {
      ...asked,
      path: `${one}/test`,
      id: "testWebhook",
      summary: "Send a message that is no fact, once, and say what came of it",
      answers: answered("The attempt", Attempt),
      handle: (call) => act(parts, call, { kind: "test" }),
    },
  ];
}

/** A webhook that the space has. */
async function webhookOf(parts: WebhookParts, call: Call): Promise<WebhookAt> {
  const { id = "" } = call.params;
  const spaceId = spaceOf(parts, call);
  await parts.queries.get(readerOf(call), spaceId, webhook.name, id);
  return { spaceId, id };
}

async function act(parts: WebhookParts, call: Call, action: Action): Promise<Answer> {
  const at = await webhookOf(parts, call);
  const asking = askingOf(call, at.spaceId, `/webhooks/${at.id}/${action.kind}`);
  const { operationId: id } = operationIds(asking, at.spaceId);
  const outcome = await parts.webhooks.request(at, { id, fingerprint: fingerprintOf(asking), action });
  if (outcome === null) throw new Problem("not-found");
  if (outcome.kind === "mismatch") throw new Problem("idempotency-mismatch");
  const headers = outcome.isReplayed ? { headers: { "idempotency-replayed": "true" } } : {};
  return { status: 200, json: JSON.stringify(outcome.answer), ...headers };
}
