/** The checker of a team's work finds every fault that is planted in a record without any. */
import { expect, test } from "bun:test";
import type { Fact, Resource } from "./system/spaces.ts";
import { faultsOf, type TeamRecord } from "./system/team-checker.ts";

const [space, ada, bob, eve] = ["space", "ada", "bob", "eve"];
const at = "2026-01-01T00:00:00.000Z";
type Change = Fact["changes"][number];

const created = (type: string, id: string, fields: Record<string, string>): Change => ({
  type,
  id,
  version: 1,
  kind: "created",
  fields: Object.fromEntries(Object.entries(fields).map(([name, to]) => [name, { from: null, to }])),
});
const changed = (id: string, version: number, title: string): Change => ({
  type: "task",
  id,
  version,
  kind: "changed",
  fields: { title: { from: null, to: title } },
});
const factsOf = (all: readonly Change[][]): Fact[] =>
  all.map((changes, index) => ({
    spaceId: space,
    seq: index + 1,
    at,
    actorId: ada,
    operationId: `o${index}`,
    changes,
  }));
const shown = (id: string, version: number, title: string): Resource => ({
  id,
  spaceId: space,
  version,
  creatorId: ada,
  createdAt: at,
  updatedAt: at,
  title,
});

function good() {
  return {
    facts: factsOf([
      [created("space", space, { name: "Ours" }), created("member", "m1", { userId: ada, role: "owner" })],
      [created("member", "m2", { userId: bob, role: "member" })],
      [created("task", "t1", { title: "one" })],
      [changed("t1", 2, "two")],
      [created("task", "t2", { title: "b1" }), created("task", "t3", { title: "b2" })],
      [{ type: "member", id: "m2", version: 2, kind: "deleted", fields: {}, deleted: true }],
    ]),
    shown: [shown("t1", 2, "two"), shown("t2", 1, "b1"), shown("t3", 1, "b2")],
    acknowledged: [{ spaceId: space, id: "t1", version: 2, title: "two" }],
    verdicts: new Map([["k1", ["200 t1 2", "200 t1 2"]]]),
    batches: [
      { spaceId: space, ids: ["t2", "t3"] },
      { spaceId: space, ids: ["t8", "t9"] },
    ],
    stays: [
      { userId: ada, spaceId: space, fromMs: 0 },
      { userId: bob, spaceId: space, fromMs: 100, untilMs: 5_000 },
    ],
    sights: [
      { userId: bob, spaceId: space, sentMs: 5_900, answeredMs: 9_000, isSeen: true },
      { userId: bob, spaceId: space, sentMs: 7_000, answeredMs: 7_010, isSeen: false },
      { userId: eve, spaceId: space, sentMs: 10, answeredMs: 20, isSeen: false },
    ],
    erased: [{ userId: bob, remains: [] as string[] }],
  };
}
type Good = ReturnType<typeof good>;

function faults(plant: (record: Good) => void): string[] {
  const record = good();
  plant(record);
  const { facts, shown: list, ...rest } = record;
  const whole: TeamRecord = { ...rest, facts: new Map([[space, facts]]), resources: new Map([[space, list]]) };
  return faultsOf(whole);
}

test("a record without a fault has none", () => {
  expect(faults(() => undefined)).toEqual([]);
});

test("a follower that misses, repeats or mistakes a fact is found", () => {
  const { facts } = good();
  const other = { ...(facts[5] as Fact), actorId: eve };
  const told = (followed: readonly Fact[]) =>
    faults((record) => void Object.assign(record, { followed: new Map([[space, followed]]) }));
  expect(told(facts)).toEqual([]);
  expect(told(facts.toSpliced(2, 1))).toEqual([expect.stringMatching(/was told seq 4 as number 3, not 3/)]);
  expect(told(facts.toSpliced(3, 0, facts[2] as Fact))).toEqual([expect.stringMatching(/seq 3 as number 4, not 4/)]);
  expect(told(facts.slice(0, 5))).toEqual([expect.stringMatching(/seq undefined as number 6, not 6/)]);
  expect(told([...facts.slice(0, 5), other])).toEqual([expect.stringMatching(/seq 6 as number 6, not 6/)]);
});

const planted: [string, RegExp, (record: Good) => void][] = [
  ["a fact that is missing", /has seq 4 in the place of 3/, ({ facts }) => facts.splice(2, 1)],
  ["a fact told twice", /has seq 3 in the place of 4/, ({ facts }) => facts.splice(3, 0, facts[2] as Fact)],
  [
    "an operation that took effect twice",
    /has operation o2 at seq 3 and 4/,
    ({ facts }) => void Object.assign(facts[3] as Fact, { operationId: "o2" }),
  ],
  [
    "a version that is left out",
    /t1 has version 3 at seq 4, not 2/,
    ({ facts }) => void Object.assign(facts[3]?.changes[0] as Change, { version: 3 }),
  ],
  [
    "a document that is not the fold of its facts",
    /t1 with title "other", not "two"/,
    ({ shown: list }) => void Object.assign(list[0] as Resource, { title: "other" }),
  ],
  [
    "a document of an old version",
    /t1 in version 1, not 2/,
    ({ shown: list }) => void Object.assign(list[0] as Resource, { version: 1 }),
  ],
  ["a document that is not listed", /does not list t2/, ({ shown: list }) => list.splice(1, 1)],
  ["a document that is listed twice", /lists t1 twice/, ({ shown: list }) => list.push(list[0] as Resource)],
  ["a document from nowhere", /lists t7, which no fact has made/, ({ shown: list }) => list.push(shown("t7", 1, "x"))],
  [
    "an acknowledged write that is lost",
    /has lost version 3 of t1/,
    ({ acknowledged }) => acknowledged.push({ spaceId: space, id: "t1", version: 3, title: "x" }),
  ],
  [
    "an acknowledged write that became another",
    /version 2 of t1 was acknowledged as "x"/,
    ({ acknowledged }) => void Object.assign(acknowledged[0] as object, { title: "x" }),
  ],
  [
    "a verdict that changed",
    /under key k1 has changed/,
    ({ verdicts }) => void verdicts.set("k1", ["200 t1 2", "404"]),
  ],
  [
    "half a batch",
    /has 1 of the 2 tasks of a batch/,
    ({ facts, shown: list }) => {
      facts[4]?.changes.splice(1, 1);
      list.splice(2, 1);
    },
  ],
  [
    "a batch in two facts",
    /has 2 of the 2 tasks of a batch, or not in one fact/,
    ({ facts }) => {
      const apart = facts[4]?.changes.splice(1, 1) as Change[];
      facts[3]?.changes.push(...apart);
    },
  ],
  [
    "a stranger who sees a space",
    /eve has seen space space at 10 ms/,
    ({ sights }) => void Object.assign(sights[2] as object, { isSeen: true }),
  ],
  [
    "somebody who sees a space before joining",
    /bob has seen space space at 10 ms/,
    ({ sights }) => sights.push({ userId: bob, spaceId: space, sentMs: 10, answeredMs: 20, isSeen: true }),
  ],
  [
    "somebody who sees a space a second after removal",
    /bob has seen space space at 7000 ms/,
    ({ sights }) => void Object.assign(sights[1] as object, { isSeen: true }),
  ],
  ["an erased account that is still a member", /still has bob, who was erased/, ({ facts }) => facts.splice(5, 1)],
  ["content of an erased account", /still has a title/, ({ erased }) => erased[0]?.remains.push("a title")],
];
for (const [what, sentence, plant] of planted)
  test(`finds ${what}`, () => {
    expect(faults((record) => void plant(record)).join("\n")).toMatch(sentence);
  });
