/** Brings what several partitions hold, each in its own order, into one order by time. Pure but for the batches that it hands on, one at a time. */

/** `timeMs` decides between the heads of partitions; within one it may run backwards. */
export type Timed<Item> = { readonly timeMs: number; readonly item: Item };

export type InOrderOptions<Item> = {
  /** Those from which something will come: until one has ended, nothing goes on that it might come before. */
  readonly partitions: readonly number[];
  /** How much is handed on together; the last may be less. */
  readonly batchSize: number;
  readonly take: (batch: readonly Timed<Item>[]) => Promise<void>;
};

export type InOrder<Item> = {
  /** Throws what `take` has thrown. */
  add(partition: number, items: readonly Timed<Item>[]): void;
  /** Nothing more comes of it. */
  end(partition: number): void;
  /** How much of it has not been handed on yet. */
  waiting(partition: number): number;
  /** Resolves when all has been taken; to be called when all have ended. Rejects with what `take` throws. */
  done(): Promise<void>;
};

export function inOrderOfTime<Item>({ partitions, batchSize, take }: InOrderOptions<Item>): InOrder<Item> {
  const queues = new Map(
    partitions.map((partition) => [partition, { items: [] as Timed<Item>[], at: 0, ended: false }]),
  );
  let batch: Timed<Item>[] = [];
  let working: Promise<void> | undefined;
  let failure: unknown;

  /** The earliest head; undefined when one that may be earlier is still to come, or nothing is left. */
  function next(): Timed<Item> | undefined {
    let first: { queue: { items: Timed<Item>[]; at: number }; head: Timed<Item> } | undefined;
    for (const queue of queues.values()) {
      const head = queue.items[queue.at];
      if (head === undefined && queue.ended) continue;
      if (head === undefined) return undefined;
      if (first === undefined || head.timeMs < first.head.timeMs) first = { queue, head };
    }
    if (first === undefined) return undefined;
    const { queue, head } = first;
    queue.at += 1;
    if (queue.at === queue.items.length) {
      queue.items = [];
      queue.at = 0;
    }
    return head;
  }

  const isOver = () => [...queues.values()].every(({ items, at, ended }) => ended && items.length === at);

  async function work(): Promise<void> {
    for (;;) {
      for (let each = batch.length < batchSize ? next() : undefined; each !== undefined; ) {
        batch.push(each);
        each = batch.length < batchSize ? next() : undefined;
      }
      if (batch.length === 0 || (batch.length < batchSize && !isOver())) return;
      const full = batch;
      batch = [];
      await take(full);
    }
  }

  function goOn(): void {
    working ??= work()
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        working = undefined;
      });
  }

  return {
    add(partition, items) {
      if (failure !== undefined) throw failure;
      queues.get(partition)?.items.push(...items);
      goOn();
    },
    end(partition) {
      const queue = queues.get(partition);
      if (queue !== undefined) queue.ended = true;
      goOn();
    },
    waiting(partition) {
      const queue = queues.get(partition);
      return queue === undefined ? 0 : queue.items.length - queue.at;
    },
    async done() {
      do {
        goOn();
        await working;
        if (failure !== undefined) throw failure;
      } while (!isOver() || batch.length > 0);
    },
  };
}
