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
  const driver: Driver<string> = {
    clock: {
      now: () => 0,
      monotonicMs: () => 0,
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
    patience: (_seat, _timer, ms, over) => driver.clock.later(ms, over),
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
