import { expect, test } from "bun:test";
import { actor, ask, behave, type Schema } from "./actor.ts";
import { simulate } from "./simulator.ts";
import { child, faultsOf, supervise } from "./tree.ts";

const of = <T>(): Schema<T> => ({}) as Schema<T>;
const counter = actor("counter", new URL(import.meta.url), {
  add: ask(of<number>(), of<number>()),
  hold: ask(of<number>(), of<null>()),
});
const limits = { intensity: 100, periodMs: 60_000 };

/** Hundreds of keys on two threads that crash at times: what the seed makes of it. */
async function play(seed: number) {
  const started = new Map<string, number>();
  const broken: string[] = [];
  const behaviour = behave(counter, {
    concurrency: 2,
    start: async (self) => {
      const key = self.key ?? "";
      await self.sleep(self.random() * 3);
      started.set(key, (started.get(key) ?? 0) + 1);
      return { self, sum: 0, last: 0 };
    },
    on: {
      add: (state, by) => {
        if (by <= state.last) broken.push(`${by} of ${state.self.key} after ${state.last}`);
        state.last = by;
        state.sum += 1;
        if (state.self.random() < 0.05) throw new Error("as the dice say");
        return state.sum;
      },
      hold: async ({ self }, ms) => {
        await self.sleep(ms);
        return null;
      },
    },
    stop: ({ self }) => self.sleep(self.random() * 5),
  });
  const sim = simulate({
    seed,
    tree: supervise("one_for_one", limits, [
      child(counter, {
        each: "key",
        threads: 2,
        idleMs: 30,
        max: 40,
        policy: "restart",
        keyIntensity: { intensity: 2, periodMs: 50 },
      }),
    ]),
    behaviours: [behaviour],
  });
  await sim.start();
  const outcomes: Record<string, number> = {};
  let settled = 0;
  let asked = 0;
  for (let each = 1; each <= 400; each++) {
    sim.at(sim.nowMs() + sim.random() * 400, () => {
      const key = `key-${Math.floor(sim.random() * 60)}`;
      asked++;
      const to = sim.ref(counter).at(key);
      const answer = sim.random() < 0.9 ? to.ask("add", ++sequence) : to.ask("hold", sim.random() * 20);
      answer.then(
        () => count("answered"),
        (error: Error & { code?: string }) => count(error.code ?? error.message),
      );
    });
  }
  let sequence = 0;
  const count = (what: string): void => {
    settled++;
    outcomes[what] = (outcomes[what] ?? 0) + 1;
  };
  for (let crash = 0; crash < 2; crash++) sim.at(sim.nowMs() + sim.random() * 400, () => sim.crash(1 + crash));
  await sim.pass(500);
  if (!(await sim.stop())) broken.push("the stop does not end");
  await sim.pass(200);
  if (settled !== asked) broken.push(`${settled} of ${asked} asks settled`);
  for (const slot of sim.slots) {
    const { sent, handled, expired, rejected, shed, dead } = sim.counts(slot);
    if (sent !== handled + expired + rejected + shed + dead)
      broken.push(`sent ${sent}, but ${handled + expired + rejected + shed + dead} settled`);
    if (sim.depth(slot) !== 0) broken.push(`${sim.depth(slot)} left in a mailbox`);
  }
  if (broken.length > 0) throw new Error(`play(${seed}) replays this: ${[...new Set(broken)].join("; ")}`);
  return { ...outcomes, again: [...started.values()].filter((times) => times > 1).length };
}

test("Keyed actors keep order and account for every message, whatever fails, idles, leaves or crashes when", async () => {
  const sums: Record<string, number> = {};
  for (let seed = 1; seed <= 200; seed++)
    for (const [what, times] of Object.entries(await play(seed))) sums[what] = (sums[what] ?? 0) + times;
  for (const what of ["answered", "as the dice say", "Died", "Busy", "again"])
    expect({ [what]: (sums[what] ?? 0) > 100 }).toEqual({ [what]: true });
}, 120_000);

test("All that is wrong with a keyed child is told before anything starts", () => {
  const child1 = child(counter, {
    each: "key",
    threads: 0,
    idleMs: 0,
    max: 0.5,
    policy: "never" as "reply",
    keyIntensity: { intensity: -1, periodMs: 0 },
  });
  expect(faultsOf(supervise("one_for_one", limits, [child1]))).toEqual([
    "instances of counter must be a whole number from 1, not 0",
    "idleMs of counter must be more than 0 ms, not 0",
    "max of counter must be a whole number from 1, not 0.5",
    "counter has no policy never",
    "keyIntensity of counter must be a whole number from 0, not -1",
    "periodMs of the keyIntensity of counter must be more than 0 ms, not 0",
    "the tree has no actor",
  ]);
});
