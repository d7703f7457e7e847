/** A thread that was kept from its turns notices it, and what it has missed is waited for, but not for ever. */
import { afterEach, expect, test } from "bun:test";
import { type StoodStill, stoodStill } from "./stood-still.ts";

let still: StoodStill | undefined;
afterEach(() => still?.end());

function world(catchUp: () => Promise<void>) {
  const clock = { nowMs: 100_000 };
  still = stoodStill(catchUp, () => clock.nowMs);
  return { clock, caughtUp: still.caughtUp };
}

test("requests after a standstill wait until what was missed has been learned, and no longer", async () => {
  const learned = Promise.withResolvers<void>();
  let asked = 0;
  const { clock, caughtUp } = world(() => {
    asked += 1;
    return learned.promise;
  });
  expect(caughtUp()).toBeUndefined();
  clock.nowMs += 300;
  expect(caughtUp()).toBeUndefined();
  clock.nowMs += 1_000;
  const first = caughtUp();
  expect(first).toBeInstanceOf(Promise);
  expect(caughtUp()).toBe(first);
  learned.resolve();
  await first;
  expect([caughtUp(), asked]).toEqual([undefined, 1]);
});

test.each([
  ["is refused", () => Promise.reject(new Error("away"))],
  ["never comes", () => new Promise<void>(() => undefined)],
])("where the answer %s they go on all the same", async (_, catchUp) => {
  const { clock, caughtUp } = world(catchUp);
  clock.nowMs += 1_000;
  await caughtUp();
  expect(caughtUp()).toBeUndefined();
});
