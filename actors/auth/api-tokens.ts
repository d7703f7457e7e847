/** API tokens: long-lived secrets for programs, stored hashed, bounded by scopes. */
import { randomBytes } from "node:crypto";
import { v7 as uuidV7 } from "uuid";
import { Problem } from "../model/problem.ts";
import { deletedTokenMs } from "./lifetimes.ts";
import type { ApiTokenGrant, Ended } from "./messages.ts";
import type { ApiTokenRecord, ApiTokens } from "./ports.ts";
import { sha256 } from "./service.ts";

export const scopes = ["tasks:read", "tasks:write", "spaces:admin"] as const;
/** Of a token that was asked for without any. */
export const defaultScopes = ["tasks:read", "tasks:write"] as const;
export const apiTokenPrefix = "tt_";
const tokensOfUserMax = 100;

export type ApiTokenService = ReturnType<typeof apiTokenService>;

export function apiTokenService(parts: { tokens: ApiTokens; now: () => number; announce: (ended: Ended[]) => void }) {
  const { tokens, now, announce } = parts;
  return {
    /** Whether what ends then would never be of use. */
    isOver: (expiresMs: number): boolean => expiresMs <= now(),

    /** The secret is in this answer and nowhere else. */
    async make(of: {
      userId: string;
      name: string;
      expiresMs: number | null;
      scopes: string[];
    }): Promise<{ secret: string; token: ApiTokenRecord }> {
      const createdMs = now();
      if ((await tokens.ofUser(of.userId)).length >= tokensOfUserMax) {
        throw new Problem("conflict", `Cannot make another API token: an account has at most ${tokensOfUserMax}`);
      }
      const secret = `${apiTokenPrefix}${randomBytes(32).toString("base64url")}`;
      const token = { ...of, id: uuidV7(), hash: sha256(secret), createdMs };
      await tokens.insert(token);
      return { secret, token };
    },

    ofUser: (userId: string) => tokens.ofUser(userId),

    /** Throws `not-found` for a token of somebody else, too. */
    async remove(userId: string, id: string): Promise<void> {
      const nowMs = now();
      const removed = await tokens.remove(userId, id, nowMs);
      if (removed === undefined) throw new Problem("not-found");
      announce([{ hash: removed.hash, untilMs: nowMs + deletedTokenMs }]);
    },

    /** Removes all of the user's. */
    async removeAll(userId: string): Promise<void> {
      const nowMs = now();
      const removed = await tokens.removeAll(userId, nowMs);
      if (removed.length > 0) announce(removed.map(({ hash }) => ({ hash, untilMs: nowMs + deletedTokenMs })));
    },

    /** Tokens deleted so lately that somebody may still remember what they granted. */
    removed: (): Promise<Ended[]> => tokens.removed(now()),

    /** What the token with this hash grants now. */
    async grant(hash: string): Promise<ApiTokenGrant> {
      const token = await tokens.byHash(hash);
      if (token === undefined || (token.expiresMs !== null && token.expiresMs <= now())) return { active: false };
      return { active: true, userId: token.userId, scopes: token.scopes, expMs: token.expiresMs };
    },
  };
}
