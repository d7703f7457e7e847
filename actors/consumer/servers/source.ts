/**
 * Membership in the group of writers: each partition that is assigned has a loop of its own, with no memory of an earlier assignment, and gets what is
 * fetched of it. Who loses a partition may still be at work on it when the next owner begins: the two come to the same.
 */
import type { Consumer, EachBatchPayload, Kafka, OffsetsByTopicPartition } from "kafkajs";
import { evictPreviousMembers, membership } from "../../kafka/group.ts";
import type { SpaceNames } from "../../kafka/names.ts";
import { settles, withDeadline } from "../../waiting.ts";
import { SupersededError } from "../space-memory.ts";
import type { PartitionLoop } from "./partition-loop.ts";

export type Commit = (offsets: OffsetsByTopicPartition) => Promise<void>;

export type SpaceSourceOptions = {
  readonly kafka: Kafka;
  /** The one by which `kafka` goes, which no other member of the group has. */
  readonly clientName: string;
  readonly names: SpaceNames;
  readonly partitions: number;
  /** Begins the work on a partition. `commit` fails once the partition is no longer assigned. */
  readonly open: (partition: number, commit: Commit) => PartitionLoop;
  /** Which partitions are this member's now; null while the group has not agreed. */
  readonly assigned?: (partitions: readonly number[] | null) => void;
  /** It is no member any more, and will not be one again. */
  readonly lost: (error: Error) => void;
};

export type SpaceSource = {
  /** Joins the group; rejects when Kafka does not let it in time. */
  start(): Promise<void>;
  /** Commands known to wait for their verdict, by what the last fetch of each partition told. */
  lag(): number;
  /** Null while the group has not agreed on this member's partitions, or has not heard from it lately. */
  assigned(): readonly number[] | null;
  /** Whether the group has heard from this member lately. */
  healthy(): boolean;
  stop(): Promise<void>;
};

/** A partition is fetched no further while so much of it waits, until half of it is gone. */
const waitingBytesMax = 4_000_000;
/** What comes while something is decided can wait for a moment; fetched one by one it would keep Kafka and us busy with nothing else. */
const lingerMs = 3;
/** When a whole round waits already, no more is fetched before some of it is decided, or for so long (the group is to hear of us). */
const roundMs = 1_000;
const roundBytes = 500_000;
/** A rebalance, for which others may have to finish, included: who gives up in the middle of one leaves a member that the next has to wait for. */
const startMs = 15_000 + membership.rebalanceTimeout;
const stopMs = 4_000;
const drainMs = 2_000;
/** Several heartbeats. */
const silentMs = 6_000;

type Assigned = { readonly loop: PartitionLoop; resume?: (() => void) | undefined };

export function spaceSource(options: SpaceSourceOptions): SpaceSource {
  const { kafka, clientName, names, partitions, open, lost } = options;
  const consumer = kafka.consumer({ groupId: names.writers, ...membership });
  const assigned = new Map<number, Assigned>();
  /** By partition, the offset after the last command of the log, as the last fetch told. */
  const ends = new Map<number, number>();
  const waiters = new Set<() => void>();
  let heardMs = 0;
  let isStopped = false;
  let isAgreed = false;
  let latest: EachBatchPayload | undefined;
  const commit = commitTogether(async (offsets) => {
    if (latest === undefined) throw new Error("Cannot commit before anything was fetched");
    await latest.commitOffsetsIfNecessary(offsets);
  });

  const heard = () => {
    heardMs = Date.now();
  };
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.FETCH, heard);
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (!isStopped) lost(error);
  });
  consumer.on(consumer.events.REBALANCING, () => {
    drop();
    isAgreed = false;
    options.assigned?.(null);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    heard();
    drop();
    if (isStopped) return;
    for (const partition of payload.memberAssignment[names.commands] ?? []) begin(partition);
    isAgreed = true;
    options.assigned?.([...assigned.keys()]);
  });

  function begin(partition: number): void {
    const loop = open(partition, async (offsets) => {
      if (assigned.get(partition)?.loop !== loop)
        throw new SupersededError(`Partition ${partition} is no longer assigned to this member`);
      await commit(offsets);
    });
    const its: Assigned = { loop };
    loop.onProgress = () => {
      if (loop.waitingBytes() <= waitingBytesMax / 2) resume(its);
      for (const wake of waiters) wake();
    };
    assigned.set(partition, its);
  }

  /** What is under way goes on to no effect that its successor would not have. */
  function drop(): void {
    for (const its of assigned.values()) {
      resume(its);
      void its.loop.end(0);
    }
    assigned.clear();
    ends.clear();
  }

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { partition, highWatermark, messages } = payload.batch;
    const its = assigned.get(partition);
    if (isStopped || its === undefined) return;
    latest = payload;
    ends.set(partition, Number(highWatermark));
    its.loop.add(messages);
    payload.resolveOffset(payload.batch.lastOffset());
    if (its.loop.waitingBytes() > waitingBytesMax) its.resume ??= payload.pause();
    await fetchDemand(its.loop);
  }

  /** Resolves when it is worth while to fetch again: at once when nothing waits, else a moment later, or when some of it is decided. */
  async function fetchDemand(loop: PartitionLoop): Promise<void> {
    if (loop.waitingBytes() === 0) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, loop.waitingBytes() < roundBytes ? lingerMs : roundMs);
      waiters.add(wake);
    });
  }

  return {
    async start() {
      const started = consumer.connect().then(async () => {
        await evictPreviousMembers(kafka, names.writers, clientName);
        await consumer.subscribe({ topics: [names.commands], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: partitions,
          eachBatch,
        });
      });
      await withDeadline(started, startMs);
      heard();
    },
    lag() {
      let sum = 0;
      for (const [partition, end] of ends) sum += Math.max(0, end - (assigned.get(partition)?.loop.next() ?? end));
      return sum;
    },
    assigned: () => (isAgreed && !isStopped && Date.now() - heardMs < silentMs ? [...assigned.keys()] : null),
    healthy: () => Date.now() - heardMs < silentMs,
    async stop() {
      isStopped = true;
      const drained = Promise.all([...assigned.values()].map(({ loop }) => loop.end(drainMs)));
      await settles(
        drained.then(() => {
          drop();
          return stopConsumer(consumer);
        }),
        stopMs,
      );
    },
  };
}

function resume(its: Assigned): void {
  its.resume?.();
  its.resume = undefined;
}

/** One request at a time, with the newest place of each partition that has one; each caller hears what came of its own. */
function commitTogether(commit: Commit): Commit {
  type Waiting = { offsets: OffsetsByTopicPartition; done: () => void; failed: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let isBusy = false;

  async function run(): Promise<void> {
    isBusy = true;
    await Promise.resolve();
    while (waiting.length > 0) {
      const all = waiting;
      waiting = [];
      const topics = Map.groupBy(
        all.flatMap(({ offsets }) => offsets.topics),
        ({ topic }) => topic,
      );
      const newest = [...topics].map(([topic, some]) => ({
        topic,
        partitions: [
          ...new Map(some.flatMap((each) => each.partitions).map((each) => [each.partition, each])).values(),
        ],
      }));
      try {
        await commit({ topics: newest });
        for (const { done } of all) done();
      } catch (error) {
        for (const { failed } of all) failed(error);
      }
    }
    isBusy = false;
  }

  return (offsets) =>
    new Promise((done, failed) => {
      waiting.push({ offsets, done, failed });
      if (!isBusy) void run();
    });
}

/** `stop` waits for the batch under way, then the group is left. */
async function stopConsumer(consumer: Consumer): Promise<void> {
  await consumer.stop();
  await consumer.disconnect();
}
