/** The store of facts in one SQLite file, for the deployment in which a batch is one transaction: its commit is the verdict. */
import type { DatabaseSync } from "node:sqlite";
import { uuidBytes } from "../model/uuid-bytes.ts";
import type { Document, Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { Registry } from "../resources/registry.ts";
import { columnOf, listColumns, listFields, listValue, type SqlValue } from "../sqlite/space-tables.ts";
import { transaction } from "../sqlite-file.ts";
import type { FactStore, Found } from "./write-ports.ts";

export type SqliteFactStore = FactStore & {
  /**
   * Facts and what they make of the read model in one durable transaction. Where a fact stands in the way nothing at all is written; answers those facts.
   */
  commit(facts: readonly Fact[], documents: readonly Document[], heads: readonly Head[]): readonly Fact[];
};

/** Numbers of spaces remembered at most. */
const spacesMax = 10_000;

/** Takes an open database that has the tables of space-tables.ts, whose only writer it is. */
export function sqliteFactStore(db: DatabaseSync, registry: Registry): SqliteFactStore {
  const numberOf = spaceNumbers(db);
  const facts = factTable(db, numberOf);
  const writeDocument = documentWriter(db, registry, numberOf);
  const selectHead = db.prepare("SELECT json FROM heads WHERE space = ?");
  const selectDocument = db.prepare("SELECT json FROM documents WHERE space = ? AND id = ?");
  const upsertHead = db.prepare(
    "INSERT INTO heads (space, position, json) VALUES (?, ?, ?) ON CONFLICT (space) DO UPDATE SET position = excluded.position, json = excluded.json WHERE position < excluded.position",
  );
  const valueIn = <T>(row: unknown): T[] =>
    row === undefined ? [] : [JSON.parse((row as { json: string }).json) as T];

  function project(documents: readonly Document[], heads: readonly Head[]): void {
    for (const document of documents) writeDocument(document);
    for (const head of heads) upsertHead.run(numberOf.made(head.spaceId), head.position, JSON.stringify(head));
  }

  return {
    async read({ heads, documents, operations, seqs }): Promise<Found> {
      const of = <T>(spaceId: string, find: (space: number) => unknown): T[] => {
        const space = numberOf.known(spaceId);
        return space === undefined ? [] : valueIn<T>(find(space));
      };
      return {
        heads: heads.flatMap((spaceId) => of<Head>(spaceId, (space) => selectHead.get(space))),
        documents: documents.flatMap(({ spaceId, id }) =>
          of<Document>(spaceId, (space) => selectDocument.get(space, uuidBytes(id))),
        ),
        facts: [
          ...operations.flatMap(({ spaceId, operationId }) =>
            of<Fact>(spaceId, (space) => facts.byOperation(space, operationId)),
          ),
          ...seqs.flatMap(({ spaceId, seq }) => of<Fact>(spaceId, (space) => facts.bySeq(space, seq))),
        ],
      };
    },
    async record(given) {
      return numberOf.keeping(() => transaction(db, () => facts.insert(given)));
    },
    async project(documents, heads) {
      numberOf.keeping(() => transaction(db, () => project(documents, heads)));
    },
    commit(given, documents, heads) {
      const stopped: { inTheWay: readonly Fact[] } = { inTheWay: [] };
      try {
        numberOf.keeping(() =>
          transaction(db, () => {
            stopped.inTheWay = facts.insert(given);
            if (stopped.inTheWay.length > 0) throw new InTheWay();
            project(documents, heads);
          }),
        );
      } catch (error) {
        if (!(error instanceof InTheWay)) throw error;
      }
      return stopped.inTheWay;
    },
  };
}

/** Ends a transaction of which nothing may stay. */
class InTheWay extends Error {}

type SpaceNumbers = ReturnType<typeof spaceNumbers>;

function spaceNumbers(db: DatabaseSync) {
  const select = db.prepare("SELECT space FROM spaces WHERE id = ?");
  const insert = db.prepare("INSERT INTO spaces (id) VALUES (?) RETURNING space");
  const numbers = new Map<string, number>();
  const keep = (spaceId: string, row: unknown): number => {
    const { space } = row as { space: number };
    if (numbers.size >= spacesMax) numbers.clear();
    numbers.set(spaceId, space);
    return space;
  };
  function known(spaceId: string): number | undefined {
    const number = numbers.get(spaceId);
    if (number !== undefined) return number;
    const row = select.get(uuidBytes(spaceId));
    return row === undefined ? undefined : keep(spaceId, row);
  }
  return {
    known,
    made: (spaceId: string): number => known(spaceId) ?? keep(spaceId, insert.get(uuidBytes(spaceId))),
    /** Forgets the numbers where the transaction that may have given them is undone. */
    keeping<T>(steps: () => T): T {
      try {
        return steps();
      } catch (error) {
        numbers.clear();
        throw error;
      }
    },
  };
}

function factTable(db: DatabaseSync, numberOf: SpaceNumbers) {
  const selectByOperation = db.prepare("SELECT json FROM facts WHERE space = ? AND operation = ?");
  const selectBySeq = db.prepare("SELECT json FROM facts WHERE space = ? AND seq = ?");
  const insert = db.prepare("INSERT INTO facts (space, operation, seq, json) VALUES (?, ?, ?, ?)");
  const byOperation = (space: number, operationId: string) => selectByOperation.get(space, uuidBytes(operationId));
  const bySeq = (space: number, seq: number) => selectBySeq.get(space, seq);
  return {
    byOperation,
    bySeq,
    /** Answers the facts that stood in the way. */
    insert(facts: readonly Fact[]): Fact[] {
      return facts.flatMap((fact) => {
        const { spaceId, operationId, seq } = fact;
        const space = numberOf.made(spaceId);
        const other = byOperation(space, operationId) ?? (seq === undefined ? undefined : bySeq(space, seq));
        if (other !== undefined) return [JSON.parse((other as { json: string }).json) as Fact];
        insert.run(space, uuidBytes(operationId), seq ?? null, JSON.stringify(fact));
        return [];
      });
    },
  };
}

/** Writes a document, with the columns of its type's lists, over an older version of it only. */
function documentWriter(db: DatabaseSync, registry: Registry, numberOf: SpaceNumbers) {
  const names = listColumns(registry);
  const columns = ["version", "deleted", "created_at", "updated_at", "json", ...names.map(columnOf)];
  const upsert = db.prepare(
    `INSERT INTO documents (space, id, type, ${columns.join(", ")}) VALUES (?, ?, ?${", ?".repeat(columns.length)})
     ON CONFLICT (space, id) DO UPDATE SET ${columns.map((name) => `${name} = excluded.${name}`).join(", ")} WHERE version < excluded.version`,
  );
  const fieldsOf = new Map([...registry].map(([name, type]) => [name, new Map(listFields(type))]));
  return (document: Document): void => {
    const { spaceId, id, type, version, deletedBy, createdAt, updatedAt, fields } = document;
    const known = fieldsOf.get(type);
    const values = names.map((name): SqlValue => {
      const field = known?.get(name);
      return field === undefined ? null : listValue(field, fields[name] ?? null);
    });
    upsert.run(
      numberOf.made(spaceId),
      uuidBytes(id),
      type,
      version,
      Number(deletedBy !== undefined),
      Date.parse(createdAt),
      Date.parse(updatedAt),
      JSON.stringify(document),
      ...values,
    );
  };
}
