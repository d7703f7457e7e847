/**
 * A database for what does not fit into memory. SQLite makes it in the folder of temporary files (`SQLITE_TMPDIR`, `TMPDIR`, else /var/tmp or /tmp), takes its
 * name away at once, and gives the room back when the process ends, however it ends: nobody else can open it, and nothing of it stays.
 */
import { DatabaseSync } from "node:sqlite";

export function temporaryDatabase(schema: string): DatabaseSync {
  const db = new DatabaseSync("");
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  db.exec(schema);
  return db;
}
