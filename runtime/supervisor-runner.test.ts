import { expect, test } from "bun:test";
import { actor, tell } from "./actor.ts";
import type { Exit } from "./supervisor.ts";
import { type Driver, SupervisorRunner } from "./supervisor-runner.ts";
import { child, type SupervisorSpec, supervise } from "./tree.ts";

const leaf = (name: string) => child(actor(name, new URL(`file:///${name}.ts`), { go: tell() }));
const limits = { intensity: 1, periodMs: 1_000 };

/** A runner whose actors are names: they start when told to, and end as the test says. */
function runnerOf(tree: SupervisorSpec) {
  const done: string[] = [];
  const lives = new Map<string, { ready(): void; exited(exit: Exit): void }>();
  const timers: { afterMs: number; run: () => void }[] = [];
  const clock = { nowMs: 0, monotonicMs: 0 };
  const driver: Driver<string> = {
    clock: {
      now: () => clock.nowMs,
      monotonicMs: () => clock.monotonicMs,
      soon: (run) => run(),
      later: (afterMs, run) => {
        const timer = { afterMs, run };
        timers.push(timer);
        return () => void timers.splice(timers.indexOf(timer), 1);
      },
    },
    random: () => 0.5,
    handlesOf: (name) => [{ id: name, handle: name, restart: "permanent", shutdownMs: 100, startMs: 50 }],
    start: (handle, on) => {
      done.push(`start ${handle}`);
      lives.set(handle, on);
    },
    stop: (handle) => {
      done.push(`stop ${handle}`);
    },
    kill: (handle) => {
      done.push(`kill ${handle}`);
      lives.get(handle)?.exited({ why: "abnormal", message: "killed" });
    },
    release: (supervisor, handle) => {
      done.push(`${supervisor} releases ${handle}`);
    },
    patience: (_handle, _timer, ms, over) => driver.clock.later(ms, over),
    report: () => undefined,
  };
  const runner = new SupervisorRunner(tree, driver, {
    ready: () => done.push("ready"),
    exited: (exit, failed) => done.push(`${failed ? "failed" : "ended"} ${exit.why}`),
  });
  return {
    runner,
    done,
    timers,
    clock,
    ready: (handle: string) => lives.get(handle)?.ready(),
    exited: (handle: string, why: Exit["why"]) => lives.get(handle)?.exited({ why }),
  };
}

test("A nested tree starts from left to right, each when the one before is ready, and stops from right to left", () => {
  const { runner, done, ready, exited, timers } = runnerOf(
    supervise("rest_for_one", limits, [
      leaf("a"),
      supervise("one_for_one", limits, [leaf("b"), leaf("c")], "inner"),
      leaf("d"),
    ]),
  );
  runner.send({ kind: "start" });
  for (const handle of ["a", "b", "c", "d"]) ready(handle);
  expect(done).toEqual(["start a", "start b", "start c", "start d", "ready"]);
  expect(timers).toEqual([]);
  done.length = 0;
  runner.send({ kind: "stop" });
  for (const handle of ["d", "c", "b", "a"]) exited(handle, "shutdown");
  expect(done).toEqual(["stop d", "stop c", "stop b", "stop a", "ended shutdown"]);
  expect(timers).toEqual([]);
});

test("A supervisor past its intensity fails upward: its parent restarts it whole, and fails in its turn", () => {
  const { runner, done, ready, exited } = runnerOf(
    supervise("one_for_one", limits, [
      leaf("a"),
      supervise("one_for_one", { intensity: 0, periodMs: 1_000 }, [leaf("b"), leaf("c")], "inner"),
    ]),
  );
  runner.send({ kind: "start" });
  for (const handle of ["a", "b", "c"]) ready(handle);
  done.length = 0;
  exited("b", "abnormal");
  exited("c", "shutdown");
  expect(done).toEqual(["stop c", "start b"]);
  ready("b");
  ready("c");
  done.length = 0;
  exited("c", "abnormal");
  exited("b", "shutdown");
  exited("a", "shutdown");
  expect(done).toEqual(["stop b", "stop a", "failed shutdown"]);
});

