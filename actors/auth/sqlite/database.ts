/** Opens `auth.db`: made durable and private, and refused untouched when it is not ours. */
import type { DatabaseSync } from "node:sqlite";
import { openSqliteFile, type SqliteFile, transaction } from "../../sqlite/file.ts";

/** "TTau" in ASCII: marks the file as ours (`PRAGMA application_id`). */
const applicationId = 0x54546175;

/** Step by step: a file of version n has seen the first n. Once released, a step stays as it is. */
const steps = [
  `
CREATE TABLE users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, name TEXT, password_hash TEXT NOT NULL, created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, user_agent TEXT, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, ended_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id, created_ms);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);
CREATE INDEX sessions_ended ON sessions (ended_ms) WHERE ended_ms IS NOT NULL;
CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, parent TEXT, spent_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_parent ON refresh_tokens (parent);
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_tokens_of_user ON api_tokens (user_id, created_ms);
CREATE TABLE keys (kid TEXT PRIMARY KEY, private_jwk TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,
  `
CREATE TABLE deleted_api_tokens (hash TEXT PRIMARY KEY, deleted_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_api_tokens_by_time ON deleted_api_tokens (deleted_ms);
`,
  `
CREATE TABLE erasures (user_id TEXT PRIMARY KEY, erased_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,
  `
CREATE TABLE reset_tokens (
  hash TEXT PRIMARY KEY, user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE, expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
];
const schemaVersion = steps.length;
/** For the check before the start. */
export const usersFile: SqliteFile = {
  name: "auth.db",
  is: "a users database",
  applicationId,
  schemaVersion,
  content: "SELECT 1 FROM users LIMIT 1",
};

export function openDatabase(dataDir: string): DatabaseSync {
  return openSqliteFile(dataDir, usersFile, prepareFile);
}

/** The application id is written before the switch to WAL, so a file of ours always shows it in its header. */
function prepareFile(db: DatabaseSync): void {
  db.exec("PRAGMA busy_timeout = 2000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version < schemaVersion) {
    const missing = steps.slice(version).join("");
    transaction(db, () =>
      db.exec(`${missing} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`),
    );
  }
  db.exec("PRAGMA journal_mode = WAL;");
}
