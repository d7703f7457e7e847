/** The cache in Redis: each method one round trip, or none while Redis is known to be away. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { type Entry, entryText, keys, lifeMs, readEntry, withTaskCache } from "../redis/task-cache.ts";
import type { Cache, Cached } from "./ports.ts";

/** After a fault Redis is left alone for this long, then asked once. */
const restMs = 500;

/** Takes a connection that answers or refuses in time (redis/connect.ts). Every method throws when Redis does not do its part. */
export function redisCache(connection: Redis, now: () => number): Cache {
  const redis = withTaskCache(connection);
  let restUntilMs = 0;

  /** Whoever waits for a server that is away waits in vain, one after the other. */
  async function unlessAway<T>(ask: () => Promise<T>): Promise<T> {
    const nowMs = now();
    if (nowMs < restUntilMs) throw new Error("Cannot ask Redis: it did not answer a moment ago");
    // Of those who come after the rest one asks; if it is answered, so are the next.
    if (restUntilMs > 0) restUntilMs = nowMs + restMs;
    try {
      const answer = await ask();
      restUntilMs = 0;
      return answer;
    } catch (error) {
      restUntilMs = now() + restMs;
      throw error;
    }
  }

  return {
    read: (userId, taskId, partition) =>
      unlessAway(async (): Promise<Cached> => {
        const token = randomUUID();
        const [own, entry, kept, leased] = await redis.ttRead(
          keys.own(userId),
          keys.task(taskId),
          keys.lease(taskId),
          keys.kept,
          partition,
          token,
        );
        return {
          own: positions(own),
          entry: readEntry(entry),
          kept: kept === "" ? -1 : Number(kept),
          lease: leased === 1 ? token : undefined,
        };
      }),

    own: (userId) =>
      unlessAway(async () => new Map(Object.entries(await redis.hgetall(keys.own(userId))).map(numbers))),

    wrote: ({ userId, taskId, operationId, position, entry, pending }) =>
      unlessAway(async () => {
        await redis.ttWrote(
          keys.own(userId),
          keys.task(taskId),
          keys.lease(taskId),
          keys.kept,
          keys.operation(operationId),
          position.partition,
          position.offset,
          entry?.version ?? 0,
          entry?.asOf ?? 0,
          lifeMs(),
          entry === undefined ? "" : entryText(entry),
          pending ? userId : "",
        );
      }),

    fill: (taskId, partition, entry: Entry, lease) =>
      unlessAway(async () => {
        await redis.ttFill(
          keys.task(taskId),
          keys.lease(taskId),
          keys.kept,
          lease,
          partition,
          entry.version,
          entry.asOf,
          lifeMs(),
          entryText(entry),
        );
      }),

    pending: (operationId) => unlessAway(async () => (await redis.get(keys.operation(operationId))) ?? undefined),
  };
}

function positions(pairs: readonly string[]): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < pairs.length; at += 2) found.set(Number(pairs[at]), Number(pairs[at + 1]));
  return found;
}

function numbers([partition, offset]: [string, string]): [number, number] {
  return [Number(partition), Number(offset)];
}
