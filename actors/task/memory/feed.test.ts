/** Whether a worker has heard all that was told until a second ago, and how long it is worth to wait for that. */
import { expect, test } from "bun:test";
import { registry } from "../../resources/registry.ts";
import { spaceAnnouncements } from "./announcements.ts";
import { spaceDocuments } from "./documents.ts";
import { spaceFeed } from "./feed.ts";
import { spaceHeads } from "./heads.ts";
import { spaceReplicas } from "./space-replicas.ts";

/** A worker that has begun, at a time that a test moves on. */
function world() {
  const clock = { nowMs: 100_000 };
  const now = () => clock.nowMs;
  const announcements = spaceAnnouncements(now);
  const heads = spaceHeads();
  const replicas = spaceReplicas({ registry, read: async () => "missing", announcements, heads, now });
  const feed = spaceFeed({ announcements, documents: spaceDocuments(registry), heads, replicas, now });
  feed.begin([{ partition: 0, told: -1, projected: 0, next: 0, from: 0, values: [] }]);
  /** Undefined while it waits. */
  const wait = async (timeoutMs = 60_000) => {
    const found: { is?: boolean } = {};
    void feed.untilCurrent(0, clock.nowMs + timeoutMs).then((is) => {
      found.is = is;
    });
    await turn();
    return found;
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { clock, feed, wait, turn };
}

test("a worker that stood still is current once it has heard all that Kafka had when it was asked after that", async () => {
  const { clock, feed, wait, turn } = world();
  feed.ends({ askedMs: clock.nowMs, ends: [0] });
  expect(feed.isCurrent(0)).toBe(true);
  clock.nowMs += 5_000;
  const waiting = await wait();
  // Asked before it stood still, answered after.
  feed.ends({ askedMs: clock.nowMs - 4_900, ends: [0] });
  await turn();
  expect([feed.isCurrent(0), waiting.is]).toEqual([false, undefined]);
  feed.ends({ askedMs: clock.nowMs, ends: [2] });
  await turn();
  expect([feed.isCurrent(0), waiting.is]).toEqual([false, undefined]);
  feed.heard({ partition: 0, from: 0, next: 2, values: [] });
  await turn();
  expect([feed.isCurrent(0), waiting.is]).toEqual([true, true]);
});

test("nobody waits while Kafka does not answer, but for the first who comes after a worker stood still", async () => {
  const { clock, feed, wait, turn } = world();
  feed.ends({ askedMs: clock.nowMs, ends: null });
  expect((await wait()).is).toBe(false);
  clock.nowMs += 5_000;
  const waiting = await wait();
  feed.ends({ askedMs: clock.nowMs - 100, ends: null });
  await turn();
  expect(waiting.is).toBeUndefined();
  feed.ends({ askedMs: clock.nowMs + 100, ends: null });
  await turn();
  expect(waiting.is).toBe(false);
  clock.nowMs += 200;
  expect((await wait()).is).toBe(false);
});

test("a wait ends at its deadline", async () => {
  const { feed, clock } = world();
  expect(await feed.untilCurrent(0, clock.nowMs + 20)).toBe(false);
});
