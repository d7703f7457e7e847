/** Accounts in a file of our own. */
import { join } from "node:path";
import { sqliteHealth } from "../../sqlite/health.ts";
import type { Stores } from "../stores.ts";
import { apiTokensInSqlite } from "./api-tokens.ts";
import { openDatabase, usersFile } from "./database.ts";
import { erasuresInSqlite } from "./erasures.ts";
import { keysInSqlite } from "./keys.ts";
import { resetTokensInSqlite } from "./reset-tokens.ts";
import { sessionsInSqlite } from "./sessions.ts";
import { usersInSqlite } from "./users.ts";

/** Throws one clear line when the folder or file cannot be used. */
export function storesInSqlite(dataDir: string): Stores {
  const db = openDatabase(dataDir);
  return {
    users: usersInSqlite(db),
    sessions: sessionsInSqlite(db),
    apiTokens: apiTokensInSqlite(db),
    keys: keysInSqlite(db),
    erasures: erasuresInSqlite(db),
    resetTokens: resetTokensInSqlite(db),
    server: undefined,
    file: sqliteHealth(db, join(dataDir, usersFile.name)),
    close: async () => db.close(),
  };
}
