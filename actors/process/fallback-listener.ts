/** Answers on the public port while no `task` worker is up, so that a client is told to come back instead of finding nobody. */

import type { ActorView, TreeView } from "../../runtime/inspect.ts";
import type { System } from "../../runtime/system.ts";
import { contextOf, problemAnswer, toResponse } from "../http/answer.ts";
import { type Listener, listen, sharesPorts } from "../http/listen.ts";
import { openToOrigins } from "../http/origins.ts";
import type { Peer } from "../http/peer.ts";
import { belowPrefix, pathPrefix, type Site } from "../http/site.ts";
import { pathOf } from "../http/target.ts";
import { tlsObserver } from "../http/tls.ts";
import { Problem } from "../model/problem.ts";

/** How often it looks whether a worker is up again, in milliseconds. */
const LOOK_MS = 20;

export type FallbackListener = {
  /** Looks at the tree now; to be called when the supervisor has reported something. */
  look(): void;
  close(): void;
};

export function fallbackListener(
  system: System,
  options: { host: string; port: number; site: Site },
): FallbackListener {
  const { host, port, site } = options;
  let listener: Listener | undefined;
  let looking: ReturnType<typeof setInterval> | undefined;
  let closed = false;
  const open = () => {
    if (listener !== undefined || !sharesPorts()) return;
    try {
      listener = listen(openToOrigins(site, overloadedAt(site)), { host, port, reusePort: true });
    } catch {
      // A worker that hangs on its last leg still holds the port by itself: the next look tries again.
    }
  };
  const close = () => {
    void listener?.stop();
    listener = undefined;
    clearInterval(looking);
    looking = undefined;
  };
  const look = () => {
    if (closed) return;
    const view = system.inspect();
    const needed = (view.state === "new" || view.state === "starting" || view.state === "running") && !isUp(view);
    if (!needed) return close();
    looking ??= setInterval(look, LOOK_MS);
    open();
  };
  look();
  return {
    look,
    close: () => {
      closed = true;
      close();
    },
  };
}

function isUp(view: TreeView): boolean {
  return view.children.some((each: ActorView | TreeView) =>
    "actor" in each ? each.actor === "task" && each.state === "up" : isUp(each),
  );
}

/** The connection is closed, so that the next request meets a worker. */
function overloadedAt(site: Site): (request: Request, peer?: Peer) => Response {
  const problem = new Problem("overloaded", "The server is starting; retry in a second.", {
    headers: { connection: "close", "retry-after": "1" },
  });
  const prefix = pathPrefix(site);
  const observeTls = tlsObserver(site);
  return (received, peer) => {
    const request = belowPrefix(prefix, received);
    observeTls(request, peer);
    const context = contextOf(request, site);
    const of = { requestId: context.requestId, path: pathOf(request.url), site };
    return toResponse(problemAnswer(problem, of), context);
  };
}
