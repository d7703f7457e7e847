/** The reads of spaces over each adapter, by the same cases. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteFactStore } from "../../actors/consumer/fact-store-sqlite.ts";
import { openSpaceDatabase } from "../../actors/consumer/space-database.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { ListBounds } from "../../actors/task/space-list-sqlite.ts";
import { sqliteSpaceReads } from "../../actors/task/space-reads-sqlite.ts";
import { spaceListCases } from "./space-list-cases.ts";
import { spaceReadsCases } from "./space-reads-cases.ts";

function inSqlite(bounds?: ListBounds) {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "space-reads-"));
    const db = openSpaceDatabase(folder);
    db.exec("PRAGMA synchronous = OFF");
    const reads = sqliteSpaceReads(folder, registry, bounds === undefined ? {} : { bounds });
    return {
      store: sqliteFactStore(db, registry),
      reads,
      async close() {
        reads.close();
        db.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

spaceReadsCases("SQLite", inSqlite());
spaceListCases("SQLite", inSqlite());
// As in a space of very many tasks: nothing is looked up, and the index of the sort is walked in many parts.
spaceReadsCases("SQLite, walking,", inSqlite({ fewRows: 1, rowsAtOnce: 7, rowsAtOnceMax: 20, textsAtOnce: 3 }));
