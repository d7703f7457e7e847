/**
 * Lets only so many costly reads run at a time: a server answers no more of them at once, only each of them later, until all are too late. Those that wait
 * run in the order in which they came; when nothing is read any more, they are told so at once.
 */
import { Problem } from "../model/problem.ts";
import { withDeadline } from "../waiting.ts";

export type ReadGateOptions = {
  readonly atOnce: number;
  /** Beyond it a read is refused. */
  readonly waitingMax: number;
  /** Of one read that runs. */
  readonly readMs: number;
  /** After so long it is not begun any more. */
  readonly waitMs: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
};

/** Runs the read when it is its turn. Throws `overloaded`, `NoAnswerError`, or what the read throws. */
export type ReadGate = <T>(read: () => Promise<T>) => Promise<T>;

type Waiting = { readonly askedMs: number; readonly begin: () => void; readonly refuse: (why: unknown) => void };

export function readGate({ atOnce, waitingMax, readMs, waitMs, now }: ReadGateOptions): ReadGate {
  let running = 0;
  let waiting: Waiting[] = [];
  /** When a read succeeded last, or the first of those that run now began. */
  let progressMs = 0;

  async function run<T>(read: () => Promise<T>): Promise<T> {
    try {
      const found = await withDeadline(read(), readMs);
      progressMs = now();
      return found;
    } catch (failure) {
      if (now() - progressMs >= readMs) {
        const all = waiting;
        waiting = [];
        for (const { refuse } of all) refuse(failure);
      }
      throw failure;
    } finally {
      running -= 1;
      beginNext();
    }
  }

  function beginNext(): void {
    while (running < atOnce) {
      const next = waiting.shift();
      if (next === undefined) return;
      if (now() - next.askedMs > waitMs) next.refuse(new Problem("overloaded"));
      else {
        running += 1;
        next.begin();
      }
    }
  }

  return (read) => {
    if (running < atOnce) {
      if (running === 0) progressMs = now();
      running += 1;
      return run(read);
    }
    if (waiting.length >= waitingMax) return Promise.reject(new Problem("overloaded"));
    return new Promise((resolve, reject) => {
      waiting.push({ askedMs: now(), begin: () => run(read).then(resolve, reject), refuse: reject });
    });
  };
}
