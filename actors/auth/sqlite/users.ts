/** Users in SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import type { UserChange, UserRecord, Users } from "../ports.ts";

type Row = {
  id: string;
  email: string;
  email_key: string;
  name: string | null;
  password_hash: string;
  created_ms: number;
};

function user(row: unknown): UserRecord | undefined {
  if (row === undefined || row === null) return undefined;
  const { id, email, email_key, name, password_hash, created_ms } = row as Row;
  return { id, email, emailKey: email_key, name, passwordHash: password_hash, createdMs: created_ms };
}

export function usersInSqlite(db: DatabaseSync): Users {
  const insert = db.prepare(
    "INSERT INTO users (id, email, email_key, name, password_hash, created_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email_key) DO NOTHING",
  );
  const byId = db.prepare("SELECT * FROM users WHERE id = ?");
  const byEmailKey = db.prepare("SELECT * FROM users WHERE email_key = ?");
  const update = db.prepare("UPDATE users SET email = ?, email_key = ?, name = ?, password_hash = ? WHERE id = ?");
  const remove = db.prepare("DELETE FROM users WHERE id = ?");
  const note = db.prepare("INSERT INTO erasures (user_id, erased_ms) VALUES (?, ?)");
  return {
    async erase(id, nowMs) {
      return transaction(db, () => {
        if (Number(remove.run(id).changes) === 0) return false;
        note.run(id, nowMs);
        return true;
      });
    },
    async insert(record) {
      const { changes } = insert.run(
        record.id,
        record.email,
        record.emailKey,
        record.name,
        record.passwordHash,
        record.createdMs,
      );
      return changes === 1 ? "inserted" : "email-taken";
    },
    async byId(id) {
      return user(byId.get(id));
    },
    async byIds(ids) {
      return [...new Set(ids)].flatMap((id) => user(byId.get(id)) ?? []);
    },
    async byEmailKey(emailKey) {
      return user(byEmailKey.get(emailKey));
    },
    async change(id, change: UserChange) {
      return transaction(db, () => {
        const old = user(byId.get(id));
        if (old === undefined) return undefined;
        const changed = { ...old, ...change };
        const holder = user(byEmailKey.get(changed.emailKey));
        if (holder !== undefined && holder.id !== id) return "email-taken";
        update.run(changed.email, changed.emailKey, changed.name, changed.passwordHash, id);
        return changed;
      });
    },
  };
}
