/**
 * Documents of spaces in MongoDB with the states that tell whether lists show them, without transactions. A document that hides others is written with a
 * mark, which goes once all that depends on it has been told: a writer that comes after a crash tells them again.
 */
import type { AnyBulkWriteOperation } from "mongodb";
import { duplicates } from "../../mongo/duplicates.ts";
import { parts } from "../../mongo/parts.ts";
import {
  type DocumentRecord,
  documentIn,
  documentRecord,
  isErased,
  keyOf,
  listedFields,
  type SpaceCollections,
  termOf,
  termsIn,
  textsOf,
} from "../../mongo/space-collections.ts";
import type { Document, Fields } from "../../resources/document.ts";
import { isSame } from "../../resources/field.ts";
import { type Dependent, dependentsOf, hides, hidingBit, placeOf } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { shownFields } from "../../resources/served.ts";

const keysAtOnceMax = 1_000;
/** A slow server, too, is done with so many before its connection is taken for dead. */
const writesAtOnceMax = 250;

/** Not every server sees by itself that a key with more beside it is looked up by the key. */
const byId = { _id: 1 };
const byTerms = { space: 1, terms: 1 };

/** What others need to know of a document: it may be in the batch, or in the store. */
type Known = { readonly document: Document; readonly state: number };
type Before = Pick<DocumentRecord, "_id" | "version" | "state" | "hiding" | "isUnsettled">;

