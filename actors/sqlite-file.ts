/** What our SQLite files have in common: the mark by which they are known, and the way in which they are written. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** `name` in DATA_DIR; `applicationId` and `schemaVersion` as in the pragmas of that (and user_version's) name. */
export type SqliteFile = {
  readonly name: string;
  readonly is: string;
  readonly applicationId: number;
  readonly schemaVersion: number;
};

/** Why the file at `path` may not be opened, as one line; undefined when it is missing, empty or ours. Reads its header without SQLite, which would already touch it. */
export function sqliteFileFault(path: string, { is, applicationId, schemaVersion }: SqliteFile): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isFile()) return `Cannot open ${path}: it is not a file`;
  const bytes = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    if (readSync(file, bytes, 0, 100, 0) === 0) return undefined;
  } finally {
    closeSync(file);
  }
  if (bytes.toString("latin1", 0, 16) !== "SQLite format 3\0" || bytes.readUInt32BE(68) !== applicationId)
    return `Cannot open ${path}: it is not ${is} of this program`;
  const found = bytes.readUInt32BE(60);
  if (found > schemaVersion)
    return `Cannot open ${path}: its schema version ${found} is newer than ${schemaVersion}, the newest that this program knows`;
  return undefined;
}

/** Runs the steps as one durable transaction that holds the write lock from its start, because an upgrade in the middle may fail; a throw undoes all of them. */
export function transaction<T>(db: DatabaseSync, steps: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = steps();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** The same for steps that wait; the connection is nobody else's meanwhile. */
export async function transactionAsync(db: DatabaseSync, steps: () => Promise<void>): Promise<void> {
  db.exec("BEGIN IMMEDIATE");
  try {
    await steps();
    db.exec("COMMIT");
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** SQLite may have rolled back by itself (a full disk, for one); the first error is the one to tell. */
function rollBack(db: DatabaseSync): void {
  if (db.isTransaction) db.exec("ROLLBACK");
}
