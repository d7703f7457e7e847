/** Facts, documents and heads of spaces in MongoDB: their collections, and how each is kept as a text, beside what lists need of it. */
import type { Collection, CollectionOptions, Db } from "mongodb";
import type { Document, Fields, Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { isLocalDue, listFields, listValue, setFields, wordFields, wordsIn } from "../resources/listing.ts";
import type { Registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { shownValue } from "../resources/served.ts";
import { storedDocument, storedTexts } from "../resources/stored-document.ts";

/** `_id` of facts is space and operation, of documents space and id, of heads the space. `space` alone is the shard key of all three. */
type Kept = { _id: string; space: string };

export type FactRecord = Kept & {
  /** Where nothing changed, a number below 0 that no other fact of the space has. */
  seq: number;
  position: number;
  /** By which the changes of a resource are found: `changeKey` of each. */
  changed?: readonly string[];
  /** When an unkeyed record of what changed nothing goes. */
  expireAt?: Date;
  /** The whole, as JSON. */
  json: string;
};

/** Beside these a value for each list field, and an array for each set, of the type. */
export type DocumentRecord = Kept & {
  id: string;
  type: string;
  seq: number;
  version: number;
  /** See listing.ts. */
  state: number;
  createdAt: number;
  updatedAt: number;
  /** By which it is found in whatever space it is: see `foundAs`. */
  found?: string;
  /** By which it is found: each as `termOf`. */
  terms?: readonly string[];
  words?: readonly string[];
  /** What of it others depend on, as a text; only of types on which others do. */
  hiding?: string;
  /** Others may not have been told of the latest change of `hiding`. */
  isUnsettled?: true;
  /** What is served, and what of the document is not in that. */
  text: string;
  rest: string;
};

export type HeadRecord = Kept & { seq: number; position: number; json: string };

/** `_id` is a space that has lost its last member: its own, of a user whose account was erased, is noted for ever. */
export type ErasedRecord = {
  _id: string;
  isDone: boolean;
  /** How often it was noted: what is noted while it is worked on is not done with that. */
  notes: number;
};

/** A tombstone of a space that was erased has no type. */
export function isErased({ type }: Pick<DocumentRecord, "type">): boolean {
  return type === "";
}

/** An order in which documents stay where they are while what hides them changes: a reader of many meets each one. */
export const inOrderOfIds = { space: 1, id: 1 } as const;

/** What there is once. */
export type StoreRecord = { _id: "store"; epoch: string };

export type SpaceCollections = {
  readonly facts: Collection<FactRecord>;
  readonly documents: Collection<DocumentRecord>;
  readonly heads: Collection<HeadRecord>;
  readonly erased: Collection<ErasedRecord>;
  readonly store: Collection<StoreRecord>;
};

type CollectionName = Exclude<keyof SpaceCollections, "erased" | "store">;

/** What is kept under a key is no fact, document or head, or is too large to be kept: trying again does not help. */
export class StoredTextError extends Error {
  override readonly name = "StoredTextError";
  readonly collection: CollectionName;
  readonly spaceId: string;
  /** Of the resource, or of the operation. */
  readonly id: string;
  constructor(collection: CollectionName, at: { spaceId: string; id: string }, reason: string) {
    super(`Cannot use ${collection}, space ${at.spaceId}, id ${at.id}: ${reason}`);
    this.collection = collection;
    this.spaceId = at.spaceId;
    this.id = at.id;
  }
}

/** MongoDB takes 16 MiB; a decision is at most 4 MiB and a document is bounded by its fields. */
const textBytesMax = 8 * 2 ** 20;
/** How long the record of an operation is kept that has no key and changed nothing. */
const unkeyedKeptMs = 86_400_000;

export function keyOf(spaceId: string, of: string): string {
  return `${spaceId} ${of}`;
}

const safe: CollectionOptions = { writeConcern: { w: "majority", journal: true } };

/** `suffix`: those that are made beside the ones that are read. The store has one name only. */
export function spaceCollections(db: Db, options: CollectionOptions = safe, suffix = ""): SpaceCollections {
  return {
    facts: db.collection(`facts${suffix}`, options),
    documents: db.collection(`documents${suffix}`, options),
    heads: db.collection(`heads${suffix}`, options),
    erased: db.collection(`erased${suffix}`, options),
    store: db.collection("store", options),
  };
}

/** Versions in one width, so that a resource's changes are in their order. */
export function changeKey(id: string, version: number): string {
  return `${id} ${String(version).padStart(12, "0")}`;
}

export function factRecord(fact: Fact, nowMs: number): FactRecord {
  const { spaceId, operationId, seq, position, keyed, changes } = fact;
  return {
    _id: keyOf(spaceId, operationId),
    space: spaceId,
    seq: seq ?? -1 - position,
    position,
    ...(changes.length === 0 ? {} : { changed: changes.map(({ id, version }) => changeKey(id, version)) }),
    json: textOf("facts", { spaceId, id: operationId }, fact),
    ...(keyed || seq !== undefined ? {} : { expireAt: new Date(nowMs + unkeyedKeptMs) }),
  };
}

/** `shown`: fields that readers see with another value than is stored. */
export type Placed = {
  readonly state: number;
  readonly shown: Fields;
  readonly hiding?: string;
  readonly isUnsettled?: boolean;
};

export function documentRecord(type: ResourceType, document: Document, placed: Placed): DocumentRecord {
  const { spaceId, id, seq, version, fields, createdAt, updatedAt } = document;
  const { state, shown, hiding, isUnsettled } = placed;
  const searched = wordFields(type);
  return {
    _id: keyOf(spaceId, id),
    space: spaceId,
    id,
    type: type.name,
    seq,
    version,
    state,
    createdAt: Date.parse(createdAt),
    updatedAt: Date.parse(updatedAt),
    ...foundIn(type, fields),
    ...listedFields(type, document, shown),
    ...Object.fromEntries(setFields(type).map(({ name, orNone }) => [name, itemsOf(fields[name], orNone)])),
    ...termsIn(type, document, shown),
    ...(searched.length === 0 ? {} : { words: wordsIn(searched, fields) }),
    ...(hiding === undefined ? {} : { hiding }),
    ...(isUnsettled === true ? { isUnsettled } : {}),
    ...textsOf(type, document, shown),
  };
}

/** What is looked for in all spaces. One index for all, which has nothing of the others. */
export const foundAs = {
  member: (userId: string): string => `member ${userId}`,
  webhook: "webhook",
} as const;

function foundIn({ name }: ResourceType, fields: Fields): { found?: string } {
  if (name === "member") return { found: foundAs.member(fields.userId as string) };
  return name === "webhook" ? { found: foundAs.webhook } : {};
}

/** A value that a field has, or that is among those it has. */
export function termOf(field: string, value: string): string {
  return `${field} ${value}`;
}

/** One index for all: each more would be written with every change of every document. */
export function termsIn(type: ResourceType, { fields }: Document, shown: Fields): { terms?: readonly string[] } {
  const terms = [
    ...lookedUp(type).flatMap((name) => {
      const value = shownValue(name, fields, shown);
      return typeof value === "string" ? termOf(name, value) : [];
    }),
    ...setFields(type).flatMap(({ name, orNone }) => itemsOf(fields[name], orNone).map((item) => termOf(name, item))),
  ];
  return terms.length === 0 ? {} : { terms };
}

/** Fields by whose value documents are looked up: references and other ids. */
export function lookedUp(type: ResourceType): string[] {
  return listFields(type).flatMap(([name, { form, sortable }]) =>
    sortable !== true && (form.kind === "reference" || form.kind === "text") ? [name] : [],
  );
}

/** Where a value is shown in the place of a stored one, these are what differs. */
export function listedFields(type: ResourceType, { fields }: Document, shown: Fields): Record<string, unknown> {
  return Object.fromEntries(
    listFields(type).flatMap(([name, field]) => {
      const value = shownValue(name, fields, shown);
      // Ids are looked up in indexes of those that have one.
      if (value === null && field.sortable !== true && (field.form.kind === "reference" || field.form.kind === "text"))
        return [];
      const listed = [[name, listValue(field, value)]];
      return field.form.kind === "due" ? [...listed, [localName(name), isLocalDue(value)]] : listed;
    }),
  );
}

/** Beside the field of a `due`: whether it depends on the zone of its reader. */
export function localName(name: string): string {
  return `${name}IsLocal`;
}

/** An empty text stands for no item at all, where lists can ask for that. */
function itemsOf(items: unknown, orNone: boolean): readonly string[] {
  const all = (items ?? []) as readonly string[];
  return orNone && all.length === 0 ? [""] : all;
}

export function textsOf(type: ResourceType, document: Document, shown: Fields): { text: string; rest: string } {
  const texts = storedTexts(type, document, shown);
  refuseTooLarge("documents", document, texts.text);
  refuseTooLarge("documents", document, texts.rest);
  return texts;
}

export function headRecord(head: Head): HeadRecord {
  const { spaceId, seq, position } = head;
  return { _id: spaceId, space: spaceId, seq, position, json: textOf("heads", { spaceId, id: spaceId }, head) };
}

export function factIn({ _id, space, seq, position, json }: FactRecord): Fact {
  const at = { spaceId: space, id: _id.slice(space.length + 1) };
  const fact = valueOf("facts", at, json) as unknown as Fact;
  if (
    fact.spaceId !== space ||
    fact.operationId !== at.id ||
    (fact.seq ?? -1 - position) !== seq ||
    fact.position !== position ||
    !Array.isArray(fact.changes) ||
    !["applied", "unchanged", "rejected"].includes(fact.verdict)
  )
    throw new StoredTextError("facts", at, "its text is not of this fact");
  return fact;
}

export function documentIn(registry: Registry, record: DocumentRecord): { value: Document; shown: Fields } {
  const { space, id, type: typeName, seq, version, text, rest } = record;
  const at = { spaceId: space, id };
  const type = registry.get(typeName);
  if (type === undefined) throw new StoredTextError("documents", at, "its type is not known");
  const served = valueOf("documents", at, text);
  const others = valueOf("documents", at, rest);
  if (served.spaceId !== space || served.id !== id || served.version !== version || others.seq !== seq)
    throw new StoredTextError("documents", at, "its text is not of this document");
  return storedDocument(type, { text, rest });
}

export function headIn({ space, seq, position, json }: HeadRecord): Head {
  const at = { spaceId: space, id: space };
  const head = valueOf("heads", at, json) as unknown as Head;
  if (head.spaceId !== space || head.seq !== seq || head.position !== position || !Array.isArray(head.members))
    throw new StoredTextError("heads", at, "its text is not of this head");
  return head;
}

function textOf(collection: CollectionName, at: { spaceId: string; id: string }, value: object): string {
  const json = JSON.stringify(value);
  refuseTooLarge(collection, at, json);
  return json;
}

function refuseTooLarge(collection: CollectionName, at: { spaceId: string; id: string }, text: string): void {
  // A UTF-16 unit is three bytes at most: only a long text is counted.
  const bytes = text.length * 3 > textBytesMax ? Buffer.byteLength(text) : 0;
  if (bytes > textBytesMax)
    throw new StoredTextError(collection, at, `its text has ${bytes} bytes, more than ${textBytesMax}`);
}

function valueOf(
  collection: CollectionName,
  at: { spaceId: string; id: string },
  json: unknown,
): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = typeof json === "string" ? JSON.parse(json) : undefined;
  } catch {
    // What the parser says may repeat the text.
  }
  if (!isObject(value)) throw new StoredTextError(collection, at, "its text is no JSON object");
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
