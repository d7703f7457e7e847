import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Spec } from "../supervisor-spec.ts";
import { supervisorHarness } from "./supervisor-harness.ts";

const ids = ["a", "b", "c", "d"];
const specs: fc.Arbitrary<Spec> = fc.record({
  strategy: fc.constantFrom("one_for_one", "one_for_all", "rest_for_one"),
  intensity: fc.nat({ max: 6 }),
  periodMs: fc.integer({ min: 100, max: 5_000 }),
  children: fc
    .array(
      fc.record({
        start: fc.constant(null),
        restart: fc.constantFrom("permanent", "transient", "temporary"),
        shutdownMs: fc.constantFrom(0, 50, 500),
        startMs: fc.constantFrom(100, 1_000),
      }),
      { maxLength: 3 },
    )
    .map((children) => children.map((child, place) => ({ ...child, id: ids[place] ?? "" }))),
});

const which = fc.constantFrom(...ids);
const acts = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant("die" as const), id: which, why: fc.constantFrom("normal", "shutdown", "abnormal") }),
    fc.record({ act: fc.constantFrom("failing" as const, "ignoresStop" as const, "slow" as const), id: which }),
    fc.record({ act: fc.constant("ready" as const), id: which }),
    fc.record({
      act: fc.constant("call" as const),
      name: fc.constantFrom("restart_child", "terminate_child", "delete_child"),
      id: which,
    }),
    fc.record({
      act: fc.constant("start_child" as const),
      id: which,
      restart: fc.constantFrom("permanent", "transient", "temporary"),
    }),
    fc.record({ act: fc.constant("pass" as const), ms: fc.nat({ max: 3_000 }) }),
  ),
  { maxLength: 40 },
);
type Acts = typeof acts extends fc.Arbitrary<infer Each> ? Each : never;

/** Plays a life; `look` sees the family after every event. */
function play(spec: Spec, script: Acts, look: (sup: ReturnType<typeof supervisorHarness>) => void) {
  const sup = supervisorHarness(spec);
  sup.start();
  look(sup);
  for (const step of script) {
    if (sup.ended()) break;
    if (step.act === "die") {
      if ((sup.alive.get(step.id) ?? []).length > 0) sup.die(step.id, step.why);
    } else if (step.act === "ready") sup.ready(step.id);
    else if (step.act === "pass") sup.pass(step.ms);
    else if (step.act === "call") sup.call({ name: step.name, id: step.id });
    else if (step.act === "start_child")
      sup.call({ name: "start_child", spec: { id: step.id, start: null, restart: step.restart } });
    else {
      const set = sup[step.act];
      if (!set.delete(step.id)) set.add(step.id);
    }
    look(sup);
  }
  return sup;
}

const everyLife = (what: (spec: Spec, script: Acts) => void) =>
  fc.assert(fc.property(specs, acts, what), { numRuns: 1_000 });

test("A child never has two generations alive", () => {
  everyLife((spec, script) => {
    play(spec, script, (sup) => {
      for (const alive of sup.alive.values()) expect(alive.length).toBeLessThanOrEqual(1);
    });
  });
});

test("A stop always ends, with every child down, every call answered and nothing after it", () => {
  everyLife((spec, script) => {
    const sup = play(spec, script, () => undefined);
    sup.send({ kind: "call", to: "late", call: { name: "restart_child", id: "a" } });
    sup.send({ kind: "stop" });
    sup.pass(60_000);
    expect(sup.ended()).toBeDefined();
    expect([...sup.alive.values()].flat()).toEqual([]);
    expect(sup.commands.filter(({ do: what }) => what === "exit").length).toBe(1);
    expect(sup.reply("late")).toBeDefined();
    for (const to of sup.asked) expect(sup.reply(to)).toBeDefined();
  });
});

test("No more restarts than the intensity happen within a period", () => {
  everyLife((spec, script) => {
    const restarted = new Set<number>();
    const times: number[] = [];
    const sup = play(spec, script, (each) => {
      each.commands.forEach((command, place) => {
        if (command.do !== "report" || command.restartInMs === undefined || restarted.has(place)) return;
        restarted.add(place);
        times.push(each.commandMs[place] ?? 0);
      });
    });
    const { intensity, periodMs } = sup.state().flags;
    times.forEach((atMs, place) => {
      const within = times.filter((other, later) => later >= place && other - atMs <= periodMs).length;
      expect(within).toBeLessThanOrEqual(intensity);
    });
  });
});

test("Children start from left to right, each after the one before is ready, and stop from right to left", () => {
  everyLife((spec) => {
    const names = spec.children.map(({ id }) => id);
    const sup = supervisorHarness(spec).start();
    expect(sup.take()).toEqual(names.map((id) => `start ${id}`));
    sup.send({ kind: "stop" });
    expect(sup.take()).toEqual(
      names
        .toReversed()
        .map((id) => `${spec.children.find((child) => child.id === id)?.shutdownMs === 0 ? "kill" : "stop"} ${id}`),
    );
  });
});

test("A failed start rolls back what was started, from right to left", () => {
  everyLife((spec) => {
    const names = spec.children.map(({ id }) => id);
    const last = names.at(-1);
    if (last === undefined) return;
    const sup = supervisorHarness(spec);
    sup.failing.add(last);
    sup.start();
    expect(
      sup
        .take()
        .slice(names.length)
        .map((told) => told.slice(5)),
    ).toEqual(names.slice(0, -1).toReversed());
    expect(sup.ended()?.failed).toBe(true);
  });
});

test("When time passes without further faults, every child that is wanted is up", () => {
  everyLife((spec, script) => {
    const sup = play({ ...spec, intensity: 1_000 }, script, () => undefined);
    if (sup.ended()) return;
    for (const set of [sup.failing, sup.ignoresStop, sup.slow]) set.clear();
    sup.pass(200_000);
    if (sup.ended()) return;
    for (const { is, want } of sup.state().children) expect(is).toBe(want === "up" ? "up" : "down");
    expect(sup.state().phase).toBe("running");
  });
});
