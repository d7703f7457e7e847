/** Opens the SQLite file of spaces: ours, of a version that we know, or a new one; anything else is refused and left as it is. */
import type { DatabaseSync } from "node:sqlite";
import { registry } from "../../resources/registry.ts";
import { openSqliteFile, type SqliteFile } from "../../sqlite/file.ts";
import { spacesApplicationId, spacesFileName, spacesSchemaVersion, spaceTables } from "../../sqlite/space-tables.ts";

export const spacesFile: SqliteFile = {
  name: spacesFileName,
  is: "a tasks database",
  applicationId: spacesApplicationId,
  schemaVersion: spacesSchemaVersion,
  oldestVersion: spacesSchemaVersion,
  content: "SELECT 1 FROM facts LIMIT 1",
};

export function openSpaceDatabase(dataDir: string): DatabaseSync {
  return openSqliteFile(dataDir, spacesFile, prepareFile);
}

function prepareFile(db: DatabaseSync): void {
  // Another program may hold the file: that is told before the thread that waits for it is taken for hung.
  // FULL: a commit is on the disk before it is answered. The cache (in KiB, when negative) holds the inner pages of the indexes.
  db.exec(
    "PRAGMA busy_timeout = 2000; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;",
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
