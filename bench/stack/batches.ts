/** Raw kafkajs at its best, for references: all that waits goes as one send, and one send is under way. */

import type { Producer } from "kafkajs";

export type RawRecord = { readonly partition: number; readonly key: string; readonly value: string };

/** Resolves when all replicas have the record. */
export function batching(producer: Producer, topic: string): (record: RawRecord) => Promise<void> {
  let waiting: { readonly record: RawRecord; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  let sending = false;

  async function run(): Promise<void> {
    sending = true;
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await producer.send({ topic, acks: -1, messages: batch.map(({ record }) => record) });
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    sending = false;
  }

  return (record) =>
    new Promise((resolve, reject) => {
      waiting.push({ record, resolve, reject });
      if (!sending) void run();
    });
}
