/** Facts and webhooks from the writer's SQLite file, through a connection that can only read. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ChangeCounters } from "../../model/change-counters.ts";
import { uuidBytes } from "../../model/uuid-bytes.ts";
import type { Head } from "../../resources/document.ts";
import { deletedBit } from "../../resources/listing.ts";
import { storedDocument } from "../../resources/stored-document.ts";
import { webhook } from "../../resources/webhook.ts";
import { factPage } from "../../sqlite/fact-page.ts";
import { naming } from "../../sqlite/file.ts";
import { knownSpaces } from "../../sqlite/space-numbers.ts";
import { spacesFileName } from "../../sqlite/space-tables.ts";
import type { FactSource } from "../ports.ts";

const bytesMax = 4 * 2 ** 20;
/** The position of the head of a space that was erased, whose documents are not there any more. */
const endless = Number.MAX_SAFE_INTEGER;

/** Opens the file in the folder, which the writer has made before. */
export function sqliteFactSource(
  dataDir: string,
  counters: Pick<ChangeCounters, "of">,
): FactSource & { close(): void } {
  const file = join(dataDir, spacesFileName);
  return naming(file, () => {
    const db = new DatabaseSync(file, { readOnly: true });
    db.exec("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -4096;");
    return { ...sourceOf(db, counters), close: () => db.close() };
  });
}

function sourceOf(db: DatabaseSync, counters: Pick<ChangeCounters, "of">): FactSource {
  const numberOf = knownSpaces(db);
  // By the index of this type alone.
  const selectWebhooks = db.prepare(
    `SELECT d.text, d.rest, h.json AS head FROM documents d LEFT JOIN heads h ON h.space = d.space WHERE d.type = '${webhook.name}' AND d.state = 0`,
  );
  const selectState = db.prepare("SELECT state FROM documents WHERE space = ? AND id = ?");
  const selectErased = db.prepare("SELECT 1 FROM heads WHERE space = ? AND position = ?");
  const selectFacts = db.prepare("SELECT json FROM facts WHERE space = ? AND seq > ? ORDER BY seq LIMIT ?");
  const selectLatest = db.prepare("SELECT max(seq) AS latest FROM facts WHERE space = ?");
  const selectMade = db.prepare(
    "SELECT f.seq FROM changes c JOIN facts f ON f.fact = c.fact WHERE c.space = ? AND c.id = ? AND c.version = 1",
  );

  return {
    mark: counters.of,
    webhooks: () =>
      (selectWebhooks.all() as { text: string; rest: string; head: string | null }[])
        .filter(({ head }) => head === null || !(JSON.parse(head) as Head).isDeleted)
        .map((row) => storedDocument(webhook, row).value),
    deleted: (webhooks) =>
      webhooks.filter(({ spaceId, id }) => {
        const space = numberOf(spaceId);
        const row =
          space === undefined ? undefined : (selectState.get(space, uuidBytes(id)) as { state: number } | undefined);
        if (row !== undefined) return (row.state & deletedBit) !== 0;
        return space !== undefined && selectErased.get(space, endless) !== undefined;
      }),
    facts(spaceId, after, limit) {
      const space = numberOf(spaceId);
      if (space === undefined) return [];
      return factPage(selectFacts.iterate(space, after, limit), bytesMax);
    },
    seqs({ spaceId, id, seq }) {
      const space = numberOf(spaceId);
      if (space === undefined) return { made: seq, latest: 0 };
      const made = selectMade.get(space, uuidBytes(id)) as { seq: number } | undefined;
      const { latest } = selectLatest.get(space) as { latest: number | null };
      return { made: made?.seq ?? seq, latest: latest ?? 0 };
    },
  };
}
