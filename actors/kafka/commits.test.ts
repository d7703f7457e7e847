import { expect, test } from "bun:test";
import { poll } from "../../tests/system/poll.ts";
import { committing } from "./commits.ts";

/** Each commit as "partition@offset ...", ended by the test. */
function committer() {
  const asked: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const commits = committing("events", ({ topics }) => {
    asked.push(
      topics.flatMap(({ partitions }) => partitions.map((each) => `${each.partition}@${each.offset}`)).join(" "),
    );
    return new Promise((resolve, reject) => ends.push((error) => (error === undefined ? resolve() : reject(error))));
  });
  return { commits, asked, ends };
}

test("places are committed one request at a time, of each partition the newest", async () => {
  const { commits, asked, ends } = committer();
  commits.note({ partition: 1, offset: "5" });
  commits.note({ partition: 2, offset: "7" });
  commits.note({ partition: 1, offset: "6" });
  await poll("they are committed", 1_000, () => asked.length === 1);
  commits.note({ partition: 1, offset: "8" });
  commits.note({ partition: 1, offset: "9" });
  const ended = commits.end(1_000);
  expect(asked).toEqual(["1@6 2@7"]);
  ends[0]?.();
  await poll("the rest goes together", 1_000, () => asked.length === 2);
  expect(asked[1]).toBe("1@9");
  ends[1]?.();
  await ended;
  expect(asked).toHaveLength(2);
});

test("what could not be committed is committed again, unless it is older than what came meanwhile", async () => {
  const { commits, asked, ends } = committer();
  commits.note({ partition: 1, offset: "5" });
  commits.note({ partition: 2, offset: "1" });
  await poll("it is tried", 1_000, () => asked.length === 1);
  commits.note({ partition: 1, offset: "6" });
  ends[0]?.(new Error("away"));
  await poll("it is tried again", 60_000, () => asked.length === 2);
  expect(asked).toEqual(["1@5 2@1", "1@6 2@1"]);
  const ended = commits.end(1_000);
  ends[1]?.(new Error("still away"));
  await poll("the end does not wait for the pause", 300, () => asked.length === 3);
  ends[2]?.();
  await ended;
  expect(asked[2]).toBe("1@6 2@1");
});

test("what is forgotten is not committed any more, though its commit was under way and has failed", async () => {
  const { commits, asked, ends } = committer();
  commits.note({ partition: 1, offset: "5" });
  await poll("it is tried", 1_000, () => asked.length === 1);
  commits.note({ partition: 2, offset: "1" });
  commits.forget();
  ends[0]?.(new Error("rebalance"));
  commits.note({ partition: 3, offset: "1" });
  await poll("the next is committed", 1_000, () => asked.length === 2);
  expect(asked).toEqual(["1@5", "3@1"]);
});

test("after that there is no empty request", async () => {
  const { commits, asked } = committer();
  commits.note({ partition: 1, offset: "5" });
  commits.forget();
  const beganMs = performance.now();
  await poll("a while has gone by", 1_000, () => performance.now() > beganMs + 150);
  expect(asked).toEqual([]);
});
