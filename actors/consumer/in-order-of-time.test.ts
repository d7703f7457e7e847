import { expect, test } from "bun:test";
import fc from "fast-check";
import { inOrderOfTime, type Timed } from "./in-order-of-time.ts";

type Item = { partition: number; number: number };

const anyPartitions = fc.array(fc.array(fc.nat(50), { maxLength: 20 }), { minLength: 1, maxLength: 5 });

test("however they come, all are handed on once, in order within a partition, earlier heads first, in full batches", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyPartitions,
      fc.array(fc.nat()),
      fc.integer({ min: 1, max: 7 }),
      async (times, cuts, batchSize) => {
        const taken: (readonly Timed<Item>[])[] = [];
        const merged = inOrderOfTime<Item>({
          partitions: times.keys().toArray(),
          batchSize,
          take: async (batch) => void taken.push(batch),
        });
        const rest = times.map((each, partition) =>
          each.map((timeMs, number) => ({ timeMs, item: { partition, number } })),
        );
        for (let step = 0; rest.some((each) => each.length > 0); step += 1) {
          const partition = (cuts[step % cuts.length] ?? 0) % rest.length;
          const from = rest[partition]?.length === 0 ? rest.findIndex((each) => each.length > 0) : partition;
          merged.add(from, rest[from]?.splice(0, 1 + (step % 3)) ?? []);
          await Promise.resolve();
        }
        for (const partition of rest.keys()) merged.end(partition);
        await merged.done();

        const all = taken.flat();
        expect(all).toHaveLength(times.flat().length);
        expect(taken.slice(0, -1).every((batch) => batch.length === batchSize)).toBe(true);
        // The order of a merge: of all heads the earliest.
        const next = times.map(() => 0);
        for (const { timeMs, item } of all) {
          expect(item.number).toBe(next[item.partition] as number);
          const heads = times.flatMap((each, partition) => each[next[partition] as number] ?? []);
          expect(timeMs).toBe(Math.min(...heads));
          next[item.partition] = item.number + 1;
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("nothing goes on that something to come may be before", async () => {
  const taken: number[] = [];
  const merged = inOrderOfTime<string>({
    partitions: [0, 1],
    batchSize: 1,
    take: async (batch) => void taken.push(...batch.map(({ timeMs }) => timeMs)),
  });
  merged.add(0, [{ timeMs: 5, item: "a" }]);
  await Promise.resolve();
  expect([taken, merged.waiting(0)]).toEqual([[], 1]);
  merged.add(1, [{ timeMs: 3, item: "b" }]);
  for (const partition of [0, 1]) merged.end(partition);
  await merged.done();
  expect(taken).toEqual([3, 5]);
});

test("what the taker throws ends it, for who adds and for who waits", async () => {
  const merged = inOrderOfTime<string>({
    partitions: [0],
    batchSize: 1,
    take: () => Promise.reject(new Error("the store is away")),
  });
  merged.add(0, [{ timeMs: 1, item: "a" }]);
  await expect(merged.done()).rejects.toThrow("the store is away");
  expect(() => merged.add(0, [{ timeMs: 2, item: "b" }])).toThrow("the store is away");
});
