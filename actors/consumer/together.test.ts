import { expect, test } from "bun:test";
import { command } from "./commands-for-tests.ts";
import type { Work } from "./source-kafka.ts";
import { type TogetherOptions, together } from "./together.ts";

const work = (partition: number, count = 1): Work => ({
  partition,
  deliveries: Array.from({ length: count }, (_, offset) => ({
    position: { partition, offset },
    command: command({ kind: "create", body: { title: "x" } }),
  })),
  parked: [],
});

/** What was taken, by partitions; each take goes on when it is told. */
function taker(options: Partial<TogetherOptions> = {}) {
  const taken: { partitions: number[]; end: (error?: Error) => void }[] = [];
  let arrived: (() => void) | undefined;
  const take = (works: readonly Work[]): Promise<void> =>
    new Promise((done, failed) => {
      const end = (error?: Error): void => (error === undefined ? done() : failed(error));
      taken.push({ partitions: works.map(({ partition }) => partition), end });
      arrived?.();
    });
  const until = async (count: number): Promise<void> => {
    while (taken.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  };
  const give = together({ take, isOfOne: () => true, commandsMax: 100, ...options });
  return { give, taken, until, all: () => taken.map(({ partitions }) => partitions) };
}
const told = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => "done",
    (error: Error) => error.message,
  );

test("what comes at the same moment is taken as one, what comes meanwhile as the next", async () => {
  const { give, taken, until, all } = taker();
  const first = [give(work(1)), give(work(2)), give(work(3))];
  await until(1);
  const next = [give(work(4)), give(work(5))];
  taken[0]?.end();
  await Promise.all(first);
  await until(2);
  taken[1]?.end();
  await Promise.all(next);
  expect(all()).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

test("no more is taken at once than may be, unless it is of one partition, and one after the other", async () => {
  const { give, taken, until, all } = taker({ commandsMax: 10 });
  const given = [give(work(1, 20)), give(work(2, 6)), give(work(3, 4)), give(work(4, 7)), give(work(5, 3))];
  for (let count = 1; count <= 3; count += 1) {
    await until(count);
    expect(all()).toEqual([[1], [2, 3], [4, 5]].slice(0, count));
    taken[count - 1]?.end();
  }
  await Promise.all(given);
});

test("a failure that may be of one is of that one only: each is taken by itself", async () => {
  const { give, taken, until, all } = taker();
  const given = [1, 2, 3].map((partition) => told(give(work(partition))));
  await until(1);
  taken[0]?.end(new Error("one of them"));
  await until(4);
  for (const { partitions, end } of taken.slice(1)) end(partitions[0] === 2 ? new Error("this one") : undefined);
  expect(await Promise.all(given)).toEqual(["done", "this one", "done"]);
  expect(all()).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test("a failure of all is told to all, and the next are taken", async () => {
  const { give, taken, until } = taker({ isOfOne: () => false });
  const given = [1, 2].map((partition) => told(give(work(partition))));
  await until(1);
  taken[0]?.end(new Error("away"));
  expect(await Promise.all(given)).toEqual(["away", "away"]);
  const again = told(give(work(1)));
  await until(2);
  taken[1]?.end();
  expect(await again).toBe("done");
});
