/** Users in PostgreSQL. */
import { isTaken, type Sql } from "../../postgres/connect.ts";
import type { UserRecord, Users } from "../ports.ts";

type Row = {
  id: string;
  email: string;
  email_key: string;
  name: string | null;
  password_hash: string;
  created_ms: number;
};

function user({ id, email, email_key, name, password_hash, created_ms }: Row): UserRecord {
  return { id, email, emailKey: email_key, name, passwordHash: password_hash, createdMs: created_ms };
}

export function usersInPostgres(sql: Sql): Users {
  return {
    async erase(id, nowMs) {
      const erased = await sql`
        WITH removed AS (DELETE FROM users WHERE id = ${id} RETURNING id)
        INSERT INTO erasures (user_id, erased_ms) SELECT id, ${nowMs} FROM removed RETURNING user_id`;
      return erased.length === 1;
    },
    async insert({ id, email, emailKey, name, passwordHash, createdMs }) {
      const inserted = await sql`
        INSERT INTO users (id, email, email_key, name, password_hash, created_ms)
        VALUES (${id}, ${email}, ${emailKey}, ${name}, ${passwordHash}, ${createdMs})
        ON CONFLICT (email_key) DO NOTHING RETURNING id`;
      return inserted.length === 1 ? "inserted" : "email-taken";
    },
    async byId(id) {
      return (await sql<Row>`SELECT * FROM users WHERE id = ${id}`).map(user)[0];
    },
    async byIds(ids) {
      // One parameter, whatever their number.
      const list = JSON.stringify(ids);
      return (
        await sql<Row>`SELECT * FROM users WHERE id IN (SELECT jsonb_array_elements_text(${list}::text::jsonb))`
      ).map(user);
    },
    async byEmailKey(emailKey) {
      return (await sql<Row>`SELECT * FROM users WHERE email_key = ${emailKey}`).map(user)[0];
    },
    async change(id, { email = null, emailKey = null, passwordHash = null, name }) {
      try {
        const changed = await sql<Row>`
          UPDATE users SET
            email = coalesce(${email}, email), email_key = coalesce(${emailKey}, email_key), password_hash = coalesce(${passwordHash}, password_hash),
            name = CASE WHEN ${name === undefined}::boolean THEN name ELSE ${name ?? null} END
          WHERE id = ${id} RETURNING *`;
        return changed.map(user)[0];
      } catch (error) {
        if (isTaken(error, "email_taken")) return "email-taken";
        throw error;
      }
    },
  };
}
