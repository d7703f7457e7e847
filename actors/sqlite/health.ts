/** Whether one of our SQLite files can be written: what a failed write showed is tried again until it works, so that nobody has to ask for it. */
import { accessSync, constants, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Self } from "../../runtime/actor.ts";
import { type Probe, Unhealthy } from "../health/report-health.ts";
import { onceEach } from "../outage.ts";

export type SqliteHealth = {
  /** A write failed. What is no fault of the file is passed over. */
  failed(error: unknown): void;
  /** Throws an `Unhealthy` while the file cannot be written. */
  readonly probe: Probe;
  /** What the latest of both has shown. */
  isWritable(): boolean;
};

const damage = "damaged";

/** Less than a page and what the write-ahead log adds to it. */
const roomBytesMin = 64 * 1_024;

/** `path`: of the database's file. */
export function sqliteHealth(db: DatabaseSync, path: string): SqliteHealth {
  let reason: string | undefined;
  return {
    failed(error) {
      reason = writeFault(error) ?? reason;
    },
    isWritable: () => reason === undefined || reason === damage,
    probe() {
      // What one page of the file has lost concerns those who need it; the others are served, and only a person can mend it.
      if (reason === damage) throw new Unhealthy(damage);
      if (reason === undefined) reason = unwritable(path);
      if (reason === undefined) return;
      reason = tryWrite(db);
      if (reason !== undefined) throw new Unhealthy(reason, { needed: true });
    },
  };
}

/** Tells the log once that the file cannot be written, and once that it can again. `step`: what cannot be done meanwhile. */
export function loggedWrites(log: Self["log"], step: string, probe: Probe): Probe {
  const told = onceEach({
    began: (reason) => log("error", "commit-failed", { step, reason }),
    over: () => log("info", "commits-again", { step }),
  });
  return async () => {
    try {
      await probe();
      told.succeeded();
    } catch (error) {
      told.failed(error);
      throw error;
    }
  };
}

/** Why SQLite could not write, in words for `/readyz`; undefined when the error says nothing of the file. */
function writeFault(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { message } = each;
    if (/disk is full/i.test(message)) return "disk full";
    if (/readonly|read-only/i.test(message)) return "read-only";
    if (/malformed|not a database|corrupt/i.test(message)) return damage;
    if (/disk I\/O error|unable to open/i.test(message)) return "refuses writes";
  }
  return undefined;
}

/** What can be seen without a write. */
function unwritable(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < roomBytesMin ? "disk full" : undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "read-only";
  }
}

/** Writes the file's own version once more, which changes nothing and needs all that a write needs. */
function tryWrite(db: DatabaseSync): string | undefined {
  try {
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    db.exec(`PRAGMA user_version = ${version}`);
    return undefined;
  } catch (error) {
    // Another connection writes just now, so it can be written.
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    return writeFault(error) ?? "refuses writes";
  }
}
