/** The `task` actor: the HTTP edge, put together on what this system has. */
import { behave, type Self } from "../../runtime/actor.ts";
import { type Ended, ownedByAuth, revoked } from "../auth/messages.ts";
import { consumer } from "../consumer/messages.ts";
import { courier } from "../courier/messages.ts";
import { factsEnds, factsHeard } from "../follower/messages.ts";
import { reportHealth } from "../health/report-health.ts";
import { admission, threadClock } from "../http/admission.ts";
import { admissionBounds } from "../http/admission-bounds.ts";
import { admissionMetrics } from "../http/admission-metrics.ts";
import { edge } from "../http/app.ts";
import { documentRoutes, rootRoute } from "../http/document-routes.ts";
import { healthRoute } from "../http/health-route.ts";
import { acceptErrors, type Listener, listen } from "../http/listen.ts";
import { type RateLimit, rateLimiter } from "../http/rate-limit.ts";
import type { Route } from "../http/route.ts";
import { pathPrefix, type Site } from "../http/site.ts";
import { countThread } from "../metrics/threads.ts";
import { Problem } from "../model/problem.ts";
import type { KafkaServers, Server } from "../servers.ts";
import type { TracingSettings } from "../tracing/exporter.ts";
import { tracerOf } from "../tracing/tracer.ts";
import { settles } from "../waiting.ts";
import type { Accounts, Learn } from "./accounts.ts";
import { type AuthCheck, authCheck } from "./auth-check.ts";
import type { SpaceBackend } from "./backend.ts";
import { task } from "./messages.ts";
import { allSpaceRoutes } from "./routes.ts";
import type { RemoteAuth } from "./servers/accounts.ts";
import type { KafkaSpaceBackend } from "./servers/backend.ts";
import { stoodStill } from "./stood-still.ts";
import { type Streams, streams } from "./streams.ts";
import { webhookAddressFault } from "./webhook-address.ts";
import { type Webhooks, webhooksOf } from "./webhooks.ts";

export type TaskData = {
  dataDir: string;
  host: string;
  port: number;
  site: Site;
  verdictTimeoutMs: number;
  rateLimit: RateLimit;
  /** From which the secrets of webhooks are made; without it none can be made. */
  webhookKey?: string;
  /** Networks that webhooks may reach by `http`. */
  webhookAllow: string[];
  /** Serve the page at `/`. */
  page: boolean;
  /** Both or none: then the log is the writer's mailbox, and the read model its file. */
  kafka?: KafkaServers;
  mongo?: Server;
  redis?: Server;
  /** Where traces go; without it there are none. */
  tracing?: TracingSettings;
  /** Names this process, with all its workers, to others of its kind. */
  instance: string;
  /** No other worker of the process serves tasks. */
  isOnlyWorker: boolean;
  /** Without it auth is an actor of this process. */
  remoteAuth?: Omit<RemoteAuth, "redis">;
};

type Body = Self<typeof task.accepts, TaskData>;
type State = {
  readonly revoke: (ended: readonly Ended[]) => void;
  readonly told: Told | undefined;
  readonly listener: Listener;
  readonly open: Streams;
  readonly close: () => Promise<void>;
};

/** What is not known of other servers by then is waited for with the port open. */
const patienceMs = 4_000;

