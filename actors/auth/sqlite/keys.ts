/** Signing keys in SQLite; the file's mode (0600) keeps them private. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import type { Keys } from "../ports.ts";

export function keysInSqlite(db: DatabaseSync): Keys {
  const find = db.prepare("SELECT kid, private_jwk FROM keys ORDER BY created_ms DESC LIMIT 1");
  const insert = db.prepare("INSERT INTO keys (kid, private_jwk, created_ms) VALUES (?, ?, ?)");
  return {
    async newest(make, nowMs) {
      return transaction(db, () => {
        const found = find.get() as { kid: string; private_jwk: string } | undefined;
        if (found !== undefined) return { kid: found.kid, privateJwk: found.private_jwk };
        const made = make();
        insert.run(made.kid, made.privateJwk, nowMs);
        return made;
      });
    },
  };
}
