/** What a change of a space is answered with, from its verdict or from the lack of one. */
import { problemType } from "../http/answer.ts";
import type { Answer } from "../http/route.ts";
import type { Site } from "../http/site.ts";
import type { Position } from "../model/position.ts";
import { type Fault, Problem, type ProblemCode, problems } from "../model/problem.ts";
import type { Document } from "../resources/document.ts";
import type { Fact, Refusal } from "../resources/fact.ts";
import { consistencyToken, etag } from "./conditions.ts";

/** What became of an operation. */
export type Outcome =
  /** The log has it; the rest will be known by its operation. */
  | { readonly kind: "pending"; readonly operationId: string; readonly position: Position }
  | {
      readonly kind: "settled";
      readonly fact: Fact;
      readonly position: Position;
      /** The operation had been taken before: this is its first answer again. */
      readonly isReplayed: boolean;
      /** Of the fact's `answers`, as the operation left them. */
      readonly documents: ReadonlyMap<string, Document>;
    };

export type Settled = Extract<Outcome, { kind: "settled" }>;

/** As of which the space is what the operation left; of one that changed nothing, what it found. */
export function seqOf({ seq, seenSeq }: Fact): number {
  return seq ?? seenSeq ?? 0;
}

/** The operation as whose first answer this one is told again; undefined of the first. */
export function repeated({ fact, isReplayed }: Settled): Fact | undefined {
  return isReplayed ? fact : undefined;
}

/** Below which address the request was, for links: `/v1` or `/v1/spaces/<as asked>`. */
export type Links = { readonly site: Pick<Site, "url">; readonly base: string };

/** The answer of an operation that is not decided. */
export function pendingAnswer(
  { operationId, position }: { operationId: string; position: Position },
  links: Links,
): Answer {
  return {
    status: 202,
    json: JSON.stringify({ id: operationId, status: "pending" }),
    headers: {
      "consistency-token": consistencyToken(position),
      location: `${links.site.url}${links.base}/operations/${operationId}`,
    },
  };
}

/** Headers of every answer to a settled operation. */
export function settledHeaders({ position, isReplayed }: Settled): Record<string, string> {
  return {
    "consistency-token": consistencyToken(position),
    ...(isReplayed ? { "idempotency-replayed": "true" } : {}),
  };
}

/** Throws what the writer refused, as the problem it is. */
export function throwRefusal(outcome: Settled): void {
  const { refusal } = outcome.fact;
  if (refusal !== undefined)
    throw new Problem(refusal.code, refusal.message, problemOf(refusal, settledHeaders(outcome)));
}

/** Of a batch its paths tell the place of the change. */
function problemOf(refusal: Refusal, headers: Record<string, string>) {
  const { code, change, isBatch, ids, message } = refusal;
  const path = `${isBatch ? `/changes/${change}/body` : ""}${refusal.path ?? ""}`;
  const errors: Fault[] | undefined =
    code === "invalid-reference" ? [{ path, message: message ?? "does not hold" }] : undefined;
  return {
    headers,
    ...(errors === undefined ? {} : { errors }),
    more: { ...(isBatch ? { change } : {}), ...(ids === undefined ? {} : { resources: ids }) },
  };
}

/** A refusal as the record of its operation tells it: a problem without the request that met it. */
export function refusalJson(refusal: Refusal, site: Pick<Site, "url">): Record<string, unknown> {
  const { status, title, about } = problems[refusal.code as ProblemCode];
  const { errors, more } = problemOf(refusal, {});
  return {
    type: problemType(refusal.code as ProblemCode, site),
    title,
    status,
    detail: refusal.message ?? about,
    code: refusal.code,
    ...(errors === undefined ? {} : { errors }),
    ...more,
  };
}

/** The answer about one resource. `text`: as it is served; undefined where there is nothing to show of one that is deleted. */
export function resourceAnswer(
  outcome: Settled,
  { text, version, location }: { text: string | undefined; version: number; location: string },
): Answer {
  const headers = settledHeaders(outcome);
  if (text === undefined) return { status: 204, headers };
  headers.etag = etag(version);
  if (!isCreation(outcome.fact)) return { status: 200, json: text, headers };
  headers.location = location;
  return { status: 201, json: text, headers };
}

/** Whether the resource that the operation is answered with was made by it. */
function isCreation({ changes, answers: [id] }: Fact): boolean {
  return changes.some((change) => change.id === id && change.kind === "created");
}
