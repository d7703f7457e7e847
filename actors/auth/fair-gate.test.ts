import { expect, test } from "bun:test";
import { fairGate, type Turn } from "./fair-gate.ts";

/** A job that ends when told. */
function job() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: () => promise, end: resolve };
}
const turn = (network: string, account = "ada"): Turn => ({ network, account });
const here = turn("here");
const overloaded = { code: "overloaded", headers: { "retry-after": "2" } };

/** One job runs until `go`; then all that wait run in their order, which is answered. */
function crowd(queueMax: number) {
  const gate = fairGate({ atOnce: 1, queueMax, waitMs: 60_000 });
  const first = job();
  const running = gate.run(turn("first"), first.run);
  const begun: string[] = [];
  const waiting: Promise<unknown>[] = [];
  const refused: string[] = [];
  const come = (name: string, of: Turn): void => {
    const done = gate.run(of, async () => void begun.push(name));
    waiting.push(done.catch(() => refused.push(name)));
  };
  const go = async () => {
    first.end();
    await running;
    await Promise.all(waiting);
    return { begun, refused };
  };
  return { come, go, gate };
}

test("two run at once, the rest wait in order, and beyond the queue there is no room", async () => {
  const { run } = fairGate({ atOnce: 2, queueMax: 2, waitMs: 60_000 });
  const jobs = [job(), job(), job(), job()];
  const begun: number[] = [];
  const all = jobs.map((each, index) =>
    run(here, () => {
      begun.push(index);
      return each.run();
    }),
  );
  await expect(run(here, async () => {})).rejects.toMatchObject(overloaded);
  expect(begun).toEqual([0, 1]);
  jobs[1]?.end();
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const { end } of jobs) end();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3]);
});

test("who waits too long is refused, and the place in the queue is free again", async () => {
  const { run } = fairGate({ atOnce: 1, queueMax: 1, waitMs: 5 });
  const slow = job();
  const first = run(here, slow.run);
  await expect(run(here, async () => {})).rejects.toMatchObject(overloaded);
  await expect(run(here, async () => {})).rejects.toMatchObject(overloaded);
  slow.end();
  await first;
  expect(await run(here, async () => "in")).toBe("in");
});

test("a job that fails leaves its place", async () => {
  const { run } = fairGate({ atOnce: 1, queueMax: 0, waitMs: 5 });
  await expect(run(here, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await run(here, async () => "in")).toBe("in");
});

test("networks take turns, and within one its accounts do", async () => {
  const { come, go } = crowd(100);
  for (let nth = 1; nth <= 4; nth += 1) come(`flood ${nth}`, turn("bad", "mallory"));
  come("neighbour", turn("bad", "bob"));
  come("elsewhere 1", turn("good", "cyd"));
  come("elsewhere 2", turn("good", "cyd"));
  expect((await go()).begun).toEqual([
    ...["flood 1", "elsewhere 1", "neighbour", "elsewhere 2", "flood 2", "flood 3", "flood 4"],
  ]);
});

test("a full queue makes room for another network, and for another account, by refusing the newest of the most", async () => {
  const { come, go, gate } = crowd(4);
  for (let nth = 1; nth <= 5; nth += 1) come(`flood ${nth}`, turn("bad", "mallory"));
  come("elsewhere", turn("good", "cyd"));
  come("neighbour", turn("bad", "bob"));
  expect(gate.waiting).toBe(4);
  const { begun, refused } = await go();
  expect(begun).toEqual(["flood 1", "elsewhere", "neighbour", "flood 2"]);
  expect(refused.sort()).toEqual(["flood 3", "flood 4", "flood 5"]);
  expect(gate.waiting).toBe(0);
});

test("who is known waits apart: strangers have every second turn, and however many they are, there is room", async () => {
  const { come, go } = crowd(3);
  for (let nth = 1; nth <= 4; nth += 1) come(`stranger ${nth}`, turn(`network ${nth}`));
  for (let nth = 1; nth <= 3; nth += 1) come(`known ${nth}`, { ...turn(`network ${nth}`), isKnown: true });
  expect(await go()).toEqual({
    begun: ["known 1", "stranger 1", "known 2", "stranger 2", "known 3", "stranger 3"],
    refused: ["stranger 4"],
  });
});

test("a full queue of equals takes nobody more", async () => {
  const { come, go } = crowd(3);
  for (const name of ["a", "b", "c", "d"]) come(name, turn(name));
  expect(await go()).toEqual({ begun: ["a", "b", "c"], refused: ["d"] });
});
