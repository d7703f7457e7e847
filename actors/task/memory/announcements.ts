/** What a `task` worker has heard of the writers of spaces: how far each partition is told and projected, and what became of its own commands. */
import type { Position } from "../../model/position.ts";
import type { Projected, Told } from "../../resources/verdict.ts";

export type SpaceAnnouncements = {
  /** Records of one partition of the facts, in their order; some may come again. */
  take(partition: number, records: readonly (Told | Projected)[]): void;
  /** What had been told before this worker listened. Until then nothing is known to be current. */
  begin(known: readonly KnownPartition[]): void;
  hasBegun(): boolean;
  /** The last position told; -1 when none is known. */
  told(partition: number): number;
  /** Everything below it is in the read model; 0 when nothing is known. */
  projected(partition: number): number;
  /** Resolves to whether the position is told by the deadline (epoch milliseconds). */
  untilTold(position: Position, deadlineMs: number): Promise<boolean>;
  untilProjected(position: Position, deadlineMs: number): Promise<boolean>;
  /** Listens for what becomes of an operation; to be called before its command is appended, since that may be heard before the log's answer. */
  expect(operationId: string): Expectation;
};

export type KnownPartition = {
  readonly partition: number;
  readonly told: number;
  readonly projected: number;
  /** All that was told from this position on is told again to who begins. */
  readonly from: number;
};

/** A wait for what becomes of one command, told apart by its position from others of the same operation. */
export type Expectation = {
  /** Undefined when it is not told by the deadline (epoch milliseconds). */
  at(position: Position, deadlineMs: number): Promise<Told | undefined>;
  end(): void;
};

/** How late a deadline may be noticed. */
const sweepMs = 20;

type Waiter = { readonly deadlineMs: number; readonly settle: (isInTime: boolean) => void };
type PositionWaiter = Waiter & { readonly offset: number };

export function spaceAnnouncements(now: () => number): SpaceAnnouncements {
  const deadlines = deadlineWaits(now);
  const told = positions(deadlines);
  /** The last position of which it is known that it is projected. */
  const projected = positions(deadlines);
  const expecting = new Map<string, Set<(partition: number, record: Told) => void>>();
  const parked = new Map<string, (record: Told) => void>();
  let begun = false;

  return {
    take(partition, records) {
      let last = -1;
      let lastProjected = -1;
      for (const record of records) {
        if (record.kind === "projected") {
          lastProjected = Math.max(lastProjected, record.position - 1);
          continue;
        }
        last = Math.max(last, record.position);
        if (record.kind === "parked") parked.get(`${partition} ${record.position}`)?.(record);
        else for (const hear of expecting.get(record.operationId) ?? []) hear(partition, record);
      }
      told.reach(partition, last);
      projected.reach(partition, lastProjected);
    },

    begin(known) {
      for (const each of known) {
        told.reach(each.partition, each.told);
        projected.reach(each.partition, each.projected - 1);
      }
      begun = true;
    },
    hasBegun: () => begun,
    told: told.of,
    projected: (partition) => projected.of(partition) + 1,
    untilTold: told.until,
    untilProjected: projected.until,

    expect(operationId) {
      const heard: { partition: number; record: Told }[] = [];
      let look = (): void => {};
      const hear = (partition: number, record: Told) => {
        heard.push({ partition, record });
        look();
      };
      const all = expecting.get(operationId) ?? new Set();
      all.add(hear);
      expecting.set(operationId, all);
      let key: string | undefined;
      const end = () => {
        all.delete(hear);
        if (all.size === 0 && expecting.get(operationId) === all) expecting.delete(operationId);
        if (key !== undefined) parked.delete(key);
      };
      return {
        end,
        at: ({ partition, offset }, deadlineMs) =>
          new Promise((resolve) => {
            const done = (record: Told | undefined) => {
              deadlines.remove(waiter);
              end();
              resolve(record);
            };
            const waiter = { deadlineMs, settle: () => done(undefined) };
            look = () => {
              const mine = heard.find((each) => each.partition === partition && each.record.position === offset);
              if (mine !== undefined) done(mine.record);
            };
            deadlines.add(waiter);
            key = `${partition} ${offset}`;
            parked.set(key, done);
            look();
          }),
      };
    },
  };
}

type Deadlines = { add(waiter: Waiter): void; remove(waiter: Waiter): void };

/** Deadlines are looked at together: a timer for each wait would cost more than the wait. */
function deadlineWaits(now: () => number): Deadlines {
  const waiters = new Set<Waiter>();
  let sweeping: ReturnType<typeof setInterval> | undefined;
  const rest = () => {
    if (waiters.size > 0) return;
    clearInterval(sweeping);
    sweeping = undefined;
  };
  return {
    add(waiter) {
      waiters.add(waiter);
      sweeping ??= setInterval(() => {
        const nowMs = now();
        for (const each of waiters)
          if (each.deadlineMs <= nowMs) {
            waiters.delete(each);
            each.settle(false);
          }
        rest();
      }, sweepMs);
    },
    remove(waiter) {
      waiters.delete(waiter);
      rest();
    },
  };
}

/** By partition, a position that only grows, and waits for it. */
function positions(deadlines: Deadlines) {
  const offsets: number[] = [];
  const waiting = new Map<number, Set<PositionWaiter>>();
  const of = (partition: number): number => offsets[partition] ?? -1;
  return {
    of,
    reach(partition: number, offset: number): void {
      if (offset <= of(partition)) return;
      offsets[partition] = offset;
      for (const waiter of waiting.get(partition) ?? []) if (waiter.offset <= offset) waiter.settle(true);
    },
    until({ partition, offset }: Position, deadlineMs: number): Promise<boolean> {
      if (of(partition) >= offset) return Promise.resolve(true);
      return new Promise((resolve) => {
        const its = waiting.get(partition) ?? new Set();
        const waiter: PositionWaiter = {
          offset,
          deadlineMs,
          settle(isInTime) {
            its.delete(waiter);
            deadlines.remove(waiter);
            resolve(isInTime);
          },
        };
        its.add(waiter);
        waiting.set(partition, its);
        deadlines.add(waiter);
      });
    },
  };
}
