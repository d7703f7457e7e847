import { beforeEach, expect, test } from "bun:test";
import { type Admission, type AdmissionClock, admission, type Work } from "./admission.ts";
import type { AdmissionBounds } from "./admission-bounds.ts";

const bounds: AdmissionBounds = {
  turnMs: 8,
  waitingMax: 6,
  waitingMaxOfOne: 4,
  underWayMax: 6,
  underWayMaxOfOne: 4,
  bytesMax: 300,
  bytesMaxOfOne: 200,
  burstWaitMs: 100,
  burstMs: 50,
  calmMs: 500,
  calmMaxMs: 1_000,
  overloadWaitMs: 10,
  overloadBytesMaxOfOne: 100,
  shortMax: 1,
  shortWaitMs: 200,
};

let nowMs = 0;
let soon: (() => void)[] = [];
let later: { next: () => void; atMs: number }[] = [];
let begun: string[] = [];
let gate: Admission;

const clock: AdmissionClock = {
  now: () => nowMs,
  soon: (next) => void soon.push(next),
  later: (next, afterMs) => void later.push({ next, atMs: nowMs + afterMs }),
};

beforeEach(() => {
  nowMs = 1_000;
  soon = [];
  later = [];
  begun = [];
  gate = admission(bounds, clock);
});

/** The event loop goes round once: timers that are due, then what was asked for. */
function goRound(passMs = 0): void {
  nowMs += passMs;
  const due = later.filter(({ atMs }) => atMs <= nowMs);
  later = later.filter(({ atMs }) => atMs > nowMs);
  for (const { next } of due) next();
  for (const next of soon.splice(0)) next();
}

type Given = { lastsMs?: number; gone?: () => boolean; bytes?: number; answer?: Promise<string> };

function work(name: string, { lastsMs = 0, gone = () => false, bytes = 0, answer }: Given = {}): Work<string> {
  return {
    key: () => name.charAt(0),
    isShared: name.startsWith("shared"),
    run() {
      begun.push(name);
      nowMs += lastsMs;
      return answer ?? name;
    },
    isGone: gone,
    bytesOf: () => bytes,
  };
}

/** What became of it: its answer, or the code of its refusal. */
function ask(name: string, given: Given = {}): Promise<string> {
  try {
    return Promise.resolve(gate.admit(work(name, given))).catch((refusal) => refusal.code);
  } catch (refusal) {
    return Promise.resolve((refusal as { code: string }).code);
  }
}

/** The rest of this turn is taken. */
const fillTurn = () => ask("z", { lastsMs: bounds.turnMs });

test("what finds nothing waiting runs at once, without a promise", () => {
  expect(gate.admit(work("a1"))).toBe("a1");
  expect(gate.counts).toMatchObject({ admitted: 1, waiting: 0, underWay: 0 });
});

test("a turn that has taken its time takes nothing more; the next one goes on", async () => {
  await fillTurn();
  const waits = ask("a1");
  expect(begun).toEqual(["z"]);
  goRound();
  expect(begun).toEqual(["z", "a1"]);
  expect(await waits).toBe("a1");
  goRound();
  expect(soon).toEqual([]);
});

test("queues take turns, and who asks for long work has fewer of them", async () => {
  await fillTurn();
  for (const name of ["a1", "a2", "a3"]) void ask(name, { lastsMs: 4 });
  for (const name of ["b1", "b2", "b3"]) void ask(name, { lastsMs: 1 });
  for (let round = 0; round < 5; round++) goRound();
  expect(begun).toHaveLength(7);
  expect(begun.indexOf("b2")).toBeLessThan(begun.indexOf("a2"));
  expect(begun.indexOf("b3")).toBeLessThan(begun.indexOf("a3"));
});

test("what is beyond a queue's bound is refused at once", async () => {
  await fillTurn();
  for (let each = 1; each <= 4; each++) void ask(`a${each}`);
  expect(await ask("a5")).toBe("overloaded");
  expect(gate.counts).toMatchObject({ waiting: 4, refused: { full: 1 } });
});

test("a newcomer has room though others have filled it all, and the longest queue gives it", async () => {
  await fillTurn();
  const oldest = ask("a1");
  for (const name of ["a2", "a3", "a4", "b1", "b2"]) void ask(name);
  const newcomer = ask("c1");
  expect(await oldest).toBe("overloaded");
  expect(gate.counts).toMatchObject({ waiting: 6, refused: { displaced: 1 } });
  goRound();
  expect(await newcomer).toBe("c1");
});

test("when all queues are as short as a newcomer's, the newcomer is refused", async () => {
  await fillTurn();
  for (const name of ["a1", "b1", "c1", "d1", "e1", "f1"]) void ask(name);
  expect(await ask("g1")).toBe("overloaded");
});

test("who went away while waiting is not worked for", async () => {
  await fillTurn();
  let gone = false;
  void ask("a1", { gone: () => gone });
  const stays = ask("a2");
  gone = true;
  goRound();
  expect(await stays).toBe("a2");
  expect(begun).toEqual(["z", "a2"]);
  expect(gate.counts).toMatchObject({ abandoned: 1, waiting: 0 });
});

test("a burst may wait long, but nobody waits long in a queue that never empties", async () => {
  await fillTurn();
  const first = ask("a1", { lastsMs: 40 });
  const second = ask("a2", { lastsMs: 40 });
  const third = ask("a3");
  const fourth = ask("a4");
  goRound();
  goRound();
  expect([await first, await second]).toEqual(["a1", "a2"]);
  goRound();
  // It has waited 80 ms, in a queue that was not empty for longer than a burst. Without it the queue is short.
  expect([await third, await fourth]).toEqual(["overloaded", "a4"]);
  expect(gate.counts.refused.late).toBe(1);
});

