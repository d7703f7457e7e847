/** Where accounts are kept: a file of our own, or PostgreSQL. */
import type { Server } from "../servers.ts";
import type { SqliteHealth } from "../sqlite/health.ts";
import type { ApiTokens, Erasures, Keys, ResetTokens, Sessions, Users } from "./ports.ts";

export type Stores = {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly apiTokens: ApiTokens;
  readonly keys: Keys;
  readonly erasures: Erasures;
  readonly resetTokens: ResetTokens;
  /** A server that may be away, and that others use too; undefined for the file, which is ours alone. */
  readonly server:
    | {
        /** To be done once before the rest. Throws `UnusableSchema` where the database is not for this program or is incomplete. */
        prepare(): Promise<void>;
        /** Throws when it does not answer in time, and an `Unhealthy` when it takes no writes. */
        writable(): Promise<void>;
      }
    | undefined;
  /** Whether the file can be written; undefined for a server. */
  readonly file: SqliteHealth | undefined;
  close(): Promise<void>;
};

/** Only what is used is loaded: a driver costs time at the start and memory. Throws as `storesInSqlite` does. */
export async function openStores(dataDir: string, database: Server | undefined): Promise<Stores> {
  if (database === undefined) return (await import("./sqlite/stores.ts")).storesInSqlite(dataDir);
  return (await import("./postgres/stores.ts")).storesInPostgres(database);
}
