import { expect, test } from "bun:test";
import type { ActorView, TreeView } from "../../runtime/inspect.ts";
import type { DependencyHealth } from "./health.ts";
import { type Heard, heardKey, readiness } from "./readiness.ts";

const nowMs = 1_000_000;

function view(actor: string, more: Partial<ActorView> = {}): ActorView {
  const counts = { sent: 0, handled: 0, failed: 0, expired: 0, rejected: 0, shed: 0, dead: 0 };
  const idle = {
    index: 0,
    state: "up",
    restarts: 0,
    upSinceMs: 1,
    depth: 0,
    limit: 1_024,
    busy: undefined,
    oldest: undefined,
  } as const;
  return { actor, ...idle, handledPerSecond: 0, counts, lastError: undefined, ...more };
}

const none: Heard = new Map();
function heard(...said: (DependencyHealth & { saidMs?: number })[]): Heard {
  return new Map(said.map((each) => [heardKey(each), { saidMs: nowMs, ...each }]));
}

function tree(...children: ActorView[]): TreeView {
  return { supervisor: "root", strategy: "one_for_one", intensity: 1, periodMs: 1, state: "running", children };
}

test("a process is ready when each role is up, and tells how many messages wait", () => {
  const report = readiness(tree(view("auth"), view("consumer", { depth: 7 }), view("task")), none, "all", nowMs);
  expect(report).toMatchObject({ ready: true, lag: { auth: 0, consumer: 7, task: 0 } });
});

test("a role that is down or stuck in one turn makes it not ready", () => {
  for (const bad of [
    view("consumer", { state: "down" }),
    view("consumer", { busy: { kind: "append", sinceMs: nowMs - 5_000 } }),
  ]) {
    const report = readiness(tree(view("auth"), bad, view("task")), none, "all", nowMs);
    expect(report.ready).toBe(false);
    expect(report.dependencies.consumer?.ready).toBe(false);
    expect(report.dependencies.auth?.ready).toBe(true);
  }
});

test("of a pool one member is enough; restarts and waiting messages are added up", () => {
  const members = [view("task", { state: "starting", restarts: 2, depth: 1 }), view("task", { index: 1, depth: 2 })];
  for (const pool of [members, members.toReversed()]) {
    const report = readiness(tree(...pool), none, "all", nowMs);
    expect(report).toEqual({
      ready: true,
      status: "ok",
      dependencies: { task: { ready: true, state: "up", restarts: 2 } },
      lag: { task: 3 },
      parked: 0,
    });
  }
});

test("a tree that is starting or stopping is not ready", () => {
  expect(readiness({ ...tree(view("task")), state: "stopping" }, none, "all", nowMs).ready).toBe(false);
});

const up = tree(view("auth"), view("follower"), view("consumer"), view("task"));
const kafkaIsUp = ["follower", "consumer"].map((actor) => ({ actor, dependency: "kafka", ok: true }) as const);
type Row = [
  role: "all" | "auth" | "task" | "consumer",
  actor: string,
  dependency: DependencyHealth["dependency"],
  status: string,
];
const rows: Row[] = [
  ["all", "follower", "kafka", "down"],
  ["all", "task", "kafka", "down"],
  ["all", "consumer", "mongodb", "degraded"],
  ["all", "auth", "postgresql", "degraded"],
  ["all", "task", "redis", "degraded"],
  ["auth", "auth", "postgresql", "down"],
  ["auth", "auth", "redis", "degraded"],
  ["task", "follower", "kafka", "down"],
  ["task", "task", "mongodb", "degraded"],
  ["task", "task", "redis", "degraded"],
  ["consumer", "consumer", "kafka", "down"],
  ["consumer", "consumer", "mongodb", "down"],
];
test.each(rows)("ROLE=%s of which %s does not reach %s is %s", (role, actor, dependency, status) => {
  const fine = { actor, dependency, ok: true } as const;
  expect(readiness(up, heard(...kafkaIsUp, fine), role, nowMs)).toMatchObject({ ready: true, status: "ok" });
  for (const bad of [
    { ...fine, ok: false, detail: "not reached" },
    { ...fine, saidMs: nowMs - 60_000 },
  ]) {
    const report = readiness(up, heard(...kafkaIsUp, bad), role, nowMs);
    expect(report).toMatchObject({ ready: status !== "down", status });
    expect(report.dependencies[dependency]?.ready).toBe(false);
  }
});

test("behind Kafka nothing is ready before Kafka was heard of", () => {
  expect(readiness(up, none, "all", nowMs).ready).toBe(false);
  expect(readiness(tree(view("consumer")), none, "consumer", nowMs).ready).toBe(false);
  expect(readiness(tree(view("consumer")), none, "all", nowMs).ready).toBe(true);
});

test("a server is well when all who work with it reach it, and the log's lag is the longest told", () => {
  const said = [
    { actor: "follower", dependency: "kafka", ok: true, lag: 7 },
    { actor: "consumer", dependency: "kafka", ok: false, detail: "no progress" },
    { actor: "task", dependency: "kafka", ok: true },
  ] as const;
  for (const order of [said, said.toReversed()]) {
    const report = readiness(up, heard(...order), "all", nowMs);
    expect(report.dependencies.kafka).toEqual({ ready: false, state: "no progress" });
    expect(report.lag.log).toBe(7);
  }
});

test("what an actor says it cannot work without takes the process along", () => {
  const said = { actor: "task", dependency: "auth", ok: false, detail: "its keys are not known yet" } as const;
  const kafka = { dependency: "kafka", ok: true } as const;
  const others = [
    { actor: "follower", ...kafka },
    { actor: "task", ...kafka },
  ];
  const of = (...more: Parameters<typeof heard>) => readiness(up, heard(...others, ...more), "task", nowMs);
  expect(of({ ...said, needed: true })).toMatchObject({ ready: false, status: "down" });
  expect(of(said)).toMatchObject({ ready: true, status: "degraded" });
  expect(of(said).dependencies.auth).toEqual({ ready: false, state: "its keys are not known yet", restarts: 0 });
});

test("commands that nobody takes degrade it, though Kafka is reached", () => {
  const kafka = { dependency: "kafka", ok: true } as const;
  const silent = { actor: "follower", ...kafka, lag: 3, detail: "nothing taken from it" };
  const report = readiness(up, heard(silent, { actor: "task", ...kafka }), "task", nowMs);
  expect(report).toMatchObject({
    ready: true,
    status: "degraded",
    dependencies: { kafka: { ready: true, state: "up" }, log: { ready: false, state: "nothing taken from it" } },
    lag: { log: 3 },
  });
});

test("records that are set aside degrade it and are counted, as the one who knows most says", () => {
  const kafka = { dependency: "kafka", ok: true } as const;
  const report = readiness(
    up,
    heard({ actor: "consumer", ...kafka, parked: 3 }, { actor: "follower", ...kafka }),
    "all",
    nowMs,
  );
  expect(report).toMatchObject({ ready: true, status: "degraded", parked: 3 });
  expect(report.dependencies.parked).toEqual({ ready: false, state: "parked: 3" });
  const none = readiness(up, heard({ actor: "consumer", ...kafka, parked: 0 }, ...kafkaIsUp.slice(0, 1)), "all", nowMs);
  expect(none).toMatchObject({ status: "ok", parked: 0 });
  expect(none.dependencies.parked).toBeUndefined();
});
