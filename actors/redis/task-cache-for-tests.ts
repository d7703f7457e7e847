/** The cache in memory, with its own clock: what the scripts in task-cache.ts do, for simulations; a contract suite holds the two together. */
import { entryOf, type KeptCache } from "../keeper/cache-redis.ts";
import type { Cache, Cached } from "../task/ports.ts";
import { type Entry, leaseMs, unmarkedMs } from "./task-cache.ts";

type Ending<T> = { readonly value: T; readonly endMs: number };

export type Memory = {
  readonly tasks: Map<string, Ending<Entry>>;
  readonly leases: Map<string, Ending<string>>;
  readonly kept: Map<number, number>;
  readonly own: Map<string, Map<number, number>>;
  readonly pending: Map<string, string>;
};

export type MemoryCache = {
  /** `turn` is waited for before each step that Redis does as one; it may reject, or never resolve. */
  cache(turn: () => Promise<void>): Cache;
  keptCache(turn: () => Promise<void>): KeptCache;
  /** What a reader would find now. */
  look(taskId: string, partition: number): Pick<Cached, "entry" | "kept">;
  mark(partition: number): number | undefined;
  flush(): void;
  /** Drops one task, as Redis does when it needs room. */
  evict(taskId: string): void;
  /** A copy; `restore` goes back to it, as a restart from an old file does. */
  copy(): Memory;
  restore(copy: Memory): void;
};

const empty = (): Memory => ({
  tasks: new Map(),
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
  | "look at what the mark was";

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
  const isAsNew = (old: Entry, entry: Entry): boolean =>
    without !== "look at the version" &&
    (old.version > entry.version || (old.version === entry.version && old.asOf >= entry.asOf));

  function put(taskId: string, entry: Entry, mark: number | undefined): void {
    const old = alive(memory.tasks, taskId);
    if (old !== undefined && isAsNew(old, entry)) return;
    if (old === undefined && mark !== undefined && mark >= entry.asOf && without !== "look at the mark") return;
    memory.tasks.set(taskId, { value: entry, endMs: now() + (mark === undefined ? unmarkedMs : lifeMs) });
    memory.leases.delete(taskId);
  }

  function look(taskId: string, partition: number): Pick<Cached, "entry" | "kept"> {
    const entry = alive(memory.tasks, taskId);
    const isShort = without !== "look at the life" && (memory.tasks.get(taskId)?.endMs ?? 0) - now() <= unmarkedMs;
    return { entry, kept: entry !== undefined && isShort ? -1 : markOf(partition) };
  }

  return {
    cache: (turn) => ({
      async read(userId, taskId, partition) {
        await turn();
        const found = look(taskId, partition);
        let lease: string | undefined;
        if (found.entry === undefined && alive(memory.leases, taskId) === undefined) {
          lease = String((tokens += 1));
          memory.leases.set(taskId, { value: lease, endMs: now() + leaseMs });
        }
        return { own: new Map(memory.own.get(userId)), ...found, lease };
      },
      async own(userId) {
        await turn();
        return new Map(memory.own.get(userId));
      },
      async wrote({ userId, taskId, operationId, position: { partition, offset }, entry, pending }) {
        await turn();
        const own = memory.own.get(userId) ?? new Map<number, number>();
        memory.own.set(userId, own.set(partition, Math.max(offset, own.get(partition) ?? -1)));
        if (pending) memory.pending.set(operationId, userId);
        if (entry !== undefined) put(taskId, entry, memory.kept.get(partition));
      },
      async fill(taskId, partition, entry, lease) {
        await turn();
        if (without !== "look at the lease" && alive(memory.leases, taskId) !== lease) return;
        const mark = memory.kept.get(partition);
        put(taskId, entry, mark === undefined ? undefined : Math.min(mark, entry.asOf - 1));
      },
      async pending(operationId) {
        await turn();
        return memory.pending.get(operationId);
      },
    }),
    keptCache: (turn) => ({
      restMs: 2 * unmarkedMs,
      async keep(partition, outcomes, mark) {
        await turn();
        const there = memory.kept.get(partition);
        if (mark !== undefined && without !== "look at what the mark was") {
          const isAsLeft =
            mark.before === undefined ? there === undefined : there !== undefined && there >= mark.before;
          if (!isAsLeft) return false;
        }
        for (const outcome of outcomes) {
          const entry = entryOf(outcome);
          if (entry !== undefined) put(outcome.taskId, entry, there);
        }
        if (mark !== undefined) memory.kept.set(partition, Math.max(mark.offset, there ?? -1));
        return true;
      },
      async empty(partitions) {
        await turn();
        for (const partition of partitions) memory.kept.delete(partition);
        await turn();
        memory.tasks.clear();
        await turn();
        for (const partition of partitions) memory.kept.delete(partition);
      },
    }),
    look,
    mark: (partition) => memory.kept.get(partition),
    flush: () => void (memory = empty()),
    evict: (taskId) => void memory.tasks.delete(taskId),
    copy: () => structuredClone(memory),
    restore: (copy) => void (memory = structuredClone(copy)),
  };
}
