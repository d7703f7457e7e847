/**
 * The store of facts in MongoDB, without transactions: facts first, then documents, then heads, each write guarded, so that a crash between any two and a
 * writer that does not know that it was replaced end in the same texts.
 */
import type { AnyBulkWriteOperation, Collection } from "mongodb";
import { duplicates } from "../../mongo/duplicates.ts";
import { emptyWrite } from "../../mongo/empty-write.ts";
import { parts } from "../../mongo/parts.ts";
import {
  type FactRecord,
  factIn,
  factRecord,
  type HeadRecord,
  headIn,
  headRecord,
  keyOf,
  type SpaceCollections,
} from "../../mongo/space-collections.ts";
import type { Fact } from "../../resources/fact.ts";
import type { Registry } from "../../resources/registry.ts";
import type { FactStore, SeqKey } from "../write-ports.ts";
import { mongoDocuments } from "./documents.ts";
import { mongoLookUps } from "./look-ups.ts";

const keysAtOnceMax = 1_000;
/** A slow server, too, is done with so many before its connection is taken for dead. */
const writesAtOnceMax = 250;
/** What stood in the way may have expired when it is looked for; not many times in a row. */
const lostMax = 5;

export function mongoFactStore(
  { facts, documents, heads }: Pick<SpaceCollections, "facts" | "documents" | "heads">,
  { now, registry }: { readonly now: () => number; readonly registry: Registry },
): FactStore {
  const documentsOf = mongoDocuments({ documents }, registry);
  return {
    // One after the other: a head that is read before its documents is never ahead of them, and neither is ahead of the facts.
    async read(reading) {
      const headsFound = await byId(heads, reading.heads);
      const documentsFound = await documentsOf.find(reading.documents.map(({ spaceId, id }) => keyOf(spaceId, id)));
      const factsFound = await byId(
        facts,
        reading.operations.map(({ spaceId, operationId }) => keyOf(spaceId, operationId)),
      );
      const seqsFound = await bySeq(reading.seqs);
      const unique = new Map([...factsFound, ...seqsFound].map((record) => [record._id, record]));
      return {
        heads: headsFound.map(headIn),
        documents: documentsFound,
        facts: [...unique.values()].map(factIn),
      };
    },

    ...mongoLookUps({ documents }, registry),

    async record(given) {
      const inTheWay: Fact[] = [];
      /** By space, the `seq` that is missing. */
      const gaps = new Map<string, number>();
      for (const part of parts(given, writesAtOnceMax)) {
        let left = withoutKnown(part, [], { inTheWay, gaps });
        for (let lost = 0; left.length > 0; ) {
          const refused = await insert(left);
          if (refused.length === 0) break;
          const known = await standing(refused);
          if (known.length === 0 && ++lost > lostMax)
            throw new Error("Cannot record facts: what stands in their way cannot be found");
          left = withoutKnown(refused, known, { inTheWay, gaps });
        }
      }
      return inTheWay;
    },

    async project(documentsGiven, headsGiven) {
      // What cannot be kept fails before anything is written.
      const headRecords = headsGiven.map(headRecord);
      await documentsOf.write(documentsGiven);
      await replaceOlder(heads, headRecords);
      // Facts and documents may be written without waiting for the journal; the last write waits for all.
      if (headRecords.length === 0) await emptyWrite(heads);
    },
  };

  /**
   * Those that are not written. Of one space no fact is ever there without those before it: where a space has more than one, they are written one after the
   * other up to the first that cannot be.
   */
  async function insert(some: readonly Fact[]): Promise<readonly Fact[]> {
    const ordered = new Set(some.map(({ spaceId }) => spaceId)).size < some.length;
    const nowMs = now();
    const records = some.map((fact) => factRecord(fact, nowMs));
    const known = await duplicates(() => facts.insertMany(records, { ordered }));
    return ordered && known[0] !== undefined ? some.slice(known[0]) : known.flatMap((index) => some[index] ?? []);
  }

  async function standing(some: readonly Fact[]): Promise<Fact[]> {
    const sameOperation = await byId(
      facts,
      some.map(({ spaceId, operationId }) => keyOf(spaceId, operationId)),
    );
    const sameSeq = await bySeq(some.flatMap(({ spaceId, seq }) => (seq === undefined ? [] : { spaceId, seq })));
    return [...new Map([...sameOperation, ...sameSeq].map((record) => [record._id, record])).values()].map(factIn);
  }

  async function bySeq(keys: readonly SeqKey[]): Promise<FactRecord[]> {
    const found: FactRecord[] = [];
    for (const [space, some] of Map.groupBy(keys, ({ spaceId }) => spaceId))
      for (const part of parts(
        some.map(({ seq }) => seq),
        keysAtOnceMax,
      ))
        found.push(...(await facts.find({ space, seq: { $in: part } }).toArray()));
    return found;
  }
}

/**
 * What is still to be written; for each fact that is not to be, what stands in its way goes to `inTheWay`. Where nothing else has the `seq` of such a fact,
 * those behind it in its space are not written either: they would stand behind a gap.
 */
function withoutKnown(
  facts: readonly Fact[],
  known: readonly Fact[],
  { inTheWay, gaps }: { readonly inTheWay: Fact[]; readonly gaps: Map<string, number> },
): Fact[] {
  const byOperation = new Map(known.map((fact) => [keyOf(fact.spaceId, fact.operationId), fact]));
  const bySeq = new Map(known.map((fact) => [keyOf(fact.spaceId, `${fact.seq}`), fact]));
  return facts.filter(({ spaceId, operationId, seq }) => {
    const sameSeq = seq === undefined ? undefined : bySeq.get(keyOf(spaceId, `${seq}`));
    const same = byOperation.get(keyOf(spaceId, operationId)) ?? sameSeq;
    const gap = gaps.get(spaceId);
    if (same !== undefined) {
      inTheWay.push(same);
      if (seq !== undefined && sameSeq === undefined) gaps.set(spaceId, Math.min(gap ?? seq, seq));
      return false;
    }
    if (seq === gap) gaps.delete(spaceId);
    return gap === undefined || seq === undefined || seq <= gap;
  });
}

async function replaceOlder(heads: Collection<HeadRecord>, records: readonly HeadRecord[]): Promise<void> {
  const replacing = (record: HeadRecord, upsert: boolean): AnyBulkWriteOperation<HeadRecord> => ({
    replaceOne: {
      filter: { _id: record._id, space: record.space, position: { $lt: record.position } },
      replacement: record,
      upsert,
      // Not every server sees by itself that a key with more beside it is looked up by the key.
      hint: { _id: 1 },
    },
  });
  for (const part of parts(records, writesAtOnceMax)) {
    const steps = part.map((record) => replacing(record, true));
    const known = await duplicates(() => heads.bulkWrite(steps, { ordered: false }));
    if (known.length === 0) continue;
    // The head is there and is as new, or another writer has just made it, which may be older: only the guard tells.
    const again = known.flatMap((index) => part[index] ?? []).map((record) => replacing(record, false));
    await heads.bulkWrite(again, { ordered: false });
  }
}

async function byId<Kept extends { _id: string }>(
  collection: Collection<Kept>,
  ids: readonly string[],
): Promise<Kept[]> {
  const found: Kept[] = [];
  for (const part of parts([...new Set(ids)], keysAtOnceMax))
    found.push(...((await collection.find({ _id: { $in: part } } as object).toArray()) as unknown as Kept[]));
  return found;
}
