/**
 * What has been fetched of a partition waits in its lane and is worked on in order, while more is fetched and other lanes go on. A fetch that
 * waited for the work would leave what comes meanwhile waiting for two rounds instead of one.
 */
import type { Batch, EachBatchPayload, KafkaMessage } from "kafkajs";
import { keepTrying } from "../waiting.ts";

export type LanesOptions = {
  /** At most so many are worked on at once. */
  readonly messagesMax: number;
  /** The work on messages of a partition: while that fails it is tried again, with pauses, for ever. */
  readonly work: (partition: number, messages: readonly KafkaMessage[]) => () => Promise<void>;
  /** Everything up to this message has been worked on, and the partitions have not been given out anew since it was added. */
  readonly done: (partition: number, last: KafkaMessage) => void;
  /** Told once per outage and partition. */
  readonly failing: (partition: number, error: Error) => void;
  readonly recovered: (partition: number) => void;
};

/** What kafkajs gives with a batch, as far as it is needed. */
export type Fetched = Pick<EachBatchPayload, "pause" | "resolveOffset"> & {
  readonly batch: Pick<Batch, "partition" | "messages" | "lastOffset">;
};

export type Lanes = {
  /** Takes the batch, with which the fetch may go on behind it. */
  add(fetched: Fetched): void;
  /** Resolves when it is worth while to fetch again: at once when nothing is under way, else a moment later, or when that has ended. */
  wantsMore(): Promise<void>;
  /** The partitions are given out anew: what waits is dropped (its owner fetches it again), what is under way is not tried again and not `done`. */
  reset(): void;
  /** What waits is dropped; resolves when what is under way is done, or has failed. */
  end(): Promise<void>;
};

/** What comes while something is under way can wait for a moment; fetched one by one it would keep Kafka and us busy with nothing else. */
const momentMs = 5;
/** When a whole round waits already, no more is fetched before one has ended, or for so long (the group is to hear of us). */
const roundMs = 1_000;
/** Beyond this a partition is fetched no further until half of it is gone. */
const waitingBytesMax = 2_000_000;
const pauses = { fromMs: 100, toMs: 5_000 };

type Lane = { waiting: KafkaMessage[]; bytes: number; running: Promise<void> | undefined; resume?: () => void };

export function lanes({ messagesMax, work, done, failing, recovered }: LanesOptions): Lanes {
  const all = new Map<number, Lane>();
  const ending = new Set<() => void>();
  /** Of one giving out of the partitions. */
  let era = 0;
  let tries = new AbortController();

  async function run(partition: number, lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const messages = lane.waiting.splice(0, messagesMax);
      lane.bytes -= bytesOf(messages);
      if (lane.bytes <= waitingBytesMax / 2) resume(lane);
      const its = era;
      const until = tries.signal;
      let failed = false;
      const failure = (error: Error, failures: number) => {
        failed = true;
        if (failures === 1) failing(partition, error);
      };
      try {
        await keepTrying(work(partition, messages), { ...pauses, until, failed: failure });
      } catch {
        continue;
      }
      for (const each of ending) each();
      if (failed) recovered(partition);
      const last = messages.at(-1);
      if (last !== undefined && its === era) done(partition, last);
    }
    lane.running = undefined;
  }

  function drop(): void {
    tries.abort();
    tries = new AbortController();
    for (const lane of all.values()) {
      lane.waiting = [];
      lane.bytes = 0;
      resume(lane);
    }
    for (const each of ending) each();
  }

  return {
    add({ batch, pause, resolveOffset }) {
      const { partition, messages } = batch;
      const lane: Lane = all.get(partition) ?? { waiting: [], bytes: 0, running: undefined };
      all.set(partition, lane);
      lane.waiting.push(...messages);
      lane.bytes += bytesOf(messages);
      resolveOffset(batch.lastOffset());
      if (lane.bytes > waitingBytesMax) lane.resume ??= pause();
      lane.running ??= run(partition, lane);
    },
    async wantsMore() {
      const lanes = [...all.values()];
      if (!lanes.some(({ running }) => running !== undefined)) return;
      const waiting = lanes.reduce((sum, each) => sum + each.waiting.length, 0);
      await new Promise<void>((resolve) => {
        const go = () => {
          clearTimeout(timer);
          ending.delete(go);
          resolve();
        };
        const timer = setTimeout(go, waiting < messagesMax ? momentMs : roundMs);
        ending.add(go);
      });
    },
    reset() {
      era += 1;
      drop();
    },
    async end() {
      drop();
      await Promise.all([...all.values()].map(({ running }) => running));
    },
  };
}

function resume(lane: Lane): void {
  lane.resume?.();
  delete lane.resume;
}

function bytesOf(messages: readonly KafkaMessage[]): number {
  return messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}
