/** All that happened in a space, by resource, and what each resource is at its end. */
import type { Document, Fields } from "../../resources/document.ts";
import { applied, type Change, type FeedFact } from "../../resources/fact.ts";
import type { Json } from "../../resources/field.ts";
import { personalDocument } from "../../resources/head.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { resourceOf, shownFields } from "../../resources/served.ts";
import { exportedTypes, MovingError, type Resource } from "./moving-file.ts";
import { temporaryDatabase } from "./temporary-database.ts";

/** As the server served it at some moment. */
export type Served = { readonly type: string; readonly resource: Resource };

export type Exported = {
  readonly type: ResourceType;
  readonly isDeleted: boolean;
  readonly resource: Readonly<Record<string, Json>>;
  /** Oldest first; none of what a person has from the start. */
  readonly changes: Iterable<Readonly<Record<string, unknown>>>;
};

export type SpaceHistory = ReturnType<typeof spaceHistory>;

type Row = { readonly text: string };
type Entry = Omit<FeedFact, "changes" | "partial"> & { readonly change: Change };

export function spaceHistory(spaceId: string) {
  const db = temporaryDatabase(`
    CREATE TABLE changes (place INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL);
    CREATE INDEX changes_by_id ON changes (place, id, version);
    CREATE TABLE served (id TEXT PRIMARY KEY, place INTEGER NOT NULL, text TEXT NOT NULL);`);
  const addChange = db.prepare("INSERT INTO changes (place, id, version, text) VALUES (?, ?, ?, ?)");
  const addServed = db.prepare("INSERT OR REPLACE INTO served (id, place, text) VALUES (?, ?, ?)");
  const served = db.prepare("SELECT text FROM served WHERE id = ?");
  const changesOf = db.prepare("SELECT text FROM changes WHERE place = ? AND id = ? ORDER BY version");
  const placeOf = (type: string) => exportedTypes.findIndex(({ name }) => name === type);
  /** Of resources on which it depends how others are shown. */
  const fieldsOf = new Map<string, Fields>();
  const isLookedAt = new Set(exportedTypes.map(({ shown, fields }) => referredBy(shown, fields)));

  function folded(type: ResourceType, id: string): Document | undefined {
    // What a person has from the start, no fact has made.
    let document = personalDocument(spaceId, id);
    for (const { change, ...fact } of entries(type, id)) document = applied(type, document, change, fact);
    return document;
  }

  function* entries(type: ResourceType, id: string): Generator<Entry> {
    for (const row of changesOf.iterate(placeOf(type.name), id)) yield JSON.parse((row as Row).text) as Entry;
  }

  function* told(type: ResourceType, id: string): Generator<Readonly<Record<string, unknown>>> {
    for (const { seq, at, actorId, operationId, change } of entries(type, id)) {
      const { version, kind, fields, deleted } = change;
      const more = deleted === undefined ? {} : { deleted };
      yield { type: type.name, id, version, seq, kind, at, actorId, operationId, changes: fields, ...more };
    }
  }

  /** As it was at the end of the history: as it was served, where that is of this moment. Undefined: it was not there yet. */
  function exported(type: ResourceType, id: string): Exported | undefined {
    const document = folded(type, id);
    if (document === undefined) return undefined;
    const isDeleted = document.deletedBy !== undefined;
    const row = served.get(id) as { text: string } | undefined;
    const known = row === undefined ? undefined : (JSON.parse(row.text) as Resource);
    if (isLookedAt.has(type.name)) fieldsOf.set(id, withoutTexts(document.fields));
    if (document.version === known?.version) return { type, isDeleted, resource: known, changes: told(type, id) };
    // An import may have made it with an instant of the past, which the feed does not tell.
    const made = { ...document, createdAt: known?.createdAt ?? document.createdAt };
    const by = type.shown === undefined ? undefined : fieldsOf.get(document.fields[type.shown.by] as string);
    const resource = resourceOf(type, made, shownFields(type, document.fields, by));
    return { type, isDeleted, resource, changes: told(type, id) };
  }

  return {
    /** Throws a `MovingError` where the server tells of what this program does not know, and would lose. */
    addFact({ changes, ...fact }: FeedFact): void {
      for (const change of changes) {
        const place = placeOf(change.type);
        if (place < 0) continue;
        refuseUnknown(exportedTypes[place] as ResourceType, change);
        addChange.run(place, change.id, change.version, JSON.stringify({ ...fact, change }));
      }
    },
    addServed({ type, resource }: Served): void {
      const place = placeOf(type);
      if (place >= 0) addServed.run(resource.id, place, JSON.stringify(resource));
    },
    /** Those that something happened to and that no answer has shown. */
    *unserved(): Generator<{ type: ResourceType; id: string }> {
      const rows = db.prepare(
        "SELECT DISTINCT place, id FROM changes WHERE id NOT IN (SELECT id FROM served) ORDER BY place, id",
      );
      yield* idsIn(rows.all());
    },
    count(): number {
      const row = db.prepare(`SELECT count(*) AS count FROM (${allIds})`).get() as { count: number };
      return row.count;
    },
    *all(): Generator<Exported> {
      for (const { type, id } of idsIn(db.prepare(`${allIds} ORDER BY place, id`).iterate())) {
        const found = exported(type, id);
        if (found !== undefined) yield found;
      }
    },
    close: (): void => db.close(),
  };
}

const allIds = "SELECT place, id FROM changes UNION SELECT place, id FROM served";

function* idsIn(rows: Iterable<unknown>): Generator<{ type: ResourceType; id: string }> {
  for (const row of rows) {
    const { place, id } = row as { place: number; id: string };
    const type = exportedTypes[place];
    if (type !== undefined) yield { type, id };
  }
}

/** The name of the type that a shown value depends on. */
function referredBy(shown: ResourceType["shown"], fields: ResourceType["fields"]): string | undefined {
  const form = shown === undefined ? undefined : fields[shown.by]?.form;
  return form?.kind === "reference" ? form.to : undefined;
}

/** Long texts are nothing that others depend on. */
function withoutTexts(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value !== "string"));
}

function refuseUnknown(type: ResourceType, { fields }: Change): void {
  const unknown = Object.keys(fields).find((name) => type.fields[name] === undefined);
  if (unknown !== undefined)
    throw new MovingError(
      `Cannot export: the server has the field ${unknown} of a ${type.name}, which this program does not know; use the server's own version`,
    );
}
