/** The `task` actor: the HTTP edge, put together on what this system has. */
import { behave, type Self } from "../../runtime/actor.ts";
import { ownedByAuth, revoked } from "../auth/messages.ts";
import { consumer } from "../consumer/messages.ts";
import { announcements } from "../follower/messages.ts";
import { admission, admissionBounds, threadClock } from "../http/admission.ts";
import { admissionMetrics } from "../http/admission-metrics.ts";
import { edge } from "../http/app.ts";
import { documentRoutes, rootRoute } from "../http/document-routes.ts";
import { healthRoute } from "../http/health-route.ts";
import { acceptErrors, type Listener, listen } from "../http/listen.ts";
import { type RateLimit, rateLimiter } from "../http/rate-limit.ts";
import type { Route } from "../http/route.ts";
import { pathPrefix, type Site } from "../http/site.ts";
import { countThread } from "../metrics/threads.ts";
import { reportHealth } from "../report-health.ts";
import type { KafkaServers, Server } from "../servers.ts";
import type { TracingSettings } from "../tracing/exporter.ts";
import { type Tracer, tracerOf } from "../tracing/tracer.ts";
import { settles } from "../waiting.ts";
import type { Accounts } from "./accounts.ts";
import type { RemoteAuth } from "./accounts-http.ts";
import { type AuthCheck, authCheck } from "./auth-check.ts";
import type { KafkaBack } from "./back-kafka.ts";
import { task } from "./messages.ts";
import type { Streams } from "./streams.ts";

export type TaskData = {
  dataDir: string;
  host: string;
  port: number;
  site: Site;
  verdictTimeoutMs: number;
  rateLimit: RateLimit;
  /** Serve the page at `/`. */
  page: boolean;
  /** Both or none: then the log is the writer's mailbox, and the read model its file. */
  kafka?: KafkaServers;
  mongo?: Server;
  redis?: Server;
  /** Where traces go; without it there are none. */
  tracing?: TracingSettings;
  /** Without it auth is an actor of this process. */
  remoteAuth?: Omit<RemoteAuth, "redis">;
};

type Body = Self<typeof task.accepts, TaskData>;
type State = {
  readonly check: AuthCheck;
  readonly heard: KafkaBack["heard"];
  readonly listener: Listener;
  readonly streams: Streams | undefined;
  readonly close: () => Promise<void>;
};

/** What is not known of other servers by then is waited for with the port open. */
const patienceMs = 4_000;

export default behave<typeof task.accepts, State, TaskData>(task, {
  async start(self) {
    countThread(self);
    const { host, port, site, rateLimit } = self.args;
    const check: AuthCheck = authCheck(
      { apiToken: (of) => accounts.apiToken(of), session: (of) => accounts.session(of) },
      rateLimiter(rateLimit, Date.now),
      Date.now,
    );
    const accounts = await accountsOf(self, check);
    self.subscribe(revoked, "revoked");
    const { backend, heard, begun } = await backendOf(self);
    const endReports = reportHealth(self, { auth: accounts.probe });
    const tracer = tracerOf(self, self.args.tracing);
    const close = async () => {
      endReports();
      await tracer?.close();
      accounts.close();
      await backend.close();
    };
    try {
      const ready = () => Promise.all([accounts.ready(), backend.ready()]);
      const routes = [...backend.routes({ now: Date.now, tracer, site }), healthRoute(ready, Date.now)];
      const documents = documentRoutes(routes, site, () =>
        accounts.forward(new Request("http://localhost.local/v1/openapi.json")),
      );
      const app = edge([...routes, ...documents, ...(await rootRoutes(self.args, backend))], {
        site,
        authenticate: check.authenticate,
        tracer,
        admission: admission(admissionBounds, threadClock, admissionMetrics()),
        elsewhere: (request, path, peer) =>
          ownedByAuth(path) ? accounts.forward(request, peer?.remoteAddress) : undefined,
        onFailure: (failure, requestId) => {
          const reason = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
          self.log("error", "request-failed", { requestId, reason });
        },
      });
      await Promise.all([settles(accounts.known(), patienceMs), begun(patienceMs)]);
      const onAcceptError = acceptErrors((level, event, fields) => self.log(level, event, fields));
      const listener = listen(app.fetch, { host, port, reusePort: true, onAcceptError });
      return { check, heard, close, listener, streams: backend.streams };
    } catch (error) {
      await close();
      throw error;
    }
  },
  on: {
    revoked({ check, streams: open }, ended) {
      check.revoke(ended);
      open?.revoke(ended.map(({ hash }) => hash));
    },
    announced: ({ heard }, said) => heard(said),
  },
  async stop({ listener, close, streams: open }) {
    open?.drain();
    await listener.stop();
    await close();
  },
});

// Only what is used is loaded: drivers cost time at the start and memory.

/** What a person who opens the address gets: the page, or where it is left out, has not been built or would find no spaces, the documentation. */
async function rootRoutes({ page, site }: TaskData, { streams }: Backend): Promise<Route[]> {
  const files =
    page && streams !== undefined ? (await import("../../web/files.ts")).pageFiles(pathPrefix(site)) : undefined;
  if (files === undefined) return [rootRoute(site)];
  return (await import("../http/page-routes.ts")).pageRoutes(files);
}

async function accountsOf(self: Body, check: AuthCheck): Promise<Accounts> {
  const { redis, remoteAuth } = self.args;
  if (remoteAuth === undefined) return (await import("./accounts-local.ts")).accountsHere(self, check);
  const { accountsOverHttp } = await import("./accounts-http.ts");
  return accountsOverHttp(self, check, { ...remoteAuth, ...(redis === undefined ? {} : { redis }) });
}

type Backend = {
  readonly streams?: Streams;
  routes(parts: { now: () => number; tracer: Tracer | undefined; site: Site }): Route[];
  ready(): Promise<void>;
  close(): Promise<void>;
};

async function backendOf(
  self: Body,
): Promise<{ backend: Backend; heard: KafkaBack["heard"]; begun: KafkaBack["begun"] }> {
  const { dataDir, kafka, mongo, redis, verdictTimeoutMs: verdictMs } = self.args;
  if (kafka === undefined || mongo === undefined) {
    const { localBackend } = await import("./space-backend-local.ts");
    const local = localBackend(self.ref(consumer), { dataDir, verdictMs, shared: self.shared, log: self.log });
    const { streams } = await import("./streams.ts");
    const { allSpaceRoutes } = await import("./all-space-routes.ts");
    const open = streams(local.feed, Date.now);
    const backend = {
      ...local,
      streams: open,
      routes: (parts: Parameters<Backend["routes"]>[0]) => allSpaceRoutes({ ...local, ...parts, streams: open }),
    };
    return { backend, heard: () => undefined, begun: async () => undefined };
  }
  const { kafkaBack } = await import("./back-kafka.ts");
  const { taskRoutes } = await import("./routes.ts");
  const { taskService } = await import("./service.ts");
  // Listened to before it is asked how far the announcements are, so that none falls in between.
  self.subscribe(announcements, "announced");
  const back = kafkaBack(self, { kafka, mongo, verdictMs, ...(redis === undefined ? {} : { redis }) });
  const routes = (parts: Parameters<Backend["routes"]>[0]) =>
    taskRoutes(taskService({ ...back, ...parts }), parts.site);
  return { backend: { ...back, routes }, heard: back.heard, begun: back.begun };
}
