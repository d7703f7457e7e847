/** Password hashing (argon2id, OWASP's parameters), a few at once behind a bounded and fair queue whose waiters have a deadline. */
import { hash, verify } from "@node-rs/argon2";
import { counter, gauge, histogram } from "../metrics/registry.ts";
import { fairGate, type GateLimits, type Turn } from "./fair-gate.ts";

/** Argon2id is the library's default algorithm; 19 MiB and about 50 ms a hash. */
export const hashParameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export type Passwords = {
  /** Throws the problem `overloaded` when the queue is full or the wait too long, as `matches` does. */
  hash(password: string, turn: Turn): Promise<string>;
  /**
   * With no hash to compare it costs the same and is false: an unknown e-mail is not to be told by the clock. `begun` is called when it is its
   * turn; what it throws is thrown, and nothing is compared.
   */
  matches(password: string, stored: string | undefined, turn: Turn, begun: () => void): Promise<boolean>;
};

const waitingNow = gauge("password_queue_waiting", "Passwords that wait to be hashed.");
const refusals = counter("password_queue_refused_total", "Passwords that were not hashed: too many waited.");
const waits = histogram("password_queue_wait_seconds", "How long passwords waited to be hashed.");

/** RFC 8265 (OpaqueString): the same characters typed on another system are the same password. */
function normal(password: string): string {
  return password.normalize("NFC");
}

export async function passwords(limits: GateLimits = { atOnce: 2, queueMax: 128, waitMs: 4_000 }): Promise<Passwords> {
  const gate = fairGate(limits);
  const dummy = await hash("no password has this hash", hashParameters);

  async function inTurn<T>(turn: Turn, job: () => Promise<T>): Promise<T> {
    const askedMs = performance.now();
    let hasBegun = false;
    const running = gate.run(turn, () => {
      hasBegun = true;
      waits.observe((performance.now() - askedMs) / 1_000);
      waitingNow.set(gate.waiting);
      return job();
    });
    waitingNow.set(gate.waiting);
    return await running.catch((thrown: unknown) => {
      if (!hasBegun) refusals.add();
      throw thrown;
    });
  }

  return {
    hash: (password, turn) => inTurn(turn, () => hash(normal(password), hashParameters)),
    async matches(password, stored, turn, begun) {
      const equal = await inTurn(turn, async () => {
        begun();
        return await verify(stored ?? dummy, normal(password));
      });
      return stored !== undefined && equal;
    },
  };
}
