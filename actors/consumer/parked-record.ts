/** A record of the log that was set aside, as the topic of parked records keeps it: with where it came from, and why. */
import type { KafkaMessage } from "kafkajs";

export type ParkedRecord = {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  /** Null where it was empty, and where it is larger than any command of ours: then it is left where it came from. */
  readonly value: string | null;
  readonly reason: string;
};

/** With what Kafka adds, and the key, it is a record that the topic takes. */
const parkedBytesMax = 8 * 2 ** 20 - 4_096;

type Origin = { readonly partition: number } & Pick<KafkaMessage, "offset" | "key" | "value">;

/** Foreign bytes may grow to several times their size as text in JSON. */
export function parkedText({ partition, offset, key, value }: Origin, reason: string): string {
  const origin = { partition, offset: Number(offset), key: key?.toString() ?? null };
  const whole = JSON.stringify({ ...origin, value: value?.toString() ?? null, reason } satisfies ParkedRecord);
  if (Buffer.byteLength(whole) <= parkedBytesMax) return whole;
  const bare: ParkedRecord = { ...origin, key: null, value: null, reason: `${reason}; too large to be kept here` };
  return JSON.stringify(bare);
}

/** What a record of the topic says; undefined where it is none of the writers'. */
export function readParked(value: Buffer | null): ParkedRecord | undefined {
  try {
    const parked = JSON.parse(value?.toString() ?? "") as ParkedRecord;
    const isOne =
      Number.isSafeInteger(parked.partition) &&
      Number.isSafeInteger(parked.offset) &&
      typeof parked.reason === "string";
    return isOne && (parked.value === null || typeof parked.value === "string") ? parked : undefined;
  } catch {
    return undefined;
  }
}