export function mongoDocuments({ documents }: Pick<SpaceCollections, "documents">, registry: Registry) {
  const dependents = new Map([...registry.values()].map((type) => [type.name, dependentsOf(registry, type)]));
  const typeOf = (name: string) => typeNamed(registry, name);

  return {
    async find(keys: readonly string[]): Promise<Document[]> {
      return (await recordsOf(keys)).map((record) => documentIn(registry, record).value);
    },

    /** `isNew`: nothing of the document is there. */
    async write(
      batch: readonly Document[],
      isNew: (document: Document) => boolean = ({ version }) => version === 1,
    ): Promise<void> {
      const before = await beforeOf(
        batch.filter((document) => !isNew(document) && (dependents.get(document.type) ?? []).length > 0),
      );
      const states = await statesOf(batch);
      const records = batch.map((document): DocumentRecord => {
        const type = typeOf(document.type);
        const known = before.get(keyOf(document.spaceId, document.id));
        const hiding = hidingOf(document);
        const placed = states.get(document) as { state: number; shown: Fields };
        // One that moves below another hides what is below itself, as that one says.
        const hasMoved = known !== undefined && ((known.state ^ placed.state) & inheritedBits(type)) !== 0;
        const isUnsettled =
          hasMoved || (known !== undefined && (known.isUnsettled === true || known.hiding !== hiding));
        return documentRecord(type, document, {
          ...placed,
          ...(hiding === undefined ? {} : { hiding }),
          isUnsettled,
        });
      });
      const fresh = new Set(records.filter((_, index) => isNew(batch[index] as Document)));
      await placeAgain(await replaceOlder(records, fresh));
      const unsettled = records.filter(({ isUnsettled }) => isUnsettled === true);
      for (const record of unsettled) await tellDependents(record);
      if (unsettled.length > 0)
        await documents.bulkWrite(
          unsettled.map(({ _id, space, version }) => ({
            updateOne: { filter: { _id, space, version }, update: { $unset: { isUnsettled: 1 } }, hint: byId },
          })),
          { ordered: false },
        );
    },
  };

  /** Without tombstones of what was erased, which no write comes behind. */
  async function recordsOf(keys: readonly string[]): Promise<DocumentRecord[]> {
    const found: DocumentRecord[] = [];
    for (const part of parts([...new Set(keys)], keysAtOnceMax))
      found.push(...(await documents.find({ _id: { $in: part } }).toArray()));
    return found.filter((record) => !isErased(record));
  }

  async function beforeOf(batch: readonly Document[]): Promise<Map<string, Before>> {
    const found: Before[] = [];
    const keys = batch.map(({ spaceId, id }) => keyOf(spaceId, id));
    for (const part of parts(keys, keysAtOnceMax))
      found.push(
        ...(await documents
          .find({ _id: { $in: part } })
          .project<Before>({ version: 1, state: 1, hiding: 1, isUnsettled: 1 })
          .toArray()),
      );
    return new Map(found.map((each) => [each._id, each]));
  }

  /** What others depend on: equal texts mean that they need not be told. */
  function hidingOf(document: Document): string | undefined {
    const own = dependents.get(document.type) ?? [];
    if (own.length === 0) return undefined;
    const { fields } = document;
    const told = own.flatMap(({ type, field }) => [
      ...(type.hidings ?? []).flatMap((hiding) =>
        hiding.field === field && hiding.flag !== undefined ? fields[hiding.flag] : [],
      ),
      ...(type.shown?.by === field ? [type.shown.dependsOn(fields)] : []),
    ]);
    return JSON.stringify([document.deletedBy !== undefined, ...told]);
  }

  /** The state of each document of the batch, and what it shows, by what it refers to in the batch and in the store. */
  async function statesOf(batch: readonly Document[]): Promise<Map<Document, { state: number; shown: Fields }>> {
    const inBatch = new Map(batch.map((document) => [keyOf(document.spaceId, document.id), document]));
    const wanted = batch.flatMap((document) => referencesOf(document).filter((key) => !inBatch.has(key)));
    const stored = new Map(
      (await recordsOf(wanted)).map((record): [string, Known] => [
        record._id,
        { document: documentIn(registry, record).value, state: record.state },
      ]),
    );
    const states = new Map<Document, { state: number; shown: Fields }>();
    const known = (key: string): Known | undefined => {
      const document = inBatch.get(key);
      return document === undefined ? stored.get(key) : { document, state: placed(document).state };
    };
    const placed = (document: Document): { state: number; shown: Fields } => {
      const done = states.get(document);
      if (done !== undefined) return done;
      // A chain of parents ends; this is for one that the store has damaged.
      states.set(document, { state: 0, shown: {} });
      const made = placeOf(typeOf(document.type), document, (field) => {
        const reference = document.fields[field];
        return typeof reference === "string" ? known(keyOf(document.spaceId, reference)) : undefined;
      });
      states.set(document, made);
      return made;
    };
    for (const document of batch) placed(document);
    return states;
  }

  function referencesOf(document: Document): string[] {
    const type = typeOf(document.type);
    const fields = [
      ...(type.hidings ?? []).map(({ field }) => field),
      ...(type.shown === undefined ? [] : [type.shown.by]),
    ];
    return fields.flatMap((field) => {
      const reference = document.fields[field];
      return typeof reference === "string" ? [keyOf(document.spaceId, reference)] : [];
    });
  }

  /** Those in whose place there is one that is as new. `fresh`: those of which nothing is there. */
  async function replaceOlder(
    records: readonly DocumentRecord[],
    fresh: ReadonlySet<DocumentRecord>,
  ): Promise<DocumentRecord[]> {
    const asNew: DocumentRecord[] = [];
    const replacing = (record: DocumentRecord, upsert: boolean): AnyBulkWriteOperation<DocumentRecord> => ({
      replaceOne: {
        filter: { _id: record._id, space: record.space, version: { $lt: record.version } },
        replacement: record,
        upsert,
        hint: byId,
      },
    });
    // What is new is inserted, which costs a server much less than to look for what it may replace.
    const writing = (record: DocumentRecord) =>
      fresh.has(record) ? { insertOne: { document: record } } : replacing(record, true);
    for (const part of parts(records, writesAtOnceMax)) {
      const known = await duplicates(() => documents.bulkWrite(part.map(writing), { ordered: false }));
      if (known.length === 0) continue;
      // The document is there and is as new, or another writer has just made it, which may be older: only the guard tells.
      const again = known.flatMap((index) => part[index] ?? []);
      await documents.bulkWrite(
        again.map((record) => replacing(record, false)),
        { ordered: false },
      );
      asNew.push(...again);
    }
    return asNew;
  }

  /** What a writer before wrote of the same version, it may have placed by what has changed since. */
  async function placeAgain(records: readonly DocumentRecord[]): Promise<void> {
    const placed = records.filter(({ type }) => (typeOf(type).hidings ?? []).length > 0);
    for (const part of parts(placed, writesAtOnceMax))
      await documents.bulkWrite(
        part.map(({ _id, space, version, state }) => ({
          updateOne: {
            filter: { _id, space, version, state: { $ne: state } },
            update: { $set: { state } },
            hint: byId,
          },
        })),
        { ordered: false },
      );
  }

  async function tellDependents({ space, id, type }: DocumentRecord): Promise<void> {
    for (const dependent of dependents.get(type) ?? []) {
      const own = dependent.type.hidings ?? [];
      for (const [index, hiding] of own.entries())
        if (hiding.field === dependent.field) await hideBelow(space, dependent, { ids: [id], index });
      if (dependent.type.shown?.by === dependent.field) await showBelow(space, dependent, id);
    }
  }

  /** Sets or clears the bit of all that refer to these, and where the bit is inherited, of all below. */
  async function hideBelow(
    space: string,
    dependent: Dependent,
    { ids, index }: { ids: readonly string[]; index: number },
  ): Promise<void> {
    const { type, field } = dependent;
    const hiding = (type.hidings ?? [])[index];
    if (hiding === undefined) return;
    const bit = hidingBit(index);
    for (let level = ids; level.length > 0; ) {
      const next: string[] = [];
      for (const part of parts(level, keysAtOnceMax)) {
        const above = await recordsOf(part.map((id) => keyOf(space, id)));
        const isHiding = ({ state, ...record }: DocumentRecord) =>
          hides(hiding, bit, { state, fields: documentIn(registry, { state, ...record }).value.fields });
        const [hidingIds, others] = partitioned(above, isHiding);
        await addToStates({ space, type, field, ids: hidingIds }, without(type, bit), bit);
        await addToStates({ space, type, field, ids: others }, withBit(type, bit), -bit);
        if (hiding.isInherited !== true) continue;
        const below = documents
          .find({ space, terms: { $in: part.map((each) => termOf(field, each)) }, type: type.name })
          .project<{ id: string }>({ id: 1 })
          .hint(byTerms);
        next.push(...(await below.toArray()).map(({ id }) => id));
      }
      level = next;
    }
  }

  async function addToStates(
    { space, type, field, ids }: { space: string; type: ResourceType; field: string; ids: readonly string[] },
    states: readonly number[],
    change: number,
  ): Promise<void> {
    if (ids.length === 0) return;
    const terms = { $in: ids.map((id) => termOf(field, id)) };
    const filter = { space, terms, type: type.name, state: { $in: [...states] } };
    await documents.updateMany(filter, { $inc: { state: change } }, { hint: byTerms });
  }

  /** Shows those that refer to this document as it now says. */
  async function showBelow(space: string, { type, field }: Dependent, id: string): Promise<void> {
    const [other] = await recordsOf([keyOf(space, id)]);
    if (other === undefined) return;
    const by = documentIn(registry, other).value.fields;
    let steps: AnyBulkWriteOperation<DocumentRecord>[] = [];
    const write = async () => {
      if (steps.length > 0) await documents.bulkWrite(steps, { ordered: false });
      steps = [];
    };
    const all = documents.find({ space, terms: termOf(field, id), type: type.name }).hint(byTerms);
    for await (const record of all) {
      const { value, shown: earlier } = documentIn(registry, record);
      const shown = shownFields(type, value.fields, by);
      if (isSame(shown, earlier)) continue;
      const set = {
        ...listedFields(type, value, shown),
        ...termsIn(type, value, shown),
        ...textsOf(type, value, shown),
      };
      steps.push({
        updateOne: { filter: { _id: record._id, space, version: value.version }, update: { $set: set }, hint: byId },
      });
      if (steps.length >= writesAtOnceMax) await write();
    }
    await write();
  }
}

/** The bits of a state that hand themselves on to what is below. */
function inheritedBits({ hidings = [] }: ResourceType): number {
  return hidings.reduce((bits, { isInherited }, index) => (isInherited === true ? bits | hidingBit(index) : bits), 0);
}

/** All states of a type that have this bit, or have it not. */
function withBit(type: ResourceType, bit: number): number[] {
  const all = Array.from({ length: hidingBit((type.hidings ?? []).length) }, (_, state) => state);
  return all.filter((state) => (state & bit) !== 0);
}

function without(type: ResourceType, bit: number): number[] {
  return withBit(type, bit).map((state) => state - bit);
}

function partitioned(
  records: readonly DocumentRecord[],
  is: (record: DocumentRecord) => boolean,
): [string[], string[]] {
  const [yes, no]: [string[], string[]] = [[], []];
  for (const record of records) (is(record) ? yes : no).push(record.id);
  return [yes, no];
}
