/**
 * The log in Kafka as a source of commands: batches of one partition in order, each committed after its effect. What cannot be understood is
 * parked; what fails for a while is tried again for ever, with the partition held and heartbeats going on.
 */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { readCommand } from "../kafka/log-record.ts";
import { commandsTopic, writerGroup } from "../kafka/topics.ts";
import { pauseMs, settles, withDeadline } from "../waiting.ts";
import { type Delivery, UndecidableError } from "./apply.ts";

/** A record that is no command, or one that cannot be decided, with where it came from. */
export type Parked = {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly reason: string;
};

export type KafkaSourceOptions = {
  readonly kafka: Kafka;
  readonly partitions: number;
  /**
   * Takes what came of one partition up to an offset, in order: makes it durable and announces it, that of `parked` ones too. May be given the same
   * again. Throws while it cannot.
   */
  readonly take: (batch: {
    partition: number;
    deliveries: readonly Delivery[];
    parked: readonly Parked[];
  }) => Promise<void>;
  /** The consumer has died and will not come back by itself. */
  readonly crashed: (error: Error) => void;
  /** A batch fails (told once per outage and partition), and goes through again. */
  readonly failing: (partition: number, error: Error) => void;
  readonly recovered: (partition: number) => void;
};

export type KafkaSource = {
  /** Joins the group; rejects when Kafka does not let it in time. */
  start(): Promise<void>;
  /** Commands known to wait behind those taken, by what the last fetch of each partition told. */
  lag(): number;
  /** Whether the group has heard from this member lately. */
  healthy(): boolean;
  stop(): Promise<void>;
};

const batchMax = 500;
const partitionsAtOnce = 4;
const startMs = 15_000;
const stopMs = 3_000;
const heartbeatMs = 1_000;
/** Several heartbeats and a rebalance. */
const silentMs = 15_000;
const pauses = { fromMs: 100, toMs: 5_000 };

export function kafkaSource(options: KafkaSourceOptions): KafkaSource {
  const { kafka, partitions, take, crashed, failing, recovered } = options;
  const consumer = kafka.consumer({
    groupId: writerGroup,
    sessionTimeout: 30_000,
    heartbeatInterval: 3_000,
    rebalanceTimeout: 60_000,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  const behind = new Map<number, number>();
  let heardMs = 0;
  let stopped = false;

  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart && !stopped) crashed(error);
  });
  const heard = () => {
    heardMs = Date.now();
  };
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.FETCH, heard);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    heard();
    const mine = new Set(payload.memberAssignment[commandsTopic] ?? []);
    for (const partition of behind.keys()) if (!mine.has(partition)) behind.delete(partition);
  });

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { partition } = batch;
    const end = Number(batch.highWatermark);
    for (let from = 0; from < batch.messages.length; from += batchMax) {
      const messages = batch.messages.slice(from, from + batchMax);
      const last = messages.at(-1)?.offset ?? batch.lastOffset();
      const membership = heartbeats(payload);
      try {
        if (!(await takeWhole(partition, messages, membership.lasts))) return;
      } finally {
        membership.end();
      }
      const offset = String(Number(last) + 1);
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic: commandsTopic, partitions: [{ partition, offset }] }],
      });
      payload.resolveOffset(last);
      behind.set(partition, Math.max(0, end - 1 - Number(last)));
      await payload.heartbeat();
    }
  }

  /** True when the batch has been taken; false when this member may no longer take it. */
  async function takeWhole(
    partition: number,
    messages: readonly KafkaMessage[],
    lasts: () => boolean,
  ): Promise<boolean> {
    const parked: Parked[] = [];
    const deliveries: Delivery[] = [];
    const park = (message: KafkaMessage, reason: string) =>
      parked.push({
        partition,
        offset: Number(message.offset),
        key: message.key?.toString() ?? null,
        value: message.value?.toString() ?? null,
        reason,
      });
    for (const message of messages) {
      const command = readCommand(message.value, { partition, partitions });
      if (typeof command === "string") park(message, command);
      else deliveries.push({ position: { partition, offset: Number(message.offset) }, command });
    }
    for (let failures = 0; lasts(); ) {
      try {
        await take({ partition, deliveries, parked });
        if (failures > 0) recovered(partition);
        return true;
      } catch (thrown) {
        const undecidable = thrown instanceof UndecidableError ? thrown.delivery : undefined;
        const message = messages.find((each) => Number(each.offset) === undecidable?.position.offset);
        if (undecidable !== undefined && message !== undefined) {
          deliveries.splice(deliveries.indexOf(undecidable), 1);
          park(message, "undecidable");
          continue;
        }
        failures += 1;
        if (failures === 1) failing(partition, thrown as Error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs(failures, pauses)));
      }
    }
    return false;
  }

  /** Tells the group that this member lives, however long a batch takes. `lasts` throws what the group answered when it has taken the partition away. */
  function heartbeats(payload: EachBatchPayload): { lasts: () => boolean; end: () => void } {
    let lost: unknown;
    let beating = false;
    const beat = async () => {
      if (beating) return;
      beating = true;
      try {
        await payload.heartbeat();
      } catch (error) {
        lost = error;
      }
      beating = false;
    };
    const timer = setInterval(() => void beat(), heartbeatMs);
    return {
      lasts: () => {
        if (lost !== undefined) throw lost;
        return payload.isRunning() && !payload.isStale();
      },
      end: () => clearInterval(timer),
    };
  }

  return {
    async start() {
      const started = consumer.connect().then(async () => {
        await consumer.subscribe({ topics: [commandsTopic], fromBeginning: true });
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: partitionsAtOnce,
          eachBatch,
        });
      });
      await withDeadline(started, startMs, () => new Error("late"));
      heard();
    },
    lag: () => [...behind.values()].reduce((sum, each) => sum + each, 0),
    healthy: () => Date.now() - heardMs < silentMs,
    async stop() {
      stopped = true;
      await settles(stopConsumer(consumer), stopMs);
    },
  };
}

/** `stop` waits for the batch under way, then the group is left. */
async function stopConsumer(consumer: Consumer): Promise<void> {
  await consumer.stop();
  await consumer.disconnect();
}