test("A child that does not stop, or does not become ready, in its time is killed", () => {
  const { runner, done, timers, ready } = runnerOf(supervise("one_for_one", limits, [leaf("a"), leaf("b")]));
  runner.send({ kind: "start" });
  ready("a");
  expect(timers.map(({ afterMs }) => afterMs)).toEqual([50]);
  timers[0]?.run();
  expect(done).toEqual(["start a", "start b", "kill b", "stop a"]);
  expect(timers.map(({ afterMs }) => afterMs)).toEqual([100]);
  timers[0]?.run();
  expect(done.slice(4)).toEqual(["kill a", "failed shutdown"]);
});

test("Restarts are counted by the monotonic clock: a wall clock that is put forward forgets none", () => {
  const { runner, done, ready, exited, clock } = runnerOf(supervise("one_for_one", limits, [leaf("a")]));
  runner.send({ kind: "start" });
  ready("a");
  exited("a", "abnormal");
  clock.nowMs += 3_600_000;
  ready("a");
  exited("a", "abnormal");
  expect(done).toEqual(["start a", "ready", "start a", "failed shutdown"]);

  const other = runnerOf(supervise("one_for_one", limits, [leaf("a")]));
  other.runner.send({ kind: "start" });
  other.ready("a");
  other.exited("a", "abnormal");
  other.clock.monotonicMs += 3_600_000;
  other.ready("a");
  other.exited("a", "abnormal");
  expect(other.done).toEqual(["start a", "ready", "start a"]);
});

test("Each supervisor waits before restarts as it declares", () => {
  const backOff = { baseMs: 40, maxMs: 40 };
  const { runner, ready, exited, timers } = runnerOf(
    supervise("one_for_one", { intensity: 9, periodMs: 1_000, backOff: { baseMs: 4_000, maxMs: 4_000 } }, [
      leaf("a"),
      supervise("one_for_one", { intensity: 9, periodMs: 1_000, backOff }, [leaf("b")], "inner"),
    ]),
  );
  runner.send({ kind: "start" });
  for (const handle of ["a", "b"]) ready(handle);
  for (const handle of ["a", "b"]) {
    exited(handle, "abnormal");
    ready(handle);
    exited(handle, "abnormal");
  }
  expect(timers.map(({ afterMs }) => afterMs)).toEqual([2_000, 20]);
});

test("A child that was started at run time is released once it has ended for good", async () => {
  const { runner, done, ready, exited } = runnerOf(supervise("one_for_one", limits, [leaf("a")]));
  const added = { restart: "temporary", shutdownMs: 100, startMs: 50 } as const;
  runner.send({ kind: "start" });
  expect(await runner.startChild({ ...added, id: "early", handle: "early" })).toMatchObject({ error: "not_running" });
  ready("a");
  done.length = 0;
  const started = runner.startChild({ ...added, id: "b", handle: "b" });
  ready("b");
  expect(await started).toMatchObject({ ok: true });
  exited("b", "normal");
  const failing = runner.startChild({ ...added, id: "c", handle: "c" });
  exited("c", "abnormal");
  expect(await failing).toMatchObject({ ok: false, error: { why: "abnormal" } });
  const stopped = runner.startChild({ ...added, id: "d", handle: "d", restart: "permanent" });
  ready("d");
  await stopped;
  const stopping = runner.stopChild("d");
  exited("d", "shutdown");
  expect(await stopping).toMatchObject({ ok: true });
  expect(await runner.stopChild("a")).toMatchObject({ error: "not_found" });
  const last = runner.startChild({ ...added, id: "e", handle: "e" });
  ready("e");
  await last;
  runner.send({ kind: "stop" });
  exited("e", "shutdown");
  exited("a", "shutdown");
  expect(done).toEqual([
    ...["start b", "root releases b", "start c", "root releases c", "start d", "stop d", "root releases d"],
    ...["start e", "stop e", "stop a", "root releases e", "ended shutdown"],
  ]);
});
