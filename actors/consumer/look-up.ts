/** Which resources have some value, by which a decision finds them: looked up for one decision, since any other may change it. */
import { type Needs, type Range, type Reference, rangeKey, referenceKey } from "../resources/draft.ts";
import type { Looked, SpaceMemory } from "./space-memory.ts";
import type { FactStore } from "./write-ports.ts";

type Sources = { readonly store: Pick<FactStore, "referrers" | "ranged">; readonly memory: SpaceMemory };

export function lookedNothing(): Looked {
  return { referrers: new Map(), ranged: new Map() };
}

/** Adds what is found in the store and in what that may not have yet. */
export async function lookUp(
  { store, memory }: Sources,
  spaceId: string,
  needs: Pick<Needs, "referrers" | "ranges">,
  looked: Looked,
): Promise<void> {
  for (const [key, ids] of await readReferrers({ store, memory }, spaceId, [...needs.referrers.values()]))
    looked.referrers.set(key, ids);
  for (const range of needs.ranges.values())
    looked.ranged.set(rangeKey(range), await readRange({ store, memory }, spaceId, range));
}

/** By `referenceKey`. All references are of one type and field. */
async function readReferrers(
  { store, memory }: Sources,
  spaceId: string,
  references: readonly Reference[],
): Promise<[string, readonly string[]][]> {
  if (references.length === 0) return [];
  const read = memory.unprojectedReferrers(spaceId, references);
  read.push(...(await store.referrers(spaceId, references)));
  return references.map((reference) => [referenceKey(reference), memory.referrersOf(spaceId, reference, read)]);
}

/**
 * However far the store is: of what it answers, only what it does not have yet can be wrong, so with so many more than were asked for there are enough right
 * ones.
 */
async function readRange({ store, memory }: Sources, spaceId: string, range: Range): Promise<readonly string[]> {
  const ids = memory.unprojectedOf(spaceId);
  const read = await store.ranged(spaceId, { ...range, max: range.max + ids.length });
  return memory.rangeOf(spaceId, range, { read, ids });
}
