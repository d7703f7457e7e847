/** What the process tells of itself, on a port of its own: `/livez`, `/readyz`, `/metrics`, `/tree`. It stays in the supervisor's thread and answers while workers hang. */
import { type FaultKind, faultKinds } from "../../runtime/fault.ts";
import type { Config } from "../config.ts";
import { type DependencyHealth, dependencyHealth } from "../health/health.ts";
import { type Heard, heardKey, type Readiness, readiness } from "../health/readiness.ts";
import { contextOf, problemAnswer, toResponse } from "../http/answer.ts";
import { type Listener, listen } from "../http/listen.ts";
import { rootSite } from "../http/site.ts";
import { pathOf } from "../http/target.ts";
import { exposition, single } from "../metrics/exposition.ts";
import { type DiskSpace, processText } from "../metrics/process.ts";
import { countThread, threadsOf } from "../metrics/threads.ts";
import { Problem, problems } from "../model/problem.ts";
import type { TaskTracker } from "../system.ts";

export type AdminOptions = {
  host: string;
  port: number;
  role: Config["role"];
  taskWorkers: number;
  debugFaults: boolean;
  disk?: DiskSpace | undefined;
};

type Reply = { status: number; type: string; text: string; headers?: Record<string, string> };

export function admin(
  tracker: TaskTracker,
  { host, port, role, taskWorkers, debugFaults, disk }: AdminOptions,
): Listener {
  const { system } = tracker;
  countThread({ name: "main", index: 0, shared: system.shared });
  const threads = threadsOf(system.shared, taskWorkers);
  const heard = new Map<string, DependencyHealth & { saidMs: number }>();
  system.subscribe(dependencyHealth, (said) => heard.set(heardKey(said), { ...said, saidMs: Date.now() }));
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
      const report = readiness(system.inspect(), heard, role, Date.now());
      return {
        ...json(report.ready ? 200 : 503, report),
        ...(report.ready ? {} : { headers: { "retry-after": "1" } }),
      };
    },
    "/metrics": () => ({
      status: 200,
      type: "text/plain; version=0.0.4",
      text:
        system.metrics() +
        exposition(threads) +
        healthText(heard, readiness(system.inspect(), heard, role, Date.now())) +
        (disk?.text() ?? "") +
        processText(),
    }),
    "/tree": () => json(200, system.inspect()),
  };

  function reply({ method, url }: Request): Reply {
    const path = pathOf(url).replace(/(?<=.)\/$/, "");
    if (debugFaults && path === "/debug/kill") return kill(method, new URLSearchParams(url.split("?")[1]));
    const page = pages[path];
    if (page === undefined) throw new Problem("not-found");
    if (method !== "GET" && method !== "HEAD")
      throw new Problem("method-not-allowed", undefined, { headers: { allow: "GET, HEAD" } });
    return page();
  }

  function kill(method: string, query: URLSearchParams): Reply {
    if (method !== "POST") throw new Problem("method-not-allowed", undefined, { headers: { allow: "POST" } });
    const how = faultKinds.find((each) => each === query.get("how")) satisfies FaultKind | undefined;
    if (how === undefined)
      throw new Problem("validation", undefined, {
        errors: [{ path: "/how", message: `must be one of ${faultKinds.join(", ")}` }],
      });
    if (!tracker.fault(query.get("actor") ?? "", how)) {
      throw new Problem("validation", undefined, {
        errors: [{ path: "/actor", message: `must be one of ${tracker.actors.join(", ")}` }],
      });
    }
    return json(202, { told: how });
  }

  return listen(
    (request) => {
      const context = contextOf(request, rootSite);
      try {
        const { status, type, text, headers } = reply(request);
        return toResponse({ status, json: text, headers: { "content-type": type, ...headers } }, context);
      } catch (error) {
        const problem =
          error instanceof Problem ? error : new Problem("internal", problems.internal.about, { cause: error });
        const of = { requestId: context.requestId, path: pathOf(request.url), site: rootSite };
        return toResponse(problemAnswer(problem, of), context);
      }
    },
    { host, port },
  );
}

/** Whether the process can do its job, and what its actors say of their servers: nothing of those where everything is embedded. */
function healthText(heard: Heard, { ready, status }: Readiness): string {
  const said = [...heard.values()];
  return [
    single("ready", "gauge", "Whether the process can do its job, as /readyz tells.", [[{}, Number(ready)]]),
    single("degraded", "gauge", "Whether it does its job while something that it would like to have is away.", [
      [{}, Number(status === "degraded")],
    ]),
    single(
      "server_up",
      "gauge",
      "Whether the actor reaches the server.",
      said.map(({ actor, dependency, ok }) => [{ actor, server: dependency }, Number(ok)]),
    ),
    single(
      "log_lag_commands",
      "gauge",
      "Commands in the log that are not announced (follower) or taken (consumer) yet.",
      said.flatMap(({ actor, lag }) => (lag === undefined ? [] : [[{ actor }, lag] as const])),
    ),
  ].join("");
}
