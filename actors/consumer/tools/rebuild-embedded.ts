/**
 * Throws the documents and heads of spaces in SQLite away and makes them again from the facts, equal to the byte (under the same time zone data). All of it is
 * one transaction, so an interrupted rebuild leaves the read model as it was.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { uuidText } from "../../model/uuid-bytes.ts";
import type { Document, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import { registry } from "../../resources/registry.ts";
import { transactionAsync } from "../../sqlite/file.ts";
import { spaceNumbers } from "../../sqlite/space-numbers.ts";
import { spaceDocuments } from "../embedded/documents.ts";
import { afterFact, type RebuildControl } from "./rebuild.ts";

/** Facts taken together. */
const batchSize = 1_000;
/** Heads kept between batches at most. */
const headsKept = 10_000;

type Row = { fact: number; id: Uint8Array; json: string };

/** Resolves to the number of facts. The caller holds the folder's lock and the only connection that writes. */
export async function rebuildSqlite(db: DatabaseSync, control?: RebuildControl): Promise<number> {
  // Spaces whose content was erased have nothing to be made from.
  const kept = `space NOT IN (SELECT space FROM heads WHERE position = ${Number.MAX_SAFE_INTEGER})`;
  const { total } = db.prepare(`SELECT count(*) AS total FROM facts WHERE ${kept}`).get() as { total: number };
  let done = 0;
  await transactionAsync(db, async () => {
    // A head may be what is damaged.
    db.exec(`CREATE TEMP TABLE earlier AS
      SELECT space, position, CASE WHEN json_valid(json) THEN coalesce(json ->> '$.at', '') ELSE '' END AS at FROM heads`);
    db.exec(`DELETE FROM terms; DELETE FROM items; DELETE FROM documents; DELETE FROM heads WHERE ${kept};`);
    const replay = replayer(db);
    const rows = db.prepare(
      `SELECT f.fact, s.id, f.json FROM facts f JOIN spaces s ON s.space = f.space WHERE f.fact > ? AND f.${kept} ORDER BY f.fact LIMIT ?`,
    );
    for (let last = 0; ; ) {
      const found = rows.all(last, batchSize) as Row[];
      if (found.length === 0) break;
      for (const { id, json } of found) replay.take(uuidText(id), JSON.parse(json) as Fact);
      replay.write();
      last = found.at(-1)?.fact ?? last;
      done += found.length;
      control?.progress.update(done, total);
      // Signals are heard between turns of the event loop only.
      await nextTurn();
      control?.signal.throwIfAborted();
    }
    // As `movedOn`.
    db.exec(`UPDATE heads
      SET position = e.position, json = json_set(json, '$.position', e.position, '$.at', max(json ->> '$.at', e.at))
      FROM earlier e WHERE e.space = heads.space AND e.position > heads.position`);
    db.exec("DROP TABLE earlier");
    control?.progress.stage("Writing the new read model to the disk");
  });
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return done;
}

function replayer(db: DatabaseSync) {
  const numberOf = spaceNumbers(db);
  const documentsOf = spaceDocuments(db, registry, numberOf);
  const selectHead = db.prepare("SELECT json FROM heads WHERE space = ?");
  const upsertHead = db.prepare(
    "INSERT INTO heads (space, position, json) VALUES (?, ?, ?) ON CONFLICT (space) DO UPDATE SET position = excluded.position, json = excluded.json",
  );
  let heads = new Map<string, Head>();
  let changed = new Set<string>();
  let documents = new Map<string, Document>();

  function headOf(spaceId: string): Head | undefined {
    const known = heads.get(spaceId);
    if (known !== undefined) return known;
    const row = selectHead.get(numberOf.made(spaceId)) as { json: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.json) as Head);
  }

  return {
    take(spaceId: string, fact: Fact): void {
      const after = afterFact(registry, fact, {
        head: headOf(spaceId),
        find: (id) => documents.get(`${spaceId} ${id}`) ?? documentsOf.find(numberOf.made(spaceId), id),
      });
      if (after === undefined) return;
      for (const document of after.documents) documents.set(`${spaceId} ${document.id}`, document);
      heads.set(spaceId, after.head);
      changed.add(spaceId);
    },
    /** What was taken since the last time. */
    write(): void {
      documentsOf.write([...documents.values()]);
      for (const spaceId of changed) {
        const head = heads.get(spaceId);
        if (head !== undefined) upsertHead.run(numberOf.made(spaceId), head.position, JSON.stringify(head));
      }
      documents = new Map();
      changed = new Set();
      if (heads.size > headsKept) heads = new Map();
    },
  };
}
