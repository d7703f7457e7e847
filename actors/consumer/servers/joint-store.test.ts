import { expect, test } from "bun:test";
import type { Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import { emptyWorld, storeOver } from "../spaces-for-tests.ts";
import { jointStore } from "./joint-store.ts";

const fact = (spaceId: string, seq: number, operationId = `${spaceId}-${seq}`): Fact => ({
  spaceId,
  operationId,
  fingerprint: "",
  position: seq,
  verdict: "applied",
  seq,
  at: "2026-01-01T00:00:00.000Z",
  actorId: spaceId,
  keyed: false,
  changes: [],
  answers: [],
});
const head = (spaceId: string): Head => ({
  spaceId,
  seq: 1,
  position: 1,
  at: "",
  isDeleted: false,
  members: [],
  projects: 0,
});

test("what is asked while a request is under way is the next one, and each gets its own answer", async () => {
  const world = emptyWorld();
  const inner = storeOver(world, async () => undefined);
  const sizes: number[] = [];
  const store = jointStore({
    ...inner,
    record: (facts) => {
      sizes.push(facts.length);
      return inner.record(facts);
    },
  });
  await store.record([fact("b", 1, "earlier")]);
  const answers = await Promise.all(["a", "b", "c", "d"].map((spaceId) => store.record([fact(spaceId, 1)])));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(5);
  expect(sizes.length).toBeLessThan(4);
  expect(answers.map((inTheWay) => inTheWay.map(({ operationId }) => operationId))).toEqual([[], ["earlier"], [], []]);
  expect([...world.facts.values()].map(({ spaceId }) => spaceId).sort()).toEqual(["a", "b", "c", "d"]);
});

test("what one partition asks wrongly fails for that one alone", async () => {
  const world = emptyWorld();
  const inner = storeOver(world, async () => undefined);
  const store = jointStore({
    ...inner,
    async project(documents, heads) {
      if (heads.some(({ spaceId }) => spaceId === "bad")) throw new Error("too large");
      await inner.project(documents, heads);
    },
  });
  const outcomes = await Promise.allSettled(
    ["a", "b", "bad", "c"].map((spaceId) => store.project([], [head(spaceId)])),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  expect([...world.heads.keys()].sort()).toEqual(["a", "b", "c"]);
});
