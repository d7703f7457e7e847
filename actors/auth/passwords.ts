/** Password hashing (argon2id, OWASP's parameters), a few at once behind a bounded queue whose waiters have a deadline. */
import { hash, verify } from "@node-rs/argon2";
import { Problem } from "../model/problem.ts";

/** Argon2id is the library's default algorithm; 19 MiB and about 50 ms a hash. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export type Passwords = {
  /** Throws the problem `overloaded` when the queue is full or the wait too long, as `matches` does. */
  hash(password: string): Promise<string>;
  /** With no hash to compare it costs the same and is false: an unknown e-mail is not to be told by the clock. */
  matches(password: string, stored: string | undefined): Promise<boolean>;
};

export type PasswordLimits = { atOnce: number; queueMax: number; waitMs: number };

function overloaded(): Problem {
  return new Problem("overloaded", "Cannot check passwords now: too many are waiting", {
    headers: { "retry-after": "2" },
  });
}

/** Runs `atOnce` jobs at a time, first come first served. */
export function gate({ atOnce, queueMax, waitMs }: PasswordLimits): <T>(job: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting = new Set<() => void>();

  function enter(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= queueMax) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const proceed = () => {
        clearTimeout(deadline);
        resolve();
      };
      const deadline = setTimeout(() => {
        waiting.delete(proceed);
        reject(overloaded());
      }, waitMs);
      waiting.add(proceed);
    });
  }

  /** Hands the place to the one who waits longest. */
  function leave(): void {
    const [first] = waiting;
    if (first === undefined) running -= 1;
    else {
      waiting.delete(first);
      first();
    }
  }

  return async (job) => {
    await enter();
    try {
      return await job();
    } finally {
      leave();
    }
  };
}

/** RFC 8265 (OpaqueString): the same characters typed on another system are the same password. */
function normal(password: string): string {
  return password.normalize("NFC");
}

export async function passwords(
  limits: PasswordLimits = { atOnce: 2, queueMax: 128, waitMs: 4_000 },
): Promise<Passwords> {
  const admit = gate(limits);
  const dummy = await hash("no password has this hash", parameters);
  return {
    hash: (password) => admit(() => hash(normal(password), parameters)),
    async matches(password, stored) {
      const equal = await admit(() => verify(stored ?? dummy, normal(password)));
      return stored !== undefined && equal;
    },
  };
}
