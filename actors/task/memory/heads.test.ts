import { expect, test } from "bun:test";
import { commandOf, idOf, SpaceForTests } from "../../resources/space-for-tests.ts";
import { spaceHeads } from "./heads.ts";

const [ann, bob] = [idOf(11), idOf(12)];
const [home, invitation] = [idOf(1), idOf(51)];
const partition = 0;

/** A space that is made, joined by Bob, and left by him. */
function story() {
  const space = new SpaceForTests();
  const by = { spaceId: home, userId: ann };
  const take = (...of: Parameters<typeof commandOf>) => {
    const { fact, documents } = space.take(commandOf(...of));
    return { fact, documents, head: space.head };
  };
  const made = take(by, [{ type: "space", kind: "create", id: home, body: { name: "Home" } }]);
  const invite = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret" };
  const invited = take(by, [{ type: "invitation", kind: "create", id: invitation, body: invite }]);
  const accept = { memberId: idOf(61), tokenHash: "secret" };
  const joined = take({ spaceId: home, userId: bob }, [
    { type: "invitation", kind: "accept", id: invitation, body: accept },
  ]);
  const member = joined.head?.members.find(({ userId }) => userId === bob)?.id as string;
  const left = take(by, [{ type: "member", kind: "delete", id: member, body: {} }]);
  return [made, invited, joined, left] as const;
}
const users = (head: { members: readonly { userId: string }[] } | null | undefined) =>
  head?.members.map((each) => each.userId);

test("a roster that was read is brought up to what was told, before and after", () => {
  const heads = spaceHeads();
  const [made, invited, joined, left] = story();
  heads.take(partition, made.fact);
  heads.take(partition, invited.fact);
  heads.take(partition, joined.fact);
  expect(heads.head(home)).toBeUndefined();
  expect(users(heads.fill(partition, home, null, -1))).toEqual([ann, bob]);
  heads.take(partition, left.fact);
  expect(users(heads.head(home))).toEqual([ann]);
});

test("a roster that is older than what was told and projected while it was read is not taken", () => {
  const heads = spaceHeads();
  const [made, invited, joined, left] = story();
  for (const { fact } of [made, invited, joined, left]) heads.take(partition, fact);
  heads.projected(partition, left.fact.position + 1);
  expect(heads.fill(partition, home, joined.head, 2)).toBeUndefined();
  expect(users(heads.fill(partition, home, left.head, 3))).toEqual([ann]);
});

test("after something was missed a roster counts only as it is read behind that", () => {
  const heads = spaceHeads();
  const [, , joined, left] = story();
  heads.fill(partition, home, joined.head, 2);
  heads.forget(partition, 3);
  expect(heads.head(home)).toBeUndefined();
  expect(heads.fill(partition, home, joined.head, 2)).toBeUndefined();
  expect(users(heads.fill(partition, home, left.head, 3))).toEqual([ann]);
});

test("who has written what is not projected is known, and marks move with what is", () => {
  const heads = spaceHeads();
  const [made, invited, joined, left] = story();
  for (const { fact, documents } of [made, invited, joined, left]) heads.take(partition, fact, documents);
  expect([[...heads.unprojectedOf(ann)], [...heads.unprojectedOf(bob)]]).toEqual([[[0, 3]], [[0, 2]]]);
  expect([heads.mark(home), heads.mark(bob), heads.projectedSeq(home)]).toEqual([0, 0, undefined]);
  heads.projected(partition, 2);
  const before = heads.mark(home);
  expect([heads.mark(bob), heads.projectedSeq(home)]).toEqual([0, 2]);
  heads.projected(partition, 3);
  expect(heads.mark(home)).toBeGreaterThan(before);
  expect(heads.mark(bob)).toBeGreaterThan(0);
  expect(heads.projectedSeq(home)).toBe(3);
  const joinedMark = heads.mark(bob);
  heads.projected(partition, 4);
  expect(heads.mark(bob)).toBeGreaterThan(joinedMark);
  expect([heads.unprojectedOf(ann).size, heads.unprojectedOf(bob).size]).toEqual([0, 0]);
});
