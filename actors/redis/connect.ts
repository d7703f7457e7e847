/** A connection to Redis on which a command is answered or refused in time (300 ms unless told), and which connects again by itself for ever. */
import { rootCertificates } from "node:tls";
import { Redis, type RedisOptions } from "ioredis";
import type { WriteRefusal } from "../health/health.ts";
import { Unhealthy } from "../health/report-health.ts";
import type { Server } from "../servers.ts";
import { NoAnswerError, settles } from "../waiting.ts";

const commandTimeoutMs = 300;
const probeKey = "tt:probe";
const probeKeyMs = 5_000;

type Place = Pick<RedisOptions, "host" | "port" | "db" | "username" | "password" | "tls">;

export type RedisConnection = {
  readonly redis: Redis;
  /** Throws when it does not answer in time. The only look that a subscribed connection can take. */
  ping(): Promise<void>;
  /** The same, and an `Unhealthy` when it is reached and takes no writes. */
  writable(): Promise<void>;
  /** The same failure, or where there is no connection, why there is none. */
  why(failure: unknown): unknown;
  close(): void;
};

/**
 * Nothing is waited for: a command that finds no connection is refused at once, and none is sent twice (a refused one may have been carried out).
 * Blocking commands and subscriptions need a connection of their own.
 */
export function connectRedis(server: Server, { commandMs = commandTimeoutMs } = {}): RedisConnection {
  const redis = new Redis({
    ...placeOf(server),
    ...(server.namespace === undefined ? {} : { keyPrefix: server.namespace }),
    connectTimeout: 2_000,
    commandTimeout: commandMs,
    // Without an answer for so long the connection is dead, whatever the system says.
    socketTimeout: Math.max(1_000, 2 * commandMs),
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
    why: (failure) => (redis.status === "ready" ? late(failure) : notConnected(latest)),
    async ping() {
      await settles(tried(redis), commandMs);
      await redis.ping();
    },
    async writable() {
      await settles(tried(redis), commandMs);
      try {
        // One key, over and over, that goes by itself.
        await redis.set(probeKey, "", "PX", probeKeyMs);
      } catch (error) {
        const refusal = refusalOf(error);
        throw refusal === undefined ? error : new Unhealthy(refusal);
      }
    },
    close: () => redis.disconnect(),
  };
}

const refusals: readonly (readonly [RegExp, WriteRefusal])[] = [
  [/^READONLY /, "read-only"],
  [/^OOM /, "out of memory"],
  [/^NOREPLICAS /, "too few replicas"],
  // MISCONF (its disk), MASTERDOWN, NOPERM, and what is yet to come.
  [/^[A-Z]+ /, "refuses writes"],
];

/** By the code that an error reply begins with; undefined where it was no reply. */
function refusalOf(error: unknown): WriteRefusal | undefined {
  const { name, message } = error as Error;
  return name === "ReplyError" ? refusals.find(([code]) => code.test(message))?.[1] : undefined;
}

function notConnected(cause: Error | undefined): Error {
  return cause === undefined || late(cause) instanceof NoAnswerError
    ? new NoAnswerError("not connected", { cause })
    : new Error("not connected", { cause });
}

/** The failure, told apart where it is the driver's word for an answer that did not come. */
function late(failure: unknown): unknown {
  return /^(Command timed out|connect ETIMEDOUT)$/.test((failure as Error).message)
    ? new NoAnswerError("no answer in time", { cause: failure })
    : failure;
}

/** Resolves when the connection under way, if one is, is there, or is not to be. */
async function tried(redis: Redis): Promise<void> {
  if (redis.status !== "connecting" && redis.status !== "connect") return;
  await new Promise((resolve) => {
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
