import { expect, test } from "bun:test";
import { actor, ask, behave, type Schema, tell } from "./actor.ts";
import { simulate } from "./simulator.ts";
import { child, supervise } from "./tree.ts";

const of = <T>(): Schema<T> => ({}) as Schema<T>;
const DAY_MS = 86_400_000;

/** An actor as somebody would write it: it wakes by itself, waits, and draws lots. */
const alarm = behave(
  actor("alarm", new URL(import.meta.url), {
    ring: tell(),
    rings: ask(of<null>(), of<number[]>()),
    nap: ask(of<number>(), of<number>()),
    lot: ask(of<null>(), of<number>()),
    fail: tell(),
  }),
  {
    concurrency: 2,
    start: (self) => {
      self.every(3_600_000, "ring", null);
      return { self, rings: [] as number[] };
    },
    on: {
      ring: ({ self, rings }) => void rings.push(self.now()),
      rings: ({ rings }) => rings,
      nap: async ({ self }, ms) => {
        const fromMs = self.now();
        await self.sleep(ms);
        return self.now() - fromMs;
      },
      lot: ({ self }) => self.random(),
      fail: ({ self }) => self.fail(new Error("told to fail")),
    },
  },
);
const other = { ...alarm, actor: { ...alarm.actor, name: "other" } };
const limits = { intensity: 3, periodMs: 60_000 };

async function dayOf(seed: number) {
  const realMs = Date.now();
  const sim = simulate({ seed, tree: supervise("one_for_one", limits, [child(alarm.actor)]), behaviours: [alarm] });
  await sim.start();
  const startMs = sim.nowMs();
  await sim.pass(DAY_MS + 1_000);
  const rings = await sim.settle(sim.ref(alarm.actor).ask("rings", null));
  const napMs = await sim.settle(sim.ref(alarm.actor).ask("nap", 50_000, { timeoutMs: 60_000 }));
  const lot = await sim.settle(sim.ref(alarm.actor).ask("lot", null));
  const { level = "none" } = sim.logged.find(({ level: each }) => each !== "info") ?? {};
  await sim.stop();
  return { rings, napMs, lot, level, startMs, realMs: Date.now() - realMs };
}

test("An actor lives through a day of virtual time at once: every, now, sleep and random are virtual", async () => {
  const { rings, napMs, lot, level, realMs } = await dayOf(7);
  expect(rings).toHaveLength(24);
  expect(rings.slice(1).map((ms, index) => ms - (rings[index] as number))).toEqual(Array(23).fill(3_600_000));
  expect(napMs).toBe(50_000);
  expect(level).toBe("none");
  expect(realMs).toBeLessThan(60_000);
  expect((await dayOf(7)).lot).toBe(lot);
  expect((await dayOf(8)).lot).not.toBe(lot);
});

test("What a crash leaves undone is seen at once, and the same supervisor as in production makes the actor anew", async () => {
  const sim = simulate({ seed: 1, tree: supervise("one_for_one", limits, [child(alarm.actor)]), behaviours: [alarm] });
  await sim.start();
  await sim.pass(2 * 3_600_000 + 1_000);
  expect(await sim.settle(sim.ref(alarm.actor).ask("rings", null))).toHaveLength(2);
  const asked = sim.ref(alarm.actor).ask("nap", 10_000);
  await sim.pass(100);
  sim.crash(1);
  await expect(sim.settle(asked)).rejects.toMatchObject({ code: "Died" });
  await sim.pass(1_000);
  expect(await sim.settle(sim.ref(alarm.actor).ask("rings", null))).toEqual([]);
  expect(sim.children("root")).toEqual([{ id: "alarm", type: "worker", state: "up" }]);
  // The second failure in a row waits as the supervisor of production does: by its back-off.
  for (let round = 0; round < 2; round++) {
    void sim.ref(alarm.actor).tell("fail", null);
    await sim.pass(1_000);
  }
  const waits = sim.logged.filter(({ event }) => event === "child-terminated").map(({ fields }) => fields?.restartInMs);
  expect(waits[0]).toBe(0);
  expect(waits[1]).toBeGreaterThan(0);
  expect(waits[2]).toBeGreaterThan(0);
  await sim.pass(10_000);
  void sim.ref(alarm.actor).tell("fail", null);
  await sim.pass(1_000);
  expect({ phase: sim.phase(), failed: sim.failed() }).toEqual({ phase: "ended", failed: true });
});

test("Children start and end at run time in a simulation too", async () => {
  const tree = supervise("one_for_one", { ...limits, childrenMax: 1 }, [child(alarm.actor)]);
  const sim = simulate({ seed: 5, tree, behaviours: [alarm, other] });
  await sim.start();
  for (let round = 0; round < 3; round++) {
    await sim.settle(sim.startChild("root", child(other.actor)));
    await sim.pass(3_600_000 + 1_000);
    expect(await sim.settle(sim.ref(other.actor).ask("rings", null))).toHaveLength(1);
    expect(sim.children("root").map(({ id }) => id)).toEqual(["alarm", "other"]);
    await sim.settle(sim.stopChild("root", other.actor));
    await expect(sim.settle(sim.ref(other.actor).ask("rings", null))).rejects.toMatchObject({ code: "Died" });
  }
  expect(await sim.stop()).toBe(true);
});

test("A promise that does not settle in the time given is said to be, with the seed", async () => {
  const sim = simulate({ seed: 9, tree: supervise("one_for_one", limits, [child(alarm.actor)]), behaviours: [alarm] });
  await sim.start();
  await expect(sim.settle(new Promise(() => undefined), 1_000)).rejects.toThrow(
    "not settled in 1000 ms of virtual time (seed 9)",
  );
  await sim.stop();
});
