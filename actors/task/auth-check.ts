/** Who asks, decided here and now: access tokens by auth's public keys, API tokens by asking auth once in a while, revocations by what auth announced. */
import { createHash } from "node:crypto";
import type { ApiTokenGrant, Revocation, Standing } from "../auth/messages.ts";
import { type VerifyToken, verifier } from "../http/access-tokens.ts";
import { bearerToken } from "../http/bearer.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Caller, Route } from "../http/route.ts";
import { Problem } from "../model/problem.ts";

export type AuthCheck = {
  authenticate(authorization: string | null, route: Route): Caller | Promise<Caller>;
  /** What auth said of itself; until the first time nobody can be known. */
  learn(standing: Standing): void;
  revoke(sessions: readonly Revocation[]): void;
  forget(apiTokenHash: string): void;
};

const apiTokenMs = 30_000;
const apiTokensMax = 10_000;
const bothScopes = ["tasks:read", "tasks:write"];

export function authCheck(
  askApiToken: (hash: string) => Promise<ApiTokenGrant>,
  limiter: RateLimiter,
  now: () => number,
): AuthCheck {
  let verify: VerifyToken | undefined;
  const revoked = new Map<string, number>();
  const grants = new Map<string, { grant: ApiTokenGrant; untilMs: number }>();
  /** Counts `forget`: a grant that was asked for before one may be out of date when it arrives, so it is not remembered. */
  let forgotten = 0;

  function sessionCaller(known: { userId: string; sessionId: string } | undefined): Caller {
    if (known === undefined || revoked.has(known.sessionId)) throw new Problem("unauthenticated");
    return { userId: known.userId, sessionId: known.sessionId, scopes: bothScopes, limits: limiter.take(known.userId) };
  }

  async function apiCaller(token: string, route: Route): Promise<Caller> {
    const hash = createHash("sha256").update(token).digest("hex");
    let known = grants.get(hash);
    if (known === undefined || known.untilMs <= now()) {
      const before = forgotten;
      const grant = await askApiToken(hash).catch((cause: unknown) => {
        throw new Problem("users-unavailable", undefined, { cause });
      });
      known = { grant, untilMs: now() + apiTokenMs };
      const oldest = grants.size >= apiTokensMax ? grants.keys().next().value : undefined;
      if (oldest !== undefined) grants.delete(oldest);
      if (grant.active && before === forgotten) grants.set(hash, known);
      else grants.delete(hash);
    }
    const { grant } = known;
    if (!grant.active || (grant.expMs !== null && grant.expMs <= now())) throw new Problem("unauthenticated");
    const limits = limiter.take(grant.userId);
    if (!grant.scopes.includes(route.method === "GET" ? "tasks:read" : "tasks:write"))
      throw new Problem("forbidden", undefined, { headers: limits });
    return { userId: grant.userId, sessionId: undefined, scopes: grant.scopes, limits };
  }

  function revoke(sessions: readonly Revocation[]): void {
    for (const [sessionId, untilMs] of revoked) if (untilMs <= now()) revoked.delete(sessionId);
    for (const { sessionId, untilMs } of sessions) revoked.set(sessionId, untilMs);
  }

  return {
    revoke,
    authenticate(authorization, route) {
      const token = bearerToken(authorization);
      if (token === undefined) throw new Problem("unauthenticated");
      if (token.startsWith("tt_")) return apiCaller(token, route);
      if (verify === undefined) throw new Problem("users-unavailable");
      const known = verify(token, now());
      return known instanceof Promise ? known.then(sessionCaller) : sessionCaller(known);
    },

    learn({ jwks, issuer, audience, revoked: sessions }) {
      verify = verifier({ jwks, issuer, audience });
      revoke(sessions);
    },

    forget(hash) {
      forgotten += 1;
      grants.delete(hash);
    },
  };
}
