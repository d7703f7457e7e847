/** Hears through Redis what has ended elsewhere, at once. Who was away has missed it: what auth itself answers remains the whole truth. */
import { type Ended, revokedChannel } from "../auth/messages.ts";
import { connectRedis } from "../redis/connect.ts";
import type { Server } from "../servers.ts";
import { endedOf } from "./ended.ts";

/** A silent line is looked at this often; the connection's own deadlines end it when it is dead. */
const lookMs = 1_000;
/** Longer than any message of ours. */
const messageCharsMax = 1_000_000;

/** On a connection of its own, which is made again and subscribes again by itself, for ever. */
export function followRevocations(server: Server, take: (ended: Ended[]) => void): { close(): void } {
  const { redis, ping, close } = connectRedis(server);
  const wanted = (server.namespace ?? "") + revokedChannel;
  redis.on("message", (channel: string, message: string) => {
    if (channel !== wanted || message.length > messageCharsMax) return;
    const ended = endedIn(message);
    if (ended !== undefined) take(ended);
  });
  redis.on("ready", () => {
    redis.subscribe(wanted).catch(() => redis.disconnect(true));
  });
  const looking = setInterval(() => {
    if (redis.status === "ready") ping().catch(() => undefined);
  }, lookMs);
  return {
    close() {
      clearInterval(looking);
      close();
    },
  };
}

function endedIn(message: string): Ended[] | undefined {
  try {
    return endedOf(JSON.parse(message));
  } catch {
    return undefined;
  }
}
