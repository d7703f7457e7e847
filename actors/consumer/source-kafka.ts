/**
 * The log in Kafka as a source of commands: those of one partition in order, committed after their effect. What cannot be understood is parked;
 * what fails for a while is tried again for ever, with the partition held and heartbeats going on. Who loses a partition may still be at work on
 * what it had begun when the next owner begins: the store takes no effect twice (apply.ts).
 */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { committing } from "../kafka/commits.ts";
import { leaveForEarlierLives, membership } from "../kafka/group.ts";
import { readCommand } from "../kafka/log-record.ts";
import type { Names } from "../kafka/names.ts";
import { settles, withDeadline } from "../waiting.ts";
import { type Delivery, UndecidableError } from "./apply.ts";
import { lanes } from "./lanes.ts";

/** A record that is no command, or one that cannot be decided, with where it came from. What is larger than any command of ours is left there. */
export type Parked = {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly reason: string;
};

/** What came of one partition up to an offset, in order. */
export type Work = { readonly partition: number; readonly deliveries: Delivery[]; readonly parked: Parked[] };

export type KafkaSourceOptions = {
  readonly kafka: Kafka;
  /** The one by which `kafka` goes, which no other member of the group has. */
  readonly clientName: string;
  readonly names: Names;
  readonly partitions: number;
  /**
   * Makes it durable and announces it, that which is parked too. May be given the same again, with more of it parked, or a part of it. Throws
   * while it cannot.
   */
  readonly take: (work: Work) => Promise<void>;
  /** It is no member any more, and will not be one again. */
  readonly lost: (error: Error) => void;
  /** A batch fails (told once per outage and partition), and goes through again. */
  readonly failing: (partition: number, error: Error) => void;
  readonly recovered: (partition: number) => void;
};

export type KafkaSource = {
  /** Joins the group; rejects when Kafka does not let it in time. */
  start(): Promise<void>;
  /** Commands known to wait to be taken, by what the last fetch of each partition told. */
  lag(): number;
  /** Whether the group has heard from this member lately. */
  healthy(): boolean;
  stop(): Promise<void>;
};

/** Of one partition at once. */
export const batchMax = 500;
/** After failures fewer are taken at once, down to this. */
const partMin = 10;
const parkedBytesMax = 800_000;
/** A rebalance, for which others may have to finish, included: who gives up in the middle of one leaves a member that the next has to wait for. */
const startMs = 15_000 + membership.rebalanceTimeout;
const stopMs = 3_000;
/** Of which what is under way may take so long, and then its commit. */
const drainMs = 1_500;
const commitMs = 500;
/** Several heartbeats. */
const silentMs = 6_000;

