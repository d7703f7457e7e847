import { expect, test } from "bun:test";
import { actor, ask, type Behaviour, behave, type Protocol, type Schema, tell } from "./actor.ts";
import { wallClock } from "./clock.ts";
import { behaviourOf, runIncarnation } from "./incarnation.ts";
import { Router } from "./router.ts";
import { SharedTable } from "./shared-table.ts";

const number: Schema<number> = {} as Schema<number>;
const subject = actor("subject", new URL("file:///subject.ts"), { note: tell(number), double: ask(number, number) });
type Given = Partial<Omit<Behaviour<typeof subject.accepts, unknown, unknown>, "actor">>;
const given = (behaviour: Given) =>
  behave(subject, { start: () => null, ...behaviour }) as unknown as Behaviour<Protocol, unknown, unknown>;

/** A life in this thread, up; what it logged and how it ended. */
async function lifeOf(behaviour: Given) {
  const directory = [
    { name: "main", index: 0, isMain: true },
    { name: "subject", index: 0, isMain: true },
  ];
  const sharedTable = SharedTable.create(2);
  const logged: unknown[] = [];
  const log = (_level: string, event: string, fields?: Record<string, unknown>) => void logged.push([event, fields]);
  const router = new Router({ slot: 0, directory, sharedTable, clock: wallClock, connect: () => undefined, log });
  let ended: (failure: Error | undefined) => void = () => undefined;
  const over = new Promise<Error | undefined>((resolve) => {
    ended = resolve;
  });
  sharedTable.begin(1, 1);
  const life = runIncarnation({
    behaviour: given(behaviour),
    slot: 1,
    thread: 1,
    generation: 1,
    index: 0,
    args: null,
    keyed: null,
    shutdownMs: 5_000,
    router,
    sharedTable,
    clock: wallClock,
    shared: new SharedArrayBuffer(0),
    epochMs: 0,
    log,
    random: Math.random,
    subscribe: () => undefined,
    ended,
  });
  await life.started;
  sharedTable.open(1);
  return { life, sharedTable, logged, over, ref: router.ref(subject) };
}

test("No actor is taken for hung sooner than its beats can be seen, nor later than memory can hold", async () => {
  const hangTimeoutMs = async (ms: number) => (await lifeOf({ hangTimeoutMs: ms })).sharedTable.hangTimeoutMs(1);
  expect([
    await hangTimeoutMs(150),
    await hangTimeoutMs(5_000),
    await hangTimeoutMs(2 ** 31),
    await hangTimeoutMs(Number.POSITIVE_INFINITY),
  ]).toEqual([800, 5_000, 2 ** 31 - 1, 2 ** 31 - 1]);
});

test("An uncaught error while an actor drains cuts the drain short, is logged, and is why it ended", async () => {
  const reasons: unknown[] = [];
  const { life, logged, over, ref } = await lifeOf({
    on: { double: () => new Promise<number>(() => undefined) },
    stop: (_state, reason) => void reasons.push(reason),
  });
  const asked = ref.ask("double", 1, { timeoutMs: 60_000 }).catch((error: { code?: string }) => error.code);
  await Promise.resolve();
  void life.stop(60_000);
  const error = new Error("thrown while draining");
  void life.fail(error);
  void life.fail(new Error("another"));
  expect(await over).toBe(error);
  expect(reasons).toEqual([error]);
  expect(await asked).toBe("Died");
  expect(logged).toEqual([
    [
      "failed-while-stopping",
      { error: "thrown while draining", stack: expect.stringContaining("incarnation.test.ts") },
    ],
  ]);
});

test.each([[{ hangTimeoutMs: Number.NaN }, "its hangTimeoutMs must be more than 0, not NaN"]])(
  "A behaviour that cannot work is refused: %j",
  (behaviour, fault) => {
    expect(() => behaviourOf({ default: given(behaviour) }, "subject")).toThrow(`Cannot run subject: ${fault}`);
  },
);
