/** Reads of spaces from the writer's SQLite file, through a connection of our own that can only read: it sees every commit at once. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Problem } from "../../model/problem.ts";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import type { Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import { deletedBit } from "../../resources/listing.ts";
import type { Registry } from "../../resources/registry.ts";
import { task } from "../../resources/task.ts";
import { factPage } from "../../sqlite/fact-page.ts";
import { naming } from "../../sqlite/file.ts";
import { knownSpaces } from "../../sqlite/space-numbers.ts";
import { itemsOf, spacesFileName } from "../../sqlite/space-tables.ts";
import { inTurns } from "../in-turns.ts";
import type { Membership, SpaceReads, StoredChange, StoredResource } from "../ports.ts";
import { type ListBounds, spaceList } from "./lists.ts";

/** Items that are counted between two turns. */
const countedAtOnce = 10_000;

type Values<M> = M extends (...given: infer A) => infer R ? (...given: A) => Exclude<R, Promise<unknown>> : never;

/** Values, not promises, but for lists, which may take more than one turn. */
export type SqliteSpaceReads = {
  [M in keyof SpaceReads]: M extends "list" | "labels" ? SpaceReads[M] : Values<SpaceReads[M]>;
} & {
  /** The latest position of the log that is visible. */
  position(): number;
  close(): void;
};

export type SqliteReadsOptions = {
  /** Is told why a read failed. */
  readonly failed?: (error: unknown) => void;
  readonly bounds?: ListBounds;
};

/** Opens the file in the folder, which the writer has made before. */
export function sqliteSpaceReads(
  dataDir: string,
  registry: Registry,
  options: SqliteReadsOptions = {},
): SqliteSpaceReads {
  const file = join(dataDir, spacesFileName);
  return naming(file, () => readsOf(file, registry, options));
}

