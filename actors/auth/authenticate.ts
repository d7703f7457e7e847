/** Who a bearer token stands for, as auth itself answers it: against its own tables, on every request. */

import type { VerifyToken } from "../http/access-tokens.ts";
import { bearerToken } from "../http/bearer.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Caller, Route } from "../http/route.ts";
import { Problem } from "../model/problem.ts";
import { type ApiTokenService, apiTokenPrefix, scopes } from "./api-tokens.ts";
import { type Service, sha256 } from "./service.ts";

export type Identity = {
  userId: string;
  sessionId: string | undefined;
  scopes: readonly string[];
  expMs: number | null;
};
export type Identify = (token: string) => Promise<Identity | undefined>;

export function identifier(parts: {
  verify: VerifyToken;
  service: Service;
  apiTokens: ApiTokenService;
  now: () => number;
}): Identify {
  const { verify, service, apiTokens, now } = parts;
  return async (token) => {
    if (token.startsWith(apiTokenPrefix)) {
      const grant = await apiTokens.grant(sha256(token));
      return grant.active
        ? { userId: grant.userId, sessionId: undefined, scopes: grant.scopes, expMs: grant.expMs }
        : undefined;
    }
    const verified = await verify(token, now());
    if (verified === undefined || !(await service.isLiving(verified))) return undefined;
    return { userId: verified.userId, sessionId: verified.sessionId, scopes, expMs: verified.expMs };
  };
}

/** The edge's check; throws `unauthenticated` where the Authorization header names nobody, `rate-limited`, and `forbidden` for API tokens: but for routes that name a scope, all that auth serves is of accounts. */
export function authenticator(
  identify: Identify,
  limiter: RateLimiter | undefined,
): (authorization: string | null, route: Pick<Route, "scope">) => Promise<Caller> {
  return async (authorization, { scope }) => {
    const token = bearerToken(authorization);
    const identity = token === undefined ? undefined : await identify(token);
    if (identity === undefined) throw new Problem("unauthenticated");
    const { userId, sessionId, scopes: granted } = identity;
    const forbidden = (detail?: string) => new Problem("forbidden", detail, { headers: limiter?.note(userId) ?? {} });
    if (sessionId === undefined && scope === undefined) throw forbidden("An API token cannot manage an account.");
    if (scope !== undefined && !granted.includes(scope)) throw forbidden();
    return { userId, sessionId, scopes: granted, limits: limiter?.take(userId) ?? {} };
  };
}
