/** Erasures that wait, in SQLite. */
import type { DatabaseSync } from "node:sqlite";
import type { Erasures } from "../ports.ts";

export function erasuresInSqlite(db: DatabaseSync): Erasures {
  const waiting = db.prepare("SELECT user_id FROM erasures ORDER BY erased_ms, user_id LIMIT 100");
  const done = db.prepare("DELETE FROM erasures WHERE user_id = ?");
  return {
    waiting: async () => (waiting.all() as { user_id: string }[]).map(({ user_id }) => user_id),
    done: async (userId) => void done.run(userId),
  };
}
