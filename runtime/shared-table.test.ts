import { expect, test } from "bun:test";
import { SharedTable } from "./shared-table.ts";

function opened(limit: number, generation = 1, bytesMax = 0): SharedTable {
  const sharedTable = SharedTable.create(3);
  sharedTable.begin(1, generation);
  sharedTable.describe(1, { limit, full: "shed", bytesMax }, 100);
  sharedTable.open(1);
  return sharedTable;
}

test("Places are given up to the limit and come back", () => {
  const sharedTable = opened(2);
  expect([sharedTable.reserve(1, 1), sharedTable.reserve(1, 1), sharedTable.reserve(1, 1)]).toEqual([
    "taken",
    "taken",
    "full",
  ]);
  sharedTable.release(1, 1, 1);
  expect(sharedTable.reserve(1, 1)).toBe("taken");
  expect(sharedTable.depth(1)).toBe(2);
});

test("Another generation, a closed slot and one that ended give no place", () => {
  const sharedTable = opened(2, 2_047);
  expect(sharedTable.openGeneration(1)).toBe(2_047);
  expect(sharedTable.reserve(1, 1)).toBe("closed");
  expect(sharedTable.reserve(1, 2_047)).toBe("taken");
  sharedTable.close(1);
  expect(sharedTable.reserve(1, 2_047)).toBe("closed");
  expect([sharedTable.phase(1), sharedTable.openGeneration(1), sharedTable.depth(1)]).toEqual([
    "stopping",
    undefined,
    1,
  ]);
});

test("What was placed and never settled is dead when the generation ends, and a late release changes nothing", () => {
  const sharedTable = opened(8);
  for (let i = 0; i < 5; i++) sharedTable.reserve(1, 1);
  expect(sharedTable.end(1)).toBe(5);
  expect(sharedTable.counts(1).dead).toBe(5);
  sharedTable.begin(1, 2);
  sharedTable.open(1);
  sharedTable.reserve(1, 2);
  expect(sharedTable.release(1, 1, 3)).toBe(0);
  expect(sharedTable.depth(1)).toBe(1);
});

test("A sender that ends between reserving and posting holds no place for ever", () => {
  const sharedTable = opened(8);
  for (let i = 0; i < 3; i++) sharedTable.reserve(1, 1);
  sharedTable.hold(2, 1, 1, 3);
  sharedTable.releaseHeld(2);
  expect(sharedTable.depth(1)).toBe(0);
  sharedTable.releaseHeld(2);
  expect(sharedTable.depth(1)).toBe(0);
});

test("Whoever waits is woken once half of the mailbox is free, and only once", () => {
  const sharedTable = opened(4);
  for (let i = 0; i < 4; i++) sharedTable.reserve(1, 1);
  expect(sharedTable.takeWaiting(1)).toBe(false);
  sharedTable.setWaiting(1);
  sharedTable.release(1, 1, 1);
  expect(sharedTable.takeWaiting(1)).toBe(false);
  sharedTable.release(1, 1, 1);
  expect([sharedTable.takeWaiting(1), sharedTable.takeWaiting(1)]).toEqual([true, false]);
});

test("The pulse is the same memory for whoever attaches to it", () => {
  const sharedTable = opened(4);
  const other = SharedTable.attach(sharedTable.buffer, 3);
  other.heartbeat(1);
  other.busy(1, 2);
  expect([
    sharedTable.life(1),
    sharedTable.busyKind(1),
    sharedTable.whenFull(1),
    sharedTable.hangTimeoutMs(1),
    other.limit(1),
  ]).toEqual([1, 2, "shed", 100, 4]);
});

test("What senders count against an actor, as asks that expired in front of its full mailbox, is no sign of its life", () => {
  const sharedTable = opened(4);
  const before = sharedTable.life(1);
  for (const name of ["sent", "expired", "rejected", "shed", "dead"] as const) sharedTable.count(1, name, 1);
  expect(sharedTable.life(1)).toBe(before);
  sharedTable.count(1, "handled", 1);
  expect(sharedTable.life(1)).not.toBe(before);
});

test("What was closed before it was ready does not open", () => {
  const sharedTable = opened(4);
  sharedTable.end(1);
  sharedTable.begin(1, 2);
  sharedTable.close(1);
  expect([sharedTable.open(1), sharedTable.phase(1), sharedTable.openGeneration(1)]).toEqual([
    false,
    "stopping",
    undefined,
  ]);
  sharedTable.begin(1, 3);
  expect([sharedTable.open(1), sharedTable.phase(1), sharedTable.openGeneration(1)]).toEqual([true, "up", 3]);
});

test("Since when an actor is busy is right after any number of days", () => {
  const sharedTable = opened(4);
  for (const days of [0, 1, 24, 25, 49, 50, 400]) {
    const sinceMs = days * 86_400_000;
    sharedTable.busySince(1, sinceMs);
    expect(sharedTable.busySinceMs(1, sinceMs + 1_500)).toBe(sinceMs);
    expect(sharedTable.busySinceMs(1, sinceMs - 3)).toBe(sinceMs - 3);
  }
});

test("A mailbox that is bounded in bytes takes what fits, and one larger message alone", () => {
  const sharedTable = opened(8, 2_047, 100);
  expect(sharedTable.reserve(1, 2_047, 60)).toBe("taken");
  expect(sharedTable.reserve(1, 2_047, 60)).toBe("full");
  expect([sharedTable.depth(1), sharedTable.room.used(1)]).toEqual([1, 60]);
  expect(sharedTable.reserve(1, 2_047, 40)).toBe("taken");
  sharedTable.release(1, 2_047, 2);
  sharedTable.room.release(1, 2_047, 100);
  expect(sharedTable.reserve(1, 2_047, 1_000)).toBe("taken");
  expect(sharedTable.reserve(1, 2_047, 1)).toBe("full");
  expect(sharedTable.room.used(1)).toBe(1_000);
});

test("Room in bytes that was taken from one generation is not given back to the next, nor held by the dead", () => {
  const sharedTable = opened(8, 1, 100);
  sharedTable.reserve(1, 1, 60);
  sharedTable.end(1);
  sharedTable.begin(1, 2);
  sharedTable.open(1);
  expect(sharedTable.room.used(1)).toBe(0);
  sharedTable.reserve(1, 2, 30);
  sharedTable.room.release(1, 1, 60);
  expect(sharedTable.room.used(1)).toBe(30);
  sharedTable.hold(2, 1, 2, 1);
  sharedTable.room.hold(2, 1, 30);
  sharedTable.releaseHeld(2);
  expect([sharedTable.depth(1), sharedTable.room.used(1)]).toEqual([0, 0]);
});
