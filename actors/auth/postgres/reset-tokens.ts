/** Reset tokens in PostgreSQL. */
import type { Sql } from "../../postgres/connect.ts";
import type { ResetTokens } from "../ports.ts";

export function resetTokensInPostgres(sql: Sql): ResetTokens {
  return {
    async issue({ hash, userId, expiresMs }, nowMs) {
      await sql`
        WITH run_out AS (DELETE FROM reset_tokens WHERE expires_ms <= ${nowMs} AND user_id <> ${userId})
        INSERT INTO reset_tokens (hash, user_id, expires_ms) VALUES (${hash}, ${userId}, ${expiresMs})
        ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_ms = excluded.expires_ms`;
    },
    async userOf(hash, nowMs) {
      const [row] = await sql<{ user_id: string }>`
        SELECT user_id FROM reset_tokens WHERE hash = ${hash} AND expires_ms > ${nowMs}`;
      return row?.user_id;
    },
    async spend({ hash, passwordHash }, nowMs) {
      const changed = await sql`
        WITH spent AS (DELETE FROM reset_tokens WHERE hash = ${hash} AND expires_ms > ${nowMs} RETURNING user_id)
        UPDATE users SET password_hash = ${passwordHash} FROM spent WHERE users.id = spent.user_id RETURNING users.id`;
      return changed.length === 1;
    },
  };
}
