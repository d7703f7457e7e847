import { expect, test } from "bun:test";
import type { Behaviour } from "./actor.ts";
import { actor, ask, behave, type Protocol, type Schema, type Self, tell, topic } from "./actor.ts";
import { type Clock, wallClock } from "./clock.ts";
import { OUTBOX_MAX } from "./connection.ts";
import { isActorError } from "./errors.ts";
import type { Posted } from "./frame.ts";
import { runIncarnation } from "./incarnation.ts";
import { Router } from "./router.ts";
import { SharedTable } from "./shared-table.ts";
import type { Directory } from "./targets.ts";

const anything: Schema<unknown> = {} as Schema<unknown>;
const subject = actor("subject", new URL("file:///subject.ts"), {
  note: tell(anything),
  lossy: tell(anything, { lossy: true }),
  echo: ask(anything, anything),
  wrong: ask(anything, anything),
});
const directory: Directory = [
  { name: "main", index: 0, isMain: true },
  { name: "subject", index: 0, isMain: false },
];

const textOf = (frame: Posted): string => (typeof frame === "string" ? frame : frame.text);

/** Two exchanges joined by hand: a frame goes over when `carry` is called. `gate` holds each note back until it is opened. */
async function pair(
  mailbox: { limit: number; bytesMax?: number; full: "wait" | "reject" | "shed" },
  clock: Clock = wallClock,
  slots = 2,
  stop = () => undefined as unknown,
) {
  const sharedTable = SharedTable.create(slots);
  const logged: unknown[] = [];
  const frames: { to: "subject" | "main"; text: string }[] = [];
  const here = new Router({
    slot: 0,
    directory,
    sharedTable,
    clock,
    connect: () => here.attach(1, 1, (frame) => frames.push({ to: "subject", text: textOf(frame) })),
    log: (_level, event, fields) => logged.push([event, fields]),
  });
  const there = new Router({ slot: 1, directory, sharedTable, clock, connect: () => undefined, log: () => undefined });
  there.attach(0, 0, (frame) => frames.push({ to: "main", text: textOf(frame) }));
  sharedTable.begin(0, 0);
  sharedTable.describe(0, { limit: 100, bytesMax: 0, full: "wait" }, 0);
  sharedTable.open(0);
  sharedTable.begin(1, 1);
  const seen: unknown[] = [];
  const gates: (() => void)[] = [];
  let self: Self<typeof subject.accepts> | undefined;
  const life = runIncarnation({
    behaviour: behave(subject, {
      mailbox,
      start: (own) => {
        self = own;
        return null;
      },
      stop: () => void stop(),
      on: {
        note: (_state, value) => {
          seen.push(value);
          return new Promise<void>((resolve) => gates.push(resolve));
        },
        lossy: (_state, value) => void seen.push(value),
        echo: (_state, value) => value,
        wrong: () => 1n,
      },
    }) as unknown as Behaviour<Protocol, unknown, unknown>,
    random: Math.random,
    slot: 1,
    thread: 1,
    generation: 1,
    index: 0,
    args: null,
    keyed: null,
    shutdownMs: 100,
    router: there,
    sharedTable,
    clock,
    shared: new SharedArrayBuffer(0),
    epochMs: 0,
    log: () => undefined,
    subscribe: () => undefined,
    ended: () => undefined,
  });
  await life.started;
  sharedTable.open(1);
  const carry = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      // On a busy machine a turn may end for its length, and go on in the event loop's next one.
      await (i % 20 === 19 ? new Promise<void>((resolve) => setImmediate(resolve)) : Promise.resolve());
      for (const { to, text } of frames.splice(0)) {
        if (to === "subject") there.receive(0, 0, 1, text);
        else here.receive(1, 1, 0, text);
      }
    }
  };
  return {
    sharedTable,
    logged,
    self: () => self,
    here,
    there,
    life,
    seen,
    frames,
    carry,
    open: () => gates.shift()?.(),
  };
}

const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => "answered",
    (error: unknown) => (isActorError(error) ? error.code : String(error)),
  );

test("What is said in one turn leaves as one frame, and the answers come back as one", async () => {
  const { here, frames, carry } = await pair({ limit: 100, full: "wait" });
  const ref = here.ref(subject);
  const answers = Promise.all(Array.from({ length: 10 }, (_, value) => ref.ask("echo", { value })));
  await Promise.resolve();
  expect(frames.map(({ to }) => to)).toEqual(["subject"]);
  await carry();
  expect(await answers).toEqual(Array.from({ length: 10 }, (_, value) => ({ value })));
  here.close();
});

