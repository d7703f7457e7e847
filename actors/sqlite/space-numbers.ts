/** Numbers of spaces in one SQLite file: each is its space's for ever. */
import type { DatabaseSync } from "node:sqlite";
import { uuidBytes } from "../model/uuid-bytes.ts";

/** Numbers of spaces remembered at most. */
const spacesMax = 10_000;

/** Of spaces that the file has. */
export function knownSpaces(db: DatabaseSync): (spaceId: string) => number | undefined {
  const select = db.prepare("SELECT space FROM spaces WHERE id = ?");
  const numbers = new Map<string, number>();
  return (spaceId) => {
    const number = numbers.get(spaceId);
    if (number !== undefined) return number;
    const row = select.get(uuidBytes(spaceId)) as { space: number } | undefined;
    if (row === undefined) return undefined;
    if (numbers.size >= spacesMax) numbers.clear();
    numbers.set(spaceId, row.space);
    return row.space;
  };
}

export type SpaceNumbers = ReturnType<typeof spaceNumbers>;

/** For the writer. */
export function spaceNumbers(db: DatabaseSync) {
  let known = knownSpaces(db);
  const insert = db.prepare("INSERT INTO spaces (id) VALUES (?)");
  return {
    known: (spaceId: string) => known(spaceId),
    made(spaceId: string): number {
      const number = known(spaceId);
      if (number !== undefined) return number;
      insert.run(uuidBytes(spaceId));
      return known(spaceId) as number;
    },
    /** Forgets the numbers where the transaction that may have given them is undone. */
    keeping<T>(steps: () => T): T {
      try {
        return steps();
      } catch (error) {
        known = knownSpaces(db);
        throw error;
      }
    },
  };
}