export default behave<typeof task.accepts, State, TaskData>(task, {
  async start(self) {
    countThread(self);
    const { host, port, site, rateLimit } = self.args;
    const check: AuthCheck = authCheck(
      {
        apiToken: (of) => accounts.apiToken(of),
        session: (of) => accounts.session(of),
        learning: () => still.caughtUp(),
      },
      rateLimiter(rateLimit, Date.now),
      Date.now,
    );
    let all: Streams | undefined;
    const endStreams = (hashes: readonly string[]) => all?.revoke(hashes);
    const revoke = (ended: readonly Ended[]) => endStreams(check.revoke(ended));
    const accounts = await accountsOf(self, { learn: (standing) => endStreams(check.learn(standing)), revoke });
    self.subscribe(revoked, "revoked");
    const { backend, told, webhooks } = await backendOf(self);
    const still = stoodStill(async () => {
      await Promise.all([accounts.catchUp(), told?.caughtUp()]);
    }, Date.now);
    const open = streams(backend.feed, Date.now);
    all = open;
    const endReports = reportHealth(self, { auth: accounts.probe });
    const tracer = tracerOf(self, self.args.tracing);
    const close = async () => {
      still.end();
      endReports();
      await tracer?.close();
      accounts.close();
      await backend.close();
    };
    try {
      const ready = () => Promise.all([accounts.ready(), backend.ready()]);
      const urlFault = webhookAddressFault(self.args.webhookAllow);
      const opened: Pick<Streams, "open"> = {
        open(follower) {
          // It may have ended since it was let in, and nobody tells that twice.
          if (check.isRevoked(follower.credential)) throw new Problem("unauthenticated");
          return open.open(follower);
        },
      };
      const spaces = allSpaceRoutes({ ...backend, now: Date.now, tracer, site, streams: opened, webhooks, urlFault });
      const routes = [...spaces, healthRoute(ready, Date.now)];
      const documents = documentRoutes(routes, site, (path) =>
        accounts.forward(new Request(`http://localhost.local${path}`)),
      );
      const app = edge([...routes, ...documents, ...(await rootRoutes(self.args))], {
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
      await Promise.all([settles(accounts.known(), patienceMs), told?.begun(patienceMs)]);
      const onAcceptError = acceptErrors((level, event, fields) => self.log(level, event, fields));
      const listener = listen(app.fetch, { host, port, reusePort: true, onAcceptError });
      return { revoke, told, close, listener, open };
    } catch (error) {
      await close();
      throw error;
    }
  },
  on: {
    revoked: ({ revoke }, ended) => revoke(ended),
    facts: ({ told }, heard) => told?.heard(heard),
    ends: ({ told }, ends) => told?.ends(ends),
  },
  async stop({ listener, close, open }) {
    open.drain();
    await listener.stop();
    await close();
  },
});

// Only what is used is loaded: drivers cost time at the start and memory.

/** What a person who opens the address gets: the page, or where it is left out or has not been built, the documentation. */
async function rootRoutes({ page, site }: TaskData): Promise<Route[]> {
  const files = page ? (await import("../../web/files.ts")).pageFiles(pathPrefix(site)) : undefined;
  if (files === undefined) return [rootRoute(site)];
  return (await import("../http/page-routes.ts")).pageRoutes(files);
}

async function accountsOf(self: Body, learning: Learn): Promise<Accounts> {
  const { redis, remoteAuth } = self.args;
  if (remoteAuth === undefined) return (await import("./embedded/accounts.ts")).accountsHere(self, learning);
  const { accountsOverHttp } = await import("./servers/accounts.ts");
  return accountsOverHttp(self, learning, { ...remoteAuth, ...(redis === undefined ? {} : { redis }) });
}

/** What is told in Kafka, for a backend that listens to it. */
type Told = Pick<KafkaSpaceBackend, "heard" | "ends" | "begun" | "caughtUp">;

async function backendOf(self: Body): Promise<{ backend: SpaceBackend; told?: Told; webhooks: Webhooks }> {
  const { dataDir, kafka, mongo, redis, instance, isOnlyWorker, verdictTimeoutMs: verdictMs, webhookKey } = self.args;
  if (kafka === undefined || mongo === undefined) {
    const { localBackend } = await import("./embedded/backend.ts");
    return {
      backend: localBackend(self.ref(consumer), { dataDir, verdictMs, shared: self.shared, log: self.log }),
      webhooks: webhooksOf((await import("./embedded/webhooks.ts")).localDeliverer(self.ref(courier)), webhookKey),
    };
  }
  // Listened to before it is asked how far everything is told, so that nothing falls in between.
  self.subscribe(factsHeard, "facts");
  self.subscribe(factsEnds, "ends");
  const { kafkaSpaceBackend } = await import("./servers/backend.ts");
  const backend = kafkaSpaceBackend(self, {
    kafka,
    mongo,
    instance,
    isOnlyWorker,
    verdictMs,
    ...(redis === undefined ? {} : { redis }),
  });
  return { backend, told: backend, webhooks: webhooksOf(backend.deliverer, webhookKey) };
}
