/**
 * Documents of spaces in SQLite, with all that lists need of them: columns, items of sets, words, and the state that tells whether lists show them. A
 * document that hides others changes their states in the same transaction.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import type { Document, Fields } from "../../resources/document.ts";
import type { Range, Reference } from "../../resources/draft.ts";
import { isSame } from "../../resources/field.ts";
import {
  type Dependent,
  deletedBit,
  dependentsOf,
  isLocalDue,
  listFields,
  livingStates,
  placeOf,
  setFields,
  wordFields,
  wordsIn,
} from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { shownValue } from "../../resources/served.ts";
import { storedDocument, storedTexts } from "../../resources/stored-document.ts";
import type { SpaceNumbers } from "../../sqlite/space-numbers.ts";
import {
  columnOf,
  columnValue,
  dueColumns,
  itemsOf,
  listColumns,
  localColumnOf,
  type SqlValue,
} from "../../sqlite/space-tables.ts";
import { termsOf } from "../../sqlite/space-terms.ts";
import type { InRange, Referrer } from "../write-ports.ts";

/** Statements that are kept for later, at most: one for each choice of columns that change together. */
const statementsMax = 500;

type Row = { document: number; type: string; version: number; state: number; text: string; rest: string };
/** A document as it stands in the file. `shown`: fields that are shown with another value than their own. */
type Standing = { readonly row: number; readonly state: number; readonly shown: Fields; readonly value: Document };

export type SpaceDocuments = {
  find(space: number, id: string): Document | undefined;
  referrers(space: number, reference: Reference): Referrer[];
  ranged(space: number, range: Range): InRange[];
  /** Inside the caller's transaction: each over an older version of it only. */
  write(documents: readonly Document[]): void;
};

