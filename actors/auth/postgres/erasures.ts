/** Erasures that wait, in PostgreSQL. */
import type { Sql } from "../../postgres/connect.ts";
import type { Erasures } from "../ports.ts";

export function erasuresInPostgres(sql: Sql): Erasures {
  return {
    async waiting() {
      const rows = await sql<{ user_id: string }>`SELECT user_id FROM erasures ORDER BY erased_ms, user_id LIMIT 100`;
      return rows.map(({ user_id }) => user_id);
    },
    done: async (userId) => void (await sql`DELETE FROM erasures WHERE user_id = ${userId}`),
  };
}
