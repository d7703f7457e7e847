/** API tokens in SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import { deletedTokenMs } from "../lifetimes.ts";
import type { ApiTokenRecord, ApiTokens } from "../ports.ts";

type Row = {
  id: string;
  hash: string;
  user_id: string;
  name: string;
  scopes: string;
  created_ms: number;
  expires_ms: number | null;
};

function token(row: unknown): ApiTokenRecord | undefined {
  if (row === undefined || row === null) return undefined;
  const { id, hash, user_id, name, scopes, created_ms, expires_ms } = row as Row;
  return { id, hash, userId: user_id, name, scopes: scopes.split(" "), createdMs: created_ms, expiresMs: expires_ms };
}

export function apiTokensInSqlite(db: DatabaseSync): ApiTokens {
  const insert = db.prepare(
    "INSERT INTO api_tokens (id, hash, user_id, name, scopes, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const byHash = db.prepare("SELECT * FROM api_tokens WHERE hash = ?");
  const ofUser = db.prepare("SELECT * FROM api_tokens WHERE user_id = ? ORDER BY created_ms, id");
  const remove = db.prepare("DELETE FROM api_tokens WHERE user_id = ? AND id = ? RETURNING *");
  const removeAll = db.prepare("DELETE FROM api_tokens WHERE user_id = ? RETURNING *");
  const keep = db.prepare("INSERT INTO deleted_api_tokens (hash, deleted_ms) VALUES (?, ?)");
  const forget = db.prepare("DELETE FROM deleted_api_tokens WHERE deleted_ms < ?");
  const removedSince = db.prepare("SELECT hash, deleted_ms FROM deleted_api_tokens WHERE deleted_ms > ?");
  return {
    async insert(record) {
      insert.run(
        record.id,
        record.hash,
        record.userId,
        record.name,
        record.scopes.join(" "),
        record.createdMs,
        record.expiresMs,
      );
    },
    async byHash(hash) {
      return token(byHash.get(hash));
    },
    async ofUser(userId) {
      return ofUser.all(userId).flatMap((row) => token(row) ?? []);
    },
    async remove(userId, id, nowMs) {
      return transaction(db, () => {
        const removed = token(remove.get(userId, id));
        if (removed !== undefined) keep.run(removed.hash, nowMs);
        forget.run(nowMs - deletedTokenMs);
        return removed;
      });
    },
    async removeAll(userId, nowMs) {
      return transaction(db, () => {
        const removed = removeAll.all(userId).flatMap((row) => token(row) ?? []);
        for (const { hash } of removed) keep.run(hash, nowMs);
        return removed;
      });
    },
    async removed(nowMs) {
      const rows = removedSince.all(nowMs - deletedTokenMs) as { hash: string; deleted_ms: number }[];
      return rows.map(({ hash, deleted_ms }) => ({ hash, untilMs: deleted_ms + deletedTokenMs }));
    },
  };
}