export function spaceDocuments(db: DatabaseSync, registry: Registry, numberOf: SpaceNumbers): SpaceDocuments {
  const select = db.prepare(
    "SELECT document, type, version, state, text, rest FROM documents WHERE space = ? AND id = ?",
  );
  const rows = documentRows(db, registry);
  const items = itemRows(db, registry);
  const terms = termRows(db, registry);
  const statements = new Map<string, StatementSync>();
  const dependents = new Map([...registry.values()].map((type) => [type.name, dependentsOf(registry, type)]));

  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const typeOf = (name: string) => typeNamed(registry, name);
  function standing(space: number, id: string): Standing | undefined {
    const row = select.get(space, uuidBytes(id)) as Row | undefined;
    return row === undefined ? undefined : standingOf(row);
  }
  function standingOf({ document: row, type, state, text, rest }: Row): Standing {
    return { row, state, ...storedDocument(typeOf(type), { text, rest }) };
  }

  return {
    find: (space, id) => standing(space, id)?.value,
    referrers: (space, { type, field, id }) =>
      idsReferring(space, { type: typeOf(type), field }, id).map((each) => ({ id: each, to: id })),
    ranged(space, { type, field, above, below, isDescending, max }) {
      const column = columnOf(field);
      // An index holds the order of one state.
      const found = livingStates(typeOf(type)).flatMap((state) => {
        const sql = `SELECT id, ${column} AS value FROM documents WHERE space = ? AND type = '${type}' AND state = ${state} AND ${column} > ? AND ${column} < ? ORDER BY ${column} ${isDescending ? "DESC" : ""} LIMIT ?`;
        return prepared(sql).all(space, above, below, max) as { id: Uint8Array; value: string }[];
      });
      const sign = isDescending ? -1 : 1;
      const sorted = found.sort((one, other) => (one.value < other.value ? -sign : sign)).slice(0, max);
      return sorted.map(({ id, value }) => ({ id: uuidText(id), value }));
    },
    write(documents) {
      const written = documents.flatMap((document) => {
        const space = numberOf.made(document.spaceId);
        const before = standing(space, document.id);
        if (before !== undefined && before.value.version >= document.version) return [];
        put(space, document, before);
        return [{ space, document, before }];
      });
      // Only now is all of the batch there that they may depend on.
      for (const { space, document, before } of written)
        if (dependsOnOthers(document, before)) settle(space, document.id);
      for (const { space, document, before } of written)
        if (before !== undefined) tellDependents(space, document, before);
    },
  };

  function put(space: number, document: Document, before: Standing | undefined): void {
    const type = typeOf(document.type);
    const hidden = (before?.state ?? 0) & ~deletedBit;
    const state = hidden | (document.deletedBy === undefined ? 0 : deletedBit);
    const row = rows.put(space, { type, document, state, shown: {}, before });
    items.put(space, type, { row, state, fields: document.fields }, before);
    terms.put(space, type, row, document.fields, before?.value.fields);
  }

  /** Most tasks refer to nothing and are hidden by nothing: they need no second look. */
  function dependsOnOthers({ type: name, fields }: Document, before: Standing | undefined): boolean {
    const { hidings = [], shown } = typeOf(name);
    if (((before?.state ?? 0) & ~deletedBit) !== 0) return true;
    if (shown !== undefined && typeof fields[shown.by] === "string") return true;
    return hidings.some(({ field }) => typeof fields[field] === "string");
  }

  /** Gives a document the state and the shown value that follow from what it refers to. */
  function settle(space: number, id: string): void {
    const own = standing(space, id);
    if (own === undefined) return;
    const type = typeOf(own.value.type);
    if (type.hidings === undefined && type.shown === undefined) return;
    const others = new Map<string, Standing | undefined>();
    const { state, shown } = placeOf(type, own.value, (field) => {
      const reference = own.value.fields[field];
      if (typeof reference !== "string") return undefined;
      if (!others.has(reference)) others.set(reference, standing(space, reference));
      const other = others.get(reference);
      return other === undefined ? undefined : { state: other.state, document: other.value };
    });
    if (state === own.state && isSame(shown, own.shown)) return;
    rows.put(space, { type, document: own.value, state, shown, before: own });
    if (state === own.state) return;
    items.state(space, type, own, state);
    for (const dependent of dependents.get(type.name) ?? []) settleInherited(space, dependent, id);
  }

  /** Those that refer to a document whose state has changed, and through it to what has changed it. */
  function settleInherited(space: number, { type, field }: Dependent, id: string): void {
    if (!(type.hidings ?? []).some((hiding) => hiding.field === field && hiding.isInherited === true)) return;
    settleAll(space, { type, field }, id);
  }

  function tellDependents(space: number, document: Document, before: Standing): void {
    const isDeleted = document.deletedBy !== undefined;
    for (const dependent of dependents.get(document.type) ?? []) {
      const { type, field } = dependent;
      const hiding = (type.hidings ?? []).find((each) => each.field === field);
      const flag = hiding?.flag;
      const changes =
        isDeleted !== (before.value.deletedBy !== undefined) ||
        (flag !== undefined && document.fields[flag] !== before.value.fields[flag]) ||
        (type.shown?.by === field &&
          type.shown.dependsOn(document.fields) !== type.shown.dependsOn(before.value.fields));
      if (changes) settleAll(space, dependent, document.id);
    }
  }

  function settleAll(space: number, dependent: Dependent, id: string): void {
    for (const each of idsReferring(space, dependent, id)) settle(space, each);
  }

  function idsReferring(space: number, { type, field }: Dependent, id: string): string[] {
    const sql = `SELECT id FROM documents WHERE type = '${type.name}' AND space = ? AND ${columnOf(field)} = ?`;
    const found = prepared(sql).all(space, uuidBytes(id)) as { id: Uint8Array }[];
    return found.map((each) => uuidText(each.id));
  }
}

type Put = {
  readonly type: ResourceType;
  readonly document: Document;
  readonly state: number;
  readonly shown: Fields;
  readonly before: Standing | undefined;
};

