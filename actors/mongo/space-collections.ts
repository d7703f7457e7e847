/** Facts, documents and heads of spaces in MongoDB: their collections and indexes, and how each is kept as a text. */
import type { Collection, CollectionOptions, Db } from "mongodb";
import type { Document, Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { ensureIndexesOf } from "./indexes.ts";

/** `_id` of facts is space and operation, of documents space and id, of heads the space. `space` alone is the shard key of all three. */
type Kept = {
  _id: string;
  space: string;
  /** The whole, as JSON. */
  json: string;
};

export type FactRecord = Kept & {
  /** None where nothing changed. */
  seq?: number;
  position: number;
  /** When an unkeyed record of what changed nothing goes. */
  expireAt?: Date;
};

export type DocumentRecord = Kept & { id: string; type: string; seq: number; version: number };

export type HeadRecord = Kept & { seq: number; position: number };

export type SpaceCollections = {
  readonly facts: Collection<FactRecord>;
  readonly documents: Collection<DocumentRecord>;
  readonly heads: Collection<HeadRecord>;
};

/** What is kept under a key is no fact, document or head, or is too large to be kept: trying again does not help. */
export class StoredTextError extends Error {
  override readonly name = "StoredTextError";
  readonly collection: keyof SpaceCollections;
  readonly spaceId: string;
  /** Of the resource, or of the operation. */
  readonly id: string;
  constructor(collection: keyof SpaceCollections, at: { spaceId: string; id: string }, reason: string) {
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

export function spaceCollections(
  db: Db,
  options: CollectionOptions = { writeConcern: { w: "majority", journal: true } },
): SpaceCollections {
  return {
    facts: db.collection("facts", options),
    documents: db.collection("documents", options),
    heads: db.collection("heads", options),
  };
}

/** Makes the indexes that are missing; several writers may start at once. That an operation or a document is there once, `_id` sees to. */
export async function ensureSpaceIndexes({ facts }: SpaceCollections): Promise<void> {
  await ensureIndexesOf(facts, [
    { key: { space: 1, seq: 1 }, unique: true, partialFilterExpression: { seq: { $gt: 0 } } },
    { key: { expireAt: 1 }, expireAfterSeconds: 0, sparse: true },
  ]);
}

export function factRecord(fact: Fact, nowMs: number): FactRecord {
  const { spaceId, operationId, seq, position, keyed } = fact;
  return {
    _id: keyOf(spaceId, operationId),
    space: spaceId,
    ...(seq === undefined ? {} : { seq }),
    position,
    json: textOf("facts", { spaceId, id: operationId }, fact),
    ...(keyed || seq !== undefined ? {} : { expireAt: new Date(nowMs + unkeyedKeptMs) }),
  };
}

export function documentRecord(document: Document): DocumentRecord {
  const { spaceId, id, type, seq, version } = document;
  const json = textOf("documents", document, document);
  return { _id: keyOf(spaceId, id), space: spaceId, id, type, seq, version, json };
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
    fact.seq !== seq ||
    fact.position !== position ||
    !Array.isArray(fact.changes) ||
    !["applied", "unchanged", "rejected"].includes(fact.verdict)
  )
    throw new StoredTextError("facts", at, "its text is not of this fact");
  return fact;
}

export function documentIn({ space, id, type, seq, version, json }: DocumentRecord): Document {
  const at = { spaceId: space, id };
  const document = valueOf("documents", at, json) as unknown as Document;
  if (
    document.spaceId !== space ||
    document.id !== id ||
    document.type !== type ||
    document.seq !== seq ||
    document.version !== version ||
    !isObject(document.fields)
  )
    throw new StoredTextError("documents", at, "its text is not of this document");
  return document;
}

export function headIn({ space, seq, position, json }: HeadRecord): Head {
  const at = { spaceId: space, id: space };
  const head = valueOf("heads", at, json) as unknown as Head;
  if (head.spaceId !== space || head.seq !== seq || head.position !== position || !Array.isArray(head.members))
    throw new StoredTextError("heads", at, "its text is not of this head");
  return head;
}

function textOf(collection: keyof SpaceCollections, at: { spaceId: string; id: string }, value: object): string {
  const json = JSON.stringify(value);
  // A UTF-16 unit is three bytes at most: only a long text is counted.
  const bytes = json.length * 3 > textBytesMax ? Buffer.byteLength(json) : 0;
  if (bytes > textBytesMax)
    throw new StoredTextError(collection, at, `its text has ${bytes} bytes, more than ${textBytesMax}`);
  return json;
}

function valueOf(
  collection: keyof SpaceCollections,
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
