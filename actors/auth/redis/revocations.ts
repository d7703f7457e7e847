/** Quick revocation through Redis: what is published there is heard by every process that follows it, and by nobody who was away. */
import type { Redis } from "ioredis";
import { type Ended, revokedChannel } from "../messages.ts";
import type { Revocations } from "../ports.ts";

/** In one message; a person with more sessions than this is told of in several. */
const messageMax = 1_000;

/** The connection's own deadline ends each try (300 ms). */
export function revocationsInRedis(redis: Redis): Revocations {
  const channel = (redis.options.keyPrefix ?? "") + revokedChannel;
  return {
    async announce(ended) {
      const parts: Ended[][] = [];
      for (let from = 0; from < ended.length; from += messageMax) parts.push(ended.slice(from, from + messageMax));
      await Promise.all(parts.map((part) => redis.publish(channel, JSON.stringify(part)))).catch(() => undefined);
    },
  };
}
