import { expect, test } from "bun:test";
import { afterGiven, GivenTime, longestDelay } from "./given-time.ts";

/** A thread under a clock that the test moves. */
function thread(tellsDelay = true) {
  const at = { nowMs: 0, delayMs: 0, cpuMs: 0 };
  const given = new GivenTime({
    now: () => at.nowMs,
    delayMs: () => (tellsDelay ? at.delayMs : undefined),
    tellsDelay,
    cpuMs: () => at.cpuMs,
  });
  const pass = (ms: number, { delayMs = 0, cpuMs = 0 } = {}) => {
    at.nowMs += ms;
    at.delayMs += delayMs;
    at.cpuMs += cpuMs;
    return given.read();
  };
  return { given, pass };
}

test("Time counts as given when the thread runs or wants no processor, and not while it waits for one", () => {
  const { pass } = thread();
  expect([pass(200), pass(200, { delayMs: 150 }), pass(200, { delayMs: 200 }), pass(200)]).toEqual([
    200, 250, 250, 450,
  ]);
});

test("Waiting that the system tells of late is taken from the time that follows", () => {
  const { pass } = thread();
  expect([pass(200, { delayMs: 500 }), pass(200), pass(200)]).toEqual([0, 0, 100]);
});

test("While the one who looks is away itself, little counts, and time never goes back", () => {
  const { pass } = thread();
  expect([pass(5_000), pass(-1_000), pass(200)]).toEqual([400, 400, 600]);
});

test("Where the platform tells of no waiting, a busy process was given its time, and one that used no processor a quarter", () => {
  const { pass } = thread(false);
  expect([pass(200, { cpuMs: 200 }), pass(200), pass(200, { cpuMs: 400 })]).toEqual([200, 250, 450]);
});

test("Of several threads the one that waited longest in each stretch counts; threads come and go", () => {
  const delays = new Map([
    [1, 100],
    [2, 1_000],
  ]);
  const longest = longestDelay(
    () => [...delays.keys(), 9],
    (each) => delays.get(each),
  );
  expect(longest()).toBe(0);
  delays.set(1, 150).set(2, 1_010);
  expect(longest()).toBe(50);
  delays.delete(1);
  delays.set(2, 1_040);
  expect(longest()).toBe(80);
  delays.set(2, 1_050).set(3, 70);
  expect(longest()).toBe(150);
});

/** A patience of so many milliseconds in a time that the test gives; what the timers ask for comes when the test lets it. */
function patience(ms: number, progressMs?: () => number) {
  let givenMs = 0;
  const timers: { ms: number; run: () => void }[] = [];
  let isOver = false;
  const cancel = afterGiven(ms, () => (isOver = true), {
    clock: {
      now: () => 0,
      monotonicMs: () => 0,
      soon: (run) => run(),
      later: (delayMs, run) => {
        timers.push({ ms: delayMs, run });
        return () => void timers.pop();
      },
    },
    read: () => givenMs,
    ...(progressMs === undefined ? {} : { progressMs }),
  });
  /** The timer comes due; so much of the time until then was given. Returns for how long the next one is set. */
  const due = (given: number): number | undefined => {
    const timer = timers.pop();
    givenMs += given;
    timer?.run();
    return timers[0]?.ms;
  };
  return { due, cancel, isOver: () => isOver, waits: () => timers[0]?.ms };
}

test("A patience is over when its time was given, however late that is", () => {
  const { due, isOver, waits } = patience(1_000);
  expect(waits()).toBe(1_000);
  expect([due(100), due(300), isOver()]).toEqual([900, 600, false]);
  expect([due(600), isOver()]).toEqual([undefined, true]);
});

test("A patience begins anew with progress, and one that is cancelled is never over", () => {
  let progressMs = 0;
  const { due, isOver, cancel, waits } = patience(1_000, () => progressMs);
  progressMs = 800;
  expect([due(1_000), isOver()]).toEqual([800, false]);
  cancel();
  expect([waits(), isOver()]).toEqual([undefined, false]);
});
