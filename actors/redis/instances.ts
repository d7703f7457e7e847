/**
 * Whether another process of the same role may be at work, by a list in Redis. Who is alone need not ask what others have answered.
 *
 * One that comes enters itself in the list and waits before it serves anybody, for longer than another's knowledge of being alone counts. One whose entry is
 * gone, or who could not ask for a while, is not taken for alone until it has been seen to be for some time: the list may have been lost.
 */
import type { Redis, Result } from "ioredis";
import { settles } from "../waiting.ts";

export type Instances = {
  isAlone(): boolean;
  /** Resolves when nobody else can take itself for alone any more. */
  entered(): Promise<void>;
  close(): Promise<void>;
};

const everyMs = 400;
/** How long an answer counts. */
const countsMs = 1_000;
const enteringMs = 1_200;
const settledMs = 2_000;
const closeMs = 300;
/** An entry that is not renewed for so long is of a process that has gone. */
const entryMs = 5_000;
const key = "tt:instances";

/** Enters an instance; answers whether it was there before, and how many others are. By Redis' own clock. */
const enterScript = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs - ${entryMs})
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], nowMs, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${2 * entryMs})
return { known and 1 or 0, redis.call('ZCARD', KEYS[1]) - 1 }
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    ttEnter(key: string, id: string): Result<[number, number], Context>;
  }
}

export function instances(redis: Redis, { id, now }: { readonly id: string; readonly now: () => number }): Instances {
  redis.defineCommand("ttEnter", { numberOfKeys: 1, lua: enterScript });
  let isClosed = false;
  /** When the last answer was asked for, and since when all of them say that there is nobody else. */
  let askedMs = Number.NEGATIVE_INFINITY;
  let aloneSinceMs: number | undefined;
  let enteredMs: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    const startMs = now();
    try {
      const [wasThere, others] = await redis.ttEnter(key, id);
      const isFirst = enteredMs === undefined;
      enteredMs ??= startMs;
      const hasGap = startMs - askedMs > countsMs;
      if (others > 0) aloneSinceMs = undefined;
      else if (aloneSinceMs === undefined || hasGap || (wasThere === 0 && !isFirst)) aloneSinceMs = startMs;
      askedMs = startMs;
    } catch {
      // What is wrong with Redis is told by its probe.
    }
    if (!isClosed) timer = setTimeout(() => void ask(), everyMs);
  }
  const first = ask();

  return {
    isAlone() {
      const nowMs = now();
      return nowMs - askedMs <= countsMs && aloneSinceMs !== undefined && nowMs - aloneSinceMs >= settledMs;
    },
    async entered() {
      await first;
      await new Promise((resolve) => setTimeout(resolve, enteringMs));
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await settles(redis.zrem(key, id), closeMs);
    },
  };
}
