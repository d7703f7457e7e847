/** The indexes of spaces in MongoDB: which lists there are follows from the types of resources. */
import type { IndexDescription } from "mongodb";
import { listFields, setFields, wordFields } from "../resources/listing.ts";
import type { Registry } from "../resources/registry.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { ensureIndexesOf } from "./indexes.ts";
import type { SpaceCollections } from "./space-collections.ts";

/** Makes the indexes that are missing, and the name of the store; several writers may start at once. That an operation or a document is there once, `_id` sees to. */
export async function ensureSpaceIndexes(
  { facts, documents, erased, store }: SpaceCollections,
  registry: Registry,
): Promise<void> {
  await Promise.all([
    ensureIndexesOf(facts, [
      { key: { space: 1, seq: 1 }, unique: true, partialFilterExpression: { seq: { $gt: 0 } } },
      // For reads: not every server looks something up in an index that holds some documents only.
      { key: { space: 1, seq: 1, position: 1 } },
      { key: { space: 1, changed: 1 } },
      { key: { expireAt: 1 }, expireAfterSeconds: 0, sparse: true },
    ]),
    ensureIndexesOf(documents, documentIndexes(registry)),
    ensureIndexesOf(erased, [{ key: { isDone: 1 } }]),
    store.updateOne({ _id: "store" }, { $setOnInsert: { epoch: crypto.randomUUID() } }, { upsert: true }),
  ]);
}

export function documentIndexes(registry: Registry): IndexDescription[] {
  const types = [...registry.values()];
  const unique = (names: readonly string[]) => [...new Set(names)];
  const sets = types.flatMap((type) => [
    ...setFields(type).map(({ name }) => name),
    ...(wordFields(type).length > 0 ? ["words"] : []),
  ]);
  return [
    { key: { space: 1, type: 1, state: 1, createdAt: 1, _id: 1 } },
    { key: { space: 1, id: 1 } },
    ...unique(["user", ...types.flatMap(lookedUp)]).map((name) => ({ key: { [name]: 1 }, sparse: true })),
    ...unique(sets).map((name) => ({ key: { space: 1, [name]: 1 } })),
    ...types.flatMap(sortIndexes),
  ] as IndexDescription[];
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

/** Fields by whose value documents are looked up: references and other ids, which most documents have not. */
export function lookedUp(type: ResourceType): string[] {
  return listFields(type).flatMap(([name, { form, sortable }]) =>
    sortable !== true && (form.kind === "reference" || form.kind === "text") ? [name] : [],
  );
}
