/** Opens the SQLite file of spaces: ours, of a version that we know, or a new one; anything else is refused and left as it is. */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { registry } from "../resources/registry.ts";
import { spacesApplicationId, spacesFileName, spacesSchemaVersion, spaceTables } from "../sqlite/space-tables.ts";
import { damaged, type SqliteFile, sqliteFileFault } from "../sqlite-file.ts";

export const spacesFile: SqliteFile = {
  name: spacesFileName,
  is: "a tasks database",
  applicationId: spacesApplicationId,
  schemaVersion: spacesSchemaVersion,
  oldestVersion: spacesSchemaVersion,
  content: "SELECT 1 FROM facts LIMIT 1",
};

/** Throws an `Error` of one line when the file is not ours, is of another version, or cannot be opened. The folder is made if missing. */
export function openSpaceDatabase(dataDir: string): DatabaseSync {
  const file = join(dataDir, spacesFile.name);
  const fault = sqliteFileFault(file, spacesFile);
  if (fault !== undefined) throw new Error(fault);
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // Private from its first byte; the write-ahead log takes the mode of the database file.
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    db = new DatabaseSync(file);
    prepareFile(db);
    return db;
  } catch (cause) {
    db?.close();
    throw new Error(damaged(file, cause), { cause });
  }
}

function prepareFile(db: DatabaseSync): void {
  // FULL: a commit is on the disk before it is answered. The cache (in KiB, when negative) holds the inner pages of the indexes.
  db.exec(
    "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;",
  );
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  // Before the switch to WAL, so that the marks of the file are in its own header and not only in a write-ahead log that the check does not read.
  if (version === 0)
    db.exec(
      `BEGIN IMMEDIATE; ${spaceTables(registry)} PRAGMA application_id = ${spacesApplicationId}; PRAGMA user_version = ${spacesSchemaVersion}; COMMIT;`,
    );
  // A page of an index is copied back once per checkpoint however often it changed: every 16 MiB (in pages) costs a seventh less than the usual 4.
  db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000;");
}
