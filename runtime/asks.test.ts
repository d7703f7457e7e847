import { expect, test } from "bun:test";
import { Asks } from "./asks.ts";

test("Asks that wait expire in their time though the clock was put back", () => {
  let wallMs = 1_000_000;
  let passedMs = 0;
  let timer: { atMs: number; run: () => void } | undefined;
  const asks = new Asks<string>({
    monotonicMs: () => 0,
    now: () => wallMs,
    soon: () => undefined,
    later: (delayMs, run) => {
      timer = { atMs: passedMs + delayMs, run };
      return () => {
        timer = undefined;
      };
    },
  });
  const late: [string, number][] = [];
  const ask = (name: string, timeoutMs: number) =>
    asks.add(asks.nextId(), {
      resolve: () => undefined,
      reject: () => late.push([name, passedMs]),
      connection: "any",
      deadlineMs: wallMs + timeoutMs,
      within: undefined,
      late: () => new Error("late"),
    });
  ask("first", 500);
  ask("second", 800);
  wallMs -= 60_000;
  for (let sweeps = 0; timer !== undefined && sweeps < 100; sweeps++) {
    wallMs += timer.atMs - passedMs;
    passedMs = timer.atMs;
    timer.run();
  }
  expect(late).toEqual([
    ["first", 500],
    ["second", 800],
  ]);
});
