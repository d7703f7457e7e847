/** The `auth` actor: its stores, its service and its app, put together. */
import { behave, type Self } from "../../runtime/actor.ts";
import { loggedProbe, type Probe, type Probes, reportHealth, Unhealthy } from "../health/report-health.ts";
import { verifier } from "../http/access-tokens.ts";
import { admission, threadClock } from "../http/admission.ts";
import { admissionBounds } from "../http/admission-bounds.ts";
import { admissionMetrics } from "../http/admission-metrics.ts";
import { type Edge, edge } from "../http/app.ts";
import { clientReader } from "../http/client.ts";
import { documentRoutes, rootRoute } from "../http/document-routes.ts";
import { healthRoute } from "../http/health-route.ts";
import { ipText, networksOf } from "../http/ip-address.ts";
import { acceptErrors, type Listener, listen } from "../http/listen.ts";
import type { Peer } from "../http/peer.ts";
import { type RateLimit, rateLimiter } from "../http/rate-limit.ts";
import { rootSite, type Site } from "../http/site.ts";
import { targetOf } from "../http/target.ts";
import { countThread } from "../metrics/threads.ts";
import type { OutageOf } from "../outage.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { loggedWrites } from "../sqlite/health.ts";
import type { TracingSettings } from "../tracing/exporter.ts";
import { type Tracer, tracerOf } from "../tracing/tracer.ts";
import { NoAnswerError } from "../waiting.ts";
import { accessTokenSigner } from "./access-token.ts";
import { apiTokenService } from "./api-tokens.ts";
import { attempts, type Refusal } from "./attempts.ts";
import { authenticator, identifier } from "./authenticate.ts";
import { available } from "./available.ts";
import { type Eraser, eraser } from "./eraser.ts";
import { erasuresInLog } from "./erasures-log.ts";
import { followRevocations } from "./follow-revocations.ts";
import {
  type ApiTokenGrant,
  auth,
  type Ended,
  type HttpAnswer,
  type HttpRequest,
  revoked,
  type Standing,
} from "./messages.ts";
import { type Opening, opening } from "./opening.ts";
import { passwordCheck } from "./password-check.ts";
import { passwords } from "./passwords.ts";
import { UnusableSchema } from "./postgres/schema-check.ts";
import { revocationsInRedis } from "./redis/revocations.ts";
import { refreshCookie } from "./refresh-cookie.ts";
import { successorOf } from "./refresh-tokens.ts";
import { revocationList } from "./revocation-list.ts";
import { revocationsInProcess } from "./revocations-local.ts";
import { authRoutes } from "./routes/routes.ts";
import { authService } from "./service.ts";
import { openStores, type Stores } from "./stores.ts";

/** What the tree gives this role; with `listen` its app also has a port of its own (`ROLE=auth`). */
export type AuthData = {
  dataDir: string;
  issuer: string;
  audience: string;
  /** PostgreSQL, in place of a file in `dataDir`. */
  database?: Server;
  /** For quick revocation in other processes. */
  redis?: Server;
  /** The log of tasks, to erase those of erased users; without it the writer is an actor of this process, or (with `listen`) is not reached. */
  kafka?: KafkaServers;
  /** At the root, and open to no other page, unless given. */
  site?: Site;
  /** Of one user; without it none is counted. */
  rateLimit?: RateLimit;
  /** Whose `X-Forwarded-*` is believed; nobody's unless told. */
  trustedProxies?: readonly string[];
  /** False where wrong passwords are not to be slowed down. */
  loginDelay?: boolean;
  /** False where only the operator adds accounts. */
  registration?: boolean;
  /** Where traces go; without it there are none. */
  tracing?: TracingSettings;
  listen?: { host: string; port: number };
};

export type AuthParts = {
  /** Is told at once what has ended. */
  announce: (ended: Ended[]) => void;
  /** Is told that a user was erased, whose tasks are to follow. */
  erased?: () => void;
  onFailure: (failure: unknown, requestId: string) => void;
  /** Is told of each password that was refused. */
  refused?: (refusal: Refusal) => void;
  now: () => number;
  tracer?: Tracer | undefined;
};

