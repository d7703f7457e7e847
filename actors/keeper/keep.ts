/** What the keeper does with each batch of announcements, whatever the cache is. */
import type { Announcement } from "../model/command.ts";
import type { KeptCache } from "./cache-redis.ts";

export type Keeping = {
  /** Brings a batch of one partition into the cache; throws while it cannot, and may be given the same again. Resolves to the mark to remember with its end. */
  take(partition: number, said: readonly Announcement[]): Promise<number | undefined>;
  /** The marks that were remembered for the partitions which are this keeper's from now on; undefined: none. */
  assigned(marks: ReadonlyMap<number, number | undefined>): void;
  /** Makes marks that had to wait. */
  tick(): Promise<void>;
};

export type KeepingOptions = {
  readonly cache: KeptCache;
  readonly now: () => number;
  /** The cache was found to have forgotten something, and was emptied. */
  readonly emptied: (partition: number) => void;
};

export function keeping({ cache, now, emptied }: KeepingOptions): Keeping {
  /** By partition of ours: the mark as we left it, undefined when there is none, and the last position applied. */
  const mine = new Map<number, { mark: number | undefined; applied: number }>();
  /** Without a mark to go by the cache may hold anything: the first thing is to empty it. */
  let toEmpty = false;
  let restUntilMs = 0;

  async function ready(): Promise<void> {
    if (!toEmpty) return;
    await cache.empty();
    toEmpty = false;
    restUntilMs = now() + cache.restMs;
    for (const state of mine.values()) state.mark = undefined;
  }

  async function marked(partition: number, state: { mark: number | undefined; applied: number }): Promise<void> {
    if (now() < restUntilMs) return;
    const offset = Math.max(state.applied, state.mark ?? 0);
    if (await cache.mark(partition, offset, state.mark)) {
      state.mark = offset;
      return;
    }
    toEmpty = true;
    await ready();
    emptied(partition);
  }

  return {
    assigned(marks) {
      for (const partition of mine.keys()) if (!marks.has(partition)) mine.delete(partition);
      for (const [partition, mark] of marks) {
        if (mine.has(partition)) continue;
        mine.set(partition, { mark, applied: mark ?? -1 });
        if (mark === undefined) toEmpty = true;
      }
    },

    async take(partition, said) {
      await ready();
      const state = mine.get(partition) ?? { mark: undefined, applied: -1 };
      mine.set(partition, state);
      await cache.put(said.flatMap(({ outcome }) => outcome ?? []));
      for (const { taken } of said) state.applied = Math.max(state.applied, taken.offset);
      await marked(partition, state);
      return state.mark;
    },

    async tick() {
      await ready();
      for (const [partition, state] of mine) if (state.mark === undefined) await marked(partition, state);
    },
  };
}
