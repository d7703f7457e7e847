/** The stores of facts, all by the same cases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteFactStore } from "../../actors/consumer/fact-store-sqlite.ts";
import { emptyWorld, storeOver } from "../../actors/consumer/spaces-for-tests.ts";
import { registry } from "../../actors/resources/registry.ts";
import { spaceTables } from "../../actors/sqlite/space-tables.ts";
import { factStoreCases } from "./fact-store-cases.ts";

const now = () => Promise.resolve();

factStoreCases("Memory", async () => {
  const world = emptyWorld();
  return { store: storeOver(world, now), another: () => storeOver(world, now), close: async () => {} };
});

factStoreCases("SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fact-store-"));
  const db = new DatabaseSync(join(folder, "spaces.db"));
  db.exec(`PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; ${spaceTables(registry)}`);
  return {
    store: sqliteFactStore(db, registry),
    another: () => sqliteFactStore(db, registry),
    async close() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