test("A full receiver pushes back: the promise resolves when it has space again, and the order stays", async () => {
  const { here, sharedTable, seen, carry, open } = await pair({ limit: 4, full: "wait" });
  const ref = here.ref(subject);
  const taken: number[] = [];
  for (let value = 0; value < 12; value++) {
    const pushed = ref.tell("note", value);
    if (pushed === undefined) taken.push(value);
    else void pushed.then(() => taken.push(value));
  }
  await carry();
  expect(taken).toEqual([0, 1, 2, 3]);
  expect(sharedTable.depth(1)).toBe(4);
  for (let i = 0; i < 12; i++) {
    open();
    await carry();
    expect(sharedTable.depth(1)).toBeLessThanOrEqual(4);
  }
  expect(seen).toEqual(Array.from({ length: 12 }, (_, value) => value));
  expect(taken).toEqual(seen as number[]);
  expect(sharedTable.counts(1)).toMatchObject({ sent: 12, handled: 12, dead: 0 });
  here.close();
});

test("A sender in a third thread is woken too when what filled the mailbox could not be written, or was never posted", async () => {
  const { here, there, sharedTable, carry } = await pair({ limit: 4, full: "wait" }, wallClock, 3);
  const woken: string[] = [];
  there.attach(2, 1, (frame) => woken.push(textOf(frame)));
  await carry();
  woken.length = 0;
  for (let each = 0; each < 4; each++) void here.ref(subject).tell("note", 1n);
  expect(sharedTable.reserve(1, 1)).toBe("full");
  sharedTable.setWaiting(1);
  await carry();
  expect(woken).toEqual(["[0,1]"]);

  for (let each = 0; each < 4; each++) sharedTable.reserve(1, 1);
  sharedTable.hold(2, 1, 1, 4);
  sharedTable.setWaiting(1);
  sharedTable.releaseHeld(2);
  here.down(2, 1);
  await carry();
  expect(woken).toEqual(["[0,1]", "[0,1]"]);
  here.close();
  there.close();
});

test("What is told beyond all that may wait for a full receiver is a dead letter and said to be one; an ask is refused", async () => {
  const { here, sharedTable, logged } = await pair({ limit: 1, full: "wait" });
  const ref = here.ref(subject);
  expect(ref.tell("note", 0)).toBeUndefined();
  for (let each = 0; each < OUTBOX_MAX; each++) void ref.tell("note", each);
  expect(sharedTable.counts(1).dead).toBe(0);
  for (let each = 0; each < 3; each++) expect(await ref.tell("note", each)).toBeUndefined();
  expect(ref.tell("note", 0)).toBeInstanceOf(Promise);
  expect(await codeOf(ref.ask("echo", 0))).toBe("Busy");
  expect(sharedTable.counts(1)).toMatchObject({ dead: 4, rejected: 1 });
  expect(logged).toEqual([["dead-letter", { to: "subject", kind: "note", reason: "outbox-full", letters: 1 }]]);
  here.close();
});

test("A full mailbox that rejects answers Busy; one that sheds drops lossy kinds only", async () => {
  const rejecting = await pair({ limit: 1, full: "reject" });
  const ref = rejecting.here.ref(subject);
  expect(ref.tell("note", 1)).toBeUndefined();
  expect(ref.tell("note", 2)).toBeUndefined();
  expect(await codeOf(ref.ask("echo", 3))).toBe("Busy");
  expect(rejecting.sharedTable.counts(1)).toMatchObject({ rejected: 2 });
  rejecting.here.close();

  const shedding = await pair({ limit: 1, full: "shed" });
  const shed = shedding.here.ref(subject);
  expect(shed.tell("note", 1)).toBeUndefined();
  expect(shed.tell("lossy", 2)).toBeUndefined();
  expect(shed.tell("note", 3)).toBeInstanceOf(Promise);
  expect(shedding.sharedTable.counts(1)).toMatchObject({ shed: 1 });
  shedding.here.close();
});

test("What cannot be written as JSON fails alone, whichever way it goes", async () => {
  const { here, sharedTable, carry } = await pair({ limit: 10, full: "wait" });
  const ref = here.ref(subject);
  const round: { self?: unknown } = {};
  round.self = round;
  void ref.tell("note", round);
  const outcomes = Promise.all([
    codeOf(ref.ask("echo", 1)),
    codeOf(ref.ask("echo", 2n)),
    codeOf(ref.ask("wrong", 3)),
    codeOf(ref.ask("echo", 4)),
  ]);
  await carry();
  const [first, second, third, fourth] = await outcomes;
  expect([first, fourth]).toEqual(["answered", "answered"]);
  expect(second).toContain("TypeError");
  expect(third).toContain("TypeError");
  const { sent, handled, dead } = sharedTable.counts(1);
  expect({ sent, handled, dead }).toEqual({ sent: 5, handled: 3, dead: 2 });
  here.close();
});

