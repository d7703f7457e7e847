import { expect, test } from "bun:test";
import { actor, ask, type Behaviour, behave, type Protocol, type Schema, type Self, tell } from "./actor.ts";
import { Cell } from "./cell.ts";
import { Envelope } from "./envelope.ts";

const number: Schema<number> = {} as Schema<number>;
const subject = actor("subject", new URL("file:///subject.ts"), {
  double: ask(number, number),
  note: tell(number),
  enter: ask(number, number),
});

/** A cell under a clock that only the test moves, and all that it said. */
function cellOf<State>(behaviour: Omit<Behaviour<typeof subject.accepts, State, unknown>, "actor">) {
  let nowMs = 0;
  const soon: (() => void)[] = [];
  const said: unknown[] = [];
  const oldest: (string | undefined)[] = [];
  const timers: { ms: number; run: () => void }[] = [];
  const later = (ms: number, run: () => void) => {
    const timer = { ms, run };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), 1);
  };
  const cell = new Cell(behave(subject, behaviour) as unknown as Behaviour<Protocol, unknown, unknown>, {
    clock: { now: () => nowMs, monotonicMs: () => nowMs, soon: (run) => soon.push(run), later },
    answer: (envelope, value) => said.push([envelope.id, value]),
    refuse: (envelope, error) => said.push([envelope.id, (error as Error & { code?: string }).code ?? error.message]),
    threw: () => undefined,
    giveUp: (envelope) => said.push(`given up within ${envelope.id}`),
    settled: (_envelope, disposition) => said.push(disposition),
    busy: () => undefined,
    paced: () => undefined,
    oldest: (kind) => void oldest.push(kind),
    overdue: (kind, ms) => said.push(`${kind} overdue after ${ms}`),
    log: () => undefined,
  });
  return {
    cell,
    said,
    oldest,
    /** Lets all timers of so many milliseconds go off. */
    ring: (ms: number) => {
      for (const timer of [...timers]) if (timer.ms === ms) timer.run();
    },
    start: () => cell.start(undefined as unknown as Self<Protocol, unknown>),
    send: (kind: string, body: unknown, id = 0, deadlineMs?: number) => {
      const envelope = new Envelope(kind, body, id, deadlineMs, undefined, "test", undefined, undefined, false);
      cell.deliver(envelope);
      cell.turn();
    },
    sendControl: (kind: string, body: unknown) =>
      cell.deliverControl(new Envelope(kind, body, 0, undefined, undefined, "test", undefined, undefined, true)),
    move: (ms: number) => {
      nowMs += ms;
    },
    /** Lets the macro-task turns that wait run. */
    turns: () => {
      for (const run of soon.splice(0)) run();
    },
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

test("Messages that come before the actor is ready wait for it, then are handled in order", async () => {
  const seen: number[] = [];
  const { send, start, said } = cellOf({
    start: () => null,
    on: { note: (_state, value) => void seen.push(value), double: (_state, value) => value * 2 },
  });
  send("note", 1);
  send("double", 2, 7);
  expect(said).toEqual([]);
  await start();
  expect(seen).toEqual([1]);
  expect(said).toEqual(["handled", [7, 4], "handled"]);
});

test("A handler's promise holds the next message back, up to the concurrency", async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const { send, start, cell } = cellOf({
    concurrency: 2,
    start: () => null,
    on: {
      note: (_state, value) => {
        begun.push(value);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
    },
  });
  await start();
  for (const value of [1, 2, 3, 4]) send("note", value);
  expect(begun).toEqual([1, 2]);
  expect([cell.waiting, cell.idle]).toEqual([2, false]);
  ends[1]?.();
  await settle();
  expect(begun).toEqual([1, 2, 3]);
  ends[0]?.();
  ends[2]?.();
  await settle();
  ends[3]?.();
  await settle();
  expect(begun).toEqual([1, 2, 3, 4]);
  expect(cell.idle).toBe(true);
});

test("A throw and a rejection fail their own ask; an unknown kind is Unhandled", async () => {
  const { send, start, said } = cellOf({
    start: () => null,
    on: {
      double: () => {
        throw new Error("odd");
      },
      enter: () => Promise.reject(new Error("shut")),
    },
  });
  await start();
  send("double", 1, 1);
  send("enter", 1, 2);
  await settle();
  send("note", 1);
  send("nothing", 1, 3);
  expect(said).toEqual([[1, "odd"], "failed", [2, "shut"], "failed", "dead", [3, "Unhandled"], "dead"]);
});

test("A throw that no text can be made of fails its ask, and the actor goes on", async () => {
  const { send, start, said } = cellOf({
    start: () => null,
    on: {
      double: (_state, value) => value * 2,
      enter: () => {
        throw Object.create(null);
      },
    },
  });
  await start();
  send("enter", 1, 1);
  send("double", 2, 2);
  expect(said).toEqual([[1, "thrown: (no text)"], "failed", [2, 4], "handled"]);
});

test("Expired work is dropped before its handler, in a batch too", async () => {
  const handled: number[] = [];
  const { send, start, said, move, turns } = cellOf({
    start: () => null,
    on: { double: (_state, value) => handled.push(value) },
    batch: { kinds: ["enter"], max: 8, on: (_state, messages) => messages.map(({ body }) => handled.push(body)) },
  });
  send("double", 1, 1, 100);
  send("enter", 2, 2, 100);
  send("enter", 3, 3, 200);
  move(100);
  await start();
  turns();
  expect(handled).toEqual([3]);
  expect(said).toEqual([[1, "Expired"], "expired", [2, "Expired"], "expired", [3, 1], "handled"]);
});

test("A batch takes what comes within the turn; while one runs the next gathers; outcomes answer one by one", async () => {
  const batches: number[][] = [];
  const ends: (() => void)[] = [];
  const { send, start, said, turns } = cellOf({
    start: () => null,
    batch: {
      kinds: ["enter"],
      max: 3,
      on: async (_state, messages) => {
        batches.push(messages.map(({ body }) => body as number));
        await new Promise<void>((resolve) => ends.push(resolve));
        return messages.map(({ body }) => (body === 2 ? new RangeError("not 2") : body));
      },
    },
  });
  await start();
  send("enter", 1, 1);
  send("enter", 2, 2);
  expect(batches).toEqual([]);
  turns();
  expect(batches).toEqual([[1, 2]]);
  for (const value of [3, 4, 5, 6]) send("enter", value, value);
  turns();
  expect(batches).toHaveLength(1);
  ends[0]?.();
  await settle();
  expect(said).toEqual([[1, 1], "handled", [2, "not 2"], "failed"]);
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test("A batch whose handler throws, or answers another number of outcomes, fails each of its asks", async () => {
  let answer: () => unknown[] = () => [];
  const { send, start, said, turns } = cellOf({
    start: () => null,
    batch: { kinds: ["enter"], max: 8, on: () => answer() },
  });
  await start();
  send("enter", 1, 1);
  turns();
  answer = () => {
    throw new Error("full disk");
  };
  send("enter", 2, 2);
  turns();
  expect(said).toEqual([
    [1, "Cannot answer a batch of 1: the batch handler of subject gave 0 outcomes"],
    "failed",
    [2, "full disk"],
    "failed",
  ]);
});

test("The control lane goes first and is not counted", async () => {
  const seen: number[] = [];
  let end: () => void = () => undefined;
  const { send, sendControl, start, said } = cellOf({
    start: () => null,
    on: {
      double: () =>
        new Promise<number>((resolve) => {
          end = () => resolve(0);
        }),
      note: (_state, value) => void seen.push(value),
    },
  });
  await start();
  send("double", 0, 1);
  send("note", 1);
  sendControl("note", 99);
  end();
  await settle();
  expect(seen).toEqual([99, 1]);
  expect(said).toEqual([[1, 0], "handled", "handled"]);
});

test("A failed actor's waiting and unfinished asks die with it, its stop hook learns why, and late ends are ignored", async () => {
  let end: () => void = () => undefined;
  const reasons: unknown[] = [];
  const { cell, send, start, said } = cellOf({
    start: () => "state",
    on: {
      double: () =>
        new Promise<number>((resolve) => {
          end = () => resolve(0);
        }),
    },
    stop: (state, reason) => void reasons.push([state, (reason as Error).message]),
  });
  await start();
  send("double", 1, 1);
  send("double", 2, 2);
  send("note", 3);
  await cell.stop(new Error("boom"));
  end();
  await settle();
  send("double", 4, 4);
  expect(said).toEqual([
    "given up within 1",
    ...[[1, "Died"], "dead", [2, "Died"], "dead", "dead", [4, "Died"], "dead"],
  ]);
  expect(reasons).toEqual([["state", "boom"]]);
  expect(cell.state).toBe("stopped");
});

test("An actor that is stopped before it is ready runs no stop hook", async () => {
  let ready: (value: null) => void = () => undefined;
  let hooks = 0;
  const { cell, start } = cellOf({
    start: () =>
      new Promise<null>((resolve) => {
        ready = resolve;
      }),
    stop: () => void hooks++,
  });
  const starting = start();
  await cell.stop("shutdown");
  ready(null);
  await starting;
  expect([hooks, cell.state]).toEqual([0, "stopped"]);
});

test("Handlers whose promises have resolved already share one turn, which ends too", async () => {
  const seen: number[] = [];
  const { cell, start, send, turns, move } = cellOf({
    start: () => null,
    on: {
      note: async (_state, value) => {
        seen.push(value);
        move(2);
      },
    },
  });
  for (let value = 0; value < 100; value++) send("note", value);
  await start();
  await new Promise((resume) => setImmediate(resume));
  expect(seen.length).toBeLessThan(40);
  // What comes in the meantime waits its turn as well.
  cell.resumeTurn();
  expect(seen.length).toBeLessThan(40);
  for (let i = 0; i < 40 && cell.waiting > 0; i++) {
    turns();
    await new Promise((resume) => setImmediate(resume));
  }
  expect(seen).toEqual(Array.from({ length: 100 }, (_, value) => value));
});

test("A long mailbox does not hold the thread: the turn ends and goes on later", async () => {
  const seen: number[] = [];
  const { cell, start, send, turns, move } = cellOf({
    start: () => null,
    on: {
      note: (_state, value) => {
        seen.push(value);
        move(2);
      },
    },
  });
  for (let value = 0; value < 40; value++) send("note", value);
  await start();
  expect(seen.length).toBeLessThan(40);
  for (let i = 0; i < 10 && cell.waiting > 0; i++) turns();
  expect(seen).toEqual(Array.from({ length: 40 }, (_, value) => value));
});

test("The clock is looked at after each message: what a long handler answered leaves before the next one begins", async () => {
  const { start, send, said, turns, move } = cellOf({
    start: () => null,
    on: {
      double: (_state, value) => {
        move(100);
        return value * 2;
      },
    },
  });
  for (let id = 1; id <= 8; id++) send("double", id, id, 550);
  await start();
  const late: unknown[] = [];
  for (let turn = 0; turn < 8; turn++) {
    late.push(said.filter((each) => each === "handled").length);
    turns();
  }
  // Each handler ends the turn of the event loop, and the sixth ends after the deadline of those behind it.
  expect(late.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(said.slice(-4)).toEqual([[7, "Expired"], "expired", [8, "Expired"], "expired"]);
});

test("Of handlers that wait, the oldest is shown, and the next one when it ends", async () => {
  const ends: (() => void)[] = [];
  const { start, send, oldest } = cellOf({
    concurrency: 3,
    start: () => null,
    on: {
      note: () => new Promise<void>((resolve) => ends.push(resolve)),
      double: (_state, value) => new Promise((resolve) => ends.push(() => resolve(value))),
    },
  });
  await start();
  send("note", 1);
  send("double", 1, 1);
  ends[0]?.();
  await settle();
  ends[1]?.();
  await settle();
  expect(oldest).toEqual(["note", "double", undefined]);
});

test.each([
  ["of all kinds", 300, ["note overdue after 300", "double overdue after 300"]],
  ["of one kind", { note: 300 }, ["note overdue after 300"]],
])(
  "A handler that has not ended in the time %s is told of with its kind, and one that has is not",
  async (_, handlerTimeoutMs, overdue) => {
    const { start, send, said, ring } = cellOf({
      concurrency: 3,
      handlerTimeoutMs,
      start: () => null,
      on: {
        note: () => new Promise<void>(() => undefined),
        double: () => new Promise(() => undefined),
        enter: async () => 1,
      },
    });
    await start();
    send("enter", 1, 1);
    await settle();
    send("note", 1);
    send("double", 1, 2);
    ring(300);
    expect(said.filter((each) => typeof each === "string" && each.includes("overdue"))).toEqual(overdue);
  },
);

test("A kind that is named as something that every object has is no handler", async () => {
  const { start, send, said } = cellOf({ start: () => null, on: { note: () => undefined } });
  await start();
  send("constructor", 1, 1);
  send("toString", 1);
  expect(said).toEqual([[1, "Unhandled"], "dead", "dead"]);
});

test("An ask that is given up before its handler is not handled; one whose asker is gone is, since it was accepted", async () => {
  const { cell, said, start } = cellOf({
    start: () => null,
    on: { double: (_state, by) => by * 2, note: () => undefined },
  });
  const asked = (id: number) =>
    new Envelope("double", id, id, undefined, undefined, "test", undefined, "elsewhere", false);
  for (const id of [1, 2, 3]) cell.deliver(asked(id));
  cell.cancel("gave-up", ({ id }) => id === 1);
  cell.cancel("gone", ({ id }) => id === 2);
  await start();
  expect(said).toEqual([[1, "Cancelled"], "expired", [2, 4], "handled", [3, 6], "handled"]);
});

test("The signal of a message is one, is aborted once its asker is gone, and no longer when the message is over", async () => {
  let end: () => void = () => undefined;
  const signals: AbortSignal[] = [];
  const { cell, start, send } = cellOf({
    concurrency: 2,
    start: () => null,
    on: {
      double: (_state, _body, context) => {
        signals.push(context.signal, context.signal);
        return new Promise<number>((resolve) => {
          end = () => resolve(1);
        });
      },
    },
  });
  await start();
  send("double", 1, 1);
  send("double", 1, 2);
  cell.cancel("gone", ({ id }) => id === 1);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false, false]);
  expect(signals[0]).toBe(signals[1] as AbortSignal);
  end();
  await settle();
  cell.cancel("gone", ({ id }) => id === 2);
  expect(signals[2]?.aborted).toBe(false);
});
