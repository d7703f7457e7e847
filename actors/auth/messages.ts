/** What others may say to the `auth` role, and what it announces. */
import { actor, ask, topic } from "../../runtime/actor.ts";

/** An HTTP request handed over by the role that owns the port; the body is UTF-8 text or null (binary bodies that are no UTF-8 arrive as base64). */
export type HttpRequest = {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
  base64?: boolean;
  /** Of the connection over which it came to that role. */
  remoteAddress?: string;
};
export type HttpAnswer = { status: number; headers: Record<string, string>; body: string | null };

/** How long an access token lives, in milliseconds. */
export const accessTokenMs = 600_000;

/** RFC 7517 key set of the public Ed25519 keys (`kid`, `kty: OKP`, `crv`, `x`, `alg`, `use`). */
export type KeySet = { keys: Record<string, string>[] };
/**
 * A session or API token that was ended, and until when (epoch milliseconds) somebody may still take it for good. `hash` is the lower-case
 * hexadecimal SHA-256 of the session's id or of the API token's whole text, so it may be told to anybody.
 */
export type Ended = { hash: string; untilMs: number };
export type Standing = { jwks: KeySet; issuer: string; audience: string; revoked: Ended[] };

/** Whose an API token is and what it may do; `expMs` is null for one without an end. */
export type ApiTokenGrant =
  | { active: true; userId: string; scopes: string[]; expMs: number | null }
  | { active: false };

/** Whether a path of the public port is auth's to answer (sections 2 and 5 of the contract). */
export function ownedByAuth(path: string): boolean {
  return /^\/(?:v1\/auth|v1\/users|auth|users|register|login|refresh|logout|logout-all|verify|token|\.well-known)(?:\/[^#]*)?$/.test(
    path,
  );
}

export const auth = actor("auth", new URL("./main.ts", import.meta.url), {
  http: ask<HttpRequest, HttpAnswer>(),
  /** Answered when it takes messages and turns. */
  ready: ask(),
  /** What a verifier of access tokens needs: keys, issuer, audience, and all revocations still in force. */
  standing: ask<null, Standing>(),
  /** Looks an API token up by the lower-case hexadecimal SHA-256 of its whole text. */
  apiToken: ask<{ hash: string }, ApiTokenGrant>(),
  /** Whether the session goes on and is that user's. */
  session: ask<{ userId: string; sessionId: string }, boolean>(),
});

/** Published at once when sessions or API tokens end, perhaps more than once; verifiers refuse them from then on. */
export const revoked = topic<Ended[]>("auth.revoked");
/** The same between processes, as JSON: Redis' channel of it, after the namespace where there is one. */
export const revokedChannel = "tt:revoked";
