/**
 * Throws the documents and heads of spaces in SQLite away and makes them again from the facts, equal to the byte (under the same time zone data). All of it is
 * one transaction, so an interrupted rebuild leaves the read model as it was. In rebuild-kafka.ts is the one in MongoDB.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { uuidText } from "../model/uuid-bytes.ts";
import type { Document, Head } from "../resources/document.ts";
import { applied, type Fact } from "../resources/fact.ts";
import { headAfter, isPersonal, personalDocument, personalHead, unmadeHead } from "../resources/head.ts";
import { registry } from "../resources/registry.ts";
import { spaceNumbers } from "../sqlite/space-numbers.ts";
import { transactionAsync } from "../sqlite-file.ts";
import { spaceDocuments } from "./space-documents-sqlite.ts";

/** Facts taken together. */
const batchSize = 1_000;
/** Heads kept between batches at most. */
const headsKept = 10_000;

/** The rebuild is refused and nothing was changed; the message is one clear line. */
export class RebuildError extends Error {
  override readonly name = "RebuildError";
}

/** How a rebuild tells how far it is, and is told to stop. */
export type RebuildControl = {
  readonly progress: { update(done: number, total: number): void; stage(what: string): void };
  /** Looked at between batches; once aborted, its reason is thrown. */
  readonly signal: AbortSignal;
};

type Row = { fact: number; id: Uint8Array; json: string };

/** Resolves to the number of facts. The caller holds the folder's lock and the only connection that writes. */
export async function rebuild(db: DatabaseSync, control?: RebuildControl): Promise<number> {
  // Spaces whose content was erased have nothing to be made from.
  const kept = `space NOT IN (SELECT space FROM heads WHERE position = ${Number.MAX_SAFE_INTEGER})`;
  const { total } = db.prepare(`SELECT count(*) AS total FROM facts WHERE ${kept}`).get() as { total: number };
  let done = 0;
  await transactionAsync(db, async () => {
    db.exec("CREATE TEMP TABLE earlier AS SELECT space, position FROM heads");
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
    // Refusals moved heads on, and their records go after a day.
    db.exec(`UPDATE heads SET position = e.position, json = json_set(json, '$.position', e.position)
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

  function headOf(spaceId: string, fact: Fact): Head | undefined {
    const known = heads.get(spaceId);
    if (known !== undefined) return known;
    const row = selectHead.get(numberOf.made(spaceId)) as { json: string } | undefined;
    if (row !== undefined) return JSON.parse(row.json) as Head;
    // What changes nothing makes no head.
    if (fact.seq === undefined) return undefined;
    return isPersonal(spaceId, fact.actorId) ? personalHead(fact.actorId) : unmadeHead(spaceId);
  }

  return {
    take(spaceId: string, fact: Fact): void {
      const head = headOf(spaceId, fact);
      if (head === undefined) return;
      for (const change of fact.changes) {
        const key = `${spaceId} ${change.id}`;
        const type = registry.get(change.type);
        if (type === undefined || fact.seq === undefined)
          throw new RebuildError(
            `Cannot rebuild: the fact of operation ${fact.operationId} has a change that this program does not know`,
          );
        const born = isPersonal(spaceId, fact.actorId) ? personalDocument(spaceId, change.id) : undefined;
        const before = documents.get(key) ?? documentsOf.find(numberOf.made(spaceId), change.id) ?? born;
        documents.set(key, applied(type, before, change, { ...fact, seq: fact.seq }));
      }
      heads.set(spaceId, headAfter(head, fact));
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
