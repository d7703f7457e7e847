/** What the keeper does with each batch of what is told, whatever the cache is. */

export type KeptCache<Kept> = {
  /**
   * Writes what is newer than what is there, and then moves the mark of the partition on (where there is one to move), as one act. Repeating it is
   * harmless. `false`, with nothing done: the mark is behind where this keeper left it (`before`), so the cache has forgotten something; or there
   * is one though this keeper has made none since it emptied the cache (undefined). Either way the cache must be emptied.
   */
  keep(partition: number, kept: readonly Kept[], mark: Mark | undefined): Promise<boolean>;
  /** Forgets the marks of these partitions and all entries: those of other partitions may go at any time, their marks are for their own keepers to judge. */
  empty(partitions: readonly number[]): Promise<void>;
  /** How long nothing may be marked after that: what was under way then has ended by itself. */
  readonly cooldownMs: number;
};
export type Mark = { readonly offset: number; readonly before: number | undefined };

/** Generic over what is told (`Said`) and what of it goes into the cache (`Kept`). */
export type Keeping<Said> = {
  /** Brings a batch of one partition into the cache; throws while it cannot, and may be given the same again. Resolves to the mark to remember with its end. */
  take(partition: number, said: readonly Said[]): Promise<number | undefined>;
  /** The marks that were remembered for the partitions which are this keeper's from now on; undefined: none. */
  assigned(marks: ReadonlyMap<number, number | undefined>): void;
  /** Makes marks that had to wait. */
  tick(): Promise<void>;
};

export type KeepingOptions<Said, Kept> = {
  readonly cache: KeptCache<Kept>;
  readonly positionOf: (said: Said) => number;
  readonly keptOf: (said: readonly Said[]) => readonly Kept[];
  readonly now: () => number;
  /** The cache was found to have forgotten something, and was emptied. */
  readonly emptied: (partition: number) => void;
};

/** Of what is told, in one act on the cache at most. */
const actMax = 500;

type Partition = {
  /** As we left it; undefined when there is none. */
  mark: number | undefined;
  /** The last position applied, where there is no mark to tell. */
  applied: number;
  /** Marks are moved one after the other. */
  keeping: Promise<unknown> | undefined;
};

export function keeping<Said, Kept>(options: KeepingOptions<Said, Kept>): Keeping<Said> {
  const { cache, positionOf, keptOf, now, emptied } = options;
  /** By partition of ours. */
  const mine = new Map<number, Partition>();
  /** Reasons to empty the cache, and those that it has been emptied for: without a mark to go by it may hold anything. */
  let doubts = 0;
  let cleared = 0;
  let emptying: Promise<void> | undefined;
  let restUntilMs = 0;
  let ticks = 0;

  async function ready(): Promise<void> {
    while (cleared < doubts) {
      emptying ??= empty().finally(() => {
        emptying = undefined;
      });
      await emptying;
    }
  }

  async function empty(): Promise<void> {
    const upTo = doubts;
    await cache.empty([...mine.keys()]);
    cleared = upTo;
    restUntilMs = now() + cache.cooldownMs;
    for (const state of mine.values()) {
      state.applied = Math.max(state.applied, state.mark ?? -1);
      state.mark = undefined;
    }
  }

  /** Brings what was told (nothing: only the mark) into the cache, however often that must be emptied before. */
  async function keep(partition: number, state: Partition, said: readonly Said[]): Promise<void> {
    for (;;) {
      await ready();
      if (state.keeping !== undefined) {
        await state.keeping.catch(() => undefined);
        continue;
      }
      const offset = Math.max(state.applied, state.mark ?? -1, ...said.map(positionOf));
      const mark = now() < restUntilMs ? undefined : { offset, before: state.mark };
      const act = cache.keep(partition, keptOf(said), mark);
      state.keeping = act;
      const isDone = await act.finally(() => {
        state.keeping = undefined;
      });
      if (isDone) {
        state.applied = offset;
        if (mark !== undefined && cleared === doubts) state.mark = offset;
        return;
      }
      doubts += 1;
      await ready();
      emptied(partition);
    }
  }

  return {
    assigned(marks) {
      for (const partition of mine.keys()) if (!marks.has(partition)) mine.delete(partition);
      for (const [partition, mark] of marks) {
        if (mine.has(partition)) continue;
        mine.set(partition, { mark, applied: mark ?? -1, keeping: undefined });
        if (mark === undefined) doubts += 1;
      }
    },

    async take(partition, said) {
      for (let from = 0; from < said.length; from += actMax) {
        const some = said.slice(from, from + actMax);
        const state = mine.get(partition);
        if (state !== undefined) await keep(partition, state, some);
        // Another keeper's by now: how far it has come is for that one to say.
        else await cache.keep(partition, keptOf(some), undefined);
      }
      return mine.get(partition)?.mark;
    },

    async tick() {
      await ready();
      if (now() < restUntilMs) return;
      const all = [...mine];
      for (const [partition, state] of all) if (state.mark === undefined) await keep(partition, state, []);
      // What Redis has forgotten it has forgotten for all: one mark a time is looked at, so that it comes out though nothing is announced.
      const next = all[ticks++ % Math.max(1, all.length)];
      if (next !== undefined) await keep(...next, []);
    },
  };
}
