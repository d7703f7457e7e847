/** The SQLite file of deliveries, whose only writer is the courier. */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { damaged, type SqliteFile, sqliteFileFault } from "../sqlite-file.ts";

/** "TTwh" in ASCII. */
const applicationId = 0x54547768;
const schemaVersion = 1;

export const webhooksFile: SqliteFile = {
  name: "webhooks.db",
  is: "a webhooks database",
  applicationId,
  schemaVersion,
  content: "SELECT 1 FROM progress LIMIT 1",
};

const tables = `
CREATE TABLE progress (webhook TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (webhook TEXT NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (webhook, number)) STRICT, WITHOUT ROWID;
`;

/** Throws an `Error` of one line when the file is not ours, is of another version, or cannot be opened. */
export function openWebhookDatabase(dataDir: string): DatabaseSync {
  const file = join(dataDir, webhooksFile.name);
  const fault = sqliteFileFault(file, webhooksFile);
  if (fault !== undefined) throw new Error(fault);
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    db = new DatabaseSync(file);
    db.exec("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048;");
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version === 0)
      db.exec(
        `BEGIN IMMEDIATE; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT;`,
      );
    db.exec("PRAGMA journal_mode = WAL;");
    return db;
  } catch (cause) {
    db?.close();
    throw new Error(damaged(file, cause), { cause });
  }
}
