import { expect, test } from "bun:test";
import type { ActorView, TreeView } from "../runtime/inspect.ts";
import { readiness } from "./admin.ts";

const nowMs = 1_000_000;

function view(actor: string, more: Partial<ActorView> = {}): ActorView {
  const counts = { sent: 0, handled: 0, failed: 0, expired: 0, rejected: 0, shed: 0, dead: 0 };
  const idle = { index: 0, state: "up", restarts: 0, upSinceMs: 1, depth: 0, limit: 1_024, busy: undefined } as const;
  return { actor, ...idle, handledPerSecond: 0, counts, lastError: undefined, ...more };
}

function tree(...children: ActorView[]): TreeView {
  return { supervisor: "root", strategy: "one_for_one", intensity: 1, periodMs: 1, state: "running", children };
}

test("a process is ready when each role is up, and tells how many messages wait", () => {
  const report = readiness(tree(view("auth"), view("consumer", { depth: 7 }), view("task")), nowMs);
  expect(report).toMatchObject({ ready: true, lag: { auth: 0, consumer: 7, task: 0 } });
});

test("a role that is down or stuck in one turn makes it not ready", () => {
  for (const bad of [
    view("consumer", { state: "down" }),
    view("consumer", { busy: { kind: "append", sinceMs: nowMs - 5_000 } }),
  ]) {
    const report = readiness(tree(view("auth"), bad, view("task")), nowMs);
    expect(report.ready).toBe(false);
    expect(report.dependencies.consumer?.ready).toBe(false);
    expect(report.dependencies.auth?.ready).toBe(true);
  }
});

test("of a pool one member is enough; restarts and waiting messages are added up", () => {
  const members = [view("task", { state: "starting", restarts: 2, depth: 1 }), view("task", { index: 1, depth: 2 })];
  for (const pool of [members, members.toReversed()]) {
    const report = readiness(tree(...pool), nowMs);
    expect(report).toEqual({
      ready: true,
      dependencies: { task: { ready: true, state: "up", restarts: 2 } },
      lag: { task: 3 },
    });
  }
});

test("a tree that is starting or stopping is not ready", () => {
  expect(readiness({ ...tree(view("task")), state: "stopping" }, nowMs).ready).toBe(false);
});
