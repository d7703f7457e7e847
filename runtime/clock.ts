/** Time as the runtime sees it: injected, so that a simulator can turn it. */
export type Clock = {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs after what already waits in this thread's event loop (a macro-task turn). */
  soon(run: () => void): void;
  /** Runs after a delay; the returned function cancels it. */
  later(delayMs: number, run: () => void): () => void;
};

export const wallClock: Clock = {
  now: Date.now,
  soon: (run) => {
    setImmediate(run);
  },
  later: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
