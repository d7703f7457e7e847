/** Makes the indexes of a collection, and tells apart what trying again does not mend. */
import { type Collection, type Document, type IndexDescription, MongoServerError } from "mongodb";
import { duplicateKey } from "./duplicates.ts";

/** The collection cannot be used as it is; the message says what to do. */
export class IndexError extends Error {
  override readonly name = "IndexError";
}

/** An index of the same keys has other options, or one of the same name has other keys; entries that are to be unique are not. */
const conflicts = new Set<unknown>([85, 86]);

/** Makes those that are missing; several may do so at once. Throws an `IndexError` where something is in the way, else what MongoDB throws. */
export async function ensureIndexesOf<T extends Document>(
  collection: Collection<T>,
  indexes: readonly IndexDescription[],
): Promise<void> {
  try {
    await collection.createIndexes([...indexes]);
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    if (error.code !== duplicateKey && !conflicts.has(error.code)) throw error;
    throw await explained(collection, indexes, error);
  }
}

/** Names the first index that cannot be made, by making them one by one. */
async function explained<T extends Document>(
  collection: Collection<T>,
  indexes: readonly IndexDescription[],
  failure: MongoServerError,
): Promise<unknown> {
  const known = await collection.indexes();
  for (const index of indexes) {
    try {
      await collection.createIndexes([index]);
    } catch (error) {
      if (!(error instanceof MongoServerError)) return error;
      const name = nameOf(index);
      const found = known.find((each) => each.name === name) ?? known.find((each) => keysOf(each) === keysOf(index));
      const { collectionName: of } = collection;
      if (conflicts.has(error.code))
        return new IndexError(
          `Cannot use the collection ${of}: its index ${found?.name ?? name} has other keys or options than this program needs; drop it with db.${of}.dropIndex(${JSON.stringify(found?.name ?? name)}) and start again`,
        );
      if (error.code === duplicateKey)
        return new IndexError(
          `Cannot use the collection ${of}: it has entries twice that the index ${name} needs once; make the read model again with \`tracker rebuild --from-log\``,
        );
      return error;
    }
  }
  // Somebody else has mended it meanwhile: the next try will show.
  return new Error("Cannot make the indexes at once", { cause: failure });
}

/** As MongoDB names an index that is given none. */
function nameOf({ name, key }: IndexDescription): string {
  return name ?? entries(key).flat().join("_");
}

function keysOf({ key }: Pick<IndexDescription, "key">): string {
  return JSON.stringify(entries(key));
}

function entries(key: IndexDescription["key"]): [string, unknown][] {
  return key instanceof Map ? [...key] : Object.entries(key);
}
