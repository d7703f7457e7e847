/** Trying again: how long to wait, and until when. */
import { Refusal } from "./session.ts";

export const firstWaitMs = 500;
export const longestWaitMs = 15_000;

/** Ends early when the network is back, and when nobody waits any more. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}

/**
 * What could not be read is tried again for as long as somebody wants it, be it a view or the stream: nothing else might ask for it for days. What is not
 * there for this user is not.
 */
export async function surely(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal && error.problem.status === 404) return;
    }
    await pause(waitMs, signal);
  }
}
