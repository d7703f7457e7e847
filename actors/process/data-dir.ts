/** DATA_DIR: checked before it is touched, then held by this process alone. */
import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hasContent, isMissingOrEmpty, type SqliteFile, sqliteFileFault } from "../sqlite/file.ts";

/** Always empty: only the lock on it means something. */
const lockName = "lock.db";

/** A lock that nothing refers to is collected, and with it closed and given away: whoever drops what `lockDataDir` returns still holds the folder. */
const held = new Set<DatabaseSync>();

/** The folder cannot be used; the message is one clear line. */
export class DataDirError extends Error {
  override readonly name = "DataDirError";
}

/** Throws a `DataDirError` when the folder or a file in it by one of our names cannot be ours. Touches nothing. */
export function checkDataDir(dir: string, files: readonly SqliteFile[]): void {
  const refuse = (why: string) => new DataDirError(`Cannot use DATA_DIR ${dir}: ${why}`);
  let found: ReturnType<typeof statSync>;
  try {
    found = statSync(dir, { throwIfNoEntry: false });
  } catch (error) {
    throw refuse(reasonOf(error));
  }
  if (found === undefined) return;
  if (!found.isDirectory()) throw refuse("it is a file, not a folder");
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw refuse("it cannot be written to");
  }
  for (const file of files) {
    let fault: string | undefined;
    try {
      fault = sqliteFileFault(join(dir, file.name), file);
    } catch (error) {
      fault = `Cannot open ${join(dir, file.name)}: ${reasonOf(error)}`;
    }
    if (fault !== undefined) throw new DataDirError(fault);
  }
  const lock = statSync(join(dir, lockName), { throwIfNoEntry: false });
  if (lock !== undefined && !(lock.isFile() && lock.size === 0))
    throw new DataDirError(`Cannot use ${join(dir, lockName)}: it is not the lock of this program`);
}

/**
 * Throws a `DataDirError` where one of the files is missing or empty and another one has content: they belong together, and what refers to each other must not
 * be begun anew on one side; and where one cannot be read. A first start that was cut off between making the two has left no content. To be called with the lock held.
 */
export function checkTogether(dir: string, files: readonly SqliteFile[]): void {
  const filled = files.filter((file) => {
    try {
      return hasContent(join(dir, file.name), file);
    } catch (error) {
      throw new DataDirError((error as Error).message);
    }
  });
  for (const { name } of files) {
    const nothing = isMissingOrEmpty(join(dir, name));
    const [other] = filled;
    if (nothing !== undefined && other !== undefined)
      throw new DataDirError(
        `Cannot use DATA_DIR ${dir}: ${name} is ${nothing}, but ${other.name} beside it has content; put ${name} back from a backup, or name another DATA_DIR to begin anew`,
      );
  }
}

/**
 * Makes the folder when missing and locks it for the life of this process; the system takes the lock back from a process that was killed.
 * Throws a `DataDirError` when another process has it. The lock file is never opened a second time: closing it would give the lock away.
 */
export function lockDataDir(dir: string): { release(): void } {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DataDirError(`Cannot make DATA_DIR ${dir}: ${reasonOf(error)}`);
  }
  const path = join(dir, lockName);
  let db: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, "a", 0o600));
    db = new DatabaseSync(path);
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    const isHeld = /locked|busy/i.test(error instanceof Error ? error.message : "");
    throw new DataDirError(`Cannot use DATA_DIR ${dir}: ${isHeld ? "another process uses it" : reasonOf(error)}`);
  }
  const lock = db;
  held.add(lock);
  return {
    release: () => {
      held.delete(lock);
      lock.close();
    },
  };
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "it cannot be written to";
  if (code === "ENOTDIR" || code === "EEXIST") return "a part of its path is a file";
  return typeof code === "string" ? code : "the system refuses it";
}
