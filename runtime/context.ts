import { AsyncLocalStorage } from "node:async_hooks";
import type { Envelope } from "./envelope.ts";

/**
 * The message being handled, known to all that its handler calls, also behind an `await`.
 *
 * Entering a context costs 20 ns on Bun and 700 ns on Deno, more than many a handler. So handlers that give no promise share one holder for all their
 * messages of a turn, each written into it for the time of its call; a holder whose handler gave a promise is that message's for good.
 */
export type Holder = { current: Envelope | undefined };

const storage = new AsyncLocalStorage<Holder | undefined>();
/** Threads that only send never pay for a look. */
let isUsed = false;

/** The message whose handler has called this, as long as the handler is under way. */
export function currentEnvelope(): Envelope | undefined {
  if (!isUsed) return undefined;
  const envelope = storage.getStore()?.current;
  return envelope === undefined || envelope.isSettled ? undefined : envelope;
}

export function enterContext(holder: Holder, run: () => void): void {
  isUsed = true;
  storage.run(holder, run);
}

/** Whether this runs as a part of some message. */
export const isInContext = (): boolean => isUsed && storage.getStore() !== undefined;

/** Runs something that is no part of the message that happens to be handled now. */
export function leaveContext(run: () => void): void {
  storage.run(undefined, run);
}
