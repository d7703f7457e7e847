/** The `auth` actor: its stores, its service and its app, put together. */
import { behave, type Self } from "../../runtime/actor.ts";
import { fault } from "../debug.ts";
import { verifier } from "../http/access-tokens.ts";
import { type Edge, edge } from "../http/app.ts";
import { documentRoutes } from "../http/document-routes.ts";
import { healthRoute } from "../http/health-route.ts";
import { type Listener, listen } from "../http/listen.ts";
import { type RateLimit, rateLimiter } from "../http/rate-limit.ts";
import { accessTokenSigner } from "./access-token.ts";
import { apiTokenService } from "./api-tokens.ts";
import { apiTokensInSqlite } from "./api-tokens-sqlite.ts";
import { authenticator, identifier } from "./authenticate.ts";
import { available } from "./available.ts";
import { openDatabase } from "./database.ts";
import { signingKey } from "./keys.ts";
import {
  type ApiTokenGrant,
  auth,
  type Ended,
  type HttpAnswer,
  type HttpRequest,
  revoked,
  type Standing,
} from "./messages.ts";
import { passwords } from "./passwords.ts";
import { authRoutes } from "./routes.ts";
import { authService } from "./service.ts";
import { sessionsInSqlite } from "./sessions-sqlite.ts";
import { usersInSqlite } from "./users-sqlite.ts";

/** What the tree gives this role; with `listen` its app also has a port of its own (`ROLE=auth`). */
export type AuthData = {
  dataDir: string;
  issuer: string;
  audience: string;
  /** Of one user; without it none is counted. */
  rateLimit?: RateLimit;
  debugFaults?: boolean;
  listen?: { host: string; port: number };
};

export type AuthParts = {
  announce: (ended: Ended[]) => void;
  onFailure: (failure: unknown, requestId: string) => void;
  now: () => number;
};

/** The whole role apart from its actor: tests and the actor run this very thing. Throws one clear line when the folder is not usable. */
export async function openAuth(data: AuthData, parts: AuthParts) {
  const { now } = parts;
  const { issuer, audience } = data;
  const db = openDatabase(data.dataDir);
  try {
    const key = signingKey(db, now());
    const service = authService({
      users: available(usersInSqlite(db)),
      sessions: available(sessionsInSqlite(db)),
      passwords: await passwords(),
      sign: accessTokenSigner(key, { issuer, audience }),
      now,
      announce: parts.announce,
    });
    const apiTokens = apiTokenService({
      tokens: available(apiTokensInSqlite(db)),
      now,
      announce: parts.announce,
    });
    const identify = identifier({ verify: verifier({ jwks: key.jwks, issuer, audience }), service, apiTokens, now });
    const routes = authRoutes({ service, apiTokens, identify, jwks: key.jwks });
    const own = [...routes, healthRoute(() => Promise.resolve(), now)];
    const app = edge([...own, ...documentRoutes(own)], {
      authenticate: authenticator(identify, data.rateLimit && rateLimiter(data.rateLimit, now)),
      onFailure: parts.onFailure,
    });
    return {
      app,
      standing: async (): Promise<Standing> => ({ jwks: key.jwks, issuer, audience, revoked: await service.revoked() }),
      apiToken: (hash: string): Promise<ApiTokenGrant> => apiTokens.grant(hash),
      close: () => db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Runs the app on a request that another role took from the network. */
export async function answerHttp(app: Edge, { method, url, headers, body, base64 }: HttpRequest): Promise<HttpAnswer> {
  const takesBody = body !== null && method !== "GET" && method !== "HEAD";
  const bytes = takesBody && (base64 === true ? new Uint8Array(Buffer.from(body, "base64")) : body);
  const target = new URL(url, "http://localhost.local").href;
  const request = new Request(target, { method, headers, ...(bytes !== false && { body: bytes }) });
  const response = await app.fetch(request);
  const text = response.body === null ? null : await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), body: text };
}

type State = Awaited<ReturnType<typeof openAuth>> & { listener: Listener | undefined; debugFaults: boolean };

export default behave(auth, {
  concurrency: 256,
  start: async (self: Self<typeof auth.accepts, AuthData>): Promise<State> => {
    const role = await openAuth(self.data, {
      announce: (ended) => self.publish(revoked, ended),
      onFailure: (failure, requestId) => {
        const reason = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
        self.log("error", "request-failed", { requestId, reason });
      },
      now: Date.now,
    });
    try {
      const listener = self.data.listen && listen((request) => role.app.fetch(request), self.data.listen);
      return { ...role, listener, debugFaults: self.data.debugFaults === true };
    } catch (error) {
      role.close();
      throw error;
    }
  },
  on: {
    debug: ({ debugFaults }, { how }) => {
      if (debugFaults) fault(how);
    },
    ready: () => null,
    http: ({ app }, request) => answerHttp(app, request),
    standing: ({ standing }) => standing(),
    apiToken: ({ apiToken }, { hash }) => apiToken(hash),
  },
  stop: async ({ listener, close }) => {
    await listener?.stop();
    close();
  },
});
