/** Waits that end: a deadline around what others promise, tries that go on until one succeeds, and work that is done as it is noted. */
import { setTimeout as sleep } from "node:timers/promises";

/** Nothing was heard in time: that says nothing of what is wrong, or whether anything is. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** The promise, or a rejection with `late()` after so long; its later result is ignored. */
export function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  late: () => Error = () => new NoAnswerError(`no answer in ${timeoutMs} ms`),
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Whether the promise settled in time, whatever came of it. */
export function settles(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return withDeadline(settled, timeoutMs).catch(() => false);
}

/** The promise, or the signal's reason as soon as it is aborted; a later result is ignored. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
  });
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => undefined);
  }
}

export type Pauses = { readonly fromMs: number; readonly toMs: number };

/** The pause before the next try: doubles from `fromMs` to `toMs`, of which a random half is cut off, so that those who wait together do not come together. */
export function pauseMs(failures: number, { fromMs, toMs }: Pauses): number {
  const whole = Math.min(toMs, fromMs * 2 ** Math.min(failures - 1, 30));
  return whole / 2 + (Math.random() * whole) / 2;
}

export type TryOptions = Pauses & {
  /** Ends the tries: then the last failure is thrown. */
  readonly until: AbortSignal;
  /** Called for each failed try, counted from 1. */
  readonly failed?: (error: Error, failures: number) => void;
};

/** Tries until one succeeds, pausing in between. */
export async function keepTrying<T>(attempt: () => Promise<T>, options: TryOptions): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (options.until.aborted) throw error;
      options.failed?.(error, failures);
      await sleep(pauseMs(failures, options), undefined, { signal: options.until }).catch(() => undefined);
      if (options.until.aborted) throw error;
    }
  }
}

export type NotedWork = {
  /** There is something to do now. */
  wake(): void;
};

const lookMs = 5_000;
const workPauses = { fromMs: 200, toMs: 5_000 };

/** Does in the background what is noted in a store, by whichever process: looked for now and then, since another one may have noted it and ended. */
export function notedWork({
  work,
  outage,
  until,
}: {
  /** False when there is nothing more to do. */
  readonly work: () => Promise<boolean>;
  readonly outage: { failed(error: unknown): void; succeeded(): void };
  readonly until: AbortSignal;
}): NotedWork {
  let wakeUp = (): void => undefined;
  let isDue = false;
  until.addEventListener("abort", () => wakeUp(), { once: true });

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (until.aborted || isDue) wakeUp();
      isDue = false;
    });
  }

  void (async () => {
    for (let failures = 0; !until.aborted; ) {
      try {
        while (!until.aborted && (await work()));
        outage.succeeded();
        failures = 0;
      } catch (error) {
        failures += 1;
        outage.failed(error);
      }
      await rest(failures === 0 ? lookMs : pauseMs(failures, workPauses));
    }
  })();

  return {
    wake() {
      isDue = true;
      wakeUp();
    },
  };
}
