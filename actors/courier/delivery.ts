/** What one attempt sends (Standard Webhooks), and what its answer means. */
import { secretBytes, webhookSignature } from "../model/webhook-secret.ts";
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { toldFact } from "../resources/past.ts";
import { registry } from "../resources/registry.ts";
import type { AttemptOutcome } from "./schedule.ts";
import type { Sending, Sent } from "./send.ts";

/** A larger fact is told without its changes. */
const bodyBytesMax = 64 * 1_024;
const rotationMs = 86_400_000;

export type Message = Omit<Sending, "signal">;

export type MessageParts = {
  /** The installation's, from which secrets are made. */
  readonly key: string;
  /** What links begin with. */
  readonly siteUrl: string;
  readonly nowMs: number;
};

/** Whether this fact is sent to the webhook. One that was blanked when its author was erased is sent to none. */
export function isWanted({ fields }: Document, { changes }: Fact): boolean {
  const types = fields.types as readonly string[];
  return changes.some(({ type }) => types.length === 0 || types.includes(type));
}

export function factMessage(webhook: Document, fact: Fact, parts: MessageParts): Message {
  return signed(webhook, `${webhook.id}_${fact.operationId}`, bodyOf(fact, parts.siteUrl), parts);
}

export function testMessage(webhook: Document, id: string, parts: MessageParts): Message {
  const at = new Date(parts.nowMs).toISOString();
  const body = JSON.stringify({ spaceId: webhook.spaceId, test: true, at });
  return signed(webhook, `${webhook.id}_test_${id}`, body, parts);
}

function bodyOf(fact: Fact, siteUrl: string): string {
  const told = toldFact(registry, fact);
  const whole = JSON.stringify(told);
  if (Buffer.byteLength(whole) <= bodyBytesMax) return whole;
  const { changes: _, ...rest } = told;
  return JSON.stringify({ ...rest, partial: true, link: `${siteUrl}/v1/spaces/${fact.spaceId}/facts/${fact.seq}` });
}

function signed(webhook: Document, id: string, body: string, { key, nowMs }: MessageParts): Message {
  const timestampS = Math.floor(nowMs / 1_000);
  const signatures = generations(webhook, nowMs).map((generation) =>
    webhookSignature(secretBytes(key, webhook.id, generation), { id, timestampS, body }),
  );
  return {
    url: webhook.fields.url as string,
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "task-tracker",
      "webhook-id": id,
      "webhook-timestamp": String(timestampS),
      "webhook-signature": signatures.join(" "),
    },
  };
}

/** After a rotation both secrets count for a day. */
function generations({ fields }: Document, nowMs: number): number[] {
  const generation = fields.generation as number;
  const { rotatedAt } = fields;
  const isRotating = typeof rotatedAt === "string" && nowMs < Date.parse(rotatedAt) + rotationMs;
  return isRotating ? [generation, generation - 1] : [generation];
}

export function outcomeOf({ status, retryAfter }: Sent, nowMs: number): AttemptOutcome {
  if (status !== undefined && status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 410) return { kind: "gone" };
  const retryAfterMs = retryAfter === undefined ? undefined : waitOf(retryAfter, nowMs);
  return { kind: "failed", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** What went wrong, for the owner of the webhook. */
export function faultOf({ status, error }: Sent): string | null {
  if (status === undefined) return error ?? "the connection failed";
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return "redirects are not followed";
  return status === 410 ? "the receiver says that it is gone" : "the receiver refused it";
}

/** RFC 9110 §10.2.3: seconds, or a date with its weekday; anything else says nothing. */
function waitOf(retryAfter: string, nowMs: number): number | undefined {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  if (!/^[A-Z][a-z]{2,8}[, ]/.test(retryAfter)) return undefined;
  // The oldest of its forms names no zone.
  const ms = Date.parse(retryAfter.endsWith(" GMT") ? retryAfter : `${retryAfter} GMT`) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