/**
 * The whole role apart from its actor: tests and the actor run this very thing. Throws one clear line when the folder is not usable, or the
 * database is a newer program's or incomplete; a database that is away only makes its answers `users-unavailable`, until it is there.
 */
export async function openAuth(data: AuthData, parts: AuthParts) {
  const { now } = parts;
  const claims = { issuer: data.issuer, audience: data.audience };
  const stores = await openStores(data.dataDir, data.database);
  let open: Opening | undefined;
  try {
    const checked = attempts({ now, delays: data.loginDelay !== false, refused: parts.refused ?? (() => undefined) });
    const hashing = passwordCheck(await passwords(), checked);
    const clientOf = clientReader(networksOf(data.trustedProxies ?? []));
    const opened = await opening(stores, now);
    open = opened;
    const { isOpen } = opened;
    const keyed = once(() => {
      const key = opened.key();
      const successor = (refreshToken: string) => successorOf(refreshToken, key.refreshKey);
      return {
        successor,
        jwks: key.jwks,
        sign: accessTokenSigner(key, claims),
        verify: verifier({ jwks: key.jwks, ...claims }),
      };
    });
    const announce = (ended: Ended[]) => {
      list.outdated();
      parts.announce(ended);
    };
    const failed = stores.file?.failed;
    const service = authService({
      users: available(stores.users, isOpen, failed),
      sessions: available(stores.sessions, isOpen, failed),
      resetTokens: available(stores.resetTokens, isOpen, failed),
      registration: data.registration !== false,
      passwords: hashing,
      sign: async (of) => keyed().sign(of),
      successor: (refreshToken) => keyed().successor(refreshToken),
      now,
      announce,
      endApiTokens: (userId) => apiTokens.removeAll(userId),
      erased: () => parts.erased?.(),
    });
    const apiTokens = apiTokenService({ tokens: available(stores.apiTokens, isOpen, failed), now, announce });
    const list = revocationList(async () => (await Promise.all([service.revoked(), apiTokens.removed()])).flat(), now);
    const verify = (token: string, nowMs: number) => keyed().verify(token, nowMs);
    const identify = identifier({ verify, service, apiTokens, now });
    const probe = probeOf(stores, opened);
    const routes = authRoutes({
      service,
      apiTokens,
      identify,
      jwks: () => keyed().jwks,
      claims,
      clientOf,
      cookie: refreshCookie(data.site ?? rootSite),
      revoked: list.current,
    });
    const own = [...routes, healthRoute(async () => probe?.(), now)];
    const { site = rootSite } = data;
    const app = edge([...own, ...documentRoutes(own, site), rootRoute(site)], {
      site,
      authenticate: authenticator(identify, data.rateLimit && rateLimiter(data.rateLimit, now)),
      admission: admission(admissionBounds, threadClock, admissionMetrics()),
      addressOf: ({ headers }, peer) => {
        const { address } = clientOf(headers, peer?.remoteAddress);
        return address === undefined ? "" : ipText(address);
      },
      onFailure: parts.onFailure,
      tracer: parts.tracer,
    });
    return {
      app,
      /** For its own port. Who asks is looked up at once: afterwards the connection may be gone. */
      fetch: (request: Request, peer: Peer) => {
        const { remoteAddress } = peer;
        const isGone = () => peer.isGone;
        return app.fetch(request, {
          remoteAddress,
          get isGone() {
            return isGone();
          },
        });
      },
      standing: async (): Promise<Standing> => ({ jwks: keyed().jwks, ...claims, revoked: await list.latest() }),
      apiToken: (hash: string): Promise<ApiTokenGrant> => apiTokens.grant(hash),
      isLiving: service.isLiving,
      revoked: list.current,
      erasures: available(stores.erasures, isOpen, failed),
      /** Looks at the server of the stores; undefined where there is none. */
      probe,
      /** Looks at their file; undefined where there is none. */
      fileProbe: stores.file?.probe,
      close: async () => {
        opened.stop();
        await stores.close();
      },
    };
  } catch (error) {
    open?.stop();
    await stores.close();
    throw error;
  }
}

