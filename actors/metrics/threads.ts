/** Whose region of the shared memory is whose, and what every thread counts: how late its event loop is. */
import type { Self } from "../../runtime/actor.ts";
import { changeCountersBytes } from "../model/change-counters.ts";
import type { Thread } from "./exposition.ts";
import { Region, regionBytes } from "./region.ts";
import { countIn, histogram } from "./registry.ts";

/** A region each, in this order; the last may be a pool. */
const actors = ["main", "auth", "follower", "consumer", "keeper", "courier", "task"] as const;

/** Behind the counters of changes, on a boundary of eight bytes. */
const start = Math.ceil(changeCountersBytes / 8) * 8;

/** Length of the memory that the actors share, with the regions of so many `task` workers. */
export const sharedBytes = (taskWorkers: number): number => start + regionBytes * (actors.length - 1 + taskWorkers);

function regionOf(shared: SharedArrayBuffer, actor: string, index: number): Region {
  const place = (actors as readonly string[]).indexOf(actor);
  if (place < 0) throw new TypeError(`Cannot count for ${actor}: it has no place among the metrics`);
  return new Region(shared, start + regionBytes * (place + index));
}

/** All threads that this system may have; those that it has not are empty. */
export function threadsOf(shared: SharedArrayBuffer, taskWorkers: number): Thread[] {
  return actors.flatMap((actor) =>
    Array.from({ length: actor === "task" ? taskWorkers : 1 }, (_, index) => ({
      actor,
      index,
      region: regionOf(shared, actor, index),
    })),
  );
}

const lateness = histogram(
  "event_loop_delay_seconds",
  "How late a timer of the thread fired: it was at work meanwhile.",
  {
    perThread: true,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
);
const everyMs = 100;

/** This thread counts where `/metrics` sees it. Called once, as the first thing that an actor does. */
export function countThread({ name, index, shared }: Pick<Self, "name" | "index" | "shared">): void {
  countIn(regionOf(shared, name, index));
  let dueMs = performance.now() + everyMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    lateness.observe(Math.max(0, nowMs - dueMs) / 1_000);
    dueMs = nowMs + everyMs;
  }, everyMs);
  timer.unref();
}
