/** The way from a start to the first answer: the store is made ready and the key is read, which a server that is away only delays. */
import { Problem } from "../model/problem.ts";
import { keepTrying, settles } from "../waiting.ts";
import { type SigningKey, signingKey } from "./keys.ts";
import { UnusableSchema } from "./postgres/schema-check.ts";
import type { Stores } from "./stores.ts";

export type Opening = {
  /** Throws `users-unavailable` until it is known; known once, it stays. */
  key(): SigningKey;
  isOpen(): boolean;
  /** What the latest try failed with, while not open. */
  fault(): Error | undefined;
  /** Gives up trying. */
  stop(): void;
};

/** So long a start waits for the server; after that it goes on without. */
const firstMs = 2_000;

/** Throws where another try would not help: a file that fails, a schema that this program cannot use. */
export async function opening({ keys, server }: Stores, now: () => number): Promise<Opening> {
  let key: SigningKey | undefined;
  let fault: Error | undefined;
  const stopped = new AbortController();
  const attempt = async () => {
    await server?.prepare();
    key = await signingKey(keys, now());
  };
  if (server === undefined) await attempt();
  else {
    const settled = new Promise<void>((resolve) => {
      const failed = (error: Error) => {
        fault = error;
        resolve();
      };
      const until = stopped.signal;
      void keepTrying(attempt, { fromMs: 100, toMs: 2_000, until, failed }).then(resolve, resolve);
    });
    await settles(settled, firstMs);
    if (fault instanceof UnusableSchema) {
      stopped.abort();
      throw fault;
    }
  }
  return {
    key() {
      if (key === undefined) throw new Problem("users-unavailable", undefined, { cause: fault });
      return key;
    },
    isOpen: () => key !== undefined,
    fault: () => (key === undefined ? fault : undefined),
    stop: () => stopped.abort(),
  };
}
