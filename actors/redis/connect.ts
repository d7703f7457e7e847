/** A connection to Redis on which a command is answered or refused within 300 ms, and which connects again by itself for ever. */
import { rootCertificates } from "node:tls";
import { Redis, type RedisOptions } from "ioredis";
import type { Server } from "../servers.ts";
import { settles } from "../waiting.ts";

const commandMs = 300;

type Place = Pick<RedisOptions, "host" | "port" | "db" | "username" | "password" | "tls">;

export type RedisConnection = {
  readonly redis: Redis;
  /** Throws when it does not answer in time. */
  ping(): Promise<void>;
  /** The same failure, or where there is no connection, why there is none. */
  why(failure: unknown): unknown;
  close(): void;
};

/**
 * Nothing is waited for: a command that finds no connection is refused at once, and none is sent twice (a refused one may have been carried out).
 * Blocking commands and subscriptions need a connection of their own.
 */
export function connectRedis(server: Server): RedisConnection {
  const redis = new Redis({
    ...placeOf(server),
    ...(server.namespace === undefined ? {} : { keyPrefix: server.namespace }),
    connectTimeout: 2_000,
    commandTimeout: commandMs,
    // Without an answer for so long the connection is dead, whatever the system says.
    socketTimeout: 1_000,
    disconnectTimeout: 500,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableReadyCheck: true,
    disableClientInfo: true,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 2_000) * (0.75 + Math.random() / 2),
  });
  // Each command tells its own failure; without a listener ioredis prints the error with the host in it.
  let latest: Error | undefined;
  redis.on("error", (error: Error) => {
    latest = error;
  });
  gather(redis);
  return {
    redis,
    why: (failure) => (redis.status === "ready" ? failure : new Error("not connected", { cause: latest })),
    async ping() {
      // At a start the first connection is on its way: that is no outage.
      if (redis.status === "connecting" || redis.status === "connect") await settles(tried(redis), commandMs);
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
}

/** Resolves when the connection under way is there, or is not to be. */
function tried(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    redis.once("ready", resolve);
    redis.once("close", resolve);
  });
}

/**
 * Commands of one turn of the event loop leave together: a write to the socket of its own for each is a quarter of what a cached read costs,
 * and Redis answers them together too.
 */
function gather(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let held: Redis["stream"] | undefined;
  redis.sendCommand = (command, stream) => {
    if (held === undefined && redis.status === "ready") {
      held = redis.stream;
      held.cork();
      setImmediate(() => {
        held?.uncork();
        held = undefined;
      });
    }
    return send(command, stream);
  };
}

/** The URL's parts by hand: a query in it could set any option of ioredis. */
function placeOf({ url, password, ca }: Server): Place {
  const { protocol, hostname, port, username, password: inUrl, pathname } = new URL(url);
  const secret = password ?? decodeURIComponent(inUrl);
  const db = Number(pathname.slice(1) || 0);
  if (!Number.isInteger(db)) throw new Error("Cannot use REDIS_URL: its path must be the number of a database");
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 6_379),
    db,
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(secret === "" ? {} : { password: secret }),
    ...(protocol === "rediss:" ? { tls: ca === undefined ? {} : { ca: [...rootCertificates, ca] } } : {}),
  };
}
