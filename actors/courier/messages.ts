/** What others may say to the `courier`, which delivers facts to webhooks. */
import { actor, ask, tell } from "../../runtime/actor.ts";
import type { AssignedPartitions, SpacesChanged } from "../consumer/messages.ts";

/** One attempt to deliver, as its owner sees it: never what the receiver answered but for the status. */
export type Attempt = {
  /** Null: a test. */
  readonly seq: number | null;
  readonly at: string;
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** What went wrong; null where it was delivered. */
  readonly error: string | null;
};

/** Where the deliveries of a webhook are. */
export type Deliveries = {
  readonly status: DeliveryStatus;
  /** The latest `seq` that is delivered, or was not to be. */
  readonly cursor: number;
  /** Failed attempts of the next fact. */
  readonly failures: number;
  /** Null: at once, or not by itself. */
  readonly nextAttemptAt: string | null;
};

export type DeliveryStatus =
  | "active"
  /** The schedule has ended: somebody must resume it. */
  | "paused"
  /** The receiver has said that it is gone (410): somebody must resume it. */
  | "disabled";

/** Where the deliveries of one webhook are. */
export type Progress = {
  /** All facts up to this `seq` are answered, skipped, or of types that are not asked for. */
  readonly cursor: number;
  /** Attempts of the fact behind the cursor that have failed. */
  readonly failures: number;
  /** No attempt before this instant, in milliseconds since 1970. */
  readonly dueMs: number;
  readonly status: DeliveryStatus;
};

/** The same as its owner sees it. */
export function shown({ status, cursor, failures, dueMs }: Progress): Deliveries {
  const isWaiting = status === "active" && failures > 0;
  return { status, cursor, failures, nextAttemptAt: isWaiting ? new Date(dueMs).toISOString() : null };
}

export type DeliveryLog = Deliveries & { readonly items: readonly Attempt[] };

export type Move =
  /** Goes on after a pause, where it was. */
  | { readonly kind: "resume" }
  /** Delivers from this `seq` on again. */
  | { readonly kind: "replay"; readonly from: number }
  /** Leaves out the next fact; with a `seq` only where that is the next one. */
  | { readonly kind: "skip"; readonly seq: number | null };

export type Action =
  /** The cursor is moved; what is under way then counts for nothing. */
  | Move
  /** A message that is no fact is sent, once, now. */
  | { readonly kind: "test" };

/** What a person asks of a webhook's deliveries. */
export type WebhookRequest = {
  /** The same for each repeat of a request with a key, and of no other request. */
  readonly id: string;
  /** Of what is asked; empty where there is no key. */
  readonly fingerprint: string;
  readonly action: Action;
};

export type Answered = Pick<WebhookRequest, "id" | "fingerprint"> & { readonly answer: Deliveries | Attempt };

export type WebhookOutcome =
  | { readonly kind: "done"; readonly answer: Deliveries | Attempt; readonly isReplayed: boolean }
  /** The key was used before for something else. */
  | { readonly kind: "mismatch" };

/** What was answered before, as it is answered to a repeat. */
export function repeated(first: WebhookOutcome): WebhookOutcome {
  return first.kind === "done" ? { ...first, isReplayed: true } : first;
}

/** Null: there is no such webhook. */
export const courier = actor("courier", new URL("./main.ts", import.meta.url), {
  deliveries: ask<{ webhookId: string }, DeliveryLog | null>(),
  request: ask<{ webhookId: string; request: WebhookRequest }, WebhookOutcome | null>(),
  /** What the writer of this process announces, behind Kafka. */
  assigned: tell<AssignedPartitions>(),
  changed: tell<SpacesChanged>(),
});