test("An ask to an actor that is down dies at once, to one that stops is told so, and one in flight dies with it", async () => {
  const { here, sharedTable, carry } = await pair({ limit: 10, full: "wait" });
  const ref = here.ref(subject);
  void ref.tell("note", "holds the mailbox");
  const pending = codeOf(ref.ask("echo", 1));
  await carry();
  sharedTable.close(1);
  expect(await codeOf(ref.ask("echo", 2))).toBe("Stopped");
  sharedTable.end(1);
  here.down(1, 1);
  expect(await codeOf(ref.ask("echo", 3))).toBe("Died");
  expect(await pending).toBe("Died");
  const { sent, handled, dead } = sharedTable.counts(1);
  expect({ sent, handled, dead }).toEqual({ sent: 4, handled: 0, dead: 4 });
  expect(here.asking).toBe(0);
  here.close();
});

test.each(["is gone", "lives anew"])(
  "What a sender that %s left in the port is handled, and its answers settle no other asks and reach nobody",
  async (what) => {
    // The end of a connection comes at once.
    const clock: Clock = {
      ...wallClock,
      later: (delayMs, run) => {
        if (delayMs === 1) run();
        return () => undefined;
      },
    };
    const { here, there, sharedTable, frames, carry, open } = await pair({ limit: 10, full: "wait" }, clock);
    void codeOf(here.ref(subject).ask("echo", "of the dead"));
    await Promise.resolve();
    const left = frames.splice(0);
    const strays: string[] = [];
    if (what === "is gone") there.down(0, 0);
    else there.attach(0, 1, (frame) => strays.push(textOf(frame)));
    let settled = "not yet";
    // An ask of the receiver's own with the same id.
    void codeOf(there.ref(subject).ask("note", "own")).then((code) => {
      settled = code;
    });
    for (const { text } of left) there.receive(0, 0, 1, text);
    await carry();
    expect([settled, sharedTable.depth(1), strays]).toEqual(["not yet", 1, []]);
    open();
    await carry();
    expect([settled, sharedTable.depth(1)]).toEqual(["answered", 0]);
    here.close();
    there.close();
  },
);

test("News of a life that is over does not end the way to the next one", async () => {
  const { here, carry } = await pair({ limit: 10, full: "wait" });
  const asked = codeOf(here.ref(subject).ask("echo", 1));
  here.attach(1, 0, () => {
    throw new Error("posted to the life before");
  });
  await carry();
  expect(await asked).toBe("answered");
  here.close();
});

test("Asks within one thread, one after the other, let the event loop have its turn", async () => {
  const { there } = await pair({ limit: 10, full: "wait" });
  const ref = there.ref(subject);
  let turned = false;
  setTimeout(() => {
    turned = true;
  }, 20);
  for (const endMs = Date.now() + 3_000; !turned && Date.now() < endMs; ) await ref.ask("echo", 1);
  expect(turned).toBe(true);
  there.close();
});

test("Those who wait for an actor that fails hear of it before its stop hook, which may hold the thread", async () => {
  const heard: string[] = [];
  const { here, life, frames, carry } = await pair({ limit: 10, full: "wait" }, wallClock, 2, () =>
    heard.push(...frames.map(({ text }) => text.slice(0, 30))),
  );
  void here.ref(subject).tell("note", "holds the mailbox");
  const asked = codeOf(here.ref(subject).ask("echo", 1));
  await carry();
  await life.fail(new Error("boom"));
  expect(heard).toEqual([expect.stringContaining("ActorError")]);
  await carry();
  expect(await asked).toBe("Died");
  here.close();
});

test("No timer is left of an ask that was refused at once, nor of messages to oneself when the actor has ended", async () => {
  const timers = new Set<unknown>();
  const clock: Clock = {
    ...wallClock,
    later: (delayMs, run) => {
      const cancel = wallClock.later(delayMs, () => {
        timers.delete(cancel);
        run();
      });
      timers.add(cancel);
      return () => {
        timers.delete(cancel);
        cancel();
      };
    },
  };
  const { here, life, sharedTable, self, seen } = await pair({ limit: 10, full: "wait" }, clock);
  self()?.after(60_000, "note", 1);
  self()?.after(60_000, "note", 2)();
  self()?.after(1, "lossy", "in time");
  for (const endMs = Date.now() + 5_000; seen.length === 0 && Date.now() < endMs; )
    await new Promise((resume) => setImmediate(resume));
  expect([seen, timers.size]).toEqual([["in time"], 1]);
  sharedTable.close(1);
  await life.stop(1_000);
  expect(await codeOf(here.ref(subject).ask("echo", 1))).toBe("Stopped");
  self()?.after(60_000, "note", 3);
  expect(timers.size).toBe(0);
});

