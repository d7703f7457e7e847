/** What a verifier of tokens must know, asked of an auth role in another process, again and again. While that is away, what was known last holds. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Self } from "../../runtime/actor.ts";
import type { ApiTokenGrant, Ended, KeySet, Standing } from "../auth/messages.ts";
import { outage } from "../outage.ts";
import { answerOf } from "./answer-of.ts";
import { endedOf } from "./ended.ts";

export type StandingOverHttp = {
  /** Resolves when the keys are known; rejects when closed before. */
  first(): Promise<void>;
  /** Asks once more, beside the rounds. Rejects when auth does not answer in time. */
  again(): Promise<void>;
  /** Rejects when auth does not answer in time. */
  verifyApiToken(token: string): Promise<ApiTokenGrant>;
  /** Whether an access token's session goes on and is that user's. Rejects likewise. */
  verifySession(of: { token: string; userId: string; sessionId: string }): Promise<boolean>;
  close(): void;
};

export type StandingParts = {
  /** Its base, without a slash at the end. */
  authUrl: string;
  /** Called after each round that brought something: with the same again, mostly. */
  take: (standing: Standing) => void;
  log: Self["log"];
  /** Taken for auth's own until it says them: it can say its keys, but not these, while its database is away. */
  claims?: Claims;
};
type Claims = { issuer: string; audience: string };

/** An ended session is refused everywhere within a second: this, and the way there and back. */
const everyMs = 400;
const faultyMs = 1_000;
const timeoutMs = 2_000;
const keysBytesMax = 64 * 1024;
const revocationsBytesMax = 16 * 1024 * 1024;
const grantBytesMax = 16 * 1024;
const verificationsMax = 64;

export function standingOverHttp({ authUrl, take, log, claims: believed }: StandingParts): StandingOverHttp {
  const closed = new AbortController();
  const stopping = closed.signal;
  let keys: KeySet | undefined;
  let claims = believed;
  let verifications = 0;
  const known = Promise.withResolvers<void>();
  known.promise.catch(() => undefined);
  const told = outage(log, { server: "auth", urls: [authUrl], step: "learn its keys and what has ended" });

  async function json(path: string, bytesMax: number, request: RequestInit = {}): Promise<unknown> {
    const { status, bytes } = await answerOf(authUrl + path, request, { timeoutMs, bytesMax, stopping });
    if (status !== 200) throw new Error(`${path} answers ${status}`);
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  /** Throws the first fault, after what the other answer brought is taken. */
  async function round(): Promise<void> {
    const asked = await Promise.allSettled([
      json("/.well-known/jwks.json", keysBytesMax).then(keysOf),
      json("/.well-known/revocations.json", revocationsBytesMax).then(revocationsOf),
    ]);
    if (stopping.aborted) return;
    const [keySet, revocations] = asked;
    if (keySet.status === "fulfilled") keys = keySet.value;
    let revoked: Ended[] = [];
    if (revocations.status === "fulfilled") {
      const { issuer, audience } = revocations.value;
      claims = { issuer, audience };
      revoked = revocations.value.revoked;
    }
    const faults = asked.flatMap((each) => (each.status === "rejected" ? [each.reason as Error] : []));
    if (keys !== undefined && claims !== undefined && faults.length < asked.length) {
      take({ jwks: keys, ...claims, revoked });
      known.resolve();
    }
    if (faults[0] !== undefined) throw faults[0];
  }

  void (async () => {
    for (let pauseMs = everyMs; !stopping.aborted; ) {
      try {
        await round();
        told.succeeded();
        pauseMs = everyMs;
      } catch (error) {
        if (!stopping.aborted) told.failed(error);
        pauseMs = Math.min(2 * pauseMs, faultyMs);
      }
      await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  })();

  async function verification(token: string): Promise<unknown> {
    if (verifications >= verificationsMax) throw new Error(`Cannot ask auth: ${verificationsMax} questions are open`);
    verifications += 1;
    try {
      const headers = { "content-type": "application/json" };
      const request = { method: "POST", headers, body: JSON.stringify({ token }) };
      return await json("/v1/auth/verify", grantBytesMax, request);
    } finally {
      verifications -= 1;
    }
  }

  return {
    first: () => known.promise,
    again: round,
    verifyApiToken: async (token) => grantOf(await verification(token)),
    async verifySession({ token, userId, sessionId }) {
      const { active, sub, sid } = ((await verification(token)) ?? {}) as Record<string, unknown>;
      if (typeof active !== "boolean") throw malformed("answer");
      return active && sub === userId && sid === sessionId;
    },
    close() {
      closed.abort();
      known.reject(new Error("Cannot learn the keys: closed"));
    },
  };
}

function malformed(what: string): Error {
  return new Error(`Cannot use auth's ${what}: malformed`);
}

/** Only keys of the one kind that we verify with; a set without any is no set. */
function keysOf(value: unknown): KeySet {
  const { keys } = (value ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw malformed("keys");
  const usable = keys.filter(({ kty, crv, kid, x }: Record<string, unknown>) => {
    const isOurs = kty === "OKP" && crv === "Ed25519" && typeof kid === "string";
    return isOurs && typeof x === "string" && /^[A-Za-z0-9_-]{43}$/.test(x);
  });
  if (usable.length === 0) throw malformed("keys");
  return { keys: usable as KeySet["keys"] };
}

function revocationsOf(value: unknown): Claims & { revoked: Ended[] } {
  const { issuer, audience, revoked } = (value ?? {}) as Record<string, unknown>;
  const ended = endedOf(revoked);
  if (typeof issuer !== "string" || typeof audience !== "string" || ended === undefined) throw malformed("revocations");
  return { issuer, audience, revoked: ended };
}

/** An access token has a session: it is no API token, whatever it begins with. */
function grantOf(value: unknown): ApiTokenGrant {
  const { active, sub, sid, exp, scopes } = (value ?? {}) as Record<string, unknown>;
  if (active === false || sid !== undefined) return { active: false };
  const isList = Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string");
  if (active !== true || typeof sub !== "string" || !isList || (exp !== undefined && typeof exp !== "number"))
    throw malformed("answer");
  return { active: true, userId: sub, scopes, expMs: exp === undefined ? null : exp * 1_000 };
}
