/** Reads all tasks and projects of a small space from MongoDB. */
import type { Collection } from "mongodb";
import {
  type DocumentRecord,
  documentIn,
  headIn,
  inOrderOfIds,
  type SpaceCollections,
} from "../../mongo/space-collections.ts";
import type { Document } from "../../resources/document.ts";
import { livingStates } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import { type ReplicaSource, replicaCharsMax, replicaDocumentsMax, replicatedTypes } from "../memory/space-replica.ts";

const kept = { _id: 0, space: 1, id: 1, type: 1, seq: 1, version: 1, text: 1, rest: 1 } as const;
/** Documents that are parsed before others have their turn. */
const documentsAtOnce = 100;
/** Documents of any type, deleted or not, that are looked at. */
const lookedAtMax = 10_000;
const textCharsMax = replicaCharsMax / 4;

/** Throws where the read model cannot be read, or a document of it is damaged. */
export function replicaReader({ documents, heads }: Pick<SpaceCollections, "documents" | "heads">, registry: Registry) {
  return async (spaceId: string): Promise<ReplicaSource | "missing" | "too large"> => {
    // The head first: documents are written before it.
    const head = await heads.findOne({ _id: spaceId });
    if (head === null) return "missing";
    const count = await documents.countDocuments({ space: spaceId }, { limit: lookedAtMax + 1, hint: inOrderOfIds });
    if (count > lookedAtMax) return "too large";
    const found: Document[] = [];
    let chars = 0;
    const records = replicaRecords(documents, registry, spaceId);
    for await (const record of records) {
      found.push(documentIn(registry, record).value);
      chars += record.text.length + record.rest.length;
      if (found.length > replicaDocumentsMax || chars > textCharsMax) {
        await records.close();
        return "too large";
      }
    }
    return { head: headIn(head), documents: found };
  };
}

/** Not in the order of an index by state: what hides or shows a task meanwhile would move it there, and it would not be met. */
export function replicaRecords(documents: Collection<DocumentRecord>, registry: Registry, spaceId: string) {
  const wanted = [...replicatedTypes].map(([type, { withDeleted }]) => {
    const living = livingStates(typeNamed(registry, type));
    return withDeleted ? { type } : { type, state: { $in: living } };
  });
  return documents
    .aggregate<DocumentRecord>(
      [{ $match: { space: spaceId } }, { $match: { $or: wanted } }, { $sort: { id: 1 } }, { $project: kept }],
      { hint: inOrderOfIds },
    )
    .batchSize(documentsAtOnce);
}
