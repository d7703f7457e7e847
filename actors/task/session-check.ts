/** Whether a verified token's session is one that auth knows and that user's: asked once for each session and worker, and again after ten minutes. */
import { accessTokenMs } from "../auth/messages.ts";
import type { VerifiedToken } from "../http/access-tokens.ts";
import { withDeadline } from "../waiting.ts";

export type SessionOf = { readonly token: string; readonly userId: string; readonly sessionId: string };
/** Whether the session goes on and is that user's. Rejects when auth does not answer. */
export type AskSession = (of: SessionOf) => Promise<boolean>;

export type SessionCheck = {
  /** Without a promise where it is known already. */
  isGood(token: string, verified: VerifiedToken): boolean | Promise<boolean>;
  /** It has ended. */
  forget(sessionHash: string): void;
};

/** As long as an access token lives: what auth no longer announces as ended is asked for anew. */
const knownMs = accessTokenMs;
const knownMax = 100_000;
const askMs = 500;
/** After auth did not answer it is left alone for so long. */
const pauseMs = 1_000;

/**
 * While auth does not answer, what its keys have signed counts: its absence must not keep those out who were let in before. Sessions that end are
 * announced and refused whatever is known here.
 */
export function sessionCheck(ask: AskSession, now: () => number): SessionCheck {
  const known = new Map<string, { userId: string; untilMs: number }>();
  const underWay = new Map<string, Promise<boolean>>();
  let askedAgainMs = 0;

  async function look(token: string, { userId, sessionId, sessionHash }: VerifiedToken): Promise<boolean> {
    try {
      const late = () => new Error("Cannot look the session up: no answer in time");
      const isGood = await withDeadline(ask({ token, userId, sessionId }), askMs, late);
      if (!isGood) return false;
    } catch {
      askedAgainMs = now() + pauseMs;
      return true;
    }
    const oldest = known.size >= knownMax ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    known.set(sessionHash, { userId, untilMs: now() + knownMs });
    return true;
  }

  return {
    isGood(token, verified) {
      const { sessionHash, userId } = verified;
      const found = known.get(sessionHash);
      if (found !== undefined && found.untilMs > now()) return found.userId === userId;
      if (askedAgainMs > now()) return true;
      // Asked for each user apart: a session is not taken for good because it is somebody else's.
      const key = `${sessionHash} ${userId}`;
      const begun = underWay.get(key) ?? look(token, verified).finally(() => underWay.delete(key));
      underWay.set(key, begun);
      return begun;
    },
    forget: (sessionHash) => void known.delete(sessionHash),
  };
}
