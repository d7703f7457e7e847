/** The embedded read model is as new as what was answered: the writer commits before it answers, and every reader of the file sees each commit at once. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Position } from "../model/command.ts";
import { Problem } from "../model/problem.ts";
import type { Latest } from "./ports.ts";
import type { SqliteReads } from "./reads-sqlite.ts";

const waitMs = 1_000;
const pollMs = 5;

export function latestInSqlite(reads: Pick<SqliteReads, "task" | "position">, now: () => number): Latest {
  const has = (position: Position): boolean => {
    const seen = reads.position();
    return seen.partition === position.partition && seen.offset >= position.offset;
  };
  async function reached(position: Position): Promise<void> {
    for (const endMs = now() + waitMs; !has(position); ) {
      if (now() >= endMs) throw new Problem("not-yet-visible");
      await sleep(pollMs);
    }
  }
  const after = <T>(token: Position | undefined, read: () => T): T | Promise<T> =>
    token === undefined || has(token) ? read() : reached(token).then(read);

  return {
    task: ({ token }, id) => after(token, () => ({ task: reads.task(id), stale: false })),
    isStale: ({ token }) => after(token, () => false),
    wrote: () => undefined,
    pending: () => undefined,
  };
}
