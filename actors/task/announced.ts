/** What a `task` worker has heard announced: how far the read model is, which version of a task is the newest, what became of operations. */
import type { Announcement, Outcome, Position } from "../model/command.ts";

export type Announced = {
  take(said: readonly Announcement[]): void;
  /** What had been announced before this worker listened, by partition. Until then nothing in the cache is known to be current. */
  begin(offsets: readonly number[]): void;
  /** The offset of the last command announced; -1 when none is known. */
  offset(partition: number): number;
  /** Resolves to whether the position has been announced by the deadline (epoch milliseconds). */
  reached(position: Position, deadlineMs: number): Promise<boolean>;
  /** Listens for the outcomes of an operation; to be called before its command is appended, since its announcement may be heard before the log's answer. */
  expect(operationId: string): Expectation;
  /**
   * Whether a copy of a task is as new as all that has been announced here. `asOf` is the position up to which the copy is known to be right,
   * `kept` the one up to which its cache has been.
   */
  isCurrent(taskId: string, partition: number, copy: { version: number; asOf: number; kept: number }): boolean;
};

/** A wait for what becomes of one command, told apart by its position from others of the same operation. */
export type Expectation = {
  /** Resolves to the outcome of the command at this position, undefined when it is not announced by the deadline (epoch milliseconds). */
  at(position: Position, deadlineMs: number): Promise<Outcome | undefined>;
  end(): void;
};

/** Tasks whose newest version is remembered at most. */
const tasksMax = 50_000;
/** How late a deadline may be noticed. */
const sweepMs = 20;

type Waiter<T> = { readonly deadlineMs: number; readonly settle: (value: T) => void };

export function announced(now: () => number): Announced {
  const offsets: number[] = [];
  const newest = new Map<string, { version: number; partition: number; offset: number }>();
  /** By partition: an announcement up to this offset may be of a task that is not remembered. */
  const forgotten: number[] = [];
  let begun = false;
  const expecting = new Map<string, Set<(said: Announcement) => void>>();
  const verdicts = new Set<Waiter<undefined>>();
  const reaching = new Map<number, (Waiter<boolean> & { offset: number })[]>();
  let sweeping: ReturnType<typeof setInterval> | undefined;

  function remember({ taskId, position, version }: Outcome): void {
    if (version === undefined) return;
    const before = newest.get(taskId);
    if (before !== undefined && before.version >= version) return;
    newest.delete(taskId);
    newest.set(taskId, { version, partition: position.partition, offset: position.offset });
    if (newest.size <= tasksMax) return;
    const [oldest] = newest;
    if (oldest === undefined) return;
    newest.delete(oldest[0]);
    const { partition, offset } = oldest[1];
    forgotten[partition] = Math.max(forgotten[partition] ?? -1, offset);
  }

  /** Deadlines are looked at together: a timer for each wait would cost more than the wait. */
  function wait(): void {
    sweeping ??= setInterval(() => {
      const nowMs = now();
      for (const waiter of verdicts) if (waiter.deadlineMs <= nowMs) waiter.settle(undefined);
      for (const [partition, waiters] of reaching) {
        for (const { deadlineMs, settle } of waiters) if (deadlineMs <= nowMs) settle(false);
        reaching.set(
          partition,
          waiters.filter(({ deadlineMs }) => deadlineMs > nowMs),
        );
        if (reaching.get(partition)?.length === 0) reaching.delete(partition);
      }
      if (verdicts.size > 0 || reaching.size > 0) return;
      clearInterval(sweeping);
      sweeping = undefined;
    }, sweepMs);
  }

  function passed(partition: number): void {
    const waiters = reaching.get(partition);
    if (waiters === undefined) return;
    const offset = offsets[partition] ?? -1;
    const rest = waiters.filter((each) => each.offset > offset);
    for (const each of waiters) if (each.offset <= offset) each.settle(true);
    if (rest.length === 0) reaching.delete(partition);
    else reaching.set(partition, rest);
  }

  return {
    take(said) {
      const moved = new Set<number>();
      for (const each of said) {
        const { taken, outcome } = each;
        const { partition, offset } = taken;
        if (offset > (offsets[partition] ?? -1)) {
          offsets[partition] = offset;
          moved.add(partition);
        }
        if (outcome === undefined) continue;
        remember(outcome);
        for (const hear of expecting.get(outcome.operationId) ?? []) hear(each);
      }
      for (const partition of moved) passed(partition);
    },

    begin(known) {
      for (const [partition, offset] of known.entries()) {
        offsets[partition] = Math.max(offsets[partition] ?? -1, offset);
        forgotten[partition] = Math.max(forgotten[partition] ?? -1, offset);
        passed(partition);
      }
      begun = true;
    },

    offset: (partition) => offsets[partition] ?? -1,

    reached({ partition, offset }, deadlineMs) {
      if ((offsets[partition] ?? -1) >= offset) return Promise.resolve(true);
      return new Promise((settle) => {
        const waiters = reaching.get(partition) ?? [];
        waiters.push({ offset, deadlineMs, settle });
        reaching.set(partition, waiters);
        wait();
      });
    },

    expect(operationId) {
      const heard: Announcement[] = [];
      let looking: (() => void) | undefined;
      const hear = (said: Announcement) => {
        heard.push(said);
        looking?.();
      };
      const all = expecting.get(operationId) ?? new Set();
      all.add(hear);
      expecting.set(operationId, all);
      const end = () => {
        all.delete(hear);
        if (all.size === 0) expecting.delete(operationId);
      };
      return {
        end,
        at: ({ partition, offset }, deadlineMs) =>
          new Promise((resolve) => {
            const settle = (outcome: Outcome | undefined) => {
              verdicts.delete(waiter);
              end();
              resolve(outcome);
            };
            const waiter = { deadlineMs, settle };
            looking = () => {
              const mine = heard.find(({ taken }) => taken.partition === partition && taken.offset === offset);
              if (mine !== undefined) settle(mine.outcome);
            };
            verdicts.add(waiter);
            wait();
            looking();
          }),
      };
    },

    isCurrent(taskId, partition, { version, asOf, kept }) {
      if (!begun) return false;
      const known = newest.get(taskId);
      if (known !== undefined) return version >= known.version;
      const least = forgotten[partition] ?? -1;
      return asOf >= least || kept >= least;
    },
  };
}
