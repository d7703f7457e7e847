/** Who asks, decided here and now: access tokens by auth's public keys, their sessions and API tokens by asking auth once in a while, revocations by what auth announced. */
import { createHash } from "node:crypto";
import type { ApiTokenGrant, Ended, Standing } from "../auth/messages.ts";
import { type VerifiedToken, type VerifyToken, verifier } from "../http/access-tokens.ts";
import { bearerToken } from "../http/bearer.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import type { Caller, Route } from "../http/route.ts";
import { Problem } from "../model/problem.ts";
import { type AskSession, sessionCheck } from "./session-check.ts";

export type AuthCheck = {
  authenticate(authorization: string | null, route: Route): Caller | Promise<Caller>;
  /** What auth says of itself, however often; until the first time nobody can be known. Answers as `revoke` does. */
  learn(standing: Standing): readonly string[];
  /** Refuses these from now on, whatever is remembered of them. Answers the hashes of those that had not been told before. */
  revoke(ended: readonly Ended[]): readonly string[];
  isRevoked(hash: string): boolean;
};

const apiTokenMs = 30_000;
const apiTokensMax = 10_000;
const allScopes = ["tasks:read", "tasks:write", "spaces:admin"];

/** What auth is asked. */
export type AuthQuestions = {
  readonly apiToken: (of: { token: string; hash: string }) => Promise<ApiTokenGrant>;
  readonly session: AskSession;
  /** Something to wait for before anybody is believed: what has happened meanwhile is being learned. */
  readonly learning?: () => Promise<unknown> | undefined;
};

export function authCheck(questions: AuthQuestions, limiter: RateLimiter, now: () => number): AuthCheck {
  const sessions = sessionCheck(questions.session, now);
  let verify: VerifyToken | undefined;
  let keys = "";
  const revoked = new Map<string, number>();
  const grants = new Map<string, { grant: ApiTokenGrant; untilMs: number }>();

  /** What a request is charged for later its answer tells, too. */
  function counted(userId: string): Required<Pick<Caller, "limits" | "charge">> {
    const limits = limiter.take(userId);
    return { limits, charge: (requests) => void Object.assign(limits, limiter.take(userId, requests)) };
  }

  function sessionCaller(token: string, known: VerifiedToken | undefined): Caller | Promise<Caller> {
    if (known === undefined || revoked.has(known.sessionHash)) throw new Problem("unauthenticated");
    const isGood = sessions.isGood(token, known);
    return isGood instanceof Promise ? isGood.then((good) => admitted(known, good)) : admitted(known, isGood);
  }

  function admitted({ userId, sessionId, sessionHash, expMs }: VerifiedToken, isGood: boolean): Caller {
    // It may have ended while it was asked for.
    if (!isGood || revoked.has(sessionHash)) throw new Problem("unauthenticated");
    const { limits, charge } = counted(userId);
    return { userId, sessionId, scopes: allScopes, limits, charge, credential: { hash: sessionHash, expMs } };
  }

  async function apiCaller(token: string, route: Route): Promise<Caller> {
    const hash = createHash("sha256").update(token).digest("hex");
    let known = grants.get(hash);
    if (known === undefined || known.untilMs <= now()) {
      const grant = await questions.apiToken({ token, hash }).catch((cause: unknown) => {
        throw new Problem("users-unavailable", undefined, { cause });
      });
      known = { grant, untilMs: now() + apiTokenMs };
      const oldest = grants.size >= apiTokensMax ? grants.keys().next().value : undefined;
      if (oldest !== undefined) grants.delete(oldest);
      if (grant.active) grants.set(hash, known);
      else grants.delete(hash);
    }
    const { grant } = known;
    // A grant that was on its way when its token was deleted is out of date: what auth announced counts.
    if (revoked.has(hash) || !grant.active || (grant.expMs !== null && grant.expMs <= now()))
      throw new Problem("unauthenticated");
    const { userId, scopes } = grant;
    if (!scopes.includes(route.scope ?? (route.method === "GET" ? "tasks:read" : "tasks:write")))
      throw new Problem("forbidden", undefined, { headers: limiter.note(userId) });
    const credential = { hash, expMs: grant.expMs ?? Number.POSITIVE_INFINITY };
    return { userId, sessionId: undefined, scopes, ...counted(userId), credential };
  }

  function revoke(ended: readonly Ended[]): readonly string[] {
    for (const [hash, untilMs] of revoked) if (untilMs <= now()) revoked.delete(hash);
    const news = ended.flatMap(({ hash }) => (revoked.has(hash) ? [] : [hash]));
    for (const { hash, untilMs } of ended) {
      revoked.set(hash, untilMs);
      grants.delete(hash);
      sessions.forget(hash);
    }
    return news;
  }

  function callerOf(token: string, route: Route): Caller | Promise<Caller> {
    if (token.startsWith("tt_")) return apiCaller(token, route);
    if (verify === undefined) throw new Problem("users-unavailable");
    const known = verify(token, now());
    return known instanceof Promise ? known.then((late) => sessionCaller(token, late)) : sessionCaller(token, known);
  }

  return {
    revoke,
    isRevoked: (hash) => revoked.has(hash),
    authenticate(authorization, route) {
      const token = bearerToken(authorization);
      if (token === undefined) throw new Problem("unauthenticated");
      const learning = questions.learning?.();
      return learning === undefined ? callerOf(token, route) : learning.then(() => callerOf(token, route));
    },

    learn({ jwks, issuer, audience, revoked: ended }) {
      const told = JSON.stringify([jwks, issuer, audience]);
      if (told !== keys) verify = verifier({ jwks, issuer, audience });
      keys = told;
      return revoke(ended);
    },
  };
}
