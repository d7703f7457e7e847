/**
 * The embedded read model is as new as what was answered: the writer commits before it answers, and every reader of the file sees each commit at once.
 * Tasks that were read are remembered until the writer counts them on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Position } from "../model/command.ts";
import type { Generations } from "../model/generations.ts";
import { Problem } from "../model/problem.ts";
import { cacheCounts } from "./cache-counts.ts";
import type { Latest, StoredTask } from "./ports.ts";
import type { SqliteReads } from "./reads-sqlite.ts";

const waitMs = 1_000;
const pollMs = 5;
/** Characters of tasks remembered at most; the oldest go first. */
const rememberedMax = 16_000_000;

type Found = { readonly task: StoredTask | undefined; readonly stale: false };

export type LatestInSqliteParts = {
  readonly reads: Pick<SqliteReads, "task" | "position">;
  readonly generations: Generations;
  readonly now: () => number;
};

export function latestInSqlite({ reads, generations, now }: LatestInSqliteParts): Latest {
  const counts = cacheCounts("memory");
  const remembered = new Map<string, { readonly generation: number; readonly found: Found; readonly chars: number }>();
  let charsRemembered = 0;

  function read(id: string): Found {
    // Before it is read: what changes meanwhile is then counted on after this.
    const generation = generations.of(id);
    const known = remembered.get(id);
    if (known?.generation === generation) {
      counts.hit.add();
      return known.found;
    }
    if (known === undefined) counts.miss.add();
    else {
      counts.stale.add();
      forget(id, known.chars);
    }
    const task = reads.task(id);
    const found: Found = { task, stale: false };
    if (task === undefined) return found;
    const chars = task.json.length;
    remembered.set(id, { generation, found, chars });
    charsRemembered += chars;
    for (const [oldest, each] of remembered) {
      if (charsRemembered <= rememberedMax) break;
      forget(oldest, each.chars);
    }
    return found;
  }

  function forget(id: string, chars: number): void {
    remembered.delete(id);
    charsRemembered -= chars;
  }

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
  const after = <T>(token: Position | undefined, next: () => T): T | Promise<T> =>
    token === undefined || has(token) ? next() : reached(token).then(next);

  return {
    task: ({ token }, id) => (token === undefined ? read(id) : after(token, () => read(id))),
    isStale: ({ token }) => after(token, () => false),
    wrote: () => undefined,
    pending: () => undefined,
  };
}
