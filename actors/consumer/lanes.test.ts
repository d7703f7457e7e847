import { expect, test } from "bun:test";
import type { KafkaMessage } from "kafkajs";
import { poll } from "../../tests/system/poll.ts";
import { type Fetched, lanes } from "./lanes.ts";

/** What was begun and done, as "partition:offset,offset"; each work is ended by the test. */
function worked(messagesMax = 3) {
  const begun: string[] = [];
  const done: string[] = [];
  const told: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const all = lanes({
    messagesMax,
    work: (partition, messages) => () => {
      begun.push(`${partition}:${messages.map(({ offset }) => offset).join()}`);
      return new Promise((resolve, reject) => ends.push((error) => (error === undefined ? resolve() : reject(error))));
    },
    done: (partition, { offset }) => void done.push(`${partition}:${offset}`),
    failing: (partition) => void told.push(`${partition} fails`),
    recovered: (partition) => void told.push(`${partition} goes on`),
  });
  return { all, begun, done, told, ends };
}

const flow = { resolved: [] as string[], paused: [] as number[], resumed: [] as number[] };
function fetched(partition: number, offsets: readonly number[], bytes = 10): Fetched {
  const messages = offsets.map((offset) => ({ offset: String(offset), value: Buffer.alloc(bytes) }) as KafkaMessage);
  return {
    batch: { partition, messages, lastOffset: () => String(offsets.at(-1)) },
    resolveOffset: (offset) => void flow.resolved.push(`${partition}:${offset}`),
    pause() {
      flow.paused.push(partition);
      return () => void flow.resumed.push(partition);
    },
  };
}

test("a partition's messages are worked on in order, as many at once as may be, while more is fetched and others go on", async () => {
  const { all, begun, done, ends } = worked();
  flow.resolved = [];
  all.add(fetched(1, [1]));
  all.add(fetched(1, [2, 3]));
  all.add(fetched(2, [8]));
  all.add(fetched(1, [4, 5]));
  expect(flow.resolved).toEqual(["1:1", "1:3", "2:8", "1:5"]);
  expect(begun).toEqual(["1:1", "2:8"]);
  ends[0]?.();
  await poll("the next are begun", 1_000, () => begun.length === 3);
  expect([begun[2], done]).toEqual(["1:2,3,4", ["1:1"]]);
  ends[2]?.();
  await poll("the last is begun", 1_000, () => begun.length === 4);
  ends[3]?.();
  ends[1]?.();
  await all.end();
  expect(done).toEqual(["1:1", "1:4", "1:5", "2:8"]);
});

test("more is wanted at once when nothing is under way, else soon, or when a round waits already only behind it", async () => {
  const { all, ends, begun } = worked();
  const asked = async (): Promise<number> => {
    const beganMs = performance.now();
    await all.wantsMore();
    return performance.now() - beganMs;
  };
  all.add(fetched(1, [1]));
  await asked();
  all.add(fetched(1, [2, 3, 4]));
  const behind = all.wantsMore();
  let isWanted = false;
  void behind.then(() => {
    isWanted = true;
  });
  expect(await asked()).toBeGreaterThan(500);
  expect(isWanted).toBe(true);
  const next = all.wantsMore();
  ends[0]?.();
  await next;
  await poll("the next are begun", 1_000, () => begun.length === 2);
  ends[1]?.();
  await all.end();
  await all.wantsMore();
});

test("what fails is tried again with the same messages, and told once", async () => {
  const { all, begun, done, told, ends } = worked();
  all.add(fetched(1, [1]));
  all.add(fetched(1, [2]));
  for (let tries = 1; tries <= 2; tries += 1) {
    ends[tries - 1]?.(new Error("away"));
    await poll("it is tried again", 60_000, () => begun.length === tries + 1);
  }
  ends[2]?.();
  await poll("the next is begun", 1_000, () => begun.length === 4);
  expect(begun).toEqual(["1:1", "1:1", "1:1", "1:2"]);
  expect(told).toEqual(["1 fails", "1 goes on"]);
  ends[3]?.();
  await all.end();
  expect(done).toEqual(["1:1", "1:2"]);
});

test("a partition with much that waits is fetched no further until half of it is gone", async () => {
  const { all, begun, ends } = worked(1);
  all.add(fetched(7, [1, 2, 3, 4], 800_000));
  expect([flow.paused, flow.resumed]).toEqual([[7], []]);
  for (let count = 1; count <= 3; count += 1) {
    expect(flow.resumed).toEqual(count < 3 ? [] : [7]);
    ends[count - 1]?.();
    await poll("the next is begun", 1_000, () => begun.length === count + 1);
  }
  ends[3]?.();
  await all.end();
  expect([flow.paused, flow.resumed]).toEqual([[7], [7]]);
});

test("when partitions are given out anew, what waits is dropped, and what is under way is not done for its next owner", async () => {
  const { all, begun, done, ends } = worked();
  all.add(fetched(1, [1]));
  all.add(fetched(1, [2]));
  all.add(fetched(2, [5]));
  all.reset();
  all.add(fetched(1, [1, 2]));
  ends[0]?.();
  ends[1]?.(new Error("away"));
  await poll("it is fetched and begun again", 1_000, () => begun.length === 3);
  expect([begun, done]).toEqual([["1:1", "2:5", "1:1,2"], []]);
  ends[2]?.();
  await all.end();
  expect([begun.length, done]).toEqual([3, ["1:2"]]);
});

test("the end waits for what is under way, which is done, and begins nothing more", async () => {
  const { all, begun, done, ends } = worked();
  all.add(fetched(1, [1]));
  all.add(fetched(1, [2]));
  const ended = all.end();
  ends[0]?.();
  await ended;
  expect([begun, done]).toEqual([["1:1"], ["1:1"]]);
});
