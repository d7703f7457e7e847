/** Runs a few jobs at a time. Who waits has a turn by network, then by account: nobody's many take the place of others' few. */
import { Problem } from "../model/problem.ts";

/** `atOnce` jobs run, `queueMax` wait, each for `waitMs` at most. */
export type GateLimits = { atOnce: number; queueMax: number; waitMs: number };
/** Whose job it is. */
export type Turn = { readonly network: string; readonly account: string };

export type Gate = {
  /** Throws the problem `overloaded` when the queue is full or the wait too long. */
  run<T>(turn: Turn, job: () => Promise<T>): Promise<T>;
  readonly waiting: number;
};

type Waiter = { readonly proceed: () => void; readonly refuse: () => void };
type Network = { readonly accounts: Map<string, Waiter[]>; size: number };

function overloaded(): Problem {
  return new Problem("overloaded", "Cannot check passwords now: too many are waiting", {
    headers: { "retry-after": "2" },
  });
}

export function fairGate({ atOnce, queueMax, waitMs }: GateLimits): Gate {
  let running = 0;
  let waiting = 0;
  // The order of both kinds of map is the order of turns: who had one goes to the end.
  const networks = new Map<string, Network>();

  function enter(turn: Turn): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting >= queueMax && !makeRoom(turn)) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        proceed() {
          clearTimeout(deadline);
          resolve();
        },
        refuse() {
          clearTimeout(deadline);
          reject(overloaded());
        },
      };
      const deadline = setTimeout(() => {
        remove(turn, waiter);
        waiter.refuse();
      }, waitMs);
      add(turn, waiter);
    });
  }

  function add({ network, account }: Turn, waiter: Waiter): void {
    const of = networks.get(network) ?? { accounts: new Map<string, Waiter[]>(), size: 0 };
    networks.set(network, of);
    const queue = of.accounts.get(account) ?? [];
    of.accounts.set(account, queue);
    queue.push(waiter);
    of.size += 1;
    waiting += 1;
  }

  function remove({ network, account }: Turn, waiter: Waiter): void {
    const of = networks.get(network);
    const queue = of?.accounts.get(account);
    if (of === undefined || queue === undefined) return;
    const at = queue.indexOf(waiter);
    if (at < 0) return;
    queue.splice(at, 1);
    of.size -= 1;
    waiting -= 1;
    if (queue.length === 0) of.accounts.delete(account);
    if (of.size === 0) networks.delete(network);
  }

  /** Of the network, else the account of one's own, that has by far the most, the newest is refused. False when nobody has more than the newcomer would. */
  function makeRoom({ network, account }: Turn): boolean {
    const own = networks.get(network);
    const [largest, most] = largestOf(networks, ({ size }) => size);
    if (largest !== network && most >= (own?.size ?? 0) + 2) return refuseNewest(largest);
    if (own === undefined) return false;
    const [, longest] = largestOf(own.accounts, ({ length }) => length);
    return longest >= (own.accounts.get(account)?.length ?? 0) + 2 && refuseNewest(network);
  }

  function refuseNewest(network: string): boolean {
    const accounts = networks.get(network)?.accounts ?? new Map<string, Waiter[]>();
    const [account] = largestOf(accounts, ({ length }) => length);
    const newest = accounts.get(account)?.at(-1);
    if (newest === undefined) return false;
    remove({ network, account }, newest);
    newest.refuse();
    return true;
  }

  /** Hands the place to the next one. */
  function leave(): void {
    const [network] = networks.keys();
    const of = network === undefined ? undefined : networks.get(network);
    const [account] = of?.accounts.keys() ?? [];
    const queue = account === undefined ? undefined : of?.accounts.get(account);
    const next = queue?.[0];
    if (
      network === undefined ||
      of === undefined ||
      account === undefined ||
      queue === undefined ||
      next === undefined
    ) {
      running -= 1;
      return;
    }
    remove({ network, account }, next);
    toEnd(of.accounts, account);
    toEnd(networks, network);
    next.proceed();
  }

  return {
    async run(turn, job) {
      await enter(turn);
      try {
        return await job();
      } finally {
        leave();
      }
    },
    get waiting() {
      return waiting;
    },
  };
}

function toEnd<V>(map: Map<string, V>, key: string): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  map.set(key, value);
}

function largestOf<V>(map: ReadonlyMap<string, V>, sizeOf: (value: V) => number): [key: string, size: number] {
  let found: [string, number] = ["", 0];
  for (const [key, value] of map) if (sizeOf(value) > found[1]) found = [key, sizeOf(value)];
  return found;
}