function probeOf({ server }: Stores, { isOpen, fault }: Opening): Probe | undefined {
  return server === undefined
    ? undefined
    : async () => {
        const why = fault();
        if (why instanceof UnusableSchema) throw new Unhealthy(why.state);
        if (!isOpen()) throw why ?? new NoAnswerError("not opened yet");
        await server.writable();
      };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Runs the app on a request that another role took from the network. */
export async function answerHttp(
  app: Edge,
  { method, url, headers, body, base64, remoteAddress }: HttpRequest,
): Promise<HttpAnswer> {
  const takesBody = body !== null && method !== "GET" && method !== "HEAD";
  const bytes = takesBody && (base64 === true ? new Uint8Array(Buffer.from(body, "base64")) : body);
  const target = `http://localhost${targetOf(url)}`;
  const request = new Request(target, { method, headers, ...(bytes !== false && { body: bytes }) });
  const response = await app.fetch(request, { remoteAddress });
  const text = response.body === null ? null : await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
}

const ofServer = (server: "postgresql" | "redis", of: Server | undefined): OutageOf => ({
  server,
  urls: of === undefined ? [] : [of.url],
  step: server === "redis" ? "tell other processes at once what has ended" : "read and write accounts",
});

type Role = Awaited<ReturnType<typeof openAuth>>;
type State = {
  readonly role: Role;
  readonly stop: () => Promise<void>;
};

export default behave(auth, {
  concurrency: 256,
  start: async (self: Self<typeof auth.accepts, AuthData>): Promise<State> => {
    countThread(self);
    const { args: data } = self;
    const redis = data.redis && (await import("../redis/connect.ts")).connectRedis(data.redis);
    const publish = (ended: Ended[]) => self.publish(revoked, ended);
    let erasing: Eraser | undefined;
    const tellers = [revocationsInProcess(publish), ...(redis ? [revocationsInRedis(redis.redis)] : [])];
    const tracer = tracerOf(self, data.tracing);
    let role: Role;
    try {
      role = await openAuth(data, {
        announce: (ended) => void Promise.all(tellers.map(({ announce }) => announce(ended))),
        erased: () => erasing?.wake(),
        refused: (refusal) => self.log("warn", "login-refused", refusal),
        onFailure: (failure, requestId) => {
          const reason = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
          self.log("error", "request-failed", { requestId, reason });
        },
        now: Date.now,
        tracer,
      });
    } catch (error) {
      redis?.close();
      throw error;
    }
    const probes: Probes = {
      ...(role.probe && { postgresql: loggedProbe(self.log, ofServer("postgresql", data.database), role.probe) }),
      ...(role.fileProbe && { disk: loggedWrites(self.log, "write to auth.db", role.fileProbe) }),
      ...(redis && { redis: loggedProbe(self.log, ofServer("redis", data.redis), redis.writable, redis.why) }),
    };
    const endHealth = reportHealth(self, probes);
    // With a port of its own there are no workers of the task role in this process: they ask by HTTP.
    const hasWorkers = data.database !== undefined && data.listen === undefined;
    const following = hasWorkers ? followRevocations({ read: role.revoked, tell: publish, now: Date.now }) : undefined;
    let listener: Listener | undefined;
    const log = await erasuresInLog(self);
    if (log === undefined) self.log("info", "erasures-wait", { for: "an auth process with KAFKA_BROKERS" });
    else
      erasing = eraser({
        erasures: role.erasures,
        deliver: log.erase,
        began: (reason) => self.log("warn", "erasures-wait", { step: "hand erasures to the log of tasks", reason }),
        over: () => self.log("info", "erasures-go-on", {}),
      });
    const stop = async () => {
      await listener?.stop();
      await tracer?.close();
      erasing?.close();
      await log?.close();
      endHealth();
      following?.close();
      redis?.close();
      await role.close();
    };
    try {
      const onAcceptError = acceptErrors((level, event, fields) => self.log(level, event, fields));
      listener = data.listen && listen(role.fetch, { ...data.listen, onAcceptError });
    } catch (error) {
      await stop();
      throw error;
    }
    return { role, stop };
  },
  on: {
    ready: () => null,
    http: ({ role }, request) => answerHttp(role.app, request),
    standing: ({ role }) => role.standing(),
    apiToken: ({ role }, { hash }) => role.apiToken(hash),
    session: ({ role }, of) => role.isLiving(of),
  },
  stop: ({ stop }) => stop(),
});
