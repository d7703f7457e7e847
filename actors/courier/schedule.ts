/** What becomes of a webhook's deliveries after each attempt: a pure function. */
import type { Progress } from "./messages.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** The pauses between the attempts of one fact: some three days of them, without the jitter. */
export const retryPausesMs: readonly number[] = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
];
/** A pause grows by up to this part of it, so that those that failed together do not come back together. */
const jitter = 0.2;
/** A receiver may ask for so much at most. */
const retryAfterMaxMs = 24 * hourMs;
/** No pause is longer: one that ends later was made by a clock that has been set back since. */
const pauseMsMax = (1 + jitter) * Math.max(retryAfterMaxMs, ...retryPausesMs);

export type AttemptOutcome =
  | { readonly kind: "delivered" }
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly retryAfterMs?: number };

/** `random`: 0 to 1. */
export type Chance = { readonly nowMs: number; readonly random: number };

export function begin(cursor: number): Progress {
  return { cursor, failures: 0, dueMs: 0, status: "active" };
}

/** After an attempt to deliver the fact `seq`. */
export function afterAttempt(before: Progress, seq: number, outcome: AttemptOutcome, chance: Chance): Progress {
  // Another one has moved it meanwhile (a replay, a skip): what is answered now counts for nothing.
  if (seq <= before.cursor) return before;
  if (outcome.kind === "delivered") return begin(seq);
  const failures = before.failures + 1;
  if (outcome.kind === "gone") return { ...before, failures, status: "disabled", dueMs: 0 };
  const pauseMs = retryPausesMs[failures - 1];
  if (pauseMs === undefined) return { ...before, failures, status: "paused", dueMs: 0 };
  const askedMs = Math.min(outcome.retryAfterMs ?? 0, retryAfterMaxMs);
  const waitMs = Math.max(pauseMs, askedMs) + chance.random * jitter * pauseMs;
  return { ...before, failures, dueMs: chance.nowMs + Math.round(waitMs) };
}

/** Whether the next attempt has to wait still. */
export function isWaiting({ dueMs }: Progress, nowMs: number): boolean {
  return nowMs < dueMs && dueMs <= nowMs + pauseMsMax;
}

/** Goes on where it was, at once. */
export function resumed(before: Progress): Progress {
  return begin(before.cursor);
}

/** Tells all facts from `seq` on again. */
export function replayed(seq: number): Progress {
  return begin(seq - 1);
}

/** Leaves out the fact that is next. */
export function skipped(before: Progress, seq: number): Progress {
  return begin(Math.max(before.cursor, seq));
}
