/** Signing keys in PostgreSQL. */
import type { Sql } from "../../postgres/connect.ts";
import type { Keys, NewKey } from "../ports.ts";

export function keysInPostgres(sql: Sql): Keys {
  const find = async (): Promise<NewKey | undefined> => {
    const rows = await sql<{ kid: string; private_jwk: string }>`
      SELECT kid, private_jwk FROM keys ORDER BY number DESC LIMIT 1`;
    return rows.map(({ kid, private_jwk }) => ({ kid, privateJwk: private_jwk }))[0];
  };
  return {
    async newest(make, nowMs) {
      const found = await find();
      if (found !== undefined) return found;
      const { kid, privateJwk } = make();
      // Of all who make the first key at once, one has the number; whoever comes late waits here until that one is durable.
      await sql`
        INSERT INTO keys (number, kid, private_jwk, created_ms) VALUES (1, ${kid}, ${privateJwk}, ${nowMs})
        ON CONFLICT (number) DO NOTHING`;
      const kept = await find();
      if (kept === undefined) throw new Error("Cannot find the key that was just kept");
      return kept;
    },
  };
}
