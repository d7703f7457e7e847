/** What becomes of deliveries after each attempt. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Progress } from "./messages.ts";
import {
  type AttemptOutcome,
  afterAttempt,
  begin,
  isWaiting,
  replayed,
  resumed,
  retryPausesMs,
  skipped,
} from "./schedule.ts";

const hourMs = 3_600_000;
const outcomes = fc.oneof(
  fc.constant<AttemptOutcome>({ kind: "delivered" }),
  fc.constant<AttemptOutcome>({ kind: "gone" }),
  fc.record({ kind: fc.constant("failed" as const), retryAfterMs: fc.integer({ min: 0, max: 100 * hourMs }) }),
  fc.constant<AttemptOutcome>({ kind: "failed" }),
);
const chances = fc.record({
  nowMs: fc.integer({ min: 0, max: 1e13 }),
  random: fc.double({ min: 0, max: 1, noNaN: true }),
});

test("an answer moves the cursor to its fact, and nothing else moves it", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(outcomes, chances), { maxLength: 60 }), (steps) => {
      let progress: Progress = begin(3);
      for (const [outcome, chance] of steps) {
        const before = progress;
        progress = afterAttempt(before, before.cursor + 1, outcome, chance);
        expect(progress.cursor).toBe(outcome.kind === "delivered" ? before.cursor + 1 : before.cursor);
        if (outcome.kind === "delivered") expect(progress).toEqual(begin(before.cursor + 1));
        else expect(progress.failures).toBe(before.failures + 1);
      }
    }),
  );
});

test("a failure waits as long as the schedule or the receiver says, and at most a fifth longer", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: retryPausesMs.length - 1 }),
      fc.option(fc.integer({ min: 0, max: 100 * hourMs }), { nil: undefined }),
      chances,
      (failures, retryAfterMs, chance) => {
        const before = { ...begin(0), failures };
        const outcome = { kind: "failed" as const, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
        const { status, dueMs } = afterAttempt(before, 1, outcome, chance);
        const pauseMs = retryPausesMs[failures] as number;
        const leastMs = Math.max(pauseMs, Math.min(retryAfterMs ?? 0, 24 * hourMs));
        expect(status).toBe("active");
        expect(dueMs - chance.nowMs).toBeGreaterThanOrEqual(leastMs);
        expect(dueMs - chance.nowMs).toBeLessThanOrEqual(Math.ceil(leastMs + pauseMs * 0.2));
      },
    ),
  );
});

test("a pause ends in its time, and sooner where a clock that was set back would make it longer than any", () => {
  const dayMs = 24 * hourMs;
  const failed = { kind: "failed" as const, retryAfterMs: 100 * dayMs };
  const progress = afterAttempt({ ...begin(0), failures: 8 }, 1, failed, { nowMs: 1e12, random: 1 });
  expect(isWaiting(progress, 1e12)).toBe(true);
  expect(isWaiting(progress, progress.dueMs - 1)).toBe(true);
  expect(isWaiting(progress, progress.dueMs)).toBe(false);
  expect(isWaiting(progress, 1e12 + 1_000 * dayMs)).toBe(false);
  expect(isWaiting(progress, 1e12 - 1)).toBe(false);
  const short = afterAttempt(begin(0), 1, { kind: "failed" }, { nowMs: 1e12, random: 0 });
  expect(isWaiting(short, 1e12 - hourMs)).toBe(true);
  expect(isWaiting(short, 1e12 - 2 * dayMs)).toBe(false);
});

test("the schedule ends in a pause that keeps the cursor, and resuming begins it anew", () => {
  let progress = begin(7);
  for (let attempt = 1; attempt <= retryPausesMs.length; attempt++) {
    progress = afterAttempt(progress, 8, { kind: "failed" }, { nowMs: 0, random: 0 });
    expect(progress.status).toBe("active");
  }
  progress = afterAttempt(progress, 8, { kind: "failed" }, { nowMs: 0, random: 0 });
  expect(progress).toMatchObject({ status: "paused", cursor: 7, failures: 10 });
  expect(resumed(progress)).toEqual(begin(7));
  expect(skipped(progress, 8)).toEqual(begin(8));
  expect(replayed(3)).toEqual(begin(2));
});

test("a receiver that is gone is told nothing more", () => {
  expect(afterAttempt(begin(7), 8, { kind: "gone" }, { nowMs: 0, random: 0 })).toMatchObject({
    status: "disabled",
    cursor: 7,
  });
});

test("what is answered late, behind a cursor that has moved on, counts for nothing", () => {
  expect(afterAttempt(begin(9), 8, { kind: "delivered" }, { nowMs: 0, random: 0 })).toEqual(begin(9));
});
