/** Sessions and refresh tokens in SQLite: they survive `kill -9`. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import { revocationMs } from "../lifetimes.ts";
import type { EndedSession, SessionRecord, Sessions } from "../ports.ts";

type Row = {
  id: string;
  user_id: string;
  user_agent: string | null;
  created_ms: number;
  used_ms: number;
  expires_ms: number;
  ended_ms: number | null;
};
type TokenRow = { hash: string; session_id: string; spent_ms: number | null };

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

/** Rows removed in one go when a session opens: more than are added, so that the table shrinks to what lives. */
const prunedMax = 16;

export function sessionsInSqlite(db: DatabaseSync): Sessions {
  const insertSession = db.prepare(
    "INSERT INTO sessions (id, user_id, user_agent, created_ms, used_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const insertToken = db.prepare("INSERT INTO refresh_tokens (hash, session_id, parent) VALUES (?, ?, ?)");
  const tokenOf = db.prepare("SELECT hash, session_id, spent_ms FROM refresh_tokens WHERE hash = ?");
  const successorOf = db.prepare("SELECT hash, session_id, spent_ms FROM refresh_tokens WHERE parent = ?");
  const spend = db.prepare("UPDATE refresh_tokens SET spent_ms = ? WHERE hash = ?");
  const use = db.prepare("UPDATE sessions SET used_ms = ?, expires_ms = ? WHERE id = ?");
  const byId = db.prepare("SELECT * FROM sessions WHERE id = ?");
  const byUser = db.prepare("SELECT * FROM sessions WHERE user_id = ? ORDER BY created_ms, id");
  const end = db.prepare("UPDATE sessions SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL");
  const endedSince = db.prepare("SELECT id, ended_ms FROM sessions WHERE ended_ms > ?");
  const pruneExpired = db.prepare(
    `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_ms < ? LIMIT ${prunedMax})`,
  );
  const pruneEnded = db.prepare(
    `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_ms < ? LIMIT ${prunedMax})`,
  );

  const alive = (row: Row, nowMs: number) => row.ended_ms === null && row.expires_ms > nowMs;

  return {
    async open(record, refreshHash) {
      transaction(db, () => {
        pruneExpired.run(record.createdMs - revocationMs);
        pruneEnded.run(record.createdMs - revocationMs);
        insertSession.run(
          record.id,
          record.userId,
          record.userAgent,
          record.createdMs,
          record.usedMs,
          record.expiresMs,
        );
        insertToken.run(refreshHash, record.id, null);
      });
    },
    async rotate({ presented, next, nowMs, graceMs, expiresMs }) {
      return transaction(db, () => {
        const token = tokenOf.get(presented) as TokenRow | undefined;
        const row = token && (byId.get(token.session_id) as Row | undefined);
        if (!token || !row || !alive(row, nowMs)) return { outcome: "unknown" };
        if (token.spent_ms === null) {
          spend.run(nowMs, presented);
          insertToken.run(next, row.id, presented);
        } else {
          const successor = successorOf.get(presented) as TokenRow | undefined;
          if (nowMs - token.spent_ms > graceMs || (successor?.spent_ms ?? null) !== null) {
            end.run(nowMs, row.id);
            return { outcome: "reused", revoked: { sessionId: row.id, untilMs: nowMs + revocationMs } };
          }
          if (successor?.hash !== next) return { outcome: "unknown" };
        }
        use.run(nowMs, expiresMs, row.id);
        return { outcome: "rotated", session: { ...session(row), usedMs: nowMs, expiresMs } };
      });
    },
    async living(of, nowMs) {
      const rows = ("sessionId" in of ? byId.all(of.sessionId) : byUser.all(of.userId)) as Row[];
      return rows.filter((row) => alive(row, nowMs)).map(session);
    },
    async end({ userId, sessionId, exceptId }, nowMs) {
      return transaction(db, () => {
        const rows = (sessionId === undefined ? byUser.all(userId) : byId.all(sessionId)) as Row[];
        const ending = rows.filter((row) => row.user_id === userId && row.id !== exceptId && alive(row, nowMs));
        for (const row of ending) end.run(nowMs, row.id);
        return ending.map((row): EndedSession => ({ sessionId: row.id, untilMs: nowMs + revocationMs }));
      });
    },
    async revoked(nowMs) {
      const rows = endedSince.all(nowMs - revocationMs) as { id: string; ended_ms: number }[];
      return rows.map((row) => ({ sessionId: row.id, untilMs: row.ended_ms + revocationMs }));
    },
  };
}
