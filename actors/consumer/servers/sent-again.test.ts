import { expect, test } from "bun:test";
import { resentHeader } from "../../kafka/appender.ts";
import type { PartitionRecord } from "../../kafka/partition-questions.ts";
import { commandOf, idOf } from "../../resources/space-for-tests.ts";
import { operationsSentAgain } from "./sent-again.ts";

const ann = idOf(1);
const everyMs = 10;
const leave = { type: "task", kind: "delete", id: idOf(2), body: {} } as const;
const operation = (offset: number) => idOf(100_000 + offset);
const of = { topic: "commands", partition: 0 };

/** A log of one record each ten milliseconds, the first at 0, of which some were sent again. */
function logOf(count: number, again: readonly number[], { first = 0, atOnce = 100 } = {}) {
  const record = (offset: number): PartitionRecord => ({
    offset,
    value: Buffer.from(
      JSON.stringify(commandOf({ spaceId: ann, userId: ann, operationId: operation(offset) }, [leave])),
    ),
    timeMs: offset * everyMs,
    headers: again.includes(offset) ? { [resentHeader]: "1" } : {},
  });
  let read = 0;
  return {
    count: () => read,
    questions: {
      ends: async () => ({ first, end: count }),
      async read({ from }: { from: number }) {
        const records = Array.from({ length: Math.max(0, Math.min(atOnce, count - from)) }, (_, at) =>
          record(from + at),
        );
        read += records.length;
        return { records, next: from + records.length };
      },
    },
  };
}

test("operations that were sent again are known back to an instant, and no further", async () => {
  const log = logOf(3_000, [100, 999, 1_000, 2_500, 2_999]);
  const found = await operationsSentAgain({ ...of, questions: log.questions, to: 2_999, sinceMs: 1_000 * everyMs });
  // What is from `to` on the writer sees itself.
  expect([...(found ?? [])].sort()).toEqual([1_000, 2_500].map(operation).sort());
  expect(log.count()).toBeLessThan(3_000);
});

test("a log that is younger than the instant is read from its beginning", async () => {
  const log = logOf(1_500, [0, 700, 1_400], { first: 600 });
  const found = await operationsSentAgain({ ...of, questions: log.questions, to: 1_500, sinceMs: -1 });
  expect([...(found ?? [])].sort()).toEqual([700, 1_400].map(operation).sort());
  const none = await operationsSentAgain({ ...of, questions: logOf(0, []).questions, to: 0, sinceMs: 0 });
  expect(none?.size).toBe(0);
});

test("where too much came since the instant nothing is known", async () => {
  const log = logOf(60_000, [59_000], { atOnce: 1_000 });
  expect(await operationsSentAgain({ ...of, questions: log.questions, to: 60_000, sinceMs: 0 })).toBeUndefined();
  expect(log.count()).toBeLessThan(50_000);
});
