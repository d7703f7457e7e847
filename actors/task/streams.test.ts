import { afterEach, expect, test } from "bun:test";
import { poll } from "../../tests/system/poll.ts";
import type { Head, Membership as Member } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { FeedSource } from "./feed-source.ts";
import { type Streams, streams } from "./streams.ts";

const [ann, bob, spaceId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
const memberOf = (userId: string): Member => ({ id: `member-${userId}`, userId, role: "member", since: "" });

/** One space whose facts are told when `tell` is called. */
function spaceWith(members: readonly string[]) {
  const facts: Fact[] = [];
  let shown = 0;
  let roster = members.map(memberOf);
  let mark = 0;
  let reads = 0;
  let held: Promise<void> | undefined;
  const source: FeedSource = {
    mark: () => mark,
    head: (id): Head | undefined =>
      id === spaceId
        ? { spaceId, seq: shown, position: shown, at: "", isDeleted: false, members: roster, projects: 0 }
        : undefined,
    facts: (_, after, limit) => facts.slice(after, Math.min(shown, after + limit)),
    memberships: async () => {
      reads += 1;
      await held;
      return [{ spaceId, isDeleted: false }];
    },
    epoch: () => "epoch",
  };
  const add = (changes: Fact["changes"]) => {
    const seq = facts.length + 1;
    const of = { spaceId, seq, at: new Date().toISOString(), actorId: ann, operationId: `${seq}`, changes };
    facts.push({ ...of, fingerprint: "", position: seq, verdict: "applied", keyed: false, answers: [] });
  };
  return {
    source,
    change: () => add([{ type: "task", id: "task", version: facts.length + 1, kind: "changed", fields: {} }]),
    remove(userId: string) {
      roster = roster.filter((member) => member.userId !== userId);
      add([{ type: "member", id: `member-${userId}`, version: 2, kind: "deleted", fields: {}, deleted: true }]);
    },
    tell() {
      shown = facts.length;
      mark += 1;
    },
    membershipReads: () => reads,
    /** Memberships are answered when the result is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}

let open: Streams | undefined;
afterEach(() => open?.drain());

const follower = (userId: string, followed: readonly { spaceId: string; after?: number }[]) => ({
  userId,
  credential: userId,
  expMs: Number.POSITIVE_INFINITY,
  followed,
});

/** The writes of a stream, one after the other. */
async function writesOf(of: Streams, userId: string): Promise<() => Promise<string[]>> {
  const reader = (await of.open(follower(userId, [{ spaceId }]))).getReader();
  const next = async (): Promise<string[]> => {
    const { value } = await reader.read();
    const told = [...new TextDecoder().decode(value).matchAll(/^(?:id: .+:(\d+)|event: (?!fact)(\w+))$/gm)];
    // A sign of life tells nothing.
    return told.length === 0 ? await next() : told.map(([, seq, event]) => seq ?? event ?? "");
  };
  expect(await next()).toEqual(["hello"]);
  return next;
}

test("facts that are told together are one write of each stream", async () => {
  const space = spaceWith([ann, bob]);
  open = streams(space.source, Date.now);
  const all = [await writesOf(open, ann), await writesOf(open, bob)];
  while (all.length < 20) all.push(await writesOf(open, ann));
  for (let each = 0; each < 3; each++) space.change();
  space.tell();
  for (const next of all) expect(await next()).toEqual(["1", "2", "3"]);
  space.change();
  space.tell();
  for (const next of all) expect(await next()).toEqual(["4"]);
});

test("a removal among facts that are told together is where it was: what came before it, `left`, and nothing of what follows", async () => {
  const space = spaceWith([ann, bob]);
  open = streams(space.source, Date.now);
  const [toAnn, toBob] = [await writesOf(open, ann), await writesOf(open, bob)];
  space.change();
  space.change();
  space.remove(bob);
  space.change();
  space.tell();
  expect([...(await toAnn()), ...(await toAnn()), ...(await toAnn())]).toEqual(["1", "2", "3", "4"]);
  expect([...(await toBob()), ...(await toBob())]).toEqual(["1", "2", "left"]);
  space.change();
  space.tell();
  expect(await toAnn()).toEqual(["5"]);
  open.drain();
  expect(await toBob()).toEqual(["bye"]);
});

test("a stream that follows all of a user's spaces reads them once at a time, however slowly they are answered", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, Date.now);
  const reader = (await open.open(follower(ann, []))).getReader();
  let text = "";
  const readUpTo = async (what: string) => {
    while (!text.includes(what)) text += new TextDecoder().decode((await reader.read()).value);
  };
  await readUpTo(`"spaceId":"${spaceId}"`);
  const release = space.hold();
  const before = space.membershipReads();
  for (let seq = 1; seq <= 5; seq++) {
    space.change();
    space.tell();
    await readUpTo(`id: ${spaceId}:${seq}\n`);
  }
  expect(space.membershipReads() - before).toBe(1);
  release();
  await poll("what was told meanwhile is looked at", 20_000, () => space.membershipReads() - before === 2);
});
