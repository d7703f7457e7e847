import { expect, test } from "bun:test";
import { Pulse } from "./pulse.ts";

function opened(limit: number, generation = 1): Pulse {
  const pulse = Pulse.create(3);
  pulse.begin(1, generation);
  pulse.describe(1, { limit, full: "shed" }, 100);
  pulse.open(1);
  return pulse;
}

test("Places are given up to the limit and come back", () => {
  const pulse = opened(2);
  expect([pulse.reserve(1, 1), pulse.reserve(1, 1), pulse.reserve(1, 1)]).toEqual(["taken", "taken", "full"]);
  pulse.release(1, 1, 1);
  expect(pulse.reserve(1, 1)).toBe("taken");
  expect(pulse.depth(1)).toBe(2);
});

test("Another generation, a closed slot and one that ended give no place", () => {
  const pulse = opened(2, 2_047);
  expect(pulse.openGeneration(1)).toBe(2_047);
  expect(pulse.reserve(1, 1)).toBe("closed");
  expect(pulse.reserve(1, 2_047)).toBe("taken");
  pulse.close(1);
  expect(pulse.reserve(1, 2_047)).toBe("closed");
  expect([pulse.phase(1), pulse.openGeneration(1), pulse.depth(1)]).toEqual(["stopping", undefined, 1]);
});

test("What was placed and never settled is dead when the generation ends, and a late release changes nothing", () => {
  const pulse = opened(8);
  for (let i = 0; i < 5; i++) pulse.reserve(1, 1);
  expect(pulse.end(1)).toBe(5);
  expect(pulse.counts(1).dead).toBe(5);
  pulse.begin(1, 2);
  pulse.open(1);
  pulse.reserve(1, 2);
  expect(pulse.release(1, 1, 3)).toBe(0);
  expect(pulse.depth(1)).toBe(1);
});

test("A sender that ends between reserving and posting holds no place for ever", () => {
  const pulse = opened(8);
  for (let i = 0; i < 3; i++) pulse.reserve(1, 1);
  pulse.hold(2, 1, 1, 3);
  pulse.releaseHeld(2);
  expect(pulse.depth(1)).toBe(0);
  pulse.releaseHeld(2);
  expect(pulse.depth(1)).toBe(0);
});

test("Whoever waits is woken once half of the mailbox is free, and only once", () => {
  const pulse = opened(4);
  for (let i = 0; i < 4; i++) pulse.reserve(1, 1);
  expect(pulse.takeWaiting(1)).toBe(false);
  pulse.setWaiting(1);
  pulse.release(1, 1, 1);
  expect(pulse.takeWaiting(1)).toBe(false);
  pulse.release(1, 1, 1);
  expect([pulse.takeWaiting(1), pulse.takeWaiting(1)]).toEqual([true, false]);
});

test("The pulse is the same memory for whoever attaches to it", () => {
  const pulse = opened(4);
  const other = Pulse.attach(pulse.buffer, 3);
  other.beat(1);
  other.busy(1, 2);
  expect([pulse.life(1), pulse.busyKind(1), pulse.whenFull(1), pulse.slowMs(1), other.limit(1)]).toEqual([
    1,
    2,
    "shed",
    100,
    4,
  ]);
});

test("What senders count against an actor, as asks that expired in front of its full mailbox, is no sign of its life", () => {
  const pulse = opened(4);
  const before = pulse.life(1);
  for (const name of ["sent", "expired", "rejected", "shed", "dead"] as const) pulse.count(1, name, 1);
  expect(pulse.life(1)).toBe(before);
  pulse.count(1, "handled", 1);
  expect(pulse.life(1)).not.toBe(before);
});

test("What was closed before it was ready does not open", () => {
  const pulse = opened(4);
  pulse.end(1);
  pulse.begin(1, 2);
  pulse.close(1);
  expect([pulse.open(1), pulse.phase(1), pulse.openGeneration(1)]).toEqual([false, "stopping", undefined]);
  pulse.begin(1, 3);
  expect([pulse.open(1), pulse.phase(1), pulse.openGeneration(1)]).toEqual([true, "up", 3]);
});

test("Since when an actor is busy is right after any number of days", () => {
  const pulse = opened(4);
  for (const days of [0, 1, 24, 25, 49, 50, 400]) {
    const sinceMs = days * 86_400_000;
    pulse.busySince(1, sinceMs);
    expect(pulse.busySinceMs(1, sinceMs + 1_500)).toBe(sinceMs);
    expect(pulse.busySinceMs(1, sinceMs - 3)).toBe(sinceMs - 3);
  }
});
