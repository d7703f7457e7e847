/** Which spaces a worker keeps a replica of, from when on, and when it forgets them. */
import { expect, test } from "bun:test";
import { registry, typeNamed } from "../../resources/registry.ts";
import { commandOf, idOf, SpaceForTests } from "../../resources/space-for-tests.ts";
import { resourceQuery } from "../resource-query.ts";
import type { ReplicaSource } from "./space-replica.ts";
import { spaceReplicas } from "./space-replicas.ts";

const [ann, bob, cat] = [idOf(11), idOf(12), idOf(13)] as [string, string, string];
const task = typeNamed(registry, "task");
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Personal spaces whose facts a test tells, at a time that it moves on. Reads wait until they are let go on. */
function world({ charsMax }: { charsMax?: number } = {}) {
  const spaces = new Map([ann, bob, cat].map((id) => [id, new SpaceForTests()]));
  const state = {
    nowMs: 1_000_000,
    isProjected: true,
    projectedSeq: 0,
    reads: 0,
    found: undefined as "too large" | "missing" | "away" | undefined,
  };
  let held: Promise<void> = Promise.resolve();
  const replicas = spaceReplicas({
    registry,
    announcements: { told: () => 0, untilProjected: async () => state.isProjected },
    heads: { projectedSeq: () => state.projectedSeq },
    now: () => state.nowMs,
    ...(charsMax === undefined ? {} : { charsMax }),
    async read(spaceId): Promise<ReplicaSource | "missing" | "too large"> {
      state.reads += 1;
      const { head, documents } = spaces.get(spaceId) as SpaceForTests;
      const found = head === null ? "missing" : { head, documents: [...documents.values()] };
      await held;
      if (state.found === "away") throw new Error("away");
      return state.found ?? found;
    },
  });
  const decide = (title: string, spaceId = ann) =>
    (spaces.get(spaceId) as SpaceForTests).take(
      commandOf({ spaceId, userId: spaceId }, [
        { type: "task", kind: "create", id: crypto.randomUUID(), body: { title } },
      ]),
    );
  const tell = (title: string, spaceId = ann) => {
    const { fact, documents } = decide(title, spaceId);
    replicas.take(0, fact, documents);
  };
  const titles = (spaceId = ann, epoch = "e"): string[] | undefined => {
    const query = resourceQuery(task, { userId: spaceId, spaceIds: [spaceId] }, new URLSearchParams("sort=title"));
    const found = replicas.get(0, spaceId, epoch)?.list(query);
    return found?.map(({ text }) => (JSON.parse(text) as { title: string }).title);
  };
  const ask = async (spaceId = ann) => {
    for (let times = 0; times < 3; times += 1) titles(spaceId);
    await turn();
  };
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { state, replicas, decide, tell, titles, ask, hold };
}

test("a space is remembered once its lists were asked for three times within a minute, with what was told while it was read", async () => {
  const { state, titles, tell, ask, hold } = world();
  tell("a");
  expect([titles(), titles()]).toEqual([undefined, undefined]);
  state.nowMs += 61_000;
  titles();
  await turn();
  expect(state.reads).toBe(0);
  const goOn = hold();
  await ask();
  tell("b");
  expect([state.reads, titles()]).toEqual([1, undefined]);
  goOn();
  await turn();
  tell("c");
  expect([state.reads, titles()]).toEqual([1, ["a", "b", "c"]]);
});

test.each([
  [
    "a fact was not told",
    ({ decide, tell }: ReturnType<typeof world>) => {
      decide("b");
      tell("c");
    },
  ],
  [
    "a document was too large to be told",
    ({ decide, replicas }: ReturnType<typeof world>) => replicas.take(0, decide("b").fact, []),
  ],
  ["some of the partition may not have been heard", ({ replicas }: ReturnType<typeof world>) => replicas.forget(0)],
  ["the store is another one", ({ titles }: ReturnType<typeof world>) => void titles(ann, "other")],
])("a space is forgotten where %s, and read again where lists go on being asked for", async (_, happen) => {
  const of = world();
  of.tell("a");
  await of.ask();
  expect(of.titles()).toEqual(["a"]);
  happen(of);
  expect(of.titles()).toBe(undefined);
  await of.ask();
  expect(of.titles()?.[0]).toBe("a");
  expect(of.state.reads).toBe(2);
});

test("what was not told in order while it was read is no space", async () => {
  const { decide, tell, titles, ask, hold, replicas, state } = world();
  tell("a");
  const goOn = hold();
  await ask();
  decide("b");
  tell("c");
  goOn();
  await turn();
  expect(titles()).toBe(undefined);
  state.nowMs += 10_000;
  const again = hold();
  await ask();
  replicas.forget(0);
  again();
  await turn();
  expect(titles()).toBe(undefined);
  expect(state.reads).toBe(2);
});

test.each([
  ["too large", 600_000],
  ["missing", 10_000],
  ["away", 10_000],
] as const)("a space that is %s is tried again after %p ms", async (why, afterMs) => {
  const { state, tell, titles, ask } = world();
  tell("a");
  state.found = why;
  await ask();
  state.found = undefined;
  state.nowMs += afterMs - 1;
  await ask();
  expect([state.reads, titles()]).toEqual([1, undefined]);
  state.nowMs += 1;
  await ask();
  expect([state.reads, titles()]).toEqual([2, ["a"]]);
});

test("a space that the read model is too late for is not read", async () => {
  const { state, tell, titles, ask } = world();
  tell("a");
  state.isProjected = false;
  await ask();
  expect([state.reads, titles()]).toEqual([0, undefined]);
});

test("a space that was read from a server that is behind what is known to be projected is not taken, and not kept", async () => {
  const { state, tell, titles, ask } = world();
  tell("a");
  state.projectedSeq = 2;
  await ask();
  expect(titles()).toBe(undefined);
  state.nowMs += 10_000;
  state.projectedSeq = 1;
  await ask();
  expect(titles()).toEqual(["a"]);
  state.projectedSeq = 2;
  expect(titles()).toBe(undefined);
});

test("of a space that was forgotten it is known how far its lists had come, but not of one of another store", async () => {
  const { replicas, tell, titles, ask } = world();
  tell("a");
  expect(replicas.servedTo(ann)).toBe(-1);
  for (const [epoch, position] of [
    ["e", 1],
    ["other", -1],
  ] as const) {
    await ask();
    tell("more");
    titles();
    if (epoch === "e") replicas.forget(0);
    titles(ann, epoch);
    expect(replicas.servedTo(ann)).toBe(position);
  }
});

test("the one unused for longest makes room, if that was a minute ago; else the next is not even read", async () => {
  // Each has some 1,100 characters.
  const { state, tell, titles, ask } = world({ charsMax: 2_400 });
  for (const each of [ann, bob, cat]) {
    tell(each, each);
    await ask(each);
  }
  expect([titles(ann), titles(bob), titles(cat), state.reads]).toEqual([[ann], [bob], undefined, 2]);
  state.nowMs += 60_001;
  await ask(cat);
  expect([titles(ann), titles(bob), titles(cat), state.reads]).toEqual([undefined, [bob], [cat], 3]);
  // What grows takes the room of others, and at last its own.
  tell("b", bob);
  expect([titles(bob), titles(cat)]).toEqual([undefined, [cat]]);
  for (const title of ["c", "d"]) tell(title, cat);
  expect(titles(cat)).toBe(undefined);
});
