/** Where accounts are kept: a file of our own, or PostgreSQL. */
import { connectPostgres, reasonOf } from "../postgres/connect.ts";
import type { Server } from "../servers.ts";
import { apiTokensInPostgres } from "./api-tokens-postgres.ts";
import { apiTokensInSqlite } from "./api-tokens-sqlite.ts";
import { openDatabase } from "./database.ts";
import { erasuresInPostgres } from "./erasures-postgres.ts";
import { erasuresInSqlite } from "./erasures-sqlite.ts";
import { keysInPostgres } from "./keys-postgres.ts";
import { keysInSqlite } from "./keys-sqlite.ts";
import type { ApiTokens, Erasures, Keys, Sessions, Users } from "./ports.ts";
import { applySchema } from "./schema-postgres.ts";
import { sessionsInPostgres } from "./sessions-postgres.ts";
import { sessionsInSqlite } from "./sessions-sqlite.ts";
import { usersInPostgres } from "./users-postgres.ts";
import { usersInSqlite } from "./users-sqlite.ts";

export type Stores = {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly apiTokens: ApiTokens;
  readonly keys: Keys;
  readonly erasures: Erasures;
  /** A server that may be away, and that others use too; undefined for the file, which is ours alone. */
  readonly server:
    | {
        /** To be done once before the rest. Throws `NewerSchema` where the server is not for this program. */
        prepare(): Promise<void>;
        ping(): Promise<void>;
        /** What went wrong, for the log. */
        reasonOf(error: unknown): string;
      }
    | undefined;
  close(): Promise<void>;
};

/** Throws one clear line when the folder or file cannot be used. */
export function storesInSqlite(dataDir: string): Stores {
  const db = openDatabase(dataDir);
  return {
    users: usersInSqlite(db),
    sessions: sessionsInSqlite(db),
    apiTokens: apiTokensInSqlite(db),
    keys: keysInSqlite(db),
    erasures: erasuresInSqlite(db),
    server: undefined,
    close: async () => db.close(),
  };
}

/** Tables are made at most once in a database's life, and then a slow disk may take its time. */
const schemaMs = 5_000;

export function storesInPostgres(server: Server): Stores {
  const { sql, ping, close } = connectPostgres(server);
  return {
    users: usersInPostgres(sql),
    sessions: sessionsInPostgres(sql),
    apiTokens: apiTokensInPostgres(sql),
    keys: keysInPostgres(sql),
    erasures: erasuresInPostgres(sql),
    server: {
      async prepare() {
        const patient = connectPostgres(server, { withinMs: schemaMs, connections: 1 });
        try {
          await applySchema(patient.sql);
        } finally {
          await patient.close();
        }
      },
      ping,
      reasonOf,
    },
    close,
  };
}
