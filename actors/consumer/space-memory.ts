/** What the writer of a partition has at hand of its spaces: what it has read, and what it has decided and the store does not have yet. */
import type { Document, Head } from "../resources/document.ts";
import {
  byRange,
  isInRange,
  type Range,
  type Reference,
  rangeKey,
  referenceKey,
  type View,
} from "../resources/draft.ts";
import type { Fact } from "../resources/fact.ts";
import { isPersonal, personalHead, unmadeHead } from "../resources/head.ts";
import type { DocumentKey, Found, InRange, Reading, Referrer } from "./write-ports.ts";

/** Another writer has gone on with this partition: this one must stop, forget all and join again. */
export class SupersededError extends Error {
  override readonly name = "SupersededError";
}

/** Documents kept though the store has them. */
const documentsMax = 20_000;
/** Heads kept likewise: each has the whole roster. */
const headsMax = 5_000;

/** What was looked for, for one decision. */
export type Looked = {
  /** By `referenceKey`. */
  readonly referrers: Map<string, readonly string[]>;
  /** By `rangeKey`. */
  readonly ranged: Map<string, readonly string[]>;
};

export class SpaceMemory {
  readonly #heads = new Map<string, Head | null>();
  /** In the order of their last use. */
  readonly #documents = new Map<string, Document | null>();
  /** The `seq` of those that the store may not have. */
  readonly #unprojected = new Map<string, number>();
  /** The position of heads that the store may not have. */
  readonly #unprojectedHeads = new Map<string, number>();
  readonly #byOperation = new Map<string, Fact | null>();
  readonly #bySeq = new Map<string, Fact | null>();
  /** Facts that the store may not have. */
  readonly #pending = new Set<Fact>();

  /** Null: the store has none. Undefined: not read. */
  headOf(spaceId: string): Head | null | undefined {
    return this.#heads.get(spaceId);
  }

  document(key: DocumentKey): Document | null | undefined {
    const text = keyOf(key.spaceId, key.id);
    const document = this.#documents.get(text);
    if (document === undefined) return undefined;
    this.#documents.delete(text);
    this.#documents.set(text, document);
    return document;
  }

  operation(spaceId: string, operationId: string): Fact | null | undefined {
    return this.#byOperation.get(keyOf(spaceId, operationId));
  }

