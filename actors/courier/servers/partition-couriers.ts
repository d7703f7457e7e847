/** A courier for each partition whose writer is in this process: begun when the partition is assigned, ended when it is another's. */

import type { Self } from "../../../runtime/actor.ts";
import type { AssignedPartitions } from "../../consumer/messages.ts";
import { type Outage, onceEach } from "../../outage.ts";
import { keepTrying } from "../../waiting.ts";
import type { Courier } from "../deliver.ts";

export type PartitionCouriersParts = {
  readonly now: () => number;
  readonly log: Self["log"];
  /** Makes it this process's to deliver for the partition; `held` as it answered before. */
  readonly claim: (partition: number, held: number | undefined) => Promise<number>;
  /** `mayBegin`: see `LineParts`. `superseded`: another process has claimed the partition. */
  readonly open: (
    of: { readonly partition: number; readonly partitions: number; readonly epoch: number },
    callbacks: { readonly mayBegin: () => boolean; readonly superseded: () => void },
  ) => Courier;
};

export type PartitionCouriers = {
  assigned(now: AssignedPartitions): void;
  /** To be called now and then. */
  tick(): void;
  /** Those that deliver now, by partition. */
  all(): ReadonlyMap<number, Courier>;
  stop(): Promise<void>;
};

/** The writer announces its partitions every second: who has heard nothing for so long begins no attempt, since another process may have taken over. */
const silentMs = 5_000;
const pauses = { fromMs: 100, toMs: 3_000 };

type Owned = { readonly ending: AbortController; taking: Promise<void>; epoch?: number; courier?: Courier };

export function partitionCouriers({ now, log, claim, open }: PartitionCouriersParts): PartitionCouriers {
  const owned = new Map<number, Owned>();
  const ends = new Set<Promise<void>>();
  const claiming: Outage = onceEach({
    began: (reason) => log("error", "deliveries-wait", { step: "take over a partition", reason }),
    over: () => log("info", "deliveries-go-on", {}),
  });
  /** Undefined while the group of writers has not agreed. */
  let current: AssignedPartitions | undefined;
  let heardMs = Number.NEGATIVE_INFINITY;
  let isEnding = false;
  const mayBegin = () => !isEnding && current !== undefined && now() - heardMs < silentMs;

  function drop(partition: number): void {
    const its = owned.get(partition);
    if (its === undefined) return;
    owned.delete(partition);
    its.ending.abort(new Error("the partition is another's"));
    const { courier } = its;
    if (courier === undefined) return;
    const end = courier
      .stop()
      .catch(() => undefined)
      .finally(() => ends.delete(end));
    ends.add(end);
  }

  async function take(partition: number, partitions: number, its: Owned): Promise<void> {
    const { signal } = its.ending;
    const epoch = await keepTrying(() => claim(partition, its.epoch), {
      ...pauses,
      until: signal,
      failed: claiming.failed,
    });
    claiming.succeeded();
    if (signal.aborted || epoch === its.epoch) return;
    await its.courier?.stop();
    if (signal.aborted) return;
    its.epoch = epoch;
    its.courier = open(
      { partition, partitions, epoch },
      {
        mayBegin: () => mayBegin() && !signal.aborted,
        // Where the partition is still announced as ours, it is claimed anew with the next announcement.
        superseded: () => {
          if (owned.get(partition) === its) drop(partition);
        },
      },
    );
  }

  return {
    assigned({ assigned, partitions }) {
      heardMs = now();
      if (assigned === null) {
        current = undefined;
        return;
      }
      // After a rebalance another process may have had it in between.
      const isNew = current === undefined;
      current = { assigned, partitions };
      for (const partition of [...owned.keys()]) if (!assigned.includes(partition)) drop(partition);
      for (const partition of assigned) {
        const known = owned.get(partition);
        if (known !== undefined && !isNew) continue;
        const its = known ?? { ending: new AbortController(), taking: Promise.resolve() };
        owned.set(partition, its);
        its.taking = its.taking.then(() => take(partition, partitions, its)).catch(() => undefined);
      }
    },
    tick() {
      if (!mayBegin()) return;
      for (const { courier } of owned.values()) void courier?.tick();
    },
    all: () =>
      new Map([...owned].flatMap(([partition, { courier }]) => (courier === undefined ? [] : [[partition, courier]]))),
    async stop() {
      isEnding = true;
      for (const partition of [...owned.keys()]) drop(partition);
      await Promise.all(ends);
    },
  };
}
