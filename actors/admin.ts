/** What the process tells of itself, on a port of its own: `/livez`, `/readyz`, `/metrics`, `/tree`. It stays in the supervisor's thread and answers while workers hang. */
import process from "node:process";
import type { ActorView, TreeView } from "../runtime/inspect.ts";
import { type FaultKind, faultKinds } from "./debug.ts";
import { problemAnswer, toResponse } from "./http/answer.ts";
import { type Listener, listen } from "./http/listen.ts";
import { Problem, problems } from "./model/problem.ts";
import type { TaskTracker } from "./system.ts";

export type AdminOptions = { host: string; port: number; debugFaults: boolean };

/** A turn that lasts longer than this makes its actor unable to do its job now; what hangs for good the supervisor ends. */
const SLOW_MS = 1_500;

type Reply = { status: number; type: string; text: string };

export function admin(tracker: TaskTracker, { host, port, debugFaults }: AdminOptions): Listener {
  const { system } = tracker;
  const json = (status: number, value: unknown): Reply => ({
    status,
    type: "application/json",
    text: JSON.stringify(value),
  });
  const pages: Record<string, () => Reply> = {
    "/livez": () => {
      const view = system.inspect();
      const live = view.state !== "stopping" && view.state !== "ended";
      return json(live ? 200 : 503, { status: live ? "ok" : view.state });
    },
    "/readyz": () => {
      const report = readiness(system.inspect(), Date.now());
      return json(report.ready ? 200 : 503, report);
    },
    "/metrics": () => ({ status: 200, type: "text/plain; version=0.0.4", text: system.metrics() + processMetrics() }),
    "/tree": () => json(200, system.inspect()),
  };

  function reply(request: Request, url: URL): Reply {
    const { method } = request;
    if (debugFaults && url.pathname === "/debug/kill") return kill(method, url);
    const page = pages[url.pathname];
    if (page === undefined) throw new Problem("not-found");
    if (method !== "GET" && method !== "HEAD")
      throw new Problem("method-not-allowed", undefined, { headers: { allow: "GET, HEAD" } });
    return page();
  }

  function kill(method: string, url: URL): Reply {
    if (method !== "POST") throw new Problem("method-not-allowed", undefined, { headers: { allow: "POST" } });
    const how = faultKinds.find((each) => each === url.searchParams.get("how")) satisfies FaultKind | undefined;
    if (how === undefined)
      throw new Problem("validation", undefined, {
        errors: [{ path: "/how", message: `must be one of ${faultKinds.join(", ")}` }],
      });
    if (!tracker.fault(url.searchParams.get("actor") ?? "", how)) {
      throw new Problem("validation", undefined, {
        errors: [{ path: "/actor", message: `must be one of ${tracker.actors.join(", ")}` }],
      });
    }
    return json(202, { told: how });
  }

  return listen(
    (request) => {
      const url = new URL(request.url);
      const requestId = crypto.randomUUID();
      const context = { requestId, secure: false };
      try {
        const { status, type, text } = reply(request, url);
        return toResponse({ status, json: text, headers: { "content-type": type } }, context);
      } catch (error) {
        const problem =
          error instanceof Problem ? error : new Problem("internal", problems.internal.about, { cause: error });
        return toResponse(problemAnswer(problem, requestId, url.pathname), context);
      }
    },
    { host, port },
  );
}

export type Readiness = {
  ready: boolean;
  /** By actor: whether it takes messages and turns; of a pool, whether one member does. */
  dependencies: Record<string, { ready: boolean; state: string; restarts: number }>;
  /** Messages that wait, by actor: for `consumer` these are the commands not yet taken. */
  lag: Record<string, number>;
};

/** Whether the process can do its job now: every role has a member that is up and not stuck. */
export function readiness(view: TreeView, nowMs: number): Readiness {
  const dependencies: Readiness["dependencies"] = {};
  const lag: Readiness["lag"] = {};
  for (const each of actorsOf(view)) {
    const turning = each.state === "up" && (each.busy === undefined || nowMs - each.busy.sinceMs < SLOW_MS);
    const before = dependencies[each.actor];
    dependencies[each.actor] = {
      ready: turning || before?.ready === true,
      state: before?.ready === true ? before.state : turning || each.state !== "up" ? each.state : "stuck",
      restarts: (before?.restarts ?? 0) + each.restarts,
    };
    lag[each.actor] = (lag[each.actor] ?? 0) + each.depth;
  }
  const ready = view.state === "running" && Object.values(dependencies).every((each) => each.ready);
  return { ready, dependencies, lag };
}

function actorsOf(view: TreeView): ActorView[] {
  return view.children.flatMap((each) => ("actor" in each ? [each] : actorsOf(each)));
}

function processMetrics(): string {
  const seconds = process.cpuUsage();
  return [
    "# HELP process_resident_memory_bytes Memory of the whole process.",
    "# TYPE process_resident_memory_bytes gauge",
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    "# HELP process_cpu_seconds_total Processor time of the whole process.",
    "# TYPE process_cpu_seconds_total counter",
    `process_cpu_seconds_total ${(seconds.user + seconds.system) / 1e6}`,
    "# HELP process_uptime_seconds Since the process began.",
    "# TYPE process_uptime_seconds gauge",
    `process_uptime_seconds ${process.uptime()}`,
    "",
  ].join("\n");
}
