/** A connection to MongoDB whose operations end (driver 7.9 has no deadline for a whole operation: its parts have), and whose writes are on a majority's disks before they are answered. */
import { rootCertificates } from "node:tls";
import { type Db, MongoClient, type MongoClientOptions } from "mongodb";
import type { Server } from "../servers.ts";
import { withDeadline } from "../waiting.ts";

/** The database when the URL names none. */
const databaseName = "tracker";
const pingMs = 1_000;

export type Mongo = {
  readonly db: Db;
  /** Throws when it does not answer in time. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

/** Nothing is connected until it is used, and what was cut is connected again; a fault of the URL itself is thrown at once. */
export function connectMongo({ url, password, ca }: Server): Mongo {
  const settings: MongoClientOptions = {
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    // A connection that is silent for so long in the middle of an operation is dead.
    socketTimeoutMS: 5_000,
    maxPoolSize: 20,
    waitQueueTimeoutMS: 500,
    retryWrites: true,
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
  return {
    db,
    ping: async () => void (await withDeadline(db.command({ ping: 1 }), pingMs, () => new Error("late"))),
    close: () => client.close(),
  };
}
