/** What our SQLite files have in common: the mark by which they are known, and the way in which they are written. */
import { chmodSync, closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { userVersionInWal } from "./wal.ts";

/** `name` in DATA_DIR; `applicationId` and `schemaVersion` as in the pragmas of that (and user_version's) name. */
export type SqliteFile = {
  readonly name: string;
  readonly is: string;
  readonly applicationId: number;
  readonly schemaVersion: number;
  /** The oldest version that is brought up to the newest; an older one is refused. 1 unless told. */
  readonly oldestVersion?: number;
  /** Answers a row where the file has something that must not be lost. */
  readonly content: string;
};

/** Whether there is nothing at `path`, or a file without a byte. */
export function isMissingOrEmpty(path: string): "missing" | "empty" | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "missing";
  return stat.isFile() && stat.size === 0 ? "empty" : undefined;
}

/**
 * Why the file at `path` may not be opened, as one line that says what to do; undefined when it is missing, empty or ours. Reads it and its write-ahead log
 * without SQLite, which would already touch them.
 */
export function sqliteFileFault(
  path: string,
  { is, applicationId, schemaVersion, oldestVersion = 1 }: SqliteFile,
): string | undefined {
  const nothing = isMissingOrEmpty(path);
  if (nothing !== undefined) {
    if (isMissingOrEmpty(`${path}-wal`) !== undefined) return undefined;
    return `Cannot open ${path}: it is ${nothing}, but ${path}-wal has changes that belong to it; put both back from a backup, or move ${path}-wal away to begin without them`;
  }
  if (!statSync(path).isFile()) return `Cannot open ${path}: it is not a file`;
  const bytes = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, 100, 0);
  } finally {
    closeSync(file);
  }
  if (bytes.toString("latin1", 0, 16) !== "SQLite format 3\0" || bytes.readUInt32BE(68) !== applicationId)
    return `Cannot open ${path}: it is not ${is} of this program; put it back from a backup, or name another DATA_DIR`;
  const found = Math.max(bytes.readUInt32BE(60), userVersionInWal(`${path}-wal`) ?? 0);
  if (found > schemaVersion)
    return `Cannot open ${path}: its schema version ${found} is newer than ${schemaVersion}, the newest that this program knows; run the newer program`;
  if (found > 0 && found < oldestVersion)
    return `Cannot open ${path}: its schema version ${found} is older than ${oldestVersion}, the oldest that this program brings up to date; run the program that made it, or name another DATA_DIR`;
  return undefined;
}

/**
 * Opens or makes one of our files in a folder, which is made if missing; `prepare` brings it to what is needed. Throws an `Error` of one line, with the file left as
 * it is, when it is not ours, is of another version, or cannot be opened.
 */
export function openSqliteFile(dataDir: string, of: SqliteFile, prepare: (db: DatabaseSync) => void): DatabaseSync {
  const path = join(dataDir, of.name);
  const fault = sqliteFileFault(path, of);
  if (fault !== undefined) throw new Error(fault);
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // Private from its first byte; the write-ahead log takes the mode of the database file.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    db = new DatabaseSync(path);
    prepare(db);
    return db;
  } catch (cause) {
    db?.close();
    throw new Error(damaged(path, cause), { cause });
  }
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

/** Whether the file at `path` has what its `content` looks for. Throws one line that names the file when it cannot be read. */
export function hasContent(path: string, { content }: SqliteFile): boolean {
  if (isMissingOrEmpty(path) !== undefined) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
    // The beginning of each: not all of a file is looked at before each start, but what makes every start fail is.
    for (const { name } of tables) db.prepare(`SELECT 1 FROM "${name}" LIMIT 1`).get();
    return tables.length > 0 && db.prepare(content).get() !== undefined;
  } catch (cause) {
    throw new Error(damaged(path, cause), { cause });
  } finally {
    db?.close();
  }
}

/** What is made of the file at `path`, or an error of one line that names it. */
export function naming<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new Error(damaged(path, cause), { cause });
  }
}

/** What to say of a file of ours that SQLite cannot work with. */
function damaged(path: string, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const isDamaged = /malformed|not a database|corrupt|no such (?:table|column)|vtable/i.test(reason);
  return `Cannot use ${path}: ${reason}${isDamaged ? "; put it back from a backup" : ""}`;
}
