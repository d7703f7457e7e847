/** Facts and webhooks from the writer's SQLite file, through a connection that can only read. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Generations } from "../model/generations.ts";
import { uuidBytes } from "../model/uuid-bytes.ts";
import type { Fact } from "../resources/fact.ts";
import { storedDocument } from "../resources/stored-document.ts";
import { webhook } from "../resources/webhook.ts";
import { knownSpaces } from "../sqlite/space-numbers.ts";
import { spacesFileName } from "../sqlite/space-tables.ts";
import { naming } from "../sqlite-file.ts";
import type { FactSource } from "./ports.ts";

const charsMax = 4 * 2 ** 20;

/** Opens the file in the folder, which the writer has made before. */
export function sqliteFactSource(dataDir: string, counters: Pick<Generations, "of">): FactSource & { close(): void } {
  const file = join(dataDir, spacesFileName);
  return naming(file, () => {
    const db = new DatabaseSync(file, { readOnly: true });
    db.exec("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -4096;");
    return { ...sourceOf(db, counters), close: () => db.close() };
  });
}

function sourceOf(db: DatabaseSync, counters: Pick<Generations, "of">): FactSource {
  const numberOf = knownSpaces(db);
  // By the index of this type alone.
  const selectWebhooks = db.prepare(`SELECT text, rest FROM documents WHERE type = '${webhook.name}' AND state = 0`);
  const selectFacts = db.prepare("SELECT json FROM facts WHERE space = ? AND seq > ? ORDER BY seq LIMIT ?");
  const selectLatest = db.prepare("SELECT max(seq) AS latest FROM facts WHERE space = ?");
  const selectCreated = db.prepare(
    "SELECT f.seq FROM changes c JOIN facts f ON f.fact = c.fact WHERE c.space = ? AND c.id = ? AND c.version = 1",
  );

  return {
    mark: counters.of,
    webhooks: () =>
      (selectWebhooks.all() as { text: string; rest: string }[]).map((row) => storedDocument(webhook, row).value),
    createdSeq({ spaceId, id, seq }) {
      const space = numberOf(spaceId);
      const row = space === undefined ? undefined : (selectCreated.get(space, uuidBytes(id)) as { seq: number });
      return row?.seq ?? seq;
    },
    facts(spaceId, after, limit) {
      const space = numberOf(spaceId);
      if (space === undefined) return [];
      const found: Fact[] = [];
      let chars = 0;
      for (const row of selectFacts.iterate(space, after, limit) as Iterable<{ json: string }>) {
        chars += row.json.length;
        if (found.length > 0 && chars > charsMax) break;
        found.push(JSON.parse(row.json) as Fact);
      }
      return found;
    },
    latest(spaceId) {
      const space = numberOf(spaceId);
      return space === undefined ? 0 : ((selectLatest.get(space) as { latest: number | null }).latest ?? 0);
    },
  };
}
