/** Facts of a space as they are read on, some at a time. */
import type { Fact } from "../resources/fact.ts";
import { factIn, type SpaceCollections } from "./space-collections.ts";

/** In one answer of the server: facts may be of megabytes. */
const factsAtOnce = 100;

/** Those behind `after` in their order: `limit` at most, and as many as fit into so many bytes, but one at least. */
export async function factPage(
  facts: SpaceCollections["facts"],
  { spaceId, after, limit, bytesMax }: { spaceId: string; after: number; limit: number; bytesMax: number },
): Promise<Fact[]> {
  const page: Fact[] = [];
  let bytes = 0;
  const cursor = facts
    .find({ space: spaceId, seq: { $gt: after } })
    .sort({ seq: 1 })
    .limit(limit)
    .batchSize(Math.min(limit, factsAtOnce));
  try {
    for await (const record of cursor) {
      bytes += Buffer.byteLength(record.json);
      if (page.length > 0 && bytes > bytesMax) break;
      page.push(factIn(record));
    }
  } finally {
    await cursor.close();
  }
  return page;
}
