/** The store of facts in one SQLite file, for the deployment in which a batch is one transaction: its commit is the verdict. */
import type { DatabaseSync } from "node:sqlite";
import { uuidBytes } from "../../model/uuid-bytes.ts";
import type { Document, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import type { Registry } from "../../resources/registry.ts";
import { transaction } from "../../sqlite/file.ts";
import { type SpaceNumbers, spaceNumbers } from "../../sqlite/space-numbers.ts";
import type { FactStore, Found } from "../write-ports.ts";
import { spaceDocuments } from "./documents.ts";

export type SqliteFactStore = FactStore & {
  /**
   * Facts and what they make of the read model in one durable transaction, with the latest position of the log that this takes in. Where a fact stands in the
   * way nothing at all is written; answers those facts.
   */
  commit(
    facts: readonly Fact[],
    documents: readonly Document[],
    heads: readonly Head[],
    position?: number,
  ): readonly Fact[];
  /** The latest position that was committed; -1 before the first. */
  position(): number;
  /** Removes some records whose time is over, in one short transaction; false when there are no more. */
  expire(): boolean;
};

/** How long the record of an operation is kept that has no key and changed nothing. */
const unkeyedKeptMs = 86_400_000;
const expiredAtOnce = 500;

/** Takes an open database that has the tables of space-tables.ts, whose only writer it is. */
export function sqliteFactStore(
  db: DatabaseSync,
  registry: Registry,
  { now }: { readonly now: () => number } = { now: Date.now },
): SqliteFactStore {
  const numberOf = spaceNumbers(db);
  const facts = factTable(db, { numberOf, now });
  const documentsOf = spaceDocuments(db, registry, numberOf);
  const selectHead = db.prepare("SELECT json FROM heads WHERE space = ?");
  const selectPosition = db.prepare("SELECT position FROM store");
  const updatePosition = db.prepare("UPDATE store SET position = ? WHERE position < ?");
  const upsertHead = db.prepare(
    "INSERT INTO heads (space, position, json) VALUES (?, ?, ?) ON CONFLICT (space) DO UPDATE SET position = excluded.position, json = excluded.json WHERE position < excluded.position",
  );

  function project(documents: readonly Document[], heads: readonly Head[]): void {
    documentsOf.write(documents);
    for (const head of heads) upsertHead.run(numberOf.made(head.spaceId), head.position, JSON.stringify(head));
  }

  return {
    async read({ heads, documents, operations, seqs }): Promise<Found> {
      const of = <T>(spaceId: string, find: (space: number) => T | undefined): T[] => {
        const space = numberOf.known(spaceId);
        const found = space === undefined ? undefined : find(space);
        return found === undefined ? [] : [found];
      };
      return {
        heads: heads.flatMap((spaceId) => of(spaceId, (space) => valueOf<Head>(selectHead.get(space)))),
        documents: documents.flatMap(({ spaceId, id }) => of(spaceId, (space) => documentsOf.find(space, id))),
        facts: [
          ...operations.flatMap(({ spaceId, operationId }) =>
            of(spaceId, (space) => facts.byOperation(space, operationId)),
          ),
          ...seqs.flatMap(({ spaceId, seq }) => of(spaceId, (space) => facts.bySeq(space, seq))),
        ],
      };
    },
    async referrers(spaceId, references) {
      const space = numberOf.known(spaceId);
      return space === undefined ? [] : references.flatMap((reference) => documentsOf.referrers(space, reference));
    },
    async ranged(spaceId, range) {
      const space = numberOf.known(spaceId);
      return space === undefined ? [] : documentsOf.ranged(space, range);
    },
    async record(given) {
      return numberOf.keeping(() => transaction(db, () => facts.insert(given)));
    },
    async project(documents, heads) {
      numberOf.keeping(() => transaction(db, () => project(documents, heads)));
    },
    commit(given, documents, heads, position = -1) {
      const stopped: { inTheWay: readonly Fact[] } = { inTheWay: [] };
      try {
        numberOf.keeping(() =>
          transaction(db, () => {
            stopped.inTheWay = facts.insert(given);
            if (stopped.inTheWay.length > 0) throw new InTheWay();
            project(documents, heads);
            updatePosition.run(position, position);
          }),
        );
      } catch (error) {
        if (!(error instanceof InTheWay)) throw error;
      }
      return stopped.inTheWay;
    },
    position: () => (selectPosition.get() as { position: number }).position,
    expire: () => transaction(db, () => facts.expire()),
  };
}

/** Ends a transaction of which nothing may stay. */
class InTheWay extends Error {}

function valueOf<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as { json: string }).json) as T);
}

function factTable(db: DatabaseSync, { numberOf, now }: { numberOf: SpaceNumbers; now: () => number }) {
  const selectByOperation = db.prepare("SELECT json FROM facts WHERE space = ? AND operation = ?");
  const selectBySeq = db.prepare("SELECT json FROM facts WHERE space = ? AND seq = ?");
  const insert = db.prepare(
    "INSERT INTO facts (space, operation, seq, expire_at, json) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const insertChange = db.prepare("INSERT INTO changes (space, id, version, fact, place) VALUES (?, ?, ?, ?, ?)");
  const removeExpired = db.prepare(
    `DELETE FROM facts WHERE fact IN (SELECT fact FROM facts WHERE expire_at <= ? ORDER BY expire_at LIMIT ${expiredAtOnce})`,
  );
  const byOperation = (space: number, operationId: string) =>
    valueOf<Fact>(selectByOperation.get(space, uuidBytes(operationId)));
  const bySeq = (space: number, seq: number) => valueOf<Fact>(selectBySeq.get(space, seq));
  return {
    byOperation,
    bySeq,
    /** Answers the facts that stood in the way. */
    insert(facts: readonly Fact[]): Fact[] {
      return facts.flatMap((fact) => {
        const { spaceId, operationId, seq, keyed, changes } = fact;
        const space = numberOf.made(spaceId);
        const expireAt = keyed || seq !== undefined ? null : now() + unkeyedKeptMs;
        const inserted = insert.run(space, uuidBytes(operationId), seq ?? null, expireAt, JSON.stringify(fact));
        if (inserted.changes === 0) {
          const other = byOperation(space, operationId) ?? (seq === undefined ? undefined : bySeq(space, seq));
          if (other === undefined)
            throw new Error(`Cannot record operation ${operationId}: the file takes it for another`);
          return [other];
        }
        for (const [place, { id, version }] of changes.entries())
          insertChange.run(space, uuidBytes(id), version, inserted.lastInsertRowid, place);
        return [];
      });
    },
    /** Whether there may be more. */
    expire: (): boolean => Number(removeExpired.run(now()).changes) === expiredAtOnce,
  };
}
