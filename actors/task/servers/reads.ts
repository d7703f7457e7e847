/** Reads of spaces from MongoDB. */
import type { Collection } from "mongodb";
import { Problem } from "../../model/problem.ts";
import { factPage } from "../../mongo/fact-page.ts";
import { readGate } from "../../mongo/read-gate.ts";
import {
  changeKey,
  type DocumentRecord,
  factIn,
  foundAs,
  headIn,
  inOrderOfIds,
  keyOf,
  type SpaceCollections,
} from "../../mongo/space-collections.ts";
import type { Fact } from "../../resources/fact.ts";
import { deletedBit, hidingBit } from "../../resources/listing.ts";
import type { Registry } from "../../resources/registry.ts";
import { withDeadline } from "../../waiting.ts";
import type { Membership, SpaceReads, StoredChange, StoredResource } from "../ports.ts";
import { mongoList } from "./lists.ts";

/** Whoever reads waits for no longer. */
const readMs = 2_500;
/** Whoever lists may wait for others who do, too. */
const listMs = 10_000;
/** Below what the pool of connections has, so that reads of single resources never wait for lists. */
const listing = { atOnce: 8, waitingMax: 1_000, readMs, waitMs: listMs, now: () => performance.now() } as const;
/** A store that was restored is known by its new name after so long. */
const epochKeptMs = 1_000;
const versionsAtOnceMax = 1_000;

const storedFields = { id: 1, type: 1, version: 1, state: 1, text: 1 } as const;
type StoredFields = Pick<DocumentRecord, keyof typeof storedFields>;
/** All states without the bit of what is deleted: a type has two hidings at most. */
const livingStates = [0, 1, 2, 3].map((hidings) => hidings * hidingBit(0));

/** Promises, all of them but the name of the store, which is at hand most times. */
export type MongoSpaceReads = Pick<SpaceReads, "epoch"> & {
  [M in Exclude<keyof SpaceReads, "epoch">]: (
    ...given: Parameters<SpaceReads[M]>
  ) => Promise<Awaited<ReturnType<SpaceReads[M]>>>;
};

export function mongoSpaceReads(
  { facts, documents, heads, store }: SpaceCollections,
  registry: Registry,
  { now }: { readonly now: () => number } = { now: Date.now },
): MongoSpaceReads {
  const list = mongoList(documents, registry, readGate(listing));
  let named: { readonly epoch: string; readonly atMs: number } | undefined;
  let naming: Promise<string> | undefined;
  const findEpoch = guarded(async () => {
    const atMs = now();
    const found = await store.findOne({ _id: "store" });
    if (found === null) throw new Error("Cannot tell the name of the store: no writer has made it yet");
    named = { epoch: found.epoch, atMs };
    return named.epoch;
  });
  /** Once for all who ask meanwhile. */
  const readEpoch = (): Promise<string> => {
    naming ??= findEpoch().finally(() => {
      naming = undefined;
    });
    return naming;
  };

  return {
    head: guarded(async (spaceId) => {
      const found = await heads.findOne({ _id: spaceId });
      return found === null ? undefined : headIn(found);
    }),

    resources: guarded(async (spaceId, ids) => {
      const found = await documents
        .find({ _id: { $in: ids.map((id) => keyOf(spaceId, id)) } })
        .project<StoredFields>(storedFields)
        .toArray();
      return found.map((each) => storedResource(spaceId, each));
    }),

    living: guarded(async (spaceId, types, afterId, limit) => {
      const found = await documents
        .aggregate<StoredFields>(
          [
            // As lists do: what one index finds first.
            { $match: { space: spaceId, id: { $gt: afterId ?? "" } } },
            { $match: { type: { $in: [...types] }, state: { $in: livingStates } } },
            { $sort: { id: 1 } },
            { $limit: limit },
            { $project: storedFields },
          ],
          { hint: inOrderOfIds },
        )
        .toArray();
      return found.map((each) => storedResource(spaceId, each));
    }),

    list: guarded(list, listMs),

    labels: guarded(async (spaceId) => {
      const found = await documents
        .aggregate<{ _id: string; tasks: number }>([
          { $match: { space: spaceId, type: "task", state: 0 } },
          { $unwind: "$labels" },
          { $group: { _id: "$labels", tasks: { $sum: 1 } } },
        ])
        .toArray();
      const labels = found.map(({ _id: label, tasks }) => ({ label, tasks }));
      return labels.sort((a, b) => Buffer.compare(Buffer.from(a.label), Buffer.from(b.label)));
    }),

    changes: guarded(async (spaceId, id, below, limit) => {
      const latest = await versionOf(documents, keyOf(spaceId, id));
      const top = Math.min(below - 1, latest);
      const count = Math.min(limit, top, versionsAtOnceMax);
      if (count <= 0) return [];
      const keys = Array.from({ length: count }, (_, index) => changeKey(id, top - index));
      const found = await facts.find({ space: spaceId, changed: { $in: keys } }).toArray();
      const asked = new Set(keys);
      return found
        .map(factIn)
        .flatMap((fact) => changesOf(fact, (change) => asked.has(changeKey(change.id, change.version))))
        .sort((a, b) => b.change.version - a.change.version);
    }),

    facts: guarded((spaceId, after, limit, bytesMax) => factPage(facts, { spaceId, after, limit, bytesMax })),

    operation: guarded(async (spaceId, operationId) => {
      const found = await facts.findOne({ _id: keyOf(spaceId, operationId) });
      return found === null ? undefined : factIn(found);
    }),

    memberships: guarded(async (userId) => {
      const found = await documents
        .find({ found: foundAs.member(userId), state: 0 })
        .project<{ space: string }>({ space: 1 })
        .hint({ found: 1 })
        .toArray();
      const ids = [...new Set([...found.map(({ space }) => space), userId])];
      const known = (await heads.find({ _id: { $in: ids } }).toArray()).map(headIn);
      return known
        .map(({ spaceId, isDeleted }): Membership => ({ spaceId, isDeleted }))
        .sort((a, b) => (a.spaceId < b.spaceId ? -1 : 1));
    }),

    epoch: () => (named !== undefined && now() - named.atMs < epochKeptMs ? named.epoch : readEpoch()),
  };
}

function storedResource(spaceId: string, { id, type, version, state, text }: StoredFields): StoredResource {
  return { spaceId, id, type, version, isDeleted: (state & deletedBit) !== 0, text };
}

function changesOf(fact: Fact, isAsked: (change: Fact["changes"][number]) => boolean): StoredChange[] {
  const { spaceId, seq = 0, at, actorId, operationId } = fact;
  return fact.changes.filter(isAsked).map((change) => ({ fact: { spaceId, at, actorId, operationId, seq }, change }));
}

/** 0 where there is none. */
async function versionOf(documents: Collection<DocumentRecord>, key: string): Promise<number> {
  const found = await documents.findOne({ _id: key }, { projection: { version: 1 } });
  return found?.version ?? 0;
}

function guarded<Arguments extends unknown[], Result>(
  read: (...given: Arguments) => Promise<Result>,
  timeoutMs = readMs,
): (...given: Arguments) => Promise<Result> {
  return async (...given) => {
    try {
      return await withDeadline(read(...given), timeoutMs);
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      throw new Problem("read-model-unavailable", undefined, { cause });
    }
  };
}
