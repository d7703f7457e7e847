/** Which resources refer to others: read for one decision, since any other may change it. */
import { type Reference, referenceKey } from "../resources/draft.ts";
import type { SpaceMemory } from "./space-memory.ts";
import type { FactStore } from "./write-ports.ts";

/** By `referenceKey`, from the store and from what it may not have yet. All references are of one type and field. */
export async function readReferrers(
  store: Pick<FactStore, "referrers">,
  memory: SpaceMemory,
  spaceId: string,
  references: readonly Reference[],
): Promise<[string, readonly string[]][]> {
  if (references.length === 0) return [];
  const read = memory.unprojectedReferrers(spaceId, references);
  read.push(...(await store.referrers(spaceId, references)));
  return references.map((reference) => [referenceKey(reference), memory.referrersOf(spaceId, reference, read)]);
}