test("A deadline that has passed sends nothing; a nested ask is bounded by the message it is asked in", async () => {
  const { here, frames } = await pair({ limit: 10, full: "wait" });
  const ref = here.ref(subject);
  const context = { kind: "outer", deadlineMs: Date.now() - 1, traceparent: undefined, from: "test" };
  expect(await codeOf(ref.ask("echo", 1, { context, timeoutMs: 60_000 }))).toBe("Expired");
  expect(frames).toEqual([]);
  expect(
    await codeOf(ref.ask("echo", 1, { context: { ...context, deadlineMs: Date.now() + 20 }, timeoutMs: 60_000 })),
  ).toBe("Expired");
  here.close();
});

test("An ask has an end: within NaN or Infinity it is refused, within a thread too; within a month it waits for its answer", async () => {
  const { here, there, sharedTable, carry } = await pair({ limit: 10, full: "wait" });
  for (const timeoutMs of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const refused = `RangeError: Cannot ask subject to echo: timeoutMs is a finite number, not ${timeoutMs}`;
    expect(await codeOf(here.ref(subject).ask("echo", 1, { timeoutMs }))).toBe(refused);
    expect(await codeOf(there.ref(subject).ask("echo", 1, { timeoutMs }))).toBe(refused);
  }
  expect(sharedTable.counts(1).sent).toBe(0);
  const asked = codeOf(here.ref(subject).ask("echo", 1, { timeoutMs: 30 * 86_400_000 }));
  await carry();
  expect(await asked).toBe("answered");
  here.close();
  there.close();
});

test("A trace goes with a message, and on to what is asked within it", async () => {
  const { here, frames } = await pair({ limit: 10, full: "wait" });
  const ref = here.ref(subject);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  void ref.tell("note", 1, { traceparent });
  void ref.tell("note", 2, { context: { deadlineMs: undefined, traceparent } });
  await Promise.resolve();
  expect(JSON.parse(frames[0]?.text ?? "")).toEqual([
    [traceparent, null],
    "note",
    1,
    0,
    [traceparent, null],
    "note",
    2,
    0,
  ]);
  here.close();
});

test("What is published goes to those who subscribed and are up", async () => {
  const { here, sharedTable, seen, carry } = await pair({ limit: 10, full: "wait" });
  const news = topic("news", anything);
  void here.publish(news, 0);
  here.subscriptions = { news: [{ slot: 1, kind: "lossy", lossy: true }] };
  void here.publish(news, 1);
  await carry();
  sharedTable.close(1);
  void here.publish(news, 2);
  await carry();
  expect(seen).toEqual([1]);
  expect(sharedTable.counts(1)).toMatchObject({ sent: 1, dead: 0 });
  here.close();
});

test("A reference to an actor that is not in the tree is refused when it is made", async () => {
  const { here } = await pair({ limit: 10, full: "wait" });
  expect(() => here.ref(actor("nobody", new URL("file:///nobody.ts"), {}))).toThrow(
    "Cannot refer to nobody: the tree has no such actor; add child(nobody), or childrenMax for those that start at run time",
  );
  here.close();
});

test("Publishing pushes back as a tell does while a subscriber is full, and tells what is shed by its counts", async () => {
  const { here, sharedTable, seen, carry, open } = await pair({ limit: 2, full: "wait" });
  const news = topic("news", anything);
  here.subscriptions = { news: [{ slot: 1, kind: "note", lossy: false }] };
  expect(here.publish(news, 1)).toBeUndefined();
  expect(here.publish(news, 2)).toBeUndefined();
  let isTaken = false;
  const pushed = here.publish(news, 3)?.then(() => {
    isTaken = true;
  });
  await carry();
  expect(isTaken).toBe(false);
  for (let i = 0; i < 3; i++) {
    open();
    await carry();
  }
  await pushed;
  expect(seen).toEqual([1, 2, 3]);
  here.close();

  const shedding = await pair({ limit: 1, full: "shed" });
  shedding.here.subscriptions = { news: [{ slot: 1, kind: "lossy", lossy: true }] };
  expect([1, 2, 3].map((value) => shedding.here.publish(news, value))).toEqual([undefined, undefined, undefined]);
  await shedding.carry();
  expect(shedding.sharedTable.counts(1)).toMatchObject({ sent: 3, shed: 2 });
  shedding.here.close();
  expect(sharedTable.counts(1)).toMatchObject({ sent: 3, handled: 3 });
});
