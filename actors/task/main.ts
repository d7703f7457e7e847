/** The `task` actor: the HTTP edge, put together on the embedded adapters. */
import { setTimeout as sleep } from "node:timers/promises";
import { behave, type Self } from "../../runtime/actor.ts";
import { auth, ownedByAuth, revoked } from "../auth/messages.ts";
import { consumer } from "../consumer/messages.ts";
import { fault } from "../debug.ts";
import { edge } from "../http/app.ts";
import { documentRoutes } from "../http/document-routes.ts";
import { healthRoute } from "../http/health-route.ts";
import { type Listener, listen } from "../http/listen.ts";
import { type RateLimit, rateLimiter } from "../http/rate-limit.ts";
import { type AuthCheck, authCheck } from "./auth-check.ts";
import { forward } from "./auth-forward.ts";
import { latestInSqlite } from "./latest-sqlite.ts";
import { localLog } from "./log-local.ts";
import { task } from "./messages.ts";
import { type SqliteReads, sqliteReads } from "./reads-sqlite.ts";
import { taskRoutes } from "./routes.ts";
import { taskService } from "./service.ts";

export type TaskData = {
  dataDir: string;
  host: string;
  port: number;
  verdictTimeoutMs: number;
  rateLimit: RateLimit;
  debugFaults: boolean;
};

type State = {
  readonly debugFaults: boolean;
  readonly check: AuthCheck;
  readonly reads: SqliteReads;
  readonly listener: Listener;
};

const standingAskMs = 2_000;
const standingPauseMs = 100;
const readyMs = 1_000;

export default behave<typeof task.accepts, State, TaskData>(task, {
  async start(self) {
    const { dataDir, host, port, verdictTimeoutMs, rateLimit, debugFaults } = self.data;
    const authRef = self.ref(auth);
    const check = authCheck(
      ({ hash }) => authRef.ask("apiToken", { hash }),
      rateLimiter(rateLimit, Date.now),
      Date.now,
    );
    self.subscribe(revoked, "revoked");
    const reads = sqliteReads(dataDir);
    try {
      const writer = self.ref(consumer);
      const ready = async () => {
        reads.position();
        await Promise.all([
          authRef.ask("ready", null, { withinMs: readyMs }),
          writer.ask("ready", null, { withinMs: readyMs }),
        ]);
      };
      const routes = [
        ...taskRoutes(
          taskService({
            log: localLog(writer, verdictTimeoutMs),
            reads,
            latest: latestInSqlite(reads, Date.now),
            now: Date.now,
          }),
        ),
        healthRoute(ready, Date.now),
      ];
      const documents = documentRoutes(routes, () =>
        forward(authRef, new Request("http://localhost.local/v1/openapi.json")),
      );
      const app = edge([...routes, ...documents], {
        authenticate: check.authenticate,
        elsewhere: (request, path) => (ownedByAuth(path) ? forward(authRef, request) : undefined),
        onFailure: (failure, requestId) => {
          const reason = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
          self.log("error", "request-failed", { requestId, reason });
        },
      });
      await learnStanding(self, check);
      return { check, reads, listener: listen(app.fetch, { host, port, reusePort: true }), debugFaults };
    } catch (error) {
      reads.close();
      throw error;
    }
  },
  on: {
    revoked: ({ check }, ended) => check.revoke(ended),
    debug: ({ debugFaults }, { how }) => {
      if (debugFaults) fault(how);
    },
  },
  async stop({ listener, reads }) {
    await listener.stop();
    reads.close();
  },
});

/** Learns auth's keys before the port opens; auth may be restarting, so it is asked until it answers or this actor is told to stop. */
async function learnStanding(self: Self<typeof task.accepts, TaskData>, check: AuthCheck): Promise<void> {
  while (!self.stopping.aborted) {
    try {
      return check.learn(await self.ref(auth).ask("standing", null, { withinMs: standingAskMs }));
    } catch (failure) {
      self.log("warn", "auth-not-reached", { reason: (failure as Error).message });
      await sleep(standingPauseMs);
    }
  }
}
