/** A connection to MongoDB whose operations end (driver 7.9 has no deadline for a whole operation: its parts have), and whose writes are on a majority's disks before they are answered. */
import { rootCertificates } from "node:tls";
import { type Db, MongoClient, type MongoClientOptions, MongoServerError, MongoTopologyClosedError } from "mongodb";
import type { WriteRefusal } from "../health/health.ts";
import { Unhealthy } from "../health/report-health.ts";
import type { Server } from "../servers.ts";
import { keepTrying, settles, withDeadline } from "../waiting.ts";

/** The database when the URL names none. */
const databaseName = "tracker";
const pingMs = 1_000;
const closeMs = 2_000;
const pauses = { fromMs: 50, toMs: 1_000 };

type Bounds = Required<
  Pick<
    MongoClientOptions,
    "serverSelectionTimeoutMS" | "connectTimeoutMS" | "socketTimeoutMS" | "waitQueueTimeoutMS" | "heartbeatFrequencyMS"
  >
>;

/** Of a process that serves: an operation that takes longer is one that failed, and somebody is told so. */
export const servingBounds: Bounds = {
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  // A connection that is silent for so long in the middle of an operation is dead.
  socketTimeoutMS: 5_000,
  waitQueueTimeoutMS: 2_000,
  heartbeatFrequencyMS: 10_000,
};

/**
 * Of a tool: building an index or waiting for a majority's disks takes as long as it takes, so an operation has no time of its own (0). It ends when the
 * server no longer answers the driver's heartbeats, which go on beside it: a heartbeat that runs out of time (connecting and waiting, 40 s) breaks off
 * what is under way.
 */
export const toolBounds: Bounds = {
  serverSelectionTimeoutMS: 30_000,
  connectTimeoutMS: 30_000,
  socketTimeoutMS: 0,
  waitQueueTimeoutMS: 60_000,
  heartbeatFrequencyMS: 10_000,
};

export type Mongo = {
  readonly db: Db;
  /** Throws when it does not answer in time. */
  ping(): Promise<void>;
  /** The same, and an `Unhealthy` when it is reached and takes no writes. */
  writable(): Promise<void>;
  /** The same failure, or where all it says is that there is no connection, why there is none. */
  why(failure: unknown): unknown;
  close(): Promise<void>;
};

/**
 * Connects by itself, for ever until it can, and again when it was cut; a fault of the URL itself is thrown at once. `retryWrites`: for one who does
 * not repeat a write that was cut off; the server keeps a record of each write for that.
 */
export function connectMongo(
  { url, password, ca }: Server,
  { retryWrites = false, bounds = servingBounds }: { readonly retryWrites?: boolean; readonly bounds?: Bounds } = {},
): Mongo {
  const settings: MongoClientOptions = {
    ...bounds,
    maxPoolSize: 20,
    retryWrites,
    writeConcern: { w: "majority", journal: true },
    ignoreUndefined: true,
  };
  if (ca !== undefined) settings.ca = [...rootCertificates, ca];
  if (password !== undefined) {
    // A seed list is no URL that the platform could take apart.
    const [, username = ""] = /^mongodb(?:\+srv)?:\/\/([^:@/]+)(?::[^@/]*)?@/.exec(url) ?? [];
    settings.auth = { username: decodeURIComponent(username), password };
  }
  const client = new MongoClient(url, settings);
  const [, path = ""] = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]*)/.exec(url) ?? [];
  const db = client.db(path === "" ? databaseName : decodeURIComponent(path));
  const closing = new AbortController();
  // The driver gives up for good when its first try fails (every operation is then told that the topology is closed), unless it is told to connect.
  let refused: Error | undefined;
  const failed = (error: Error) => {
    refused = error;
  };
  const connecting = keepTrying(() => client.connect(), { ...pauses, until: closing.signal, failed }).then(
    () => {
      refused = undefined;
    },
    () => undefined,
  );
  const why = (failure: unknown) => (failure instanceof MongoTopologyClosedError ? (refused ?? failure) : failure);
  return {
    db,
    why,
    ping: async () => void (await withDeadline(db.command({ ping: 1 }), pingMs)),
    async writable() {
      // One document, over and over. It need not reach the disk: what cannot be written is refused before.
      const update = db
        .collection<{ _id: string }>("probe", { writeConcern: { w: 1, journal: false } })
        .updateOne({ _id: "writable" }, { $set: { at: new Date() } }, { upsert: true });
      try {
        await withDeadline(update, pingMs);
      } catch (error) {
        const refusal = refusalOf(error);
        throw refusal === undefined ? error : new Unhealthy(refusal);
      }
    },
    async close() {
      closing.abort();
      await client.close();
      await settles(connecting, closeMs);
      await client.close();
    },
  };
}

/** Codes of a server that goes, comes or is about to be another: it is away, and what is refused is not its writes. */
const passing = new Set([91, 189, 11_600, 11_602]);
const refusals: ReadonlyMap<unknown, WriteRefusal> = new Map([
  [10_058, "not primary"],
  [10_107, "not primary"],
  [13_435, "not primary"],
  [13_436, "not primary"],
  [14_031, "disk full"],
]);

/** By its code; undefined where the server has not refused. */
function refusalOf(error: unknown): WriteRefusal | undefined {
  if (!(error instanceof MongoServerError) || passing.has(Number(error.code))) return undefined;
  return refusals.get(error.code) ?? "refuses writes";
}
