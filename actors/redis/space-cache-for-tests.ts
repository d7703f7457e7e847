/** The cache of spaces in memory, with its own clock: what the scripts in space-cache-scripts.ts do, for simulations; a contract test holds the two together. */

import type { KeptResource } from "../keeper/cache-redis.ts";
import type { KeptCache } from "../keeper/keep.ts";
import type { OfResource, SpaceCache, SpaceCached } from "../task/servers/cache.ts";
import { type SpaceEntry, spaceKeys } from "./space-cache.ts";
import { leaseMs, unmarkedMs } from "./space-cache-scripts.ts";

type Ending<T> = { readonly value: T; readonly endMs: number };

export type Memory = {
  readonly resources: Map<string, Ending<SpaceEntry>>;
  readonly leases: Map<string, Ending<string>>;
  readonly kept: Map<number, number>;
  readonly own: Map<string, Map<number, number>>;
  readonly pending: Map<string, string>;
};

export type MemoryCache = {
  /** `turn` is waited for before each step that Redis does as one; it may reject, or never resolve. */
  cache(turn: () => Promise<void>): SpaceCache;
  keptCache(turn: () => Promise<void>): KeptCache<KeptResource>;
  /** What a reader would find now. */
  look(of: OfResource): Pick<SpaceCached, "entry" | "kept">;
  mark(partition: number): number | undefined;
  flush(): void;
  /** Drops one resource, as Redis does when it needs room. */
  evict(of: Pick<OfResource, "spaceId" | "id">): void;
  /** A copy; `restore` goes back to it, as a restart from an old file does. */
  copy(): Memory;
  restore(copy: Memory): void;
};

const empty = (): Memory => ({
  resources: new Map(),
  leases: new Map(),
  kept: new Map(),
  own: new Map(),
  pending: new Map(),
});

const lifeMs = 3_600_000;

/** What a test takes away, to see that the rest does not hold without it. */
export type Without =
  | "look at the mark"
  | "look at the version"
  | "look at the lease"
  | "look at the life"
  | "end the lease"
  | "look at what the mark was"
  | "a short life without a mark";

export function memoryCache(now: () => number, without?: Without): MemoryCache {
  let memory = empty();
  let tokens = 0;

  function alive<T>(of: Map<string, Ending<T>>, key: string): T | undefined {
    const found = of.get(key);
    if (found === undefined || found.endMs > now()) return found?.value;
    of.delete(key);
    return undefined;
  }
  const markOf = (partition: number): number => memory.kept.get(partition) ?? -1;
  const keyOf = ({ spaceId, id }: Pick<OfResource, "spaceId" | "id">) => spaceKeys.resource(spaceId, id);
  const isAsNew = (old: SpaceEntry, entry: SpaceEntry): boolean =>
    without !== "look at the version" &&
    (old.version > entry.version || (old.version === entry.version && old.asOf >= entry.asOf));

  function put(key: string, entry: SpaceEntry, mark: number | undefined): void {
    const old = alive(memory.resources, key);
    if (old !== undefined && isAsNew(old, entry)) return;
    if (old === undefined && mark !== undefined && mark >= entry.asOf && without !== "look at the mark") return;
    const isShort = mark === undefined && without !== "a short life without a mark";
    memory.resources.set(key, { value: entry, endMs: now() + (isShort ? unmarkedMs : lifeMs) });
    if (without !== "end the lease") memory.leases.delete(key);
  }

  function look(of: OfResource): Pick<SpaceCached, "entry" | "kept"> {
    const key = keyOf(of);
    const entry = alive(memory.resources, key);
    const isShort = without !== "look at the life" && (memory.resources.get(key)?.endMs ?? 0) - now() <= unmarkedMs;
    return { entry, kept: entry !== undefined && isShort ? -1 : markOf(of.partition) };
  }

  return {
    cache: (turn) => ({
      async read(userId, of) {
        await turn();
        const key = keyOf(of);
        const found = look(of);
        let lease: string | undefined;
        if (found.entry === undefined && alive(memory.leases, key) === undefined) {
          lease = String((tokens += 1));
          memory.leases.set(key, { value: lease, endMs: now() + leaseMs });
        }
        return { own: new Map(memory.own.get(userId)), ...found, lease };
      },
      async own(userId) {
        await turn();
        return new Map(memory.own.get(userId));
      },
      async wrote({ userId, spaceId, operationId, position: { partition, offset }, resource, isPending }) {
        await turn();
        const own = memory.own.get(userId) ?? new Map<number, number>();
        memory.own.set(userId, own.set(partition, Math.max(offset, own.get(partition) ?? -1)));
        if (isPending) memory.pending.set(spaceKeys.operation(spaceId, operationId), userId);
        if (resource !== undefined) {
          const { id, entry } = resource;
          put(keyOf({ spaceId, id }), entry, memory.kept.get(partition));
        }
      },
      async fill(of, entry, lease) {
        await turn();
        const key = keyOf(of);
        if (without !== "look at the lease" && alive(memory.leases, key) !== lease) return;
        const mark = memory.kept.get(of.partition);
        put(key, entry, mark === undefined ? undefined : Math.min(mark, entry.asOf - 1));
      },
      async pending(spaceId, operationId) {
        await turn();
        return memory.pending.get(spaceKeys.operation(spaceId, operationId));
      },
    }),
    keptCache: (turn) => ({
      cooldownMs: 2 * unmarkedMs,
      async keep(partition, kept, mark) {
        await turn();
        const there = memory.kept.get(partition);
        if (mark !== undefined && without !== "look at what the mark was") {
          const isAsLeft =
            mark.before === undefined ? there === undefined : there !== undefined && there >= mark.before;
          if (!isAsLeft) return false;
        }
        for (const { spaceId, id, entry } of kept) put(keyOf({ spaceId, id }), entry, there);
        if (mark !== undefined) memory.kept.set(partition, Math.max(mark.offset, there ?? -1));
        return true;
      },
      async empty(partitions) {
        await turn();
        for (const partition of partitions) memory.kept.delete(partition);
        await turn();
        memory.resources.clear();
        await turn();
        for (const partition of partitions) memory.kept.delete(partition);
      },
    }),
    look,
    mark: (partition) => memory.kept.get(partition),
    flush: () => void (memory = empty()),
    evict: (of) => void memory.resources.delete(keyOf(of)),
    copy: () => structuredClone(memory),
    restore: (copy) => void (memory = structuredClone(copy)),
  };
}
