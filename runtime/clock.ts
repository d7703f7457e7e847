/** Time as the runtime sees it: injected, so that a simulator can turn it. */
export type Clock = {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds from any moment, which nobody puts back. */
  monotonicMs(): number;
  /** Runs after what already waits in this thread's event loop (a macro-task turn). */
  soon(run: () => void): void;
  /** Runs after a delay in milliseconds, however long (never when it is Infinity); the returned function cancels it. */
  later(delayMs: number, run: () => void): () => void;
};

/** What one timer of the platform can wait, 24.8 days: a longer one would fire at once. */
export const TIMER_MS_MAX = 2_147_483_647;

export const wallClock: Clock = {
  now: Date.now,
  monotonicMs: () => performance.now(),
  soon: (run) => {
    setImmediate(run);
  },
  later: (delayMs, run) => {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (leftMs: number): void => {
      timer =
        leftMs > TIMER_MS_MAX ? setTimeout(() => arm(leftMs - TIMER_MS_MAX), TIMER_MS_MAX) : setTimeout(run, leftMs);
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
