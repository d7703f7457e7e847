import { expect, test } from "bun:test";
import { actor, tell } from "./actor.ts";
import { type Hands, Overseer } from "./overseer.ts";
import type { Exit } from "./supervisor.ts";
import { child, type SupervisorSpec, supervise } from "./tree.ts";

const leaf = (name: string) => child(actor(name, new URL(`file:///${name}.ts`), { go: tell() }));
const limits = { intensity: 1, periodMs: 1_000 };

/** An overseer whose actors are names: they start when told to, and end as the test says. */
function overseerOf(tree: SupervisorSpec) {
  const done: string[] = [];
  const lives = new Map<string, { ready(): void; exited(exit: Exit): void }>();
  const timers: { afterMs: number; run: () => void }[] = [];
  const hands: Hands<string> = {
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
    seatsOf: (name) => [{ id: name, seat: name, restart: "permanent", shutdownMs: 100, startMs: 50 }],
    start: (seat, on) => {
      done.push(`start ${seat}`);
      lives.set(seat, on);
    },
    stop: (seat) => {
      done.push(`stop ${seat}`);
    },
    kill: (seat) => {
      done.push(`kill ${seat}`);
      lives.get(seat)?.exited({ why: "abnormal", message: "killed" });
    },
    patience: (_seat, _timer, ms, over) => hands.clock.later(ms, over),
    report: () => undefined,
  };
  const overseer = new Overseer(tree, hands, {
    ready: () => done.push("ready"),
    exited: (exit, failed) => done.push(`${failed ? "failed" : "ended"} ${exit.why}`),
  });
  return {
    overseer,
    done,
    timers,
    ready: (seat: string) => lives.get(seat)?.ready(),
    exited: (seat: string, why: Exit["why"]) => lives.get(seat)?.exited({ why }),
  };
}

test("A nested tree starts from left to right, each when the one before is ready, and stops from right to left", () => {
  const { overseer, done, ready, exited, timers } = overseerOf(
    supervise("rest_for_one", limits, [
      leaf("a"),
      supervise("one_for_one", limits, [leaf("b"), leaf("c")], "inner"),
      leaf("d"),
    ]),
  );
  overseer.send({ kind: "start" });
  for (const seat of ["a", "b", "c", "d"]) ready(seat);
  expect(done).toEqual(["start a", "start b", "start c", "start d", "ready"]);
  expect(timers).toEqual([]);
  done.length = 0;
  overseer.send({ kind: "stop" });
  for (const seat of ["d", "c", "b", "a"]) exited(seat, "shutdown");
  expect(done).toEqual(["stop d", "stop c", "stop b", "stop a", "ended shutdown"]);
  expect(timers).toEqual([]);
});

test("A supervisor past its intensity fails upward: its parent restarts it whole, and fails in its turn", () => {
  const { overseer, done, ready, exited } = overseerOf(
    supervise("one_for_one", limits, [
      leaf("a"),
      supervise("one_for_one", { intensity: 0, periodMs: 1_000 }, [leaf("b"), leaf("c")], "inner"),
    ]),
  );
  overseer.send({ kind: "start" });
  for (const seat of ["a", "b", "c"]) ready(seat);
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
  const { overseer, done, timers, ready } = overseerOf(supervise("one_for_one", limits, [leaf("a"), leaf("b")]));
  overseer.send({ kind: "start" });
  ready("a");
  expect(timers.map(({ afterMs }) => afterMs)).toEqual([50]);
  timers[0]?.run();
  expect(done).toEqual(["start a", "start b", "kill b", "stop a"]);
  expect(timers.map(({ afterMs }) => afterMs)).toEqual([100]);
  timers[0]?.run();
  expect(done.slice(4)).toEqual(["kill a", "failed shutdown"]);
});
