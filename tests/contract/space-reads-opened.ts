/** What the suites over the adapters of `SpaceReads` begin with: a store that has a world. */
import { afterAll, beforeAll } from "bun:test";
import type { FactStore } from "../../actors/consumer/write-ports.ts";
import type { SpaceReads } from "../../actors/task/ports.ts";
import type { Documents } from "./space-reads-oracle.ts";
import { type Batch, type World, worldOf } from "./space-reads-world.ts";

export type OpenedSpaceReads = {
  readonly store: FactStore;
  readonly reads: SpaceReads;
  close(): Promise<void>;
};

export type OpenReads = () => Promise<OpenedSpaceReads>;

/** Changes of a world, about. */
export const steps = 1_500;

export async function writeBatch(store: FactStore, { facts, documents, heads }: Batch): Promise<void> {
  await store.record(facts);
  await store.project(documents, heads);
}

/** For the tests of one suite; `open` answers an empty store each time. */
export function openedWorld(open: OpenReads) {
  let opened: OpenedSpaceReads;
  const world: World = worldOf(7, steps);
  beforeAll(async () => {
    opened = await open();
    for (const batch of world.batches) await writeBatch(opened.store, batch);
  }, 120_000);
  afterAll(() => opened.close());
  const documentsOf = (spaceId: string): Documents => world.spaces.get(spaceId)?.documents ?? new Map();
  return {
    world,
    store: () => opened.store,
    reads: () => opened.reads,
    documentsOf,
    ids: (spaceId: string, type: string) =>
      [...documentsOf(spaceId).values()].filter((each) => each.type === type).map(({ id }) => id),
  };
}
