/** Reset tokens in SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import type { ResetTokens } from "../ports.ts";

export function resetTokensInSqlite(db: DatabaseSync): ResetTokens {
  const removeEarlier = db.prepare("DELETE FROM reset_tokens WHERE user_id = ? OR expires_ms <= ?");
  const insert = db.prepare("INSERT INTO reset_tokens (hash, user_id, expires_ms) VALUES (?, ?, ?)");
  const find = db.prepare("SELECT user_id FROM reset_tokens WHERE hash = ? AND expires_ms > ?");
  const remove = db.prepare("DELETE FROM reset_tokens WHERE hash = ?");
  const change = db.prepare("UPDATE users SET password_hash = ? WHERE id = ?");
  const userOf = (hash: string, nowMs: number) => (find.get(hash, nowMs) as { user_id: string } | undefined)?.user_id;
  return {
    async issue({ hash, userId, expiresMs }, nowMs) {
      transaction(db, () => {
        removeEarlier.run(userId, nowMs);
        insert.run(hash, userId, expiresMs);
      });
    },
    async userOf(hash, nowMs) {
      return userOf(hash, nowMs);
    },
    async spend({ hash, passwordHash }, nowMs) {
      return transaction(db, () => {
        const userId = userOf(hash, nowMs);
        if (userId === undefined) return false;
        remove.run(hash);
        change.run(passwordHash, userId);
        return true;
      });
    },
  };
}
