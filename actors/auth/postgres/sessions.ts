/** Sessions and refresh tokens in PostgreSQL: each step is one statement, so no transaction ever waits for us. */
import type { Sql } from "../../postgres/connect.ts";
import { revocationMs } from "../lifetimes.ts";
import type { EndedSession, SessionRecord, Sessions } from "../ports.ts";

type Row = {
  id: string;
  user_id: string;
  user_agent: string | null;
  created_ms: number;
  used_ms: number;
  expires_ms: number;
};

function session(row: Row): SessionRecord {
  return {
    id: row.id,
    userId: row.user_id,
    userAgent: row.user_agent,
    createdMs: row.created_ms,
    usedMs: row.used_ms,
    expiresMs: row.expires_ms,
  };
}

function ended(row: { id: string; ended_ms: number }): EndedSession {
  return { sessionId: row.id, untilMs: row.ended_ms + revocationMs };
}

/** Rows removed in one go when a session opens: more than are added, so that the table shrinks to what lives. */
const prunedMax = 16;

export function sessionsInPostgres(sql: Sql): Sessions {
  return {
    async open({ id, userId, userAgent, createdMs, usedMs, expiresMs }, refreshHash) {
      const deadMs = createdMs - revocationMs;
      await sql`
        WITH run_out AS (
          DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE expires_ms < ${deadMs} LIMIT ${prunedMax} FOR UPDATE SKIP LOCKED
          )
        ), long_ended AS (
          DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE ended_ms < ${deadMs} AND expires_ms >= ${deadMs} LIMIT ${prunedMax} FOR UPDATE SKIP LOCKED
          )
        ), opened AS (
          INSERT INTO sessions (id, user_id, user_agent, created_ms, used_ms, expires_ms)
          VALUES (${id}, ${userId}, ${userAgent}, ${createdMs}, ${usedMs}, ${expiresMs})
        )
        INSERT INTO refresh_tokens (hash, session_id) VALUES (${refreshHash}, ${id})`;
    },
    async rotate({ presented, next, nowMs, graceMs, expiresMs }) {
      const [row] = await sql<Row & { outcome: "rotated" | "reused" | "unknown" }>`
        SELECT outcome, (session).*
        FROM rotate_refresh_token(${presented}, ${next}, ${nowMs}, ${graceMs}, ${expiresMs})`;
      if (row === undefined || row.outcome === "unknown") return { outcome: "unknown" };
      if (row.outcome === "reused") return { outcome: "reused", revoked: ended({ id: row.id, ended_ms: nowMs }) };
      return { outcome: "rotated", session: session(row) };
    },
    async living(of, nowMs) {
      const rows =
        "sessionId" in of
          ? await sql<Row>`
              SELECT * FROM sessions WHERE id = ${of.sessionId} AND ended_ms IS NULL AND expires_ms > ${nowMs}`
          : await sql<Row>`
              SELECT * FROM sessions WHERE user_id = ${of.userId} AND ended_ms IS NULL AND expires_ms > ${nowMs}
              ORDER BY created_ms, id`;
      return rows.map(session);
    },
    async end({ userId, sessionId = null, exceptId = null }, nowMs) {
      const rows = await sql<{ id: string; ended_ms: number }>`
        UPDATE sessions SET ended_ms = ${nowMs}
        WHERE user_id = ${userId} AND (${sessionId}::text IS NULL OR id = ${sessionId}) AND id IS DISTINCT FROM ${exceptId}
          AND ended_ms IS NULL AND expires_ms > ${nowMs}
        RETURNING id, ended_ms`;
      return rows.map(ended);
    },
    async revoked(nowMs) {
      const rows = await sql<{ id: string; ended_ms: number }>`
        SELECT id, ended_ms FROM sessions WHERE ended_ms > ${nowMs - revocationMs}`;
      return rows.map(ended);
    },
  };
}
