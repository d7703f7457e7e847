/** Locks between processes that the system takes back when their holder is killed: SQLite's lock on an empty file. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { cacheDir } from "./settings.ts";

/** A lock that nothing refers to would be collected, and with it given away. */
const held = new Set<DatabaseSync>();

/** Does the work while no other process (and no other call in this one) works under the same name. `onWait` is called once when it has to wait. */
export async function underLock<T>(
  name: string,
  deadlineMs: number,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const folder = join(cacheDir, "locks");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(folder, `${name}.lock`));
  held.add(lock);
  try {
    const deadline = performance.now() + deadlineMs;
    for (let tries = 0; !taken(lock); tries++) {
      if (performance.now() > deadline)
        throw new Error(`Cannot lock ${name}: another process has had it for ${deadlineMs} ms`);
      if (tries === 1) onWait();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return await work();
  } finally {
    held.delete(lock);
    lock.close();
  }
}

function taken(lock: DatabaseSync): boolean {
  try {
    lock.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && /locked|busy/i.test(error.message)) return false;
    throw error;
  }
}