  /** Those in memory that the store may not have. To be asked for before the store is: a document is projected at any moment. */
  unprojectedReferrers(spaceId: string, references: readonly Reference[]): Referrer[] {
    const asked = new Map(references.map((reference) => [referenceKey(reference), reference]));
    const [{ type, field } = { type: "", field: "" }] = references;
    return [...this.#unprojected.keys()].flatMap((key) => {
      const document = this.#documents.get(key);
      const id = document?.fields[field];
      if (document?.spaceId !== spaceId || document.type !== type || typeof id !== "string") return [];
      return asked.has(referenceKey({ type, field, id })) ? { id: document.id, to: id } : [];
    });
  }

  /** Of those that were read: the ones that still refer to it, by what has been decided since. */
  referrersOf(spaceId: string, { field, id }: Reference, read: readonly Referrer[]): string[] {
    const ids = new Set(read.flatMap((each) => (each.to === id ? each.id : [])));
    return [...ids].filter((each) => {
      const known = this.#documents.get(keyOf(spaceId, each));
      return known === undefined || known?.fields[field] === id;
    });
  }

  /** Those in memory that the store may not have, wherever they are. To be asked for before the store is. */
  unprojectedOf(spaceId: string): string[] {
    return [...this.#unprojected.keys()].flatMap((key) => {
      const document = this.#documents.get(key);
      return document?.spaceId === spaceId ? document.id : [];
    });
  }

  /** Of what was read, and of these in memory: those that are in the range, by what has been decided since. */
  rangeOf(
    spaceId: string,
    range: Range,
    { read, ids }: { read: readonly InRange[]; ids: readonly string[] },
  ): string[] {
    const { type, field, max } = range;
    const found = new Map(read.map(({ id, value }) => [id, { id, type, fields: { [field]: value } }]));
    const known = [...new Set([...found.keys(), ...ids])].flatMap((id) => {
      const document = this.#documents.get(keyOf(spaceId, id));
      return document === undefined ? (found.get(id) ?? []) : (document ?? []);
    });
    const inRange = known.filter((each) => isInRange(each, range)).sort(byRange(range));
    return inRange.slice(0, max).map(({ id }) => id);
  }

  /** Its documents throw a `SupersededError` where one is of a later fact than the head. */
  view(spaceId: string, userId: string, { referrers, ranged }: Looked): View {
    const head = this.headOf(spaceId) ?? (isPersonal(spaceId, userId) ? personalHead(userId) : null);
    return {
      head,
      document: (id) => {
        const document = this.document({ spaceId, id });
        if ((document?.seq ?? 0) > (head?.seq ?? 0))
          throw new SupersededError(`The document ${id} of space ${spaceId} is ahead of what was decided here`);
        return document;
      },
      fact: (seq) => this.#bySeq.get(keyOf(spaceId, seq)),
      operation: (operationId) => this.operation(spaceId, operationId),
      referrers: (reference) => referrers.get(referenceKey(reference)),
      ranged: (range) => ranged.get(rangeKey(range)),
    };
  }

  /** Those of the reading that are not known. */
  unknown({ heads, documents, operations, seqs }: Reading): Reading {
    return {
      heads: heads.filter((spaceId) => !this.#heads.has(spaceId)),
      documents: documents.filter(({ spaceId, id }) => !this.#documents.has(keyOf(spaceId, id))),
      operations: operations.filter(({ spaceId, operationId }) => !this.#byOperation.has(keyOf(spaceId, operationId))),
      seqs: seqs.filter(({ spaceId, seq }) => !this.#bySeq.has(keyOf(spaceId, seq))),
    };
  }

  /** Takes what was read; what has become known meanwhile stays. */
  add(reading: Reading, found: Found): void {
    for (const spaceId of reading.heads)
      setNew(
        this.#heads,
        spaceId,
        null,
        found.heads.find((head) => head.spaceId === spaceId),
      );
    const documents = new Map(found.documents.map((document) => [keyOf(document.spaceId, document.id), document]));
    for (const { spaceId, id } of reading.documents) {
      setNew(this.#documents, keyOf(spaceId, id), null, documents.get(keyOf(spaceId, id)));
    }
    const facts = new Map(
      found.facts.flatMap((fact) => [
        [keyOf(fact.spaceId, fact.operationId), fact],
        [keyOf(fact.spaceId, fact.seq ?? ""), fact],
      ]),
    );
    for (const { spaceId, operationId } of reading.operations)
      setNew(this.#byOperation, keyOf(spaceId, operationId), null, facts.get(keyOf(spaceId, operationId)));
    for (const { spaceId, seq } of reading.seqs)
      setNew(this.#bySeq, keyOf(spaceId, seq), null, facts.get(keyOf(spaceId, seq)));
  }

  /** These are known not to exist. */
  addAbsent(keys: readonly DocumentKey[]): void {
    for (const { spaceId, id } of keys) setNew(this.#documents, keyOf(spaceId, id), null, undefined);
  }

  /** A decision that the store does not have yet, with what it makes of documents and head. */
  decided(fact: Fact, documents: readonly Document[], head: Head | undefined): void {
    this.#pending.add(fact);
    this.#byOperation.set(keyOf(fact.spaceId, fact.operationId), fact);
    if (fact.seq !== undefined) this.#bySeq.set(keyOf(fact.spaceId, fact.seq), fact);
    if (head !== undefined) {
      this.#heads.delete(fact.spaceId);
      this.#heads.set(fact.spaceId, head);
      this.#unprojectedHeads.set(fact.spaceId, head.position);
    }
    for (const document of documents) {
      const key = keyOf(document.spaceId, document.id);
      this.#documents.delete(key);
      this.#documents.set(key, document);
      this.#unprojected.set(key, document.seq);
    }
  }

  /** The store has these now: they may be forgotten. */
  projected(facts: readonly Fact[], documents: readonly Document[], heads: readonly Head[]): void {
    for (const fact of facts) this.#pending.delete(fact);
    for (const { spaceId, id, seq } of documents) forgetSame(this.#unprojected, keyOf(spaceId, id), seq);
    for (const { spaceId, position } of heads) forgetSame(this.#unprojectedHeads, spaceId, position);
  }

  /** Between two batches, never within one: what the store has goes, facts all and the rest down to a bound. */
  trim(): void {
    for (const facts of [this.#byOperation, this.#bySeq])
      for (const [key, fact] of facts) if (fact === null || !this.#pending.has(fact)) facts.delete(key);
    forgetOldest(this.#documents, this.#unprojected, documentsMax);
    forgetOldest(this.#heads, this.#unprojectedHeads, headsMax);
  }
}

/** The head that a command of this space is decided on. */
export function headOrFirst(memory: SpaceMemory, { spaceId, userId }: { spaceId: string; userId: string }): Head {
  return memory.headOf(spaceId) ?? (isPersonal(spaceId, userId) ? personalHead(userId) : unmadeHead(spaceId));
}

function keyOf(spaceId: string, of: string | number): string {
  return `${spaceId} ${of}`;
}

/** Unless it has become another one meanwhile. */
function forgetSame(unprojected: Map<string, number>, key: string, projected: number): void {
  if (unprojected.get(key) === projected) unprojected.delete(key);
}

/** Of those that the store has, until no more than `max` are left. */
function forgetOldest<V>(map: Map<string, V>, unprojected: ReadonlyMap<string, number>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) break;
    if (!unprojected.has(key)) map.delete(key);
  }
}

function setNew<V>(map: Map<string, V | null>, key: string, none: null, value: V | undefined): void {
  if (!map.has(key)) map.set(key, value ?? none);
}
