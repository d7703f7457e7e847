/** The stores of facts, all by the same cases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteFactStore } from "../../actors/consumer/embedded/fact-store.ts";
import { mongoFactStore } from "../../actors/consumer/servers/fact-store.ts";
import { emptyWorld, storeOver } from "../../actors/consumer/spaces-for-tests.ts";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { spaceCollections } from "../../actors/mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import { registry } from "../../actors/resources/registry.ts";
import { spaceTables } from "../../actors/sqlite/space-tables.ts";
import { describeWith, service } from "../system/services.ts";
import { factStoreCases } from "./fact-store-cases.ts";
import { lookUpCases } from "./look-up-cases.ts";

const server = await service("MONGO_URL");

const now = () => Promise.resolve();

const inMemory = async () => {
  const world = emptyWorld();
  return { store: storeOver(world, now), another: () => storeOver(world, now), close: async () => {} };
};
factStoreCases("Memory", inMemory);
lookUpCases("Memory", inMemory);

const inSqlite = async () => {
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
};
factStoreCases("SQLite", inSqlite);
lookUpCases("SQLite", inSqlite);

describeWith("in MongoDB", [server], ({ url: serverUrl }) => {
  // All else of it is in tests/stack.
  lookUpCases("MongoDB", async () => {
    const url = new URL(serverUrl);
    url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
    const mongo = connectMongo({ url: url.href }, { bounds: toolBounds });
    const collections = spaceCollections(mongo.db);
    await ensureSpaceIndexes(collections);
    return {
      store: mongoFactStore(collections, { now: Date.now, registry }),
      another: () => mongoFactStore(collections, { now: Date.now, registry }),
      async close() {
        await mongo.db.dropDatabase();
        await mongo.close();
      },
    };
  });
});
