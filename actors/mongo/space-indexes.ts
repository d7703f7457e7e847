/** The indexes of spaces in MongoDB: which lists there are follows from the types of resources. */
import type { IndexDescription } from "mongodb";
import { listFields } from "../resources/listing.ts";
import type { Registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { ensureIndexesOf } from "./indexes.ts";
import { inOrderOfIds, type SpaceCollections } from "./space-collections.ts";

/** Makes the indexes that are missing, and the name of the store; several writers may start at once. That an operation or a document is there once, `_id` sees to. */
export async function ensureSpaceIndexes({ facts, documents, erased, store }: SpaceCollections): Promise<void> {
  await Promise.all([
    ensureIndexesOf(facts, [
      inOrder,
      { key: { space: 1, changed: 1 } },
      { key: { expireAt: 1 }, expireAfterSeconds: 0, sparse: true },
    ]),
    ensureIndexesOf(documents, documentIndexes),
    ensureIndexesOf(erased, [{ key: { isDone: 1 } }]),
    store.updateOne({ _id: "store" }, { $setOnInsert: { epoch: crypto.randomUUID() } }, { upsert: true }),
  ]);
}

/** Those without which a writer is wrong, or slow whatever there is: a replay makes the others when it is done. */
export async function ensureReplayIndexes({ facts, documents }: SpaceCollections): Promise<void> {
  await Promise.all([ensureIndexesOf(facts, [inOrder]), ensureIndexesOf(documents, [byTerms])]);
}

/** The order of the facts of each space, of which no two have one place. */
export const inOrder: IndexDescription = { key: { space: 1, seq: 1 }, unique: true };
const byTerms: IndexDescription = { key: { space: 1, terms: 1 } };

/** In which documents are found. Few: each is written with every change of every document. */
const documentIndexes: readonly IndexDescription[] = [
  { key: { space: 1, type: 1, state: 1, createdAt: 1, _id: 1 } },
  { key: inOrderOfIds },
  byTerms,
  { key: { found: 1 }, sparse: true },
];

/** Fewer documents than this are sorted, and searched for words, as they are found. */
const sortedMax = 20_000;
/** The dearest of all, since a document has many words. */
const byWords: IndexDescription = { key: { space: 1, words: 1 } };

/** Makes the indexes in whose order lists are walked, and that of words, once there are so many documents that it pays. Answers whether they are there. */
export async function ensureSortIndexes(
  { documents }: Pick<SpaceCollections, "documents">,
  registry: Registry,
  max = sortedMax,
): Promise<boolean> {
  if ((await documents.estimatedDocumentCount()) <= max) return false;
  await ensureIndexesOf(documents, [byWords, ...[...registry.values()].flatMap(sortIndexes)]);
  return true;
}

/** Each index holds the documents of one type only. */
function sortIndexes(type: ResourceType): IndexDescription[] {
  const sorts = listFields(type).flatMap(([name, { sortable }]) => (sortable === true ? [name] : []));
  return (sorts.length > 0 ? ["updatedAt", ...sorts] : []).map((name) => ({
    name: `${type.plural}_by_${name}`,
    key: { space: 1, type: 1, state: 1, [name]: 1, _id: 1 },
    partialFilterExpression: { type: type.name },
  })) as IndexDescription[];
}
