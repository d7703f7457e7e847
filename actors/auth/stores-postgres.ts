/** Accounts in PostgreSQL. */
import { connectPostgres } from "../postgres/connect.ts";
import type { Server } from "../servers.ts";
import { apiTokensInPostgres } from "./api-tokens-postgres.ts";
import { erasuresInPostgres } from "./erasures-postgres.ts";
import { keysInPostgres } from "./keys-postgres.ts";
import { resetTokensInPostgres } from "./reset-tokens-postgres.ts";
import { applySchema } from "./schema-postgres.ts";
import { sessionsInPostgres } from "./sessions-postgres.ts";
import type { Stores } from "./stores.ts";
import { usersInPostgres } from "./users-postgres.ts";

/** Tables are made at most once in a database's life, and then a slow disk may take its time. */
const schemaMs = 5_000;

export function storesInPostgres(server: Server): Stores {
  const { sql, writable, close } = connectPostgres(server);
  return {
    users: usersInPostgres(sql),
    sessions: sessionsInPostgres(sql),
    apiTokens: apiTokensInPostgres(sql),
    keys: keysInPostgres(sql),
    erasures: erasuresInPostgres(sql),
    resetTokens: resetTokensInPostgres(sql),
    server: {
      async prepare() {
        const patient = connectPostgres(server, { timeoutMs: schemaMs, connections: 1 });
        try {
          await applySchema(patient.sql);
        } finally {
          await patient.close();
        }
      },
      writable: () => writable((write) => write`UPDATE schema_version SET version = version`),
    },
    file: undefined,
    close,
  };
}
