/** The keeper's side of the cache in Redis: entries of announcements, and its mark of how far it has come in each partition. */
import type { Redis } from "ioredis";
import type { Outcome } from "../model/command.ts";
import { type Entry, entryText, keys, lifeMs, unmarkedMs, withTaskCache } from "../redis/task-cache.ts";

export type KeptCache = {
  /** Writes what is newer than what is there. Repeating it is harmless. Throws when Redis does not do its part: then some of it may be written. */
  put(outcomes: readonly Outcome[]): Promise<void>;
  /**
   * Moves the mark of a partition on. `false`: it is not as this keeper left it (`before`; undefined: never made), so the cache has forgotten
   * something and must be emptied.
   */
  mark(partition: number, offset: number, before: number | undefined): Promise<boolean>;
  /** Forgets all tasks and all marks. */
  empty(): Promise<void>;
  /** How long nothing may be marked after that: what was under way then has ended by itself. */
  readonly restMs: number;
};

/** Sets the mark unless it is missing or behind where it should be; never moves it back. */
const markScript = `
local mark = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[3] ~= '' and (not mark or tonumber(mark) < tonumber(ARGV[3])) then return 0 end
if not mark or tonumber(mark) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
`;

const scanned = 500;

export function keptCacheInRedis(connection: Redis): KeptCache {
  const redis = withTaskCache(connection);

  return {
    restMs: 2 * unmarkedMs,

    async put(outcomes) {
      const pipeline = redis.pipeline();
      let puts = 0;
      for (const outcome of outcomes) {
        const entry = entryOf(outcome);
        if (entry === undefined) continue;
        const { taskId, position } = outcome;
        puts += 1;
        pipeline.ttKeep(
          keys.task(taskId),
          keys.lease(taskId),
          keys.kept,
          position.partition,
          entry.version,
          entry.asOf,
          lifeMs(),
          entryText(entry),
        );
      }
      if (puts === 0) return;
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    },

    async mark(partition, offset, before) {
      return (await redis.eval(markScript, 1, keys.kept, partition, offset, before ?? "")) === 1;
    },

    async empty() {
      await redis.del(keys.kept);
      // Patterns and what is found by them are whole names, which ioredis leaves as they are.
      const namespace = redis.options.keyPrefix ?? "";
      let cursor = "0";
      do {
        const [next, found] = await redis.scan(cursor, "MATCH", namespace + keys.task("*"), "COUNT", scanned);
        if (found.length > 0) await redis.unlink(...found.map((key) => key.slice(namespace.length)));
        cursor = next;
      } while (cursor !== "0");
    },
  };
}

/** What an announcement tells of a task: a refusal, a repeat and what was parked tell nothing new. */
function entryOf({ verdict, version, deleted, userId, task, position }: Outcome): Entry | undefined {
  if (verdict !== "applied" || version === undefined) return undefined;
  const isDeleted = deleted === true;
  return { version, asOf: position.offset, deleted: isDeleted, ownerId: userId, json: isDeleted ? "" : (task ?? "") };
}
