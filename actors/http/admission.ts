/**
 * Which requests are worked on now, which wait and which are refused: bounded, and fair between those who ask. A request that finds nothing waiting
 * runs at once, in the same turn of the event loop. A turn takes new work for `turnMs` at most; then the loop is given back. Who waits has a queue
 * of their own; the queues take turns by the time that their requests have taken (deficit round robin), so a list costs more than a single read.
 */
import { setImmediate } from "node:timers";
import { Queue } from "../../runtime/queue.ts";
import { Problem } from "../model/problem.ts";
import type { AdmissionBounds } from "./admission-bounds.ts";
import { type AdmissionCounts, plainCounts } from "./admission-counts.ts";

export type AdmissionClock = {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** After what the event loop has ready now. */
  soon(next: () => void): void;
  later(next: () => void, afterMs: number): void;
};

/** The event loop of this thread. */
export const threadClock: AdmissionClock = {
  now: () => performance.now(),
  soon: (next) => void setImmediate(next),
  later: (next, afterMs) => void setTimeout(next, afterMs),
};

export type Work<T> = {
  /** Whose it is; asked only where it matters. */
  key(): string;
  /** Whether many may be behind that key, who must not suffer for each other. */
  readonly isShared: boolean;
  run(): T | Promise<T>;
  /** Whether nobody waits for the answer any more. */
  isGone(): boolean;
  /** Bytes of an answer that is large enough to count, else 0; `isGone` tells when they are free again. */
  bytesOf(answer: T): number;
};

export type Admission = {
  /** Rejects or throws `overloaded` when it cannot be done in time, at once where that is known. */
  admit<T>(work: Work<T>): T | Promise<T>;
  /** For work that goes on after a wait: resolves when this or a later turn has room; undefined when it has now. */
  resume(): Promise<void> | undefined;
  readonly counts: AdmissionCounts;
};

type Waiting = { readonly work: Work<unknown>; readonly sinceMs: number; start(): void; refuse(): void };
type UserQueue = {
  readonly key: string;
  readonly isShared: boolean;
  waiting: Queue<Waiting>;
  underWay: number;
  bytes: number;
  /** Milliseconds of work that it may still take before the next has its turn. */
  creditMs: number;
  busySinceMs: number;
};

const quantumMs = 2;
const debtMsMax = 100;
const sweepMs = 5;

