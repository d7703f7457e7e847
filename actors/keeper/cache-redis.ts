/** The keeper's side of the cache in Redis: entries of announcements, and its mark of how far it has come in each partition. */
import type { Redis } from "ioredis";
import type { Outcome } from "../model/command.ts";
import { type Entry, entryText, keys, lifeMs, unmarkedMs, withTaskCache } from "../redis/task-cache.ts";
import { emptyOf } from "./empty-cache.ts";

export type KeptCache<Kept = Outcome> = {
  /**
   * Writes what is newer than what is there, and then moves the mark of the partition on (where there is one to move), as one act. Repeating it is
   * harmless. `false`, with nothing done: the mark is behind where this keeper left it (`before`), so the cache has forgotten something; or there
   * is one though this keeper has made none since it emptied the cache (undefined). Either way the cache must be emptied.
   */
  keep(partition: number, kept: readonly Kept[], mark: Mark | undefined): Promise<boolean>;
  /** Forgets the marks of these partitions and all tasks: those of other partitions may go at any time, their marks are for their own keepers to judge. */
  empty(partitions: readonly number[]): Promise<void>;
  /** How long nothing may be marked after that: what was under way then has ended by itself. */
  readonly restMs: number;
};
export type Mark = { readonly offset: number; readonly before: number | undefined };

export function keptCacheInRedis(connection: Redis): KeptCache {
  const redis = withTaskCache(connection);

  return {
    restMs: 2 * unmarkedMs,

    async keep(partition, outcomes, mark) {
      const names = [keys.kept];
      const values: (string | number)[] = [partition, mark?.offset ?? "", mark?.before ?? ""];
      for (const outcome of outcomes) {
        const entry = entryOf(outcome);
        if (entry === undefined) continue;
        names.push(keys.task(outcome.taskId), keys.lease(outcome.taskId));
        values.push(entry.version, entry.asOf, lifeMs(), entryText(entry));
      }
      return (await redis.ttKeep(names.length, ...names, ...values)) === 1;
    },

    empty: (partitions) => emptyOf(redis, { kept: keys.kept, pattern: keys.task("*") }, partitions),
  };
}

/** What an announcement tells of a task: a refusal, a repeat and what was parked tell nothing new. */
export function entryOf({ verdict, version, deleted, userId, task, position }: Outcome): Entry | undefined {
  if (verdict !== "applied" || version === undefined) return undefined;
  const isDeleted = deleted === true;
  return { version, asOf: position.offset, deleted: isDeleted, ownerId: userId, json: isDeleted ? "" : (task ?? "") };
}
