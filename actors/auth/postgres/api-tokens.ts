/** API tokens in PostgreSQL. */
import type { Sql } from "../../postgres/connect.ts";
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

function token({ id, hash, user_id, name, scopes, created_ms, expires_ms }: Row): ApiTokenRecord {
  return { id, hash, userId: user_id, name, scopes: scopes.split(" "), createdMs: created_ms, expiresMs: expires_ms };
}

export function apiTokensInPostgres(sql: Sql): ApiTokens {
  return {
    async insert({ id, hash, userId, name, scopes, createdMs, expiresMs }) {
      await sql`
        INSERT INTO api_tokens (id, hash, user_id, name, scopes, created_ms, expires_ms)
        VALUES (${id}, ${hash}, ${userId}, ${name}, ${scopes.join(" ")}, ${createdMs}, ${expiresMs})`;
    },
    async byHash(hash) {
      return (await sql<Row>`SELECT * FROM api_tokens WHERE hash = ${hash}`).map(token)[0];
    },
    async ofUser(userId) {
      return (await sql<Row>`SELECT * FROM api_tokens WHERE user_id = ${userId} ORDER BY created_ms, id`).map(token);
    },
    async remove(userId, id, nowMs) {
      const removed = await sql<Row>`
        WITH removed AS (
          DELETE FROM api_tokens WHERE user_id = ${userId} AND id = ${id} RETURNING *
        ), kept AS (
          INSERT INTO deleted_api_tokens (hash, deleted_ms) SELECT hash, ${nowMs} FROM removed
        ), forgotten AS (
          DELETE FROM deleted_api_tokens WHERE deleted_ms < ${nowMs - deletedTokenMs}
        )
        SELECT * FROM removed`;
      return removed.map(token)[0];
    },
    async removeAll(userId, nowMs) {
      const removed = await sql<Row>`
        WITH removed AS (
          DELETE FROM api_tokens WHERE user_id = ${userId} RETURNING *
        ), kept AS (
          INSERT INTO deleted_api_tokens (hash, deleted_ms) SELECT hash, ${nowMs} FROM removed
        )
        SELECT * FROM removed`;
      return removed.map(token);
    },
    async removed(nowMs) {
      const rows = await sql<{ hash: string; deleted_ms: number }>`
        SELECT hash, deleted_ms FROM deleted_api_tokens WHERE deleted_ms > ${nowMs - deletedTokenMs}`;
      return rows.map(({ hash, deleted_ms }) => ({ hash, untilMs: deleted_ms + deletedTokenMs }));
    },
  };
}
