/**
 * Appends records to one topic: all that wait go as one send, one send at a time. More than one under way, and kafkajs' idempotent producer
 * loses an acknowledged record when an answer is lost (it takes sequence numbers back and gives them out again).
 *
 * A send that fails or hangs is made again by a new producer, before anything newer, as long as somebody waits for it: a record may be in the
 * log twice, never in another order. Whoever reads it recognises repeats.
 */
import type { Kafka, Producer } from "kafkajs";
import { counter, histogram } from "../metrics/registry.ts";
import { pauseMs, settles, withDeadline } from "../waiting.ts";

export type NewRecord = {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string;
  /** It may be in the log already. */
  readonly isResent?: true;
};

export type Appender = {
  /**
   * The record's offset once all replicas have it. Rejects with `AppendError` at the deadline (epoch milliseconds), at once when too much waits, and
   * when Kafka finds the record too large.
   */
  append(record: NewRecord, deadlineMs: number): Promise<number>;
  /** Connects before the first record comes; failing is no harm. */
  warm(): void;
  /** Whether the last send went well, or a connection could be made since, and none hangs; true before the first. */
  healthy(): boolean;
  /** Sends what waits, for at most this long; what is left is rejected. */
  close(timeoutMs: number): Promise<void>;
};

/** `full` and `large`: nothing was done. `late`: it may be in the log or not. */
export class AppendError extends Error {
  override readonly name = "AppendError";
  readonly code: "full" | "late" | "large";
  constructor(code: AppendError["code"]) {
    super(reasons[code]);
    this.code = code;
  }
}

const recordsPerSend = 1_000;
/** Kafka takes 1 MiB for a partition at once unless told otherwise; where it takes less, what it refuses is sent in smaller parts. */
const bytesPerSend = 1_000_000;
const bytesPerSendMin = 200_000;
/** A record's key, times and lengths, at most. */
const recordBytes = 100;
const waitingMax = 20_000;
const reasons = {
  full: `Cannot append: ${waitingMax} records wait already`,
  late: "Cannot append in time",
  large: "Cannot append: the record is larger than Kafka takes",
};
/** A send that takes longer than this hangs, and is made again; one that takes longer than `slowMs` is no good sign. */
const servingSendMs = 4_000;
const slowMs = 1_000;
const connectMs = 4_000;
const disconnectMs = 2_000;
const pauses = { fromMs: 20, toMs: 500 };
/** How late a deadline may be noticed. */
const sweepMs = 25;

const sends = histogram(
  "kafka_send_duration_seconds",
  "Sends of records to Kafka that went well, until all replicas have them.",
);
const sendFailures = counter(
  "kafka_send_failures_total",
  "Sends and connections to Kafka that failed and are made again.",
);

/** The header of a record that was sent before, perhaps with effect. */
export const resentHeader = "resent";

type Waiting = Omit<NewRecord, "isResent"> & {
  isResent?: true;
  readonly deadlineMs: number;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: Error) => void;
};

export type AppenderOptions = {
  readonly kafka: Kafka;
  readonly topic: string;
  /** Called at the first failure of an outage, and when it is over. */
  readonly failing: (error: unknown) => void;
  readonly recovered: () => void;
  /** How long one send may take; a tool has more time than a server. */
  readonly sendMs?: number;
};

