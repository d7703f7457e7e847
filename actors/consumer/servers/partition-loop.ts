/**
 * What is done with one partition while it is this member's: it is taken over, its records are decided in order as they come, and what is told is projected
 * beside that. A server that is away is waited for, for ever; nothing that was decided is forgotten meanwhile.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaMessage } from "kafkajs";
import type { Told } from "../../resources/verdict.ts";
import { keepTrying, settles } from "../../waiting.ts";
import type { Parking, PartitionWriter } from "../partition-writer.ts";
import { SupersededError } from "../space-memory.ts";
import type { SpaceDelivery, UnreadableDelivery } from "../write-ports.ts";

export type Delivery = SpaceDelivery | UnreadableDelivery;

export type PartitionLoopOptions = {
  /** Given what parks records of this partition. */
  readonly takeOver: (park: Parking["park"]) => Promise<PartitionWriter>;
  readonly deliveryOf: (message: KafkaMessage) => Delivery;
  /** Makes it durable that this record was set aside. */
  readonly park: (message: KafkaMessage, reason: string) => Promise<void>;
  /** Runs one take; what is told of it may be counted and traced here. */
  readonly taking: (deliveries: readonly Delivery[], take: () => Promise<Told[]>) => Promise<void>;
  /** Makes known that everything below the position is projected. */
  readonly announce: (position: number) => Promise<void>;
  /** A step fails (called once per outage), and succeeds again. */
  readonly failing: (step: Step, error: Error) => void;
  readonly recovered: (step: Step) => void;
  /** Another writer has gone on with this partition. */
  readonly superseded: (error: Error) => void;
};

export type Step = "take over" | "decide" | "project";

export type PartitionLoop = {
  /** Records behind those that were added before; some may come again. */
  add(messages: readonly KafkaMessage[]): void;
  /** Bytes of records that wait. */
  waitingBytes(): number;
  /** The position that is decided next; undefined before the partition is taken over. */
  next(): number | undefined;
  /** Is called whenever some of what waited is decided. */
  onProgress: () => void;
  /** Nothing more is decided. Resolves when what was told is projected, or after so long; then nothing more is done at all. */
  end(timeoutMs: number): Promise<void>;
};

/** Decided at once. */
const batchMax = 500;
const batchBytesMax = 4_000_000;
const pauses = { fromMs: 50, toMs: 3_000 };
/** After a projection the store is left alone for as long as it took, but no longer than this. */
const cooldownMs = 200;

export function partitionLoop(options: PartitionLoopOptions): PartitionLoop {
  const { takeOver, deliveryOf, park, taking, announce, failing, recovered, superseded } = options;
  const ending = new AbortController();
  const { signal } = ending;
  let waiting: KafkaMessage[] = [];
  let waitingBytes = 0;
  let writer: PartitionWriter | undefined;
  let isEnding = false;
  const arrived = wakeUp(signal);
  const told = wakeUp(signal);
  const projected = wakeUp(signal);

  /** Tries a step until it succeeds. Rejects only when this loop is over. */
  async function untilDone<T>(step: Step, attempt: () => Promise<T>): Promise<T> {
    let hasFailed = false;
    const result = await keepTrying(
      () =>
        attempt().catch((error: unknown) => {
          if (error instanceof SupersededError && !signal.aborted) {
            ending.abort(error);
            superseded(error);
          }
          throw error;
        }),
      {
        ...pauses,
        until: signal,
        failed(error) {
          if (!hasFailed) failing(step, error);
          hasFailed = true;
        },
      },
    );
    if (hasFailed) recovered(step);
    signal.throwIfAborted();
    return result;
  }

  async function decide(): Promise<void> {
    const its = await untilDone("take over", () =>
      takeOver(async (position, reason) => {
        const message = waiting.find(({ offset }) => Number(offset) === position);
        if (message !== undefined) await park(message, reason);
      }),
    );
    writer = its;
    void project(its).catch(() => undefined);
    while (!isEnding) {
      const batch = firstOf(waiting);
      if (batch.length === 0) {
        await arrived.next();
        continue;
      }
      // What is decided and not projected is bounded: a read model that is away for long holds the log up at last.
      while (!its.hasRoom) await projected.next();
      const deliveries = batch.map(deliveryOf);
      await untilDone("decide", () => {
        const left = deliveries.filter(({ position }) => position >= its.next);
        return taking(left, () => its.take(left));
      });
      waiting = waiting.slice(batch.length);
      waitingBytes -= bytesOf(batch);
      told.call();
      loop.onProgress();
    }
  }

  async function project(its: PartitionWriter): Promise<void> {
    let announcing: Promise<void> | undefined;
    let announced = its.committed;
    const announceAll = async () => {
      while (announced < its.committed && !signal.aborted) {
        const position = its.committed;
        await keepTrying(() => announce(position), { ...pauses, until: signal });
        announced = position;
      }
    };
    while (!signal.aborted) {
      const beganMs = performance.now();
      const wasProjected = await untilDone("project", () => its.project());
      projected.call();
      announcing ??= announceAll()
        .catch(() => undefined)
        .finally(() => {
          announcing = undefined;
        });
      if (wasProjected) await rest(its, performance.now() - beganMs);
      else if (isEnding) {
        await announcing;
        ending.abort();
      } else await told.next();
    }
  }

  /** What is told meanwhile is projected as one, and a document that changes often is written once for many changes. */
  async function rest(its: PartitionWriter, ms: number): Promise<void> {
    if (isEnding || !its.hasRoom) return;
    await sleep(Math.min(ms, cooldownMs), undefined, { signal }).catch(() => undefined);
  }

  const loop: PartitionLoop = {
    add(messages) {
      const last = waiting.at(-1);
      const least = Math.max(writer?.next ?? 0, last === undefined ? 0 : Number(last.offset) + 1);
      const fresh = messages.filter(({ offset }) => Number(offset) >= least);
      waiting.push(...fresh);
      waitingBytes += bytesOf(fresh);
      arrived.call();
    },
    waitingBytes: () => waitingBytes,
    next: () => writer?.next,
    onProgress: () => undefined,
    async end(timeoutMs) {
      isEnding = true;
      if (writer === undefined) ending.abort();
      arrived.call();
      told.call();
      await settles(over, timeoutMs);
      ending.abort();
    },
  };
  const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  void decide().catch(() => undefined);
  return loop;
}

/** Resolves waits for the next call, or at once where one came since the last wait; rejects them when the signal is aborted. */
function wakeUp(signal: AbortSignal): { call(): void; next(): Promise<void> } {
  let called = false;
  let wake: (() => void) | undefined;
  const call = () => {
    called = true;
    wake?.();
  };
  signal.addEventListener("abort", call, { once: true });
  return {
    call,
    async next() {
      if (!called)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      called = false;
      wake = undefined;
      signal.throwIfAborted();
    },
  };
}

function firstOf(waiting: readonly KafkaMessage[]): KafkaMessage[] {
  let bytes = 0;
  let count = 0;
  for (const { value } of waiting) {
    bytes += value?.length ?? 0;
    if (count > 0 && (count >= batchMax || bytes > batchBytesMax)) break;
    count += 1;
  }
  return waiting.slice(0, count);
}

function bytesOf(messages: readonly KafkaMessage[]): number {
  return messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}
