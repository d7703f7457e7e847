/** Requests of one user per fixed window (IETF draft-ietf-httpapi-ratelimit-headers), counted in each worker that serves HTTP by itself. */
import { counter } from "../metrics/registry.ts";
import { Problem } from "../model/problem.ts";

const refused = counter("rate_limited_requests_total", "Requests refused because their user had sent too many.");

export type RateLimiter = {
  /** Counts one request, or as many as one stands for; the headers to answer with. Throws `rate-limited`. */
  take(userId: string, requests?: number): Record<string, string>;
  /** Counts one request that is refused for another reason, which comes before this one; the headers to answer with. */
  note(userId: string): Record<string, string>;
};

/** Users counted at most; beyond it a new window begins for all, so that memory stays bounded. */
const usersMax = 100_000;

export type RateLimit = { readonly requests: number; readonly windowS: number };

/** `now` in epoch milliseconds. One window for all users: it begins with the first request after the one before has run out. */
export function rateLimiter({ requests, windowS }: RateLimit, now: () => number): RateLimiter {
  const policy = `"default";q=${requests};w=${windowS}`;
  let windowStartMs = now();
  let used = new Map<string, { count: number }>();

  function count(userId: string, counted: number) {
    const nowMs = now();
    if (nowMs - windowStartMs >= windowS * 1000 || nowMs < windowStartMs || used.size > usersMax) {
      windowStartMs = nowMs;
      used = new Map();
    }
    let own = used.get(userId);
    if (own === undefined) used.set(userId, (own = { count: 0 }));
    own.count += counted;
    const resetS = Math.ceil((windowStartMs + windowS * 1000 - nowMs) / 1000);
    const headers: Record<string, string> = {
      "ratelimit-policy": policy,
      ratelimit: `"default";r=${Math.max(0, requests - own.count)};t=${resetS}`,
    };
    return { headers, resetS, isOver: own.count > requests };
  }

  return {
    take(userId, counted = 1) {
      const { headers, resetS, isOver } = count(userId, counted);
      if (isOver) {
        refused.add();
        throw new Problem("rate-limited", undefined, { headers: { ...headers, "retry-after": String(resetS) } });
      }
      return headers;
    },
    note: (userId) => count(userId, 1).headers,
  };
}