function readsOf(file: string, registry: Registry, { failed, bounds }: SqliteReadsOptions): SqliteSpaceReads {
  const guarded = guarding(failed);
  const db = new DatabaseSync(file, { readOnly: true });
  db.exec("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -32768;");
  const numberOf = knownSpaces(db);
  const list = spaceList(db, registry, bounds);
  const selectHead = db.prepare("SELECT json FROM heads WHERE space = ?");
  const selectResource = db.prepare("SELECT type, version, state, text FROM documents WHERE space = ? AND id = ?");
  // SQLite parses a fact once for all that is taken of it, and the changes of others in it never become values here.
  const selectChanges = db.prepare(
    `SELECT f.seq, f.json ->> '$.at' AS at, f.json ->> '$.actorId' AS actorId, f.json ->> '$.operationId' AS operationId,
       f.json -> ('$.changes[' || c.place || ']') AS change
     FROM changes c JOIN facts f ON f.fact = c.fact WHERE c.space = ? AND c.id = ? AND c.version < ? ORDER BY c.version DESC LIMIT ?`,
  );
  const selectLiving = db.prepare(
    `SELECT id, type, version, text FROM documents WHERE space = ? AND id > ? AND state & ${deletedBit} = 0 AND type IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?`,
  );
  const selectFacts = db.prepare("SELECT json FROM facts WHERE space = ? AND seq > ? ORDER BY seq LIMIT ?");
  const selectOperation = db.prepare("SELECT json FROM facts WHERE space = ? AND operation = ?");
  const selectMemberships = db.prepare(
    `SELECT s.id, h.json -> '$.isDeleted' = 'true' AS isDeleted FROM heads h JOIN spaces s ON s.space = h.space
     WHERE h.space IN (SELECT space FROM documents INDEXED BY members_by_user WHERE user = ?1 AND state = 0) OR h.space = (SELECT space FROM spaces WHERE id = ?1)
     ORDER BY s.id`,
  );
  const countLabels = db.prepare(
    `SELECT item, sum(state = 0) AS tasks, count(*) AS n, max(document) AS last FROM (
       SELECT item, document, state FROM items WHERE space = ? AND field = ? AND (item, document) > (?, ?) ORDER BY item, document LIMIT ${countedAtOnce}
     ) GROUP BY item ORDER BY item`,
  );
  const selectStore = db.prepare("SELECT epoch, position FROM store");
  /** Of this file for as long as it is open. */
  let epoch: string | undefined;
  const labelsField = itemsOf(task, "labels");

  function* countedLabels(space: number): Generator<void, { label: string; tasks: number }[]> {
    const counts = new Map<string, number>();
    let [item, document] = ["", 0];
    for (;;) {
      const rows = countLabels.all(space, labelsField, item, document) as {
        item: string;
        tasks: number;
        n: number;
        last: number;
      }[];
      for (const row of rows) counts.set(row.item, (counts.get(row.item) ?? 0) + row.tasks);
      const last = rows.at(-1);
      if (last === undefined || rows.reduce((sum, { n }) => sum + n, 0) < countedAtOnce) break;
      [item, document] = [last.item, last.last];
      yield;
    }
    return Array.from(counts, ([label, tasks]) => ({ label, tasks })).filter(({ tasks }) => tasks > 0);
  }

  function resource(spaceId: string, space: number, id: string): StoredResource[] {
    const row = selectResource.get(space, uuidBytes(id)) as
      | { type: string; version: number; state: number; text: string }
      | undefined;
    if (row === undefined) return [];
    const { type, version, state, text } = row;
    return [{ spaceId, id, type, version, isDeleted: (state & deletedBit) !== 0, text }];
  }

  return {
    head: guarded((spaceId) => ofSpace(spaceId, (space) => valueOf<Head>(selectHead.get(space)), undefined)),
    resources: guarded((spaceId, ids) =>
      ofSpace(spaceId, (space) => ids.flatMap((id) => resource(spaceId, space, id)), []),
    ),
    living: guarded((spaceId, types, afterId, limit) =>
      ofSpace(
        spaceId,
        (space) =>
          (
            selectLiving.all(
              space,
              afterId === undefined ? noId : uuidBytes(afterId),
              JSON.stringify(types),
              limit,
            ) as LivingRow[]
          ).map(({ id, ...row }): StoredResource => ({ ...row, spaceId, id: uuidText(id), isDeleted: false })),
        [],
      ),
    ),
    list: guarded((query) => inTurns(list(query, numberOf))),
    labels: guarded((spaceId) => ofSpace(spaceId, (space) => inTurns(countedLabels(space)), [])),
    changes: guarded((spaceId, id, below, limit) =>
      ofSpace(
        spaceId,
        (space) =>
          (selectChanges.all(space, uuidBytes(id), below, limit) as ChangeRow[]).map(
            ({ change, ...fact }): StoredChange => ({ fact: { spaceId, ...fact }, change: JSON.parse(change) }),
          ),
        [],
      ),
    ),
    facts: guarded((spaceId, after, limit, bytesMax) =>
      ofSpace(spaceId, (space) => factPage(selectFacts.iterate(space, after, limit), bytesMax), []),
    ),
    operation: guarded((spaceId, operationId) =>
      ofSpace(spaceId, (space) => valueOf<Fact>(selectOperation.get(space, uuidBytes(operationId))), undefined),
    ),
    memberships: guarded((userId) =>
      (selectMemberships.all(uuidBytes(userId)) as { id: Uint8Array; isDeleted: number }[]).map(
        ({ id, isDeleted }): Membership => ({ spaceId: uuidText(id), isDeleted: isDeleted === 1 }),
      ),
    ),
    epoch: guarded(() => {
      epoch ??= (selectStore.get() as { epoch: string }).epoch;
      return epoch;
    }),
    position: guarded(() => (selectStore.get() as { position: number }).position),
    close: () => db.close(),
  };

  function ofSpace<T>(spaceId: string, read: (space: number) => T, none: T): T {
    const space = numberOf(spaceId);
    return space === undefined ? none : read(space);
  }
}

/** Before every id. */
const noId = new Uint8Array();
type LivingRow = { id: Uint8Array; type: string; version: number; text: string };
type ChangeRow = { seq: number; at: string; actorId: string; operationId: string; change: string };

function valueOf<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as { json: string }).json) as T);
}

/** A failure of the file is `read-model-unavailable` to clients, and so is one in a later turn. */
function guarding(failed: ((error: unknown) => void) | undefined) {
  const fail = (cause: unknown): never => {
    failed?.(cause);
    throw new Problem("read-model-unavailable", undefined, { cause });
  };
  return <Arguments extends unknown[], Result>(read: (...given: Arguments) => Result) =>
    (...given: Arguments): Result => {
      try {
        const result = read(...given);
        return result instanceof Promise ? (result.catch(fail) as Result) : result;
      } catch (cause) {
        return fail(cause);
      }
    };
}
