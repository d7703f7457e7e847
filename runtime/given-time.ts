/**
 * Time as a thread had it. A machine with more work than processors keeps threads waiting: a heartbeat that is late then, a start or a stop that takes
 * long, is the machine's fault and not the actor's, and whoever ends actors for it makes more work and no progress. So the supervisor's patience with an
 * actor is counted in this time.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import type { Clock } from "./clock.ts";

/** How long, in milliseconds and in all, a thread of this process has waited for a processor; undefined where the platform does not say. */
export type RunDelay = (threadId: number) => number | undefined;

/** Linux counts it for each thread (Documentation/scheduler/sched-stats.rst: time on the processor, time waiting for one, both in nanoseconds). */
export const runDelayMs: RunDelay = (threadId) => {
  if (threadId === 0) return undefined;
  try {
    const delayNs = Number(readFileSync(`/proc/self/task/${threadId}/schedstat`, "latin1").split(" ")[1]);
    return Number.isFinite(delayNs) ? delayNs / 1e6 : undefined;
  } catch {
    return undefined;
  }
};

/** The system's number of the thread that calls this; 0 where it cannot be known. */
export function threadNumber(): number {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1)) || 0;
  } catch {
    return 0;
  }
}

/** The system's numbers of all threads of this process; none where they cannot be known. */
export function threadNumbers(): number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return [];
  }
}

/** Processor time of the whole process so far, in milliseconds. */
export const processCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** How rarely it may be looked at: what is longer, the one who looks was away itself, and cannot tell who else was. */
const LOOK_MS_MAX = 400;
/** Where the platform does not say who waited: the least part of the time that counts as given while the process uses no processor. */
const GIVEN_SHARE_MIN = 0.25;

export type GivenTimeSource = {
  /** Milliseconds, from any moment. */
  now(): number;
  /** How long the thread has waited for a processor; undefined when that is not known, as before its start and after its end. */
  delayMs(): number | undefined;
  /** Whether the platform tells of waiting at all. */
  readonly tellsDelay: boolean;
  /** Processor time of the process, for platforms that do not tell. */
  cpuMs(): number;
};

/** Counts the time given to a thread, or to several together. Look at it at least every `LOOK_MS_MAX`. */
export class GivenTime {
  readonly #source: GivenTimeSource;
  #givenMs = 0;
  #seenMs: number;
  #delayMs: number | undefined;
  /** Waiting that was told of and is longer than the time that has passed: the system tells of a wait when it is over. */
  #owedMs = 0;
  #cpuMs: number;

  constructor(source: GivenTimeSource) {
    this.#source = source;
    this.#seenMs = source.now();
    this.#delayMs = source.delayMs();
    this.#cpuMs = source.cpuMs();
  }

  /** Looks, and says how much time was given so far, in milliseconds. */
  read(): number {
    const source = this.#source;
    const nowMs = source.now();
    const passedMs = Math.max(0, nowMs - this.#seenMs);
    this.#seenMs = nowMs;
    const delay = source.delayMs();
    const cpu = source.cpuMs();
    if (delay !== undefined) {
      if (this.#delayMs !== undefined) this.#owedMs += Math.max(0, delay - this.#delayMs);
      this.#delayMs = delay;
    }
    let givenMs = Math.max(0, passedMs - this.#owedMs);
    this.#owedMs = Math.max(0, this.#owedMs - passedMs);
    if (!source.tellsDelay) givenMs = Math.min(givenMs, Math.max(cpu - this.#cpuMs, givenMs * GIVEN_SHARE_MIN));
    this.#cpuMs = cpu;
    this.#givenMs += Math.min(givenMs, LOOK_MS_MAX);
    return this.#givenMs;
  }
}

/** Waiting of several threads as one: of each stretch of time, that of the thread that waited longest in it. */
export function longestDelay(threads: () => readonly number[], delayOf: RunDelay): () => number {
  let known: Map<number, number> | undefined;
  let totalMs = 0;
  return () => {
    const next = new Map<number, number>();
    let longestMs = 0;
    for (const thread of threads()) {
      const delay = delayOf(thread);
      if (delay === undefined) continue;
      next.set(thread, delay);
      // One that was not there the last time has waited since then.
      if (known !== undefined) longestMs = Math.max(longestMs, delay - (known.get(thread) ?? 0));
    }
    known = next;
    totalMs += longestMs;
    return totalMs;
  };
}

/**
 * Runs something once so much time was given since the last progress; the returned function cancels it. `progressMs` says when that was, in given time
 * (the moment of the call unless told).
 */
export function afterGiven(
  waitMs: number,
  run: () => void,
  given: { readonly clock: Clock; read(): number; progressMs?(): number },
): () => void {
  const fromMs = given.read();
  let cancel: () => void = () => undefined;
  const look = (): void => {
    const leftMs = waitMs - (given.read() - Math.max(fromMs, given.progressMs?.() ?? fromMs));
    // Timers count whole milliseconds.
    if (leftMs < 1) run();
    else cancel = given.clock.later(leftMs, look);
  };
  cancel = given.clock.later(waitMs, look);
  return () => cancel();
}