export function appender(options: AppenderOptions): Appender {
  const { kafka, topic, failing, recovered, sendMs = servingSendMs } = options;
  let waiting: Waiting[] = [];
  let sending: Waiting[] = [];
  let producer: Promise<Producer> | undefined;
  let failures = 0;
  let bytesMax = bytesPerSend;
  let countMax = recordsPerSend;
  let sentMs: number | undefined;
  let running = false;
  let closed = false;
  let sweeping: ReturnType<typeof setInterval> | undefined;

  function connected(): Promise<Producer> {
    producer ??= connect();
    return producer;
  }

  async function connect(): Promise<Producer> {
    const made = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: 2, initialRetryTime: 30, maxRetryTime: 300 },
    });
    try {
      await withDeadline(made.connect(), connectMs);
      return made;
    } catch (error) {
      producer = undefined;
      void discard(Promise.resolve(made));
      throw error;
    }
  }

  /** A producer's state after a failure is nobody's business: its id and sequence go with it. */
  async function discard(old: Promise<Producer>): Promise<void> {
    await settles(
      old.then((each) => each.disconnect()),
      disconnectMs,
    );
  }

  async function run(): Promise<void> {
    running = true;
    // One turn of the event loop gathers what comes together.
    await Promise.resolve();
    for (;;) {
      sweep();
      if (sending.length === 0) sending = take();
      // After a failure it is not well before it has connected, whether anybody sends or not: who is not ready is sent nothing.
      if (sending.length === 0 && (failures === 0 || closed)) break;
      try {
        await (sending.length > 0 ? send(sending) : connected());
        sending = [];
        countMax = recordsPerSend;
        if (failures > 0) recovered();
        failures = 0;
      } catch (error) {
        const old = producer;
        producer = undefined;
        if (old !== undefined) void discard(old);
        if (isTooLarge(error)) {
          part();
          continue;
        }
        for (const each of sending) each.isResent = true;
        failures += 1;
        sendFailures.add();
        if (failures === 1) failing(error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs(failures, pauses)));
      }
    }
    running = false;
  }

  function take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { value } of waiting) {
      bytes += Buffer.byteLength(value) + recordBytes;
      if (count > 0 && (count >= countMax || bytes > bytesMax)) break;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    return taken;
  }

  /** What is too large together goes in smaller sends; what is too large alone holds nobody else up. */
  function part(): void {
    if (sending.length > 1) {
      bytesMax = Math.max(bytesPerSendMin, bytesMax / 2);
      countMax = Math.ceil(sending.length / 2);
      waiting = [...sending, ...waiting];
    } else for (const { reject } of sending) reject(new AppendError("large"));
    sending = [];
  }

  async function send(records: readonly Waiting[]): Promise<void> {
    sentMs = Date.now();
    const startMs = performance.now();
    const results = await withDeadline(
      connected().then((ready) =>
        ready.send({
          topic,
          acks: -1,
          messages: records.map(({ partition, key, value, isResent }) => ({
            partition,
            key,
            value,
            ...(isResent ? { headers: { [resentHeader]: "1" } } : {}),
          })),
        }),
      ),
      sendMs,
    ).finally(() => {
      sentMs = undefined;
    });
    sends.observe((performance.now() - startMs) / 1_000);
    const next = new Map(results.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    // Offsets of one partition follow each other in the order of the records.
    for (const { partition, resolve } of records) {
      const offset = next.get(partition);
      if (offset === undefined || offset < 0) throw new Error(`Cannot tell the offset in partition ${partition}`);
      next.set(partition, offset + 1);
      resolve(offset);
    }
  }

  /** Those whose time is up hear it now; what is under way for them stays under way, since it may be in the log already. */
  function sweep(): void {
    const nowMs = Date.now();
    const isLate = ({ deadlineMs }: Waiting) => deadlineMs <= nowMs;
    const late = [...sending.filter(isLate), ...waiting.filter(isLate)];
    if (late.length > 0) {
      waiting = waiting.filter((each) => !isLate(each));
      for (const { reject } of late) reject(new AppendError("late"));
    }
    // A send for which nobody waits any more is not worth another try; the log may have it or not.
    if (failures > 0 && sending.every(isLate)) sending = [];
    if (waiting.length === 0 && sending.length === 0) {
      clearInterval(sweeping);
      sweeping = undefined;
    }
  }

  return {
    append(record, deadlineMs) {
      if (closed || waiting.length >= waitingMax) return Promise.reject(new AppendError("full"));
      return new Promise((resolve, reject) => {
        waiting.push({ ...record, deadlineMs, resolve, reject });
        sweeping ??= setInterval(sweep, sweepMs);
        if (!running) void run();
      });
    },
    warm: () => void connected().catch(() => undefined),
    healthy: () => failures === 0 && (sentMs === undefined || Date.now() - sentMs < slowMs),
    async close(timeoutMs) {
      closed = true;
      const endMs = Date.now() + timeoutMs;
      while (running && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(sweeping);
      for (const { reject } of [...sending, ...waiting]) reject(new AppendError("late"));
      waiting = [];
      sending = [];
      if (producer !== undefined) await discard(producer);
    },
  };
}

/** Kafka has refused it, and will again. */
function isTooLarge(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return type === "MESSAGE_TOO_LARGE" || type === "RECORD_LIST_TOO_LARGE" || (cause !== undefined && isTooLarge(cause));
}
