/** Refresh tokens: the first of a session is random, each later one follows from the one before it and a key of auth's. */
import { createHmac, randomBytes } from "node:crypto";

const prefix = "rt_";

export function firstRefreshToken(): string {
  return prefix + randomBytes(32).toString("base64url");
}

/**
 * Always the same one, so that it can be answered again to whoever lost the answer though only its hash is stored: two who spend one token go on with
 * one successor. Without the key it cannot be told from the token, nor from all hashes: whoever finds a spent token has nothing.
 */
export function successorOf(refreshToken: string, refreshKey: Buffer): string {
  return prefix + createHmac("sha256", refreshKey).update(refreshToken).digest("base64url");
}
