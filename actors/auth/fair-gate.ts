/** Runs a few jobs at a time. Who waits has a turn by network, then by account: nobody's many take the place of others' few. */
import { Problem } from "../model/problem.ts";

/** `atOnce` jobs run, `queueMax` wait, each for `waitMs` at most. */
export type GateLimits = { atOnce: number; queueMax: number; waitMs: number };
/** Whose job it is. */
export type Turn = {
  readonly network: string;
  readonly account: string;
  /** Signed in from there before. */
  readonly isKnown?: boolean;
};

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

/** Those known wait apart from strangers, and every second turn is theirs: no number of strangers keeps them out. */
export function fairGate({ atOnce, queueMax, waitMs }: GateLimits): Gate {
  let running = 0;
  const known = fairQueue(queueMax);
  const strangers = fairQueue(queueMax);
  let wasKnown = false;

  function enter(turn: Turn): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    const queue = turn.isKnown === true ? known : strangers;
    if (!queue.hasRoom(turn)) return Promise.reject(overloaded());
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
        queue.remove(turn, waiter);
        waiter.refuse();
      }, waitMs);
      queue.add(turn, waiter);
    });
  }

  /** Hands the place to the next one. */
  function leave(): void {
    const first = wasKnown ? strangers : known;
    const queue = first.size > 0 ? first : first === known ? strangers : known;
    const next = queue.next();
    if (next === undefined) running -= 1;
    else {
      wasKnown = queue === known;
      next.proceed();
    }
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
      return known.size + strangers.size;
    },
  };
}

/** Who waits, in turns of networks and of accounts within them. */
function fairQueue(sizeMax: number) {
  let size = 0;
  // The order of both kinds of map is the order of turns: who had one goes to the end.
  const networks = new Map<string, Network>();

  function add({ network, account }: Turn, waiter: Waiter): void {
    const of = networks.get(network) ?? { accounts: new Map<string, Waiter[]>(), size: 0 };
    networks.set(network, of);
    const queue = of.accounts.get(account) ?? [];
    of.accounts.set(account, queue);
    queue.push(waiter);
    of.size += 1;
    size += 1;
  }

  function remove({ network, account }: Turn, waiter: Waiter): void {
    const of = networks.get(network);
    const queue = of?.accounts.get(account);
    if (of === undefined || queue === undefined) return;
    const at = queue.indexOf(waiter);
    if (at < 0) return;
    queue.splice(at, 1);
    of.size -= 1;
    size -= 1;
    if (queue.length === 0) of.accounts.delete(account);
    if (of.size === 0) networks.delete(network);
  }

  /** Of the network, else the account of one's own, that has by far the most, the newest is refused. False when nobody has more than the newcomer would. */
  function makeRoom({ network, account }: Turn): boolean {
    const own = networks.get(network);
    const [largest, most] = largestOf(networks, ({ size: waiting }) => waiting);
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

  return {
    add,
    remove,
    hasRoom: (turn: Turn) => size < sizeMax || makeRoom(turn),
    /** Takes out whose turn it is. */
    next(): Waiter | undefined {
      for (const [network, { accounts }] of networks)
        for (const [account, [waiter]] of accounts) {
          if (waiter === undefined) continue;
          remove({ network, account }, waiter);
          toEnd(accounts, account);
          toEnd(networks, network);
          return waiter;
        }
      return undefined;
    },
    get size() {
      return size;
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
