/**
 * Erases what erased users have left in the SQLite file, a part at a time, so that other commands do not wait for it: first their tasks with history and
 * words, then their commands in the log, whose bodies are what they wrote. The marks stay, and so do the numbers of owners, which must not be given anew.
 */
import type { DatabaseSync } from "node:sqlite";
import { uuidText } from "../model/uuid-bytes.ts";
import { transaction } from "../sqlite-file.ts";

const tasksAtOnce = 200;
const logRowsAtOnce = 5_000;

type Marked = { id: Uint8Array; position: number; scrubbed: number };

/** Each call is one short step; false when there is nothing more to do. */
export function cleaner(db: DatabaseSync): () => boolean {
  const next = db.prepare("SELECT id, position, scrubbed FROM erased WHERE done = 0 LIMIT 1");
  const tasksOf = db.prepare("SELECT t.task FROM tasks t JOIN owners o ON o.owner = t.owner WHERE o.id = ? LIMIT ?");
  const removeTerms = db.prepare("DELETE FROM terms WHERE rowid = ?");
  const removeHistory = db.prepare("DELETE FROM history WHERE task = ?");
  const removeTask = db.prepare("DELETE FROM tasks WHERE task = ?");
  const scrub = db.prepare(
    "DELETE FROM log WHERE position > ? AND position <= ? AND position < ? AND instr(command, ?) > 0",
  );
  const scrubbed = db.prepare("UPDATE erased SET scrubbed = ?, done = ? WHERE id = ?");

  function step({ id, position, scrubbed: from }: Marked): void {
    const tasks = tasksOf.all(id, tasksAtOnce) as { task: number }[];
    for (const { task } of tasks) {
      removeTerms.run(task);
      removeHistory.run(task);
      removeTask.run(task);
    }
    if (tasks.length > 0) return;
    const to = Math.min(from + logRowsAtOnce, position);
    // Quotes within what a user wrote are escaped in JSON: this is found nowhere but where it is meant.
    scrub.run(from, to, position, `"userId":"${uuidText(id)}"`);
    scrubbed.run(to, Number(to === position), id);
  }

  return () => {
    const marked = next.get() as Marked | undefined;
    if (marked === undefined) return false;
    // What is deleted is overwritten too, which all else can do without.
    db.exec("PRAGMA secure_delete = ON");
    try {
      transaction(db, () => step(marked));
    } finally {
      db.exec("PRAGMA secure_delete = OFF");
    }
    return true;
  };
}
