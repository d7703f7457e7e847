import { describe, expect, test } from "bun:test";
import { countChildren, init, whichChildren } from "../supervisor.ts";
import type { ChildSpec, Spec } from "../supervisor-spec.ts";
import { faults } from "../supervisor-spec.ts";
import { supervisorHarness } from "./supervisor-harness.ts";

const worker = (id: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  id,
  start: id,
  shutdownMs: 1_000,
  ...more,
});
const of = (
  strategy: Spec["strategy"] & string,
  intensity: number,
  children: ChildSpec[],
  more: Partial<Spec> = {},
): Spec => ({
  strategy,
  intensity,
  periodMs: 3_600_000,
  backOff: { stableMs: 60_000 },
  children,
  ...more,
});
const counts = (sup: { state(): Parameters<typeof countChildren>[0] }) => Object.values(countChildren(sup.state()));
const gone = { why: "shutdown" } as const;

/** The cases of OTP's supervisor_SUITE, by name. */
const cases: Record<string, () => void> = {
  sup_start_normal() {
    const sup = supervisorHarness(of("one_for_one", 2, [])).start();
    expect(sup.commands).toEqual([{ do: "ready" }]);
    sup.send({ kind: "stop" });
    expect(sup.ended()).toEqual({ do: "exit", exit: gone, failed: false });
  },

  sup_start_fail() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a"), worker("b"), worker("c"), worker("d")]));
    sup.failing.add("c");
    sup.start();
    expect(sup.told).toEqual(["start a", "start b", "start c", "stop b", "stop a"]);
    expect(sup.ended()).toEqual({
      do: "exit",
      exit: { why: "shutdown", message: "failed to start child c: no start" },
      failed: true,
    });
  },

  sup_start_map() {
    const { children, flags } = init({
      children: [
        { id: "a", start: 1 },
        { id: "b", start: 1, shutdownMs: 0 },
        { id: "c", start: 1, type: "supervisor" },
      ],
    });
    expect(flags).toMatchObject({ strategy: "one_for_one", intensity: 1, periodMs: 5_000 });
    const common = { start: 1, restart: "permanent", pool: "", significant: false } as const;
    expect(children.map(({ spec }) => spec)).toEqual([
      { ...common, id: "a", shutdownMs: 5_000, startMs: 30_000, type: "worker" },
      { ...common, id: "b", shutdownMs: 0, startMs: 30_000, type: "worker" },
      { ...common, id: "c", shutdownMs: "infinity", startMs: "infinity", type: "supervisor" },
    ]);
  },

  sup_start_map_faulty_specs() {
    const faulty = {
      children: [{ id: "" }, { id: "b", restart: "always" }, { id: "b", shutdownMs: -1, startMs: Number.NaN }],
    } as unknown as Spec;
    expect(() => init(faulty)).toThrow(
      "Cannot start a supervisor: invalid child name: ; b: invalid restart type: always; b: invalid shutdownMs: -1; b: invalid startMs: NaN; duplicate child name: b",
    );
  },

  sup_stop_infinity() {
    const sup = supervisorHarness(
      of("one_for_one", 2, [
        worker("a", { shutdownMs: "infinity", type: "supervisor" }),
        worker("b", { shutdownMs: "infinity" }),
      ]),
    ).start();
    sup.ignoresStop.add("b");
    sup.send({ kind: "stop" });
    sup.pass(86_400_000);
    expect(sup.take().slice(2)).toEqual(["stop b"]);
    sup.die("b", "shutdown");
    expect(sup.take()).toEqual(["stop a"]);
    expect(sup.ended()?.failed).toBe(false);
  },

  sup_stop_timeout() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a"), worker("b")])).start();
    sup.ignoresStop.add("b");
    sup.send({ kind: "stop" });
    sup.pass(999);
    expect(sup.take().slice(2)).toEqual(["stop b"]);
    sup.pass(1);
    expect(sup.take()).toEqual(["kill b", "stop a"]);
    expect(sup.ended()?.exit).toEqual(gone);
  },

  sup_stop_brutal_kill() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a"), worker("b", { shutdownMs: 0 })])).start();
    sup.send({ kind: "stop" });
    expect(sup.take().slice(2)).toEqual(["kill b", "stop a"]);
  },

  child_adm() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a")])).start();
    expect(sup.call({ name: "start_child", spec: worker("a") })).toEqual({ ok: false, error: "already_started" });
    expect(sup.call({ name: "terminate_child", id: "hej" })).toEqual({ ok: false, error: "not_found" });
    expect(sup.call({ name: "terminate_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.is("a")).toBe("down");
    expect(counts(sup)).toEqual([1, 0, 0, 1]);
    expect(sup.call({ name: "terminate_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.call({ name: "start_child", spec: worker("a") })).toEqual({ ok: false, error: "already_present" });
    expect(sup.call({ name: "restart_child", id: "a" })).toEqual({ ok: true, generation: 2 });
    expect(counts(sup)).toEqual([1, 1, 0, 1]);
    expect(sup.call({ name: "restart_child", id: "a" })).toEqual({ ok: false, error: "running" });
    expect(sup.call({ name: "restart_child", id: "b" })).toEqual({ ok: false, error: "not_found" });
    expect(sup.call({ name: "delete_child", id: "a" })).toEqual({ ok: false, error: "running" });
    expect(sup.call({ name: "delete_child", id: "hej" })).toEqual({ ok: false, error: "not_found" });
    sup.call({ name: "terminate_child", id: "a" });
    expect(sup.call({ name: "delete_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.call({ name: "restart_child", id: "a" })).toEqual({ ok: false, error: "not_found" });
    expect(counts(sup)).toEqual([0, 0, 0, 0]);
    expect(sup.call({ name: "start_child", spec: worker("a") })).toEqual({ ok: true, generation: 3 });
    expect(whichChildren(sup.state())).toEqual([{ id: "a", is: "up", type: "worker", generation: 3 }]);
  },

  child_specs() {
    const sup = supervisorHarness(of("one_for_one", 2, [])).start();
    const faulty = { ...worker("b"), restart: "prmanent", type: "wrker" } as unknown as ChildSpec;
    expect(sup.call({ name: "start_child", spec: faulty })).toEqual({
      ok: false,
      error: "invalid_spec",
      faults: ["b: invalid restart type: prmanent", "b: invalid child type: wrker"],
    });
    expect(faults({ children: [worker("b", { shutdownMs: "infinity", type: "supervisor" })] })).toEqual([]);
    expect(faults({ children: [worker("b"), worker("b")] })).toEqual(["duplicate child name: b"]);
  },

  sup_flags() {
    const flags = {
      strategy: "none_for_one",
      intensity: Number.POSITIVE_INFINITY,
      periodMs: 0,
      backOff: { baseMs: -1 },
      children: [],
    } as unknown as Spec;
    expect(faults(flags)).toEqual([
      "invalid strategy: none_for_one",
      "invalid intensity: Infinity",
      "invalid periodMs: 0",
      "invalid backOff.baseMs: -1",
    ]);
  },

  permanent_normal: () => expect(afterExit("permanent", "normal")).toEqual([1, 1, 0, 1]),
  transient_normal: () => expect(afterExit("transient", "normal")).toEqual([1, 0, 0, 1]),
  temporary_normal: () => expect(afterExit("temporary", "normal")).toEqual([0, 0, 0, 0]),
  permanent_shutdown: () => expect(afterExit("permanent", "shutdown")).toEqual([1, 1, 0, 1]),
  transient_shutdown: () => expect(afterExit("transient", "shutdown")).toEqual([1, 0, 0, 1]),
  temporary_shutdown: () => expect(afterExit("temporary", "shutdown")).toEqual([0, 0, 0, 0]),
  permanent_abnormal: () => expect(afterExit("permanent", "abnormal")).toEqual([1, 1, 0, 1]),
  transient_abnormal: () => expect(afterExit("transient", "abnormal")).toEqual([1, 1, 0, 1]),
  temporary_abnormal: () => expect(afterExit("temporary", "abnormal")).toEqual([0, 0, 0, 0]),

  temporary_bystander() {
    for (const strategy of ["one_for_all", "rest_for_one"] as const) {
      const sup = supervisorHarness(of(strategy, 2, [worker("a"), worker("b", { restart: "temporary" })])).start();
      sup.take();
      sup.die("a", "normal");
      expect(sup.take()).toEqual(["stop b", "start a"]);
      expect(whichChildren(sup.state()).map(({ id }) => id)).toEqual(["a"]);
      expect(sup.ended()).toBeUndefined();
    }
  },

  multiple_restarts() {
    const sup = supervisorHarness(
      of("one_for_one", 1, [worker("a", { shutdownMs: 0 })], { periodMs: 1_000, backOff: { stableMs: 1_000 } }),
    ).start();
    for (let round = 0; round < 4; round++) {
      sup.die("a");
      expect(sup.is("a")).toBe("up");
      sup.pass(2_100);
    }
    expect(sup.call({ name: "terminate_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.call({ name: "delete_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.ended()).toBeUndefined();
  },

  one_for_one() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a"), worker("b")])).start();
    sup.take();
    sup.die("a");
    expect(sup.take()).toEqual(["start a"]);
    expect([sup.generation("a"), sup.generation("b")]).toEqual([3, 2]);
    sup.die("b");
    sup.die("a");
    expect(sup.ended()).toMatchObject({
      failed: true,
      exit: { why: "shutdown", message: "reached max restart intensity (2 in 3600000 ms) by a" },
    });
  },

  one_for_one_escalation() {
    const sup = supervisorHarness(of("one_for_one", 4, [worker("a"), worker("b")])).start();
    sup.failing.add("a");
    sup.take();
    sup.die("a");
    sup.pass(3_600_000);
    expect(sup.take()).toEqual(["start a", "start a", "start a", "start a", "stop b"]);
    expect(sup.ended()?.failed).toBe(true);
  },

  one_for_all() {
    const sup = supervisorHarness(of("one_for_all", 2, [worker("a"), worker("b"), worker("c")])).start();
    sup.take();
    sup.die("b");
    expect(sup.take()).toEqual(["stop c", "stop a", "start a", "start b", "start c"]);
    expect(counts(sup)).toEqual([3, 3, 0, 3]);
    sup.die("a");
    sup.die("c");
    expect(sup.ended()?.failed).toBe(true);
  },

  one_for_all_escalation() {
    const sup = supervisorHarness(of("one_for_all", 4, [worker("a"), worker("b")])).start();
    sup.failing.add("b");
    sup.die("a");
    sup.pass(3_600_000);
    expect(sup.ended()?.failed).toBe(true);
    expect([...sup.alive.values()].flat()).toEqual([]);
  },

  one_for_all_other_child_fails_restart() {
    const sup = supervisorHarness(of("one_for_all", 3, [worker("a"), worker("b")])).start();
    sup.take();
    sup.failing.add("b");
    sup.die("a");
    expect(sup.take()).toEqual(["stop b", "start a", "start b", "stop a"]);
    expect(sup.is("b")).toBe("waiting");
    sup.failing.delete("b");
    sup.pass(100);
    expect(sup.take()).toEqual(["start a", "start b"]);
    expect(counts(sup)).toEqual([2, 2, 0, 2]);
  },

  rest_for_one() {
    const sup = supervisorHarness(of("rest_for_one", 2, [worker("a"), worker("b"), worker("c")])).start();
    sup.take();
    sup.die("b");
    expect(sup.take()).toEqual(["stop c", "start b", "start c"]);
    expect(sup.generation("a")).toBe(1);
    sup.die("c");
    sup.die("b");
    expect(sup.ended()?.failed).toBe(true);
  },

  rest_for_one_escalation() {
    const sup = supervisorHarness(of("rest_for_one", 4, [worker("a"), worker("b")])).start();
    sup.failing.add("b");
    sup.die("a");
    sup.pass(3_600_000);
    expect(sup.ended()?.failed).toBe(true);
    expect([...sup.alive.values()].flat()).toEqual([]);
  },

  rest_for_one_other_child_fails_restart() {
    const sup = supervisorHarness(of("rest_for_one", 3, [worker("a"), worker("b")])).start();
    sup.take();
    sup.failing.add("b");
    sup.die("a");
    expect(sup.take()).toEqual(["stop b", "start a", "start b"]);
    sup.failing.delete("b");
    sup.pass(100);
    expect(sup.take()).toEqual(["start b"]);
  },

  child_unlink() {
    const sup = supervisorHarness(of("one_for_one", 2, [worker("a")])).start();
    sup.ignoresStop.add("a");
    sup.send({ kind: "call", to: "me", call: { name: "terminate_child", id: "a" } });
    expect(sup.reply("me")).toBeUndefined();
    expect(sup.call({ name: "start_child", spec: worker("b") })).toMatchObject({ ok: true });
    sup.pass(1_000);
    expect(sup.reply("me")).toMatchObject({ ok: true });
    expect(sup.is("a")).toBe("down");
  },

  tree() {
    const top = supervisorHarness(
      of("one_for_all", 4, [
        worker("left", { type: "supervisor", shutdownMs: "infinity" }),
        worker("right", { type: "supervisor" }),
      ]),
    ).start();
    expect(counts(top)).toEqual([2, 2, 2, 0]);
    const right = supervisorHarness(of("one_for_one", 0, [])).start();
    right.call({ name: "start_child", spec: worker("dynamic") });
    right.die("dynamic");
    const exit = right.ended()?.exit;
    expect(exit?.why).toBe("shutdown");
    top.take();
    top.die("right", exit?.why);
    expect(top.take()).toEqual(["stop left", "start left", "start right"]);
    expect(counts(supervisorHarness(of("one_for_one", 0, [])).start())).toEqual([0, 0, 0, 0]);
  },

  count_children() {
    const sup = supervisorHarness(of("one_for_one", 2, [])).start();
    for (let each = 0; each < 200; each++)
      sup.call({ name: "start_child", spec: worker(`child ${each}`, { restart: "temporary" }) });
    expect(counts(sup)).toEqual([200, 200, 0, 200]);
    for (const { id } of whichChildren(sup.state())) sup.die(id);
    expect(counts(sup)).toEqual([0, 0, 0, 0]);
  },

  do_not_save_child_specs_for_temporary_children() {
    for (const strategy of ["one_for_all", "one_for_one", "rest_for_one"] as const) {
      for (const how of ["normal", "abnormal", "supervisor"] as const) {
        for (const restart of ["permanent", "transient", "temporary"] as const) {
          const sup = supervisorHarness(of(strategy, 2, [])).start();
          const spec = worker("a", { restart });
          sup.call({ name: "start_child", spec });
          if (how === "supervisor") sup.call({ name: "terminate_child", id: "a" });
          else sup.die("a", how);
          const restarted = how !== "supervisor" && (restart === "permanent" || how === "abnormal");
          const error = restarted ? "already_started" : "already_present";
          expect(sup.call({ name: "start_child", spec })).toMatchObject(
            restart === "temporary" ? { ok: true } : { ok: false, error },
          );
        }
      }
    }
  },

  hanging_restart_loop() {
    const sup = supervisorHarness(of("one_for_one", 8, [], { periodMs: 10_000 })).start();
    sup.call({ name: "start_child", spec: worker("a", { shutdownMs: 0 }) });
    sup.failing.add("a");
    sup.die("a");
    expect(sup.is("a")).toBe("waiting");
    expect(sup.call({ name: "start_child", spec: worker("a") })).toEqual({ ok: false, error: "already_present" });
    expect(sup.call({ name: "restart_child", id: "a" })).toEqual({ ok: false, error: "restarting" });
    expect(sup.call({ name: "delete_child", id: "a" })).toEqual({ ok: false, error: "restarting" });
    expect(counts(sup)).toEqual([1, 0, 0, 1]);
    expect(sup.call({ name: "terminate_child", id: "a" })).toMatchObject({ ok: true });
    expect(sup.is("a")).toBe("down");
    sup.take();
    sup.pass(60_000);
    expect(sup.take()).toEqual([]);
    sup.failing.delete("a");
    expect(sup.call({ name: "restart_child", id: "a" })).toMatchObject({ ok: true });
    sup.failing.add("a");
    sup.die("a");
    sup.send({ kind: "stop" });
    expect(sup.ended()).toEqual({ do: "exit", exit: gone, failed: false });
  },

  nonsignificant_temporary() {
    for (const why of ["normal", "shutdown", "abnormal"] as const) {
      const sup = significant("any_significant", { child1: "temporary" }, []);
      sup.die("child1", why);
      expect({ ended: sup.ended(), children: counts(sup)[0] }).toEqual({ ended: undefined, children: 0 });
    }
  },

  nonsignificant_transient() {
    for (const why of ["normal", "shutdown"] as const) {
      const sup = significant("all_significant", { child1: "transient" }, []);
      sup.die("child1", why);
      expect({ ended: sup.ended(), is: sup.is("child1") }).toEqual({ ended: undefined, is: "down" });
    }
  },

  significant_temporary() {
    for (const why of ["normal", "shutdown", "abnormal"] as const) {
      const any = significant("any_significant", { child1: "temporary", child2: "temporary" });
      any.die("child1", why);
      expect(any.ended()).toEqual({ do: "exit", exit: gone, failed: false });
      const all = significant("all_significant", { child1: "temporary", child2: "temporary" });
      all.die("child1", why);
      expect(all.ended()).toBeUndefined();
      all.die("child2", why);
      expect(all.ended()).toEqual({ do: "exit", exit: gone, failed: false });
    }
    // What is ended on purpose ends nobody else.
    const called = significant("any_significant", { child1: "temporary" });
    called.call({ name: "terminate_child", id: "child1" });
    expect(called.ended()).toBeUndefined();
  },

  significant_transient() {
    const any = significant("any_significant", { child1: "transient", child2: "transient" });
    any.die("child1", "abnormal");
    expect({ ended: any.ended(), is: any.is("child1") }).toEqual({ ended: undefined, is: "up" });
    any.die("child1", "normal");
    expect(any.ended()).toEqual({ do: "exit", exit: gone, failed: false });
    const all = significant("all_significant", { child1: "transient", child2: "transient" });
    all.die("child1", "shutdown");
    all.die("child2", "abnormal");
    expect(all.ended()).toBeUndefined();
    all.call({ name: "restart_child", id: "child1" });
    all.die("child2", "normal");
    expect(all.ended()).toBeUndefined();
    all.die("child1", "normal");
    expect(all.ended()).toEqual({ do: "exit", exit: gone, failed: false });
  },

  significant_bystander() {
    // A significant child that ends because a sibling failed is started again, and ends nobody.
    const sup = significant("any_significant", { child1: "transient" }, undefined, "one_for_all");
    sup.call({ name: "start_child", spec: worker("child2") });
    sup.die("child2", "abnormal");
    expect({ ended: sup.ended(), is: sup.is("child1") }).toEqual({ ended: undefined, is: "up" });
  },

  significant_escalation() {
    // A supervisor that stopped by itself is, to its own, a child that ended in order.
    const below = significant("any_significant", { child1: "transient" });
    below.die("child1", "normal");
    const exit = below.ended()?.exit ?? { why: "abnormal" };
    const above = significant("any_significant", { below: "transient", other: "transient" });
    above.die("below", exit.why);
    expect(above.ended()).toEqual({ do: "exit", exit: gone, failed: false });
    const restarting = supervisorHarness(of("one_for_one", 2, [worker("below")])).start();
    restarting.die("below", exit.why);
    expect(restarting.is("below")).toBe("up");
  },
};

/** A supervisor with transient or temporary children, all of them significant unless told. */
function significant(
  autoShutdown: "any_significant" | "all_significant",
  restarts: Record<string, "transient" | "temporary">,
  ids: readonly string[] = Object.keys(restarts),
  strategy: "one_for_one" | "one_for_all" = "one_for_one",
) {
  const children = Object.entries(restarts).map(([id, restart]) =>
    worker(id, { restart, significant: ids.includes(id) }),
  );
  return supervisorHarness(of(strategy, 2, children, { autoShutdown })).start();
}

/** OTP's cases that have no meaning here. */
const notApplicable: Record<string, readonly string[]> = {
  "an actor's start makes its state or fails: there is no `ignore`": [
    "sup_start_ignore_init",
    "sup_start_ignore_child",
    "sup_start_ignore_temporary_child",
    "sup_start_ignore_temporary_child_start_child",
    "sup_start_ignore_temporary_child_start_child_simple",
    "sup_start_ignore_permanent_child_start_child_simple",
  ],
  "no init callback runs: a spec is a value, and its faults are `faults`": ["sup_start_error_return"],
  "no simple_one_for_one: pools have a fixed size, and keyed actors no supervisor of their own": [
    "child_adm_simple",
    "simple_one_for_one",
    "simple_one_for_one_shutdown",
    "simple_one_for_one_extra",
    "simple_one_for_one_escalation",
    "simple_one_for_one_scale_many_temporary_children",
    "hanging_restart_loop_simple",
    "significant_simple",
  ],
  "a start returns nothing beside the child": ["extra_return"],
  "no OTP applications and no global names": ["faulty_application_shutdown", "simple_global_supervisor"],
  "the spec of a temporary child is dropped whole, its start parameters with it": [
    "do_not_save_start_parameters_for_temporary_children",
  ],
  "no change of code in a running system": [
    "code_change",
    "code_change_map",
    "code_change_simple",
    "code_change_simple_map",
    "significant_upgrade_never_any",
    "significant_upgrade_any_never",
    "significant_upgrade_never_all",
    "significant_upgrade_all_never",
    "significant_upgrade_any_all",
    "significant_upgrade_all_any",
    "significant_upgrade_child",
  ],
};

function afterExit(
  restart: "permanent" | "transient" | "temporary",
  why: "normal" | "shutdown" | "abnormal",
): number[] {
  const sup = supervisorHarness(of("one_for_one", 2, [])).start();
  sup.call({ name: "start_child", spec: worker("child1", { restart }) });
  sup.die("child1", why);
  return counts(sup);
}

describe("OTP's supervisor_SUITE", () => {
  for (const [name, run] of Object.entries(cases)) test(name, run);

  test("has every case here or listed with a reason", () => {
    const left = Object.values(notApplicable).flat();
    expect(new Set([...Object.keys(cases), ...left]).size).toBe(Object.keys(cases).length + left.length);
    expect(Object.keys(cases).length + left.length).toBe(70);
  });
});

describe("A supervisor", () => {
  test("restarts a stable child at once, then with full jitter below a doubling bound, and from the start again after a stable period", () => {
    const sup = supervisorHarness(
      of("one_for_one", 100, [worker("a")], { backOff: { baseMs: 100, maxMs: 300, stableMs: 1_000 } }),
      { random: () => 0.99 },
    ).start();
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      sup.die("a");
      waits.push(sup.commands.findLast((command) => command.do === "report")?.restartInMs ?? -1);
      sup.pass(300);
    }
    sup.pass(1_000);
    sup.die("a");
    waits.push(sup.commands.findLast((command) => command.do === "report")?.restartInMs ?? -1);
    expect(waits).toEqual([0, 99, 198, 297, 297, 0]);
  });

  test("starts the members of a pool together, and what comes after them when all are ready", () => {
    const pool = { pool: "b" };
    const sup = supervisorHarness(
      of("rest_for_one", 1, [worker("a"), worker("b/0", pool), worker("b/1", pool), worker("b/2", pool), worker("c")]),
    );
    for (const id of ["b/0", "b/1", "b/2"]) sup.slow.add(id);
    sup.start();
    expect(sup.take()).toEqual(["start a", "start b/0", "start b/1", "start b/2"]);
    for (const id of ["b/2", "b/0"]) sup.ready(id);
    expect(sup.take()).toEqual([]);
    sup.ready("b/1");
    expect(sup.take()).toEqual(["start c"]);
    sup.die("a");
    const stops = ["stop c", "stop b/2", "stop b/1", "stop b/0"];
    expect(sup.take()).toEqual([...stops, "start a", "start b/0", "start b/1", "start b/2"]);
    sup.send({ kind: "stop" });
    expect(sup.take()).toEqual(["stop b/2", "stop b/1", "stop b/0", "stop a"]);
  });

  test("rolls a start back when a member of a pool fails while others start", () => {
    const pool = { pool: "b" };
    const sup = supervisorHarness(of("one_for_one", 1, [worker("a"), worker("b/0", pool), worker("b/1", pool)]));
    sup.slow.add("b/0");
    sup.failing.add("b/1");
    sup.start();
    expect(sup.told).toEqual(["start a", "start b/0", "start b/1", "stop b/0", "stop a"]);
    expect(sup.ended()).toMatchObject({ failed: true, exit: { message: "failed to start child b/1: no start" } });
  });

  test("refuses significant children that can never count", () => {
    const never = of("one_for_one", 1, [worker("a", { significant: true, restart: "transient" })]);
    expect(() => init(never)).toThrow("a: significant under autoShutdown never");
    const permanent = of("one_for_one", 1, [worker("a", { significant: true })], { autoShutdown: "any_significant" });
    expect(() => init(permanent)).toThrow("a: significant, and permanent: it never ends");
  });

  test("lets a stop overtake a start under way", () => {
    const sup = supervisorHarness(of("rest_for_one", 1, [worker("a"), worker("b")]));
    sup.slow.add("b");
    sup.start();
    sup.send({ kind: "stop" });
    expect(sup.told).toEqual(["start a", "start b", "stop b", "stop a"]);
    expect(sup.ended()).toEqual({ do: "exit", exit: gone, failed: false });
  });

  test("kills a child that is not ready in time, as a failed start", () => {
    const sup = supervisorHarness(of("one_for_one", 1, [worker("a", { startMs: 500 })]));
    sup.slow.add("a");
    sup.start();
    sup.pass(500);
    expect(sup.told).toEqual(["start a", "kill a"]);
    expect(sup.ended()?.exit.message).toBe("failed to start child a: Cannot start: not ready within 500 ms");
  });

  test("does not take the timer of a start for that of the stop", () => {
    const sup = supervisorHarness(of("one_for_one", 1, [worker("a", { startMs: 500, shutdownMs: 10_000 })])).start();
    sup.ignoresStop.add("a");
    sup.send({ kind: "stop" });
    sup.pass(9_999);
    expect(sup.told).toEqual(["start a", "stop a"]);
  });

  test("ignores what an earlier generation says", () => {
    const sup = supervisorHarness(of("one_for_one", 5, [worker("a")])).start();
    sup.die("a");
    const before = sup.state();
    sup.send({ kind: "exited", id: "a", generation: 1, exit: { why: "abnormal" } });
    sup.send({ kind: "ready", id: "a", generation: 1 });
    sup.send({ kind: "exited", id: "unknown", generation: 2, exit: { why: "abnormal" } });
    expect(sup.state()).toBe(before);
  });

  test("kills all its children at once when its own parent is out of patience", () => {
    const sup = supervisorHarness(of("one_for_one", 5, [worker("a"), worker("b")])).start();
    sup.ignoresStop.add("b");
    sup.send({ kind: "stop" });
    sup.take();
    sup.send({ kind: "kill" });
    expect(sup.take()).toEqual(["kill a", "kill b"]);
    expect(sup.ended()).toBeDefined();
  });

  test("answers a dynamic start that fails with its reason and forgets the child", () => {
    const sup = supervisorHarness(of("one_for_all", 5, [worker("a")])).start();
    sup.failing.add("b");
    expect(sup.call({ name: "start_child", spec: worker("b") })).toEqual({
      ok: false,
      error: { why: "abnormal", message: "no start" },
    });
    expect(whichChildren(sup.state()).map(({ id }) => id)).toEqual(["a"]);
  });

  test("answers a dynamic start that a stop overtakes", () => {
    const sup = supervisorHarness(of("one_for_one", 5, [worker("a")])).start();
    sup.slow.add("b");
    sup.send({ kind: "call", to: "me", call: { name: "start_child", spec: worker("b") } });
    sup.send({ kind: "stop" });
    expect(sup.reply("me")).toEqual({ ok: false, error: gone });
  });
});
