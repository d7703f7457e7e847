/** The SQLite file of deliveries, whose only writer is the courier. */
import type { DatabaseSync } from "node:sqlite";
import { openSqliteFile, type SqliteFile } from "../../sqlite/file.ts";

/** "TTwh" in ASCII. */
const applicationId = 0x54547768;
const schemaVersion = 2;

export const webhooksFile: SqliteFile = {
  name: "webhooks.db",
  is: "a webhooks database",
  applicationId,
  schemaVersion,
  oldestVersion: schemaVersion,
  content: "SELECT 1 FROM progress LIMIT 1",
};

const tables = `
CREATE TABLE progress (webhook TEXT PRIMARY KEY, space TEXT NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (webhook TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (webhook, number)) STRICT, WITHOUT ROWID;
CREATE TABLE answers (id TEXT PRIMARY KEY, webhook TEXT NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_webhook ON answers (webhook);
`;

export function openWebhookDatabase(dataDir: string): DatabaseSync {
  return openSqliteFile(dataDir, webhooksFile, prepareFile);
}

function prepareFile(db: DatabaseSync): void {
  // Another program may hold the file: that is told before the thread that waits for it is taken for hung.
  db.exec("PRAGMA busy_timeout = 2000; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;");
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version === 0)
    db.exec(
      `BEGIN IMMEDIATE; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT;`,
    );
  db.exec("PRAGMA journal_mode = WAL;");
}