test("who asks for few things at a time has a turn, however long others held it up", async () => {
  await fillTurn();
  const lone = ask("a1");
  nowMs += 150;
  goRound();
  expect(await lone).toBe("a1");
});

/** Whether the first of two that wait for 20 ms, in a queue that is longer than a short one, has its turn. */
async function firstOfTwo(name: string): Promise<string> {
  await fillTurn();
  const waits = ask(name);
  void ask(`${name}, and one behind it`);
  nowMs += 20;
  goRound();
  goRound();
  return waits;
}

async function overload(by = "a"): Promise<void> {
  await fillTurn();
  void ask(`${by}, long`, { lastsMs: 60 });
  for (const which of ["late", "late too", "last"]) void ask(`${by}, ${which}`);
  goRound();
  goRound();
  goRound();
}

test("after overload waiting stays short until it has been calm, though the queue was empty for a moment", async () => {
  expect(await firstOfTwo("a1")).toBe("a1");
  await overload();
  expect(gate.counts).toMatchObject({ waiting: 0, refused: { late: 2 } });
  expect(await firstOfTwo("a2")).toBe("overloaded");
  for (const passMs of [bounds.calmMs + 10, bounds.calmMs + 10, 25]) goRound(passMs);
  expect(await firstOfTwo("a3")).toBe("a3");
});

test("in overload nobody waits long in a short queue either; afterwards patience is tried again, and ends at once when more than that comes", async () => {
  gate = admission({ ...bounds, shortMax: 2 }, clock);
  await overload();
  expect(await firstOfTwo("a1")).toBe("overloaded");
  goRound(bounds.calmMs + 10);
  expect(await firstOfTwo("a2")).toBe("a2");
  await fillTurn();
  const three = [ask("a3"), ask("a4"), ask("a5")];
  nowMs += 20;
  goRound();
  goRound();
  expect(await Promise.all(three)).toEqual(["overloaded", "overloaded", "a5"]);
  // It lasts twice as long then.
  goRound(bounds.calmMs + 10);
  expect(await firstOfTwo("a6")).toBe("overloaded");
  goRound(bounds.calmMs);
  expect(await firstOfTwo("a7")).toBe("a7");
});

test("those who share an address have patience with a short queue in overload too", async () => {
  gate = admission({ ...bounds, shortMax: 2 }, clock);
  await overload("shared");
  expect(gate.counts).toMatchObject({ waiting: 0, refused: { late: 1 } });
  expect(await firstOfTwo("shared, first")).toBe("shared, first");
});

test("in overload a large answer waits until the one before it has been taken", async () => {
  const taken = new Set<string>();
  const begins = (name: string) => {
    void ask(name, { bytes: 100, gone: () => taken.has(name) });
    for (const passMs of [0, 5, 5]) goRound(passMs);
    return begun.includes(name);
  };
  expect([begins("a1"), begins("a2")]).toEqual([true, true]);
  for (const name of ["a1", "a2"]) taken.add(name);
  goRound(25);
  await overload();
  expect([begins("a3"), begins("a4"), begins("b1")]).toEqual([true, false, true]);
  taken.add("a3");
  for (const passMs of [5, 0]) goRound(passMs);
  expect(begun).toContain("a4");
});

test("what is under way of one is bounded; others go on, and its own when one ends", async () => {
  const ends = Promise.withResolvers<string>();
  for (let each = 1; each <= 4; each++) void ask(`a${each}`, { answer: ends.promise });
  const fifth = ask("a5");
  goRound();
  expect(begun).not.toContain("a5");
  const other = ask("b1");
  goRound();
  expect(await other).toBe("b1");
  ends.resolve("done");
  await ends.promise;
  await Promise.resolve();
  goRound();
  expect(await fifth).toBe("a5");
  expect(gate.counts.underWay).toBe(0);
});

test("who waits behind a bound that does not move is refused in time", async () => {
  for (let each = 1; each <= 4; each++) void ask(`a${each}`, { answer: new Promise(() => undefined) });
  const fifth = ask("a5");
  for (let round = 0; round < 10; round++) goRound(25);
  expect(await fifth).toBe("overloaded");
  expect(gate.counts.waiting).toBe(0);
});

test("what waits behind a bound does not keep the event loop turning, and has its turn once there is room", async () => {
  let taken = false;
  let looks = 0;
  await ask("a1", {
    bytes: 200,
    gone: () => {
      looks++;
      return taken;
    },
  });
  const second = ask("a2");
  for (let round = 0; round < 5; round++) goRound();
  expect(soon).toEqual([]);
  expect(looks).toBe(0);
  const other = ask("b1");
  for (let round = 0; round < 5; round++) goRound();
  expect(await other).toBe("b1");
  expect(soon).toEqual([]);
  taken = true;
  goRound(25);
  goRound();
  expect(await second).toBe("a2");
});

test("answers that clients do not take hold up their own queue, until they are taken or their clients have gone", async () => {
  let taken = false;
  await ask("a1", { bytes: 200, gone: () => taken });
  const second = ask("a2");
  const other = ask("b1");
  goRound();
  goRound();
  expect(await other).toBe("b1");
  expect(begun).not.toContain("a2");
  taken = true;
  goRound(25);
  goRound();
  expect(await second).toBe("a2");
  expect(gate.counts.bytesUnderWay).toBe(0);
});

test("work that goes on after a wait has the same turns, before what is new", async () => {
  expect(gate.resume()).toBeUndefined();
  await fillTurn();
  void ask("a1");
  const resumed = gate.resume()?.then(() => begun.push("resumed"));
  expect(resumed).toBeInstanceOf(Promise);
  goRound();
  await resumed;
  expect(begun).toContain("resumed");
});