/** `counts` are kept up to date: all zero at first. */
export function admission(
  bounds: AdmissionBounds,
  clock: AdmissionClock,
  counts: AdmissionCounts = plainCounts(),
): Admission {
  const queues = new Map<string, UserQueue>();
  /** Those in which something waits, in the order of their turns. */
  let turns: UserQueue[] = [];
  /** Of those who lately had more waiting than could be done. */
  const overloads = new Map<string, { readonly untilMs: number; readonly calmMs: number }>();
  const resuming = new Queue<() => void>();
  const large: { readonly queue: UserQueue; readonly bytes: number; readonly work: Work<unknown> }[] = [];
  /** 0 between turns. */
  let turnEndMs = 0;
  /** All that waits is behind a bound of its user: another turn of the loop changes nothing, only an end, a sweep or a newcomer does. */
  let isBlocked = false;
  let sweeping = false;

  /** Whether this turn takes more work. */
  function hasTime(): boolean {
    const nowMs = clock.now();
    if (turnEndMs === 0) {
      turnEndMs = nowMs + bounds.turnMs;
      clock.soon(endTurn);
    }
    return nowMs < turnEndMs;
  }

  function endTurn(): void {
    turnEndMs = 0;
    if ((counts.waiting > 0 && !isBlocked) || resuming.size > 0) drain();
  }

  function queueOf({ key: keyOf, isShared }: Pick<Work<unknown>, "key" | "isShared">): UserQueue {
    const key = keyOf();
    let queue = queues.get(key);
    if (queue === undefined) {
      queue = { key, isShared, waiting: new Queue(), underWay: 0, bytes: 0, creditMs: 0, busySinceMs: 0 };
      queues.set(key, queue);
    }
    return queue;
  }

  function forgetIdle(queue: UserQueue): void {
    if (queue.waiting.size + queue.underWay + queue.bytes === 0) queues.delete(queue.key);
  }

  function begin<T>(work: Work<T>): T | Promise<T> {
    counts.admitted++;
    const answer = work.run();
    if (!(answer instanceof Promise)) {
      const bytes = work.bytesOf(answer);
      if (bytes > 0) weigh(queueOf(work), work, bytes);
      return answer;
    }
    const queue = queueOf(work);
    counts.underWay++;
    queue.underWay++;
    const over = () => {
      counts.underWay--;
      queue.underWay--;
      forgetIdle(queue);
      if (counts.waiting > 0) wake();
    };
    return answer.then(
      (ready) => {
        const bytes = work.bytesOf(ready);
        if (bytes > 0) weigh(queue, work, bytes);
        over();
        return ready;
      },
      (failure: unknown) => {
        over();
        throw failure;
      },
    );
  }

  function weigh<T>(queue: UserQueue, work: Work<T>, bytes: number): void {
    queue.bytes += bytes;
    counts.bytesUnderWay += bytes;
    large.push({ queue, bytes, work: work as Work<unknown> });
    sweepLater();
  }

  const hasRoom = (queue: UserQueue | undefined): boolean =>
    counts.underWay < bounds.underWayMax &&
    counts.bytesUnderWay < bounds.bytesMax &&
    (queue === undefined || (queue.underWay < bounds.underWayMaxOfOne && queue.bytes < bytesMaxOf(queue)));

  const bytesMaxOf = (queue: UserQueue): number =>
    overloads.has(queue.key) && !queue.isShared ? bounds.overloadBytesMaxOfOne : bounds.bytesMaxOfOne;

  /** Nobody can be at their bound while all together are below that of one, and nobody overloads the server. */
  const mayBeFull = (): boolean =>
    overloads.size > 0 || counts.underWay >= bounds.underWayMaxOfOne || counts.bytesUnderWay >= bounds.bytesMaxOfOne;

  function wait<T>(work: Work<T>): Promise<T> {
    const queue = queueOf(work);
    if (queue.waiting.size >= bounds.waitingMaxOfOne || (counts.waiting >= bounds.waitingMax && !displace(queue))) {
      forgetIdle(queue);
      counts.refused.full++;
      throw new Problem("overloaded");
    }
    const nowMs = clock.now();
    return new Promise<T>((resolve, reject) => {
      const each: Waiting = {
        work: work as Work<unknown>,
        sinceMs: nowMs,
        start: () => {
          try {
            resolve(begin(work));
          } catch (failure) {
            reject(failure);
          }
        },
        refuse: () => reject(new Problem("overloaded")),
      };
      if (queue.waiting.size === 0) {
        queue.busySinceMs = nowMs;
        queue.creditMs = Math.min(queue.creditMs, 0);
        turns.push(queue);
      }
      queue.waiting.push(each);
      counts.waiting++;
      wake();
      sweepLater();
    });
  }

  /** Room for the newcomer of a short queue, taken from the longest. */
  function displace(queue: UserQueue): boolean {
    let longest = queue;
    for (const each of turns) if (each.waiting.size > longest.waiting.size) longest = each;
    if (longest.waiting.size <= queue.waiting.size + 1) return false;
    const oldest = longest.waiting.shift();
    if (oldest === undefined) return false;
    counts.waiting--;
    counts.refused.displaced++;
    oldest.refuse();
    return true;
  }

  /** Whether the user of this queue asks for more than can be done. */
  function isOverloaded(queue: UserQueue, nowMs: number): boolean {
    const last = overloads.get(queue.key);
    if (last !== undefined && nowMs < last.untilMs) return true;
    const goesOn = last !== undefined || nowMs - queue.busySinceMs > bounds.burstMs;
    if (queue.waiting.size <= bounds.shortMax || !goesOn) return false;
    const calmMs = last === undefined ? bounds.calmMs : Math.min(2 * last.calmMs, bounds.calmMaxMs);
    overloads.set(queue.key, { untilMs: nowMs + calmMs, calmMs });
    return true;
  }

  /** Takes away from the head of a queue who has gone or has waited too long. The last one of an overload stays: it came when those before it had waited enough. */
  function trim(queue: UserQueue, nowMs: number): void {
    const overloaded = isOverloaded(queue, nowMs);
    const patientMax = overloaded && !queue.isShared ? 1 : bounds.shortMax;
    const longWaitMs = overloaded ? bounds.overloadWaitMs : bounds.burstWaitMs;
    for (let head = queue.waiting.peek(); head !== undefined; head = queue.waiting.peek()) {
      const isGone = head.work.isGone();
      const waitMs = queue.waiting.size <= patientMax ? bounds.shortWaitMs : longWaitMs;
      if (!isGone && nowMs - head.sinceMs <= waitMs) return;
      queue.waiting.shift();
      counts.waiting--;
      if (isGone) counts.abandoned++;
      else counts.refused.late++;
      head.refuse();
    }
  }

  /** One round after the other until the turn is over, nothing waits or no queue may go on. */
  function drain(): void {
    while (resuming.size > 0 && hasTime()) resuming.shift()?.();
    let blocked = 0;
    while (blocked < turns.length && hasTime()) {
      const queue = turns[0] as UserQueue;
      trim(queue, clock.now());
      if (queue.waiting.size === 0) {
        turns.shift();
        forgetIdle(queue);
        continue;
      }
      const mayRun = hasRoom(queue);
      if (mayRun && queue.creditMs > 0) {
        blocked = 0;
        runHead(queue);
        continue;
      }
      turns.push(turns.shift() as UserQueue);
      if (mayRun) queue.creditMs += quantumMs;
      blocked = mayRun ? 0 : blocked + 1;
    }
    isBlocked = blocked >= turns.length;
  }

  function runHead(queue: UserQueue): void {
    const head = queue.waiting.shift();
    if (head === undefined) return;
    counts.waiting--;
    const beganMs = clock.now();
    head.start();
    queue.creditMs = Math.max(-debtMsMax, queue.creditMs - (clock.now() - beganMs));
  }

  function wake(): void {
    isBlocked = false;
    if (turnEndMs !== 0) return;
    turnEndMs = clock.now() + bounds.turnMs;
    clock.soon(endTurn);
  }

  function sweepLater(): void {
    if (sweeping) return;
    sweeping = true;
    clock.later(sweep, sweepMs);
  }

  /** What no request's end tells: large answers that have been taken, and who waits behind a bound. */
  function sweep(): void {
    sweeping = false;
    for (let at = large.length - 1; at >= 0; at--) {
      const { queue, bytes, work } = large[at] as (typeof large)[number];
      if (!work.isGone()) continue;
      large.splice(at, 1);
      queue.bytes -= bytes;
      counts.bytesUnderWay -= bytes;
      forgetIdle(queue);
    }
    const nowMs = clock.now();
    for (const [key, { untilMs, calmMs }] of overloads) if (untilMs + calmMs <= nowMs) overloads.delete(key);
    for (const queue of turns) trim(queue, nowMs);
    turns = turns.filter((queue) => queue.waiting.size > 0 || void forgetIdle(queue));
    if (counts.waiting > 0) wake();
    if (counts.waiting + large.length + overloads.size > 0) sweepLater();
  }

  return {
    counts,
    admit(work) {
      const isFree = counts.waiting === 0 && hasTime() && (!mayBeFull() || hasRoom(queues.get(work.key())));
      return isFree ? begin(work) : wait(work);
    },
    resume() {
      if (resuming.size === 0 && hasTime()) return undefined;
      return new Promise((resolve) => resuming.push(resolve));
    },
  };
}
