/**
 * Questions about one partition without a group: where it ends, what is in it from an offset on, and how far a group has come. kafkajs has all of it inside
 * its consumers and admins, which would join a group to read and ask every partition to learn of one.
 */
import type { IHeaders, Kafka } from "kafkajs";
import { keepTrying, settles, withDeadline } from "../waiting.ts";

export type PartitionRecord = {
  readonly offset: number;
  readonly value: Buffer | null;
  /** The clock of its sender. */
  readonly timeMs: number;
  readonly headers: IHeaders;
};

/** Each waits for at most its deadline and tries again meanwhile, then throws what Kafka said last. */
export type PartitionQuestions = {
  /** The first offset that is there, and the one after the last. */
  ends(topic: string, partition: number): Promise<{ first: number; end: number }>;
  /** Some records from an offset on, in order, and the offset behind them; none where none came for `waitMs`. */
  read(
    at: { topic: string; partition: number; from: number },
    waitMs: number,
  ): Promise<{ records: PartitionRecord[]; next: number }>;
  /** Nothing where the group has no place in the partition. */
  committed(
    groupId: string,
    topic: string,
    partition: number,
  ): Promise<{ offset: number; metadata: string } | undefined>;
  close(): Promise<void>;
};

type Offsets<More> = { readonly partition: number; readonly offset: string } & More;
type Broker = {
  fetch(request: object): Promise<{
    responses: {
      partitions: {
        messages: {
          offset: string;
          value: Buffer | null;
          timestamp: string;
          headers?: IHeaders;
          isControlRecord?: boolean;
        }[];
      }[];
    }[];
  }>;
};
type Coordinator = {
  offsetFetch(request: object): Promise<{ responses: { partitions: Offsets<{ metadata: string | null }>[] }[] }>;
};
/** What kafkajs 2.2.4 keeps to itself. */
type Cluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: number[]): Record<string, number[]>;
  findBroker(of: { nodeId: string }): Promise<Broker>;
  findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
  fetchTopicsOffset(topics: object[]): Promise<{ partitions: Offsets<object>[] }[]>;
};

const questionMs = 10_000;
const closeMs = 2_000;
const pauses = { fromMs: 20, toMs: 500 };
/** A larger record comes alone. */
const bytesAtOnce = 2 ** 20;

export function partitionQuestions(kafka: Kafka, { deadlineMs = questionMs } = {}): PartitionQuestions {
  const make = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (make === undefined) throw new Error("Cannot use this kafkajs: its clusters are made otherwise");
  const makeCluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[make];
  const cluster = makeCluster?.({ allowAutoTopicCreation: false }) as Cluster;
  let connected: Promise<void> | undefined;

  async function connect(): Promise<void> {
    connected ??= cluster.connect();
    try {
      await connected;
    } catch (error) {
      connected = undefined;
      throw error;
    }
  }

  function ask<Answer>(topics: readonly string[], question: () => Promise<Answer>): Promise<Answer> {
    const untilMs = Date.now() + deadlineMs;
    const attempt = async () => {
      try {
        await connect();
        for (const topic of topics) await cluster.addTargetTopic(topic);
        return await question();
      } catch (error) {
        // Its leader or coordinator may be another one by now.
        if (connected !== undefined) await settles(cluster.refreshMetadata(), deadlineMs);
        throw error;
      }
    };
    return keepTrying(() => withDeadline(attempt(), Math.max(1, untilMs - Date.now())), {
      ...pauses,
      until: AbortSignal.timeout(deadlineMs),
    });
  }

  async function offsetOf(topic: string, partition: number, fromBeginning: boolean): Promise<number> {
    const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
    const offset = Number(found?.partitions[0]?.offset);
    if (!Number.isSafeInteger(offset)) throw new Error(`Cannot tell where partition ${partition} of ${topic} ends`);
    return offset;
  }

  return {
    ends: (topic, partition) =>
      ask([topic], async () => ({
        first: await offsetOf(topic, partition, true),
        end: await offsetOf(topic, partition, false),
      })),

    read: ({ topic, partition, from }, waitMs) =>
      ask([topic], async () => {
        const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
        if (leader === undefined) throw new Error(`Cannot read partition ${partition} of ${topic}: it has no leader`);
        const broker = await cluster.findBroker({ nodeId: leader });
        const { responses } = await broker.fetch({
          maxWaitTime: waitMs,
          minBytes: 1,
          maxBytes: bytesAtOnce,
          topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: bytesAtOnce }] }],
        });
        // A batch of records comes whole, with what is before the offset that was asked for.
        const messages = (responses[0]?.partitions[0]?.messages ?? []).filter(({ offset }) => Number(offset) >= from);
        const records = messages.flatMap(({ offset, value, timestamp, headers = {}, isControlRecord }) =>
          isControlRecord === true ? [] : { offset: Number(offset), value, timeMs: Number(timestamp), headers },
        );
        return { records, next: Number(messages.at(-1)?.offset ?? from - 1) + 1 };
      }),

    committed: (groupId, topic, partition) =>
      ask([], async () => {
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        const { responses } = await coordinator.offsetFetch({
          groupId,
          topics: [{ topic, partitions: [{ partition }] }],
        });
        const [found] = responses[0]?.partitions ?? [];
        if (found === undefined || Number(found.offset) < 0) return undefined;
        return { offset: Number(found.offset), metadata: found.metadata ?? "" };
      }),

    async close() {
      await settles(cluster.disconnect(), closeMs);
    },
  };
}

/** The records of a stretch, in order. Throws where nothing comes before its end. */
export async function* recordsBetween(
  { read }: Pick<PartitionQuestions, "read">,
  { topic, partition, from, to }: { topic: string; partition: number; from: number; to: number },
  waitMs: number,
): AsyncGenerator<PartitionRecord> {
  for (let next = from; next < to; ) {
    const { records, next: behind } = await read({ topic, partition, from: next }, waitMs);
    if (behind === next)
      throw new Error(`Cannot read partition ${partition} of ${topic} to its end: nothing comes at ${next}`);
    for (const record of records) if (record.offset < to) yield record;
    next = behind;
  }
}
