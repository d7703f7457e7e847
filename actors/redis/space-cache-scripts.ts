/**
 * Scripts for resources of spaces in Redis, as the `task` workers and the keeper both write them: an entry is replaced by a newer one only.
 *
 * Three dangers and what is against them. A fill from the read model that comes too late: it needs a lease, which every write removes. A write that
 * comes too late: it is left out when the keeper has passed its position. A Redis that has forgotten (flushed, or gone back to an old snapshot):
 * the keeper finds its own mark missing or wrong, empties the cache, and waits before it makes the mark again; without the mark nothing lives longer
 * than `unmarkedMs`.
 */
import type { Redis, Result } from "ioredis";

/** The life of an entry while the keeper's mark is not there: longer than any command is under way. */
export const unmarkedMs = 2_000;
const entryMs = 3_600_000;
const ownMs = 900_000;
const operationMs = 86_400_000;

export const leaseMs = 2_000;

/** Lives differ by a tenth, so that what was written together does not end together. */
export function lifeMs(): number {
  return Math.round(entryMs * (0.9 + Math.random() / 5));
}

/**
 * Writes an entry if it is newer than the one that is there, and ends the lease. Where none is there, one that the keeper has passed is left out: what
 * came after it may have been there and gone. Without the keeper's mark it lives shortly.
 */
const putNewer = `
local function mark(kept, partition)
  local found = redis.call('HGET', kept, partition)
  return found and tonumber(found)
end
local function put(task, lease, version, asOf, marked, life, value)
  local old = redis.call('GET', task)
  local oldVersion, oldAsOf = string.match(old or '', '^(%d+) (%d+) ')
  if oldVersion then
    oldVersion = tonumber(oldVersion)
    if oldVersion > version or (oldVersion == version and tonumber(oldAsOf) >= asOf) then return 0 end
  elseif marked and marked >= asOf then return 0 end
  redis.call('SET', task, value, 'PX', marked and life or ${unmarkedMs})
  redis.call('DEL', lease)
  return 1
end
`;

/**
 * One round trip for a read: the user's own positions, the entry, the keeper's mark, and on a miss a lease for one of those who ask. The mark is no
 * word on an entry that was written without one: that may be anybody's late write, and the mark was made behind it.
 */
const readScript = `
local entry = redis.call('GET', KEYS[2])
local lease = 0
if not entry and redis.call('SET', KEYS[3], ARGV[2], 'NX', 'PX', ${leaseMs}) then lease = 1 end
local kept = redis.call('HGET', KEYS[4], ARGV[1])
if entry and redis.call('PTTL', KEYS[2]) <= ${unmarkedMs} then kept = nil end
return { redis.call('HGETALL', KEYS[1]), entry or '', kept or '', lease }
`;

/** Fills a miss, as the holder of the lease only, which is proof enough that nothing newer has been there. */
const fillScript = `${putNewer}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local asOf = tonumber(ARGV[4])
local marked = mark(KEYS[3], ARGV[2])
if marked and marked >= asOf then marked = asOf - 1 end
return put(KEYS[1], KEYS[2], tonumber(ARGV[3]), asOf, marked, ARGV[5], ARGV[6])
`;

/** Notes a user's write at its position, and the task after it. */
const wroteScript = `${putNewer}
if (mark(KEYS[1], ARGV[1]) or -1) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ${ownMs})
if ARGV[7] ~= '' then redis.call('SET', KEYS[5], ARGV[7], 'PX', ${operationMs}) end
if ARGV[6] == '' then return 0 end
return put(KEYS[2], KEYS[3], tonumber(ARGV[3]), tonumber(ARGV[4]), mark(KEYS[4], ARGV[1]), ARGV[5], ARGV[6])
`;

/**
 * The keeper's write of what was told, and its mark behind them, as one act: KEYS are the marks, then a resource and its lease for each; ARGV the
 * partition, the new mark ('': none) and the one that it left ('': none, and there must be none), then version, asOf, life and value for each.
 */
const keepScript = `${putNewer}
local marked = mark(KEYS[1], ARGV[1])
if ARGV[2] ~= '' then
  if ARGV[3] == '' and marked then return 0 end
  if ARGV[3] ~= '' and (not marked or marked < tonumber(ARGV[3])) then return 0 end
end
for n = 1, (#KEYS - 1) / 2 do
  put(KEYS[2 * n], KEYS[2 * n + 1], tonumber(ARGV[4 * n]), tonumber(ARGV[4 * n + 1]), marked, ARGV[4 * n + 2], ARGV[4 * n + 3])
end
if ARGV[2] ~= '' and (not marked or marked < tonumber(ARGV[2])) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    ttRead(
      own: string,
      task: string,
      lease: string,
      kept: string,
      partition: number,
      token: string,
    ): Result<[string[], string, string, number], Context>;
    ttFill(
      task: string,
      lease: string,
      kept: string,
      token: string,
      partition: number,
      version: number,
      asOf: number,
      lifeMs: number,
      entry: string,
    ): Result<number, Context>;
    ttWrote(
      own: string,
      task: string,
      lease: string,
      kept: string,
      operation: string,
      partition: number,
      position: number,
      version: number,
      asOf: number,
      lifeMs: number,
      entry: string,
      pendingOf: string,
    ): Result<number, Context>;
    ttKeep(keyCount: number, ...keysAndArguments: readonly (string | number)[]): Result<number, Context>;
  }
}

/** Gives a connection the scripts as commands. */
export function withSpaceCache(redis: Redis): Redis {
  redis.defineCommand("ttRead", { numberOfKeys: 4, lua: readScript });
  redis.defineCommand("ttFill", { numberOfKeys: 3, lua: fillScript });
  redis.defineCommand("ttWrote", { numberOfKeys: 5, lua: wroteScript });
  redis.defineCommand("ttKeep", { lua: keepScript });
  return redis;
}
