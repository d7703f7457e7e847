/** Accounts in PostgreSQL. */
import { connectPostgres } from "../../postgres/connect.ts";
import type { Server } from "../../servers.ts";
import type { Stores } from "../stores.ts";
import { apiTokensInPostgres } from "./api-tokens.ts";
import { erasuresInPostgres } from "./erasures.ts";
import { keysInPostgres } from "./keys.ts";
import { resetTokensInPostgres } from "./reset-tokens.ts";
import { applySchema } from "./schema.ts";
import { sessionsInPostgres } from "./sessions.ts";
import { usersInPostgres } from "./users.ts";

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
