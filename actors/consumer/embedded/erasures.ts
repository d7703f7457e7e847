/**
 * What an erased user leaves in the SQLite file: a mark for ever, and spaces that lose their content a part at a time, so that other commands do not wait. Facts
 * keep their place and number and lose what they tell; documents and all that is found by them go.
 */
import type { DatabaseSync } from "node:sqlite";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import { transaction } from "../../sqlite/file.ts";

const documentsAtOnce = 200;
const factsAtOnce = 1_000;
/** No command comes behind it. */
const endless = Number.MAX_SAFE_INTEGER;
/** Users known not to be erased: each command asks. */
const livingMax = 10_000;

export type SqliteErasures = {
  isErased(userId: string): boolean;
  /** Shared spaces in which the user is a member. */
  spacesOf(userId: string): string[];
  /** From now on nothing of this user is taken, and these spaces are blanked. */
  mark(userId: string, spaceIds: readonly string[]): void;
  /** One short step of blanking; false when there is nothing more to do. */
  clean(): boolean;
};

export function sqliteErasures(db: DatabaseSync): SqliteErasures {
  const selectErased = db.prepare("SELECT 1 FROM erased WHERE id = ?");
  const insertErased = db.prepare("INSERT OR IGNORE INTO erased (id) VALUES (?)");
  const selectSpaces = db.prepare(
    "SELECT s.id FROM documents d JOIN spaces s ON s.space = d.space WHERE d.type = 'member' AND d.user = ? AND d.state & 1 = 0 ORDER BY s.id",
  );
  const insertBlanking = db.prepare(
    "INSERT OR IGNORE INTO blanking (space, fact) SELECT space, 0 FROM spaces WHERE id = ?",
  );
  const closeHead = db.prepare(
    `INSERT INTO heads (space, position, json)
     SELECT space, ${endless}, json_object('spaceId', ?, 'seq', 0, 'position', ${endless}, 'at', '', 'isDeleted', json('true'), 'members', json('[]'), 'projects', 0)
     FROM spaces WHERE id = ?
     ON CONFLICT (space) DO UPDATE SET position = excluded.position, json = excluded.json`,
  );
  const nextBlanking = db.prepare("SELECT space, fact FROM blanking LIMIT 1");
  const someDocuments = db.prepare("SELECT document FROM documents WHERE space = ? LIMIT ?");
  const removeTerms = db.prepare("DELETE FROM terms WHERE rowid = ?");
  const removeDocument = db.prepare("DELETE FROM documents WHERE document = ?");
  const someFacts = db.prepare("SELECT fact FROM facts WHERE space = ? AND fact > ? ORDER BY fact LIMIT ?");
  const blankFact = db.prepare(
    `UPDATE facts SET json = json_set(json, '$.changes', json('[]'), '$.answers', json('[]'), '$.fingerprint', '') WHERE fact = ?`,
  );
  const setBlanked = db.prepare("UPDATE blanking SET fact = ? WHERE space = ?");
  const endBlanking = db.prepare("DELETE FROM blanking WHERE space = ?");
  const removeChanges = db.prepare("DELETE FROM changes WHERE space = ?");
  const removeItems = db.prepare("DELETE FROM items WHERE space = ?");

  function step({ space, fact }: { space: number; fact: number }): void {
    const documents = someDocuments.all(space, documentsAtOnce) as { document: number }[];
    for (const { document } of documents) {
      removeTerms.run(document);
      removeDocument.run(document);
    }
    if (documents.length > 0) return;
    const facts = someFacts.all(space, fact, factsAtOnce) as { fact: number }[];
    for (const each of facts) blankFact.run(each.fact);
    const last = facts.at(-1);
    if (last !== undefined) {
      setBlanked.run(last.fact, space);
      return;
    }
    removeChanges.run(space);
    removeItems.run(space);
    endBlanking.run(space);
  }

  /** Nothing but `mark` makes an erased user. */
  const living = new Set<string>();
  function isErased(userId: string): boolean {
    if (living.has(userId)) return false;
    if (selectErased.get(uuidBytes(userId)) !== undefined) return true;
    if (living.size >= livingMax) living.clear();
    living.add(userId);
    return false;
  }

  return {
    isErased,
    spacesOf: (userId) => (selectSpaces.all(uuidBytes(userId)) as { id: Uint8Array }[]).map(({ id }) => uuidText(id)),
    mark(userId, spaceIds) {
      living.delete(userId);
      transaction(db, () => {
        insertErased.run(uuidBytes(userId));
        for (const spaceId of spaceIds) {
          insertBlanking.run(uuidBytes(spaceId));
          closeHead.run(spaceId, uuidBytes(spaceId));
        }
      });
    },
    clean() {
      const next = nextBlanking.get() as { space: number; fact: number } | undefined;
      if (next === undefined) return false;
      // What is deleted is overwritten too, which all else can do without.
      db.exec("PRAGMA secure_delete = ON");
      try {
        transaction(db, () => step(next));
      } finally {
        db.exec("PRAGMA secure_delete = OFF");
      }
      return true;
    },
  };
}
