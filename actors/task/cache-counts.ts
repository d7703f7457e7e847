/** How reads of one task are served, counted once for the two kinds of memory that they may come from. */
import { type Counter, counter } from "../metrics/registry.ts";

const results = ["hit", "miss", "stale", "failed"] as const;
const reads = counter(
  "task_cache_reads_total",
  "Reads of one task by what the cache had: hit, miss, stale (older than the latest change), failed (no answer).",
  { labels: ["cache", "result"] },
);

export type CacheCounts = Readonly<Record<(typeof results)[number], Counter>>;

/** `memory` is of the worker itself. */
export function cacheCounts(cache: "memory" | "redis"): CacheCounts {
  return Object.fromEntries(results.map((result) => [result, reads.of(cache, result)])) as Record<
    (typeof results)[number],
    Counter
  >;
}
