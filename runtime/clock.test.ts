import { expect, test } from "bun:test";
import { wallClock } from "./clock.ts";

test("A delay longer than a timer takes does not run at once", async () => {
  const ran: string[] = [];
  const cancels = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((delayMs) =>
    wallClock.later(delayMs, () => ran.push(`${delayMs} ms`)),
  );
  // An overlong timer would be due after 1 ms, before this one.
  await new Promise<void>((resolve) => {
    wallClock.later(20, resolve);
  });
  expect(ran).toEqual([]);
  for (const cancel of cancels) cancel();
});
