/** What others may say to the `courier`, which delivers facts to webhooks. */
import { actor, ask } from "../../runtime/actor.ts";

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
  readonly status: "active" | "paused" | "disabled";
  /** The latest `seq` that is delivered, or was not to be. */
  readonly cursor: number;
  /** Failed attempts of the next fact. */
  readonly failures: number;
  /** Null: at once, or not by itself. */
  readonly nextAttemptAt: string | null;
};

export type DeliveryLog = Deliveries & { readonly items: readonly Attempt[] };

export type Move =
  /** Goes on after a pause, where it was. */
  | { readonly kind: "resume" }
  /** Delivers from this `seq` on again. */
  | { readonly kind: "replay"; readonly from: number }
  /** Leaves out the next fact; with a `seq` only where that is the next one. */
  | { readonly kind: "skip"; readonly seq: number | null };

/** Null: there is no such webhook. */
export const courier = actor("courier", new URL("./main.ts", import.meta.url), {
  deliveries: ask<{ webhookId: string }, DeliveryLog | null>(),
  /** Moves the cursor by hand; what is under way then counts for nothing. */
  move: ask<{ webhookId: string; how: Move }, Deliveries | null>(),
  /** Sends a message that is no fact, once, now. */
  test: ask<{ webhookId: string }, Attempt | null>(),
});