function documentRows(db: DatabaseSync, registry: Registry) {
  const dues = dueColumns(registry);
  const columns = [...listColumns(registry).map(columnOf), ...dues.map(localColumnOf)];
  const insert = db.prepare(
    `INSERT INTO documents (space, id, type, user, created_at, version, state, updated_at, text, rest, ${columns.join(", ")}) VALUES (${Array(
      10 + columns.length,
    )
      .fill("?")
      .join(", ")})`,
  );
  const fieldsOf = new Map([...registry.values()].map((type) => [type, listFields(type)]));
  const updates = new Map<string, StatementSync>();

  /** Of the fields that differ: an index is written only where its columns are named. */
  function changedColumns({ type, document, shown, before }: Put): Map<string, SqlValue> {
    const changed = new Map<string, SqlValue>();
    for (const [name, field] of fieldsOf.get(type) ?? []) {
      const value = shownValue(name, document.fields, shown);
      if (before !== undefined && isSame(value, shownValue(name, before.value.fields, before.shown))) continue;
      changed.set(columnOf(name), columnValue(field, value));
      if (field.form.kind === "due") changed.set(localColumnOf(name), Number(isLocalDue(value)));
    }
    return changed;
  }

  function update(put: Put, { row, state, value }: Standing): void {
    const { type, document, shown } = put;
    const { text, rest } = storedTexts(type, document, shown);
    const changed = changedColumns(put).set("text", text).set("rest", rest);
    if (state !== put.state) changed.set("state", put.state);
    if (value.version !== document.version)
      changed.set("version", document.version).set("updated_at", Date.parse(document.updatedAt));
    const sql = `UPDATE documents SET ${Array.from(changed.keys(), (name) => `${name} = ?`).join(", ")} WHERE document = ?`;
    const statement = updates.get(sql) ?? db.prepare(sql);
    if (updates.size >= statementsMax) updates.clear();
    updates.set(sql, statement);
    statement.run(...changed.values(), row);
  }

  return {
    /** The document's row number. */
    put(space: number, put: Put): number {
      const { type, document, state, shown, before } = put;
      if (before !== undefined) {
        update(put, before);
        return before.row;
      }
      const { text, rest } = storedTexts(type, document, shown);
      const values = changedColumns(put);
      const { lastInsertRowid } = insert.run(
        space,
        uuidBytes(document.id),
        type.name,
        type.name === "member" ? uuidBytes(document.fields.userId as string) : null,
        Date.parse(document.createdAt),
        document.version,
        state,
        Date.parse(document.updatedAt),
        text,
        rest,
        ...columns.map((column) => values.get(column) ?? null),
      );
      return Number(lastInsertRowid);
    },
  };
}

/** The items of sets, each with its document's state. */
function itemRows(db: DatabaseSync, registry: Registry) {
  const insert = db.prepare("INSERT INTO items (space, field, item, document, state) VALUES (?, ?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM items WHERE space = ? AND field = ? AND item = ? AND document = ?");
  const update = db.prepare("UPDATE items SET state = ? WHERE space = ? AND field = ? AND item = ? AND document = ?");
  const sets = new Map([...registry.values()].map((type) => [type, setFields(type)]));
  type Kept = { readonly row: number; readonly state: number; readonly fields: Fields };

  function* itemsIn(type: ResourceType, fields: Fields): Generator<{ field: string; item: string }> {
    for (const { name, orNone } of sets.get(type) ?? []) {
      const field = itemsOf(type, name);
      const all = (fields[name] ?? []) as readonly string[];
      for (const item of all) yield { field, item };
      if (orNone && all.length === 0) yield { field, item: "" };
    }
  }
  function stateOf(space: number, type: ResourceType, { row, fields }: Omit<Kept, "state">, state: number): void {
    for (const { field, item } of itemsIn(type, fields)) update.run(state, space, field, item, row);
  }

  return {
    put(space: number, type: ResourceType, { row, state, fields }: Kept, before: Standing | undefined): void {
      const keyOf = ({ field, item }: { field: string; item: string }) => `${field} ${item}`;
      const known = new Map(
        Array.from(before === undefined ? [] : itemsIn(type, before.value.fields), (each) => [keyOf(each), each]),
      );
      for (const each of itemsIn(type, fields)) {
        const { field, item } = each;
        if (!known.delete(keyOf(each))) insert.run(space, field, item, row, state);
        else if (state !== before?.state) update.run(state, space, field, item, row);
      }
      for (const { field, item } of known.values()) remove.run(space, field, item, row);
    },
    state: (space: number, type: ResourceType, of: Standing, state: number): void =>
      stateOf(space, type, { row: of.row, fields: of.value.fields }, state),
  };
}

function termRows(db: DatabaseSync, registry: Registry) {
  const insert = db.prepare("INSERT INTO terms (rowid, spelled) VALUES (?, ?)");
  const remove = db.prepare("DELETE FROM terms WHERE rowid = ?");
  const names = new Map([...registry.values()].map((type) => [type, wordFields(type)]));
  return {
    put(space: number, type: ResourceType, row: number, fields: Fields, before: Fields | undefined): void {
      const searched = names.get(type) ?? [];
      if (
        searched.length === 0 ||
        (before !== undefined && searched.every((name) => isSame(before[name], fields[name])))
      )
        return;
      if (before !== undefined) remove.run(row);
      insert.run(row, termsOf(space, wordsIn(searched, fields)));
    },
  };
}