export function kafkaSource(options: KafkaSourceOptions): KafkaSource {
  const { kafka, clientName, names, partitions, take, lost, failing, recovered } = options;
  const consumer = kafka.consumer({
    groupId: names.writers,
    ...membership,
  });
  /** By partition, the offset of the next command to be taken, and the one after the last of the log, as the last fetch told. */
  const places = new Map<number, { next: number; end: number }>();
  let heardMs = 0;
  let stopped = false;
  let drained: Promise<void> = Promise.resolve();
  let partMax = batchMax;

  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (!stopped) lost(error);
  });
  const heard = () => {
    heardMs = Date.now();
  };
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.FETCH, heard);
  // A commit that is sent behind a request to join is answered behind it, perhaps too late for the connection that both share.
  const leave = () => {
    waiting.reset();
    commits.forget();
  };
  consumer.on(consumer.events.REBALANCING, leave);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    heard();
    leave();
    const mine = new Set(payload.memberAssignment[names.commands] ?? []);
    for (const partition of places.keys()) if (!mine.has(partition)) places.delete(partition);
  });

  let latest: EachBatchPayload | undefined;
  const commits = committing(names.commands, async (offsets) => latest?.commitOffsetsIfNecessary(offsets));
  const waiting = lanes({
    messagesMax: batchMax,
    work(partition, messages) {
      const work = sorted(partition, messages);
      return () => takeWhole(work);
    },
    done(partition, { offset }) {
      const next = Number(offset) + 1;
      commits.note({ partition, offset: String(next) });
      const place = places.get(partition);
      if (place !== undefined) place.next = next;
    },
    failing,
    recovered,
  });

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    // Nothing is taken any more, nor fetched in vain again and again.
    if (stopped) return void (await settles(drained, drainMs));
    latest = payload;
    const { partition, highWatermark, messages } = payload.batch;
    const next = places.get(partition)?.next ?? Number(messages[0]?.offset ?? highWatermark);
    places.set(partition, { next, end: Number(highWatermark) });
    waiting.add(payload);
    await waiting.wantsMore();
  }

  async function drain(): Promise<void> {
    await settles(waiting.end(), drainMs);
    await commits.end(commitMs);
  }

  /** Commands, and what is none. */
  function sorted(partition: number, messages: readonly KafkaMessage[]): Work {
    const work: Work = { partition, deliveries: [], parked: [] };
    for (const message of messages) {
      const command = readCommand(message.value, { partition, partitions });
      const offset = Number(message.offset);
      if (typeof command !== "string") work.deliveries.push({ position: { partition, offset }, command });
      else work.parked.push(parked({ partition, offset }, message, command));
    }
    return work;
  }

  /** What has been taken is taken out of `work`, so that the next try goes on behind it. */
  async function takeWhole(work: Work): Promise<void> {
    while (work.deliveries.length + work.parked.length > 0) {
      const part = firstPart(work, partMax);
      try {
        await take(part);
      } catch (error) {
        if (!(error instanceof UndecidableError)) {
          // A store that is short of something may take less at once.
          partMax = Math.max(partMin, Math.floor(partMax / 4));
          throw error;
        }
        const { position, command } = error.delivery;
        work.deliveries.splice(work.deliveries.indexOf(error.delivery), 1);
        work.parked.push({ ...position, key: command.taskId, value: JSON.stringify(command), reason: "undecidable" });
        continue;
      }
      partMax = Math.min(batchMax, Math.ceil(partMax * 1.1));
      work.deliveries.splice(0, part.deliveries.length);
      const left = work.parked.filter((each) => !part.parked.includes(each));
      work.parked.splice(0, work.parked.length, ...left);
    }
  }

  return {
    async start() {
      const started = consumer.connect().then(async () => {
        await leaveForEarlierLives(kafka, names.writers, clientName);
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
    lag: () => [...places.values()].reduce((sum, { next, end }) => sum + Math.max(0, end - next), 0),
    healthy: () => Date.now() - heardMs < silentMs,
    async stop() {
      stopped = true;
      drained = drain();
      await settles(
        drained.then(() => stopConsumer(consumer)),
        stopMs,
      );
    },
  };
}

/** So many commands from the beginning, with what is parked in between. */
function firstPart({ partition, deliveries, parked }: Work, count: number): Work {
  const last = deliveries.length > count ? deliveries[count - 1]?.position.offset : undefined;
  if (last === undefined) return { partition, deliveries: [...deliveries], parked: [...parked] };
  return { partition, deliveries: deliveries.slice(0, count), parked: parked.filter(({ offset }) => offset <= last) };
}

/** Foreign bytes may grow to several times their size as text in JSON, beyond what Kafka takes as one record. */
function parked(
  at: { partition: number; offset: number },
  { key, value }: Pick<KafkaMessage, "key" | "value">,
  reason: string,
): Parked {
  const whole = { ...at, key: key?.toString() ?? null, value: value?.toString() ?? null, reason };
  if (Buffer.byteLength(JSON.stringify(whole)) <= parkedBytesMax) return whole;
  return { ...at, key: null, value: null, reason: `${reason}; too large to be kept here` };
}

/** `stop` waits for the batch under way, then the group is left. */
async function stopConsumer(consumer: Consumer): Promise<void> {
  await consumer.stop();
  await consumer.disconnect();
}
