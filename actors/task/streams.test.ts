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
  let shownRoster = roster;
  let mark = 0;
  let reads = 0;
  let held: Promise<void> | undefined;
  let isAway = false;
  let isAhead = false;
  const source: FeedSource = {
    mark: () => mark,
    head: (id): Head | undefined =>
      id === spaceId
        ? { spaceId, seq: shown, position: shown, at: "", isDeleted: false, members: shownRoster, projects: 0 }
        : undefined,
    facts(_, after, limit) {
      if (isAway) throw new Error("The read model is away");
      return facts.slice(after, Math.min(isAhead ? facts.length : shown, after + limit));
    },
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
    change: (title = "") =>
      add([
        {
          type: "task",
          id: "task",
          version: facts.length + 1,
          kind: "changed",
          fields: { title: { from: "", to: title } },
        },
      ]),
    /** Whether the read model answers. */
    away(is: boolean) {
      isAway = is;
    },
    /** The read model has facts that were not told yet. */
    ahead() {
      isAhead = true;
    },
    remove(userId: string) {
      roster = roster.filter((member) => member.userId !== userId);
      add([{ type: "member", id: `member-${userId}`, version: 2, kind: "deleted", fields: {}, deleted: true }]);
    },
    tell() {
      shown = facts.length;
      shownRoster = roster;
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
async function writesOf(of: Streams, userId: string, after?: number): Promise<() => Promise<string[]>> {
  const place = { spaceId, ...(after === undefined ? {} : { after }) };
  const reader = (await of.open(follower(userId, [place]))).getReader();
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
  expect(await toAnn()).toEqual(["1", "2", "3", "4"]);
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

test("a reader that takes nothing is cut off at 1 MiB, and the others go on", async () => {
  const space = spaceWith([ann, bob]);
  open = streams(space.source, Date.now);
  const stalled = (await open.open(follower(bob, [{ spaceId }]))).getReader();
  const toAnn = await writesOf(open, ann);
  const long = "x".repeat(60_000);
  for (let seq = 1; seq <= 40; seq++) {
    space.change(long);
    space.tell();
    expect(await toAnn()).toEqual([`${seq}`]);
  }
  const readToEnd = async () => {
    for (;;) if ((await stalled.read()).done) return;
  };
  await expect(readToEnd()).rejects.toThrow("did not keep up");
});

test("a reader that is slow and takes what there is stays, however much it has been given", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, Date.now);
  const toAnn = await writesOf(open, ann);
  const long = "x".repeat(60_000);
  for (let round = 0; round < 5; round++) {
    const seqs = Array.from({ length: 10 }, (_, each) => `${round * 10 + each + 1}`);
    for (const _ of seqs) space.change(long);
    space.tell();
    const told: string[] = [];
    while (told.length < seqs.length) told.push(...(await toAnn()));
    expect(told).toEqual(seqs);
  }
});

test("what the read model did not answer is read again, though nothing else happens in the space", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, Date.now);
  for (let each = 0; each < 3; each++) space.change();
  space.tell();
  const live = await writesOf(open, ann);
  space.away(true);
  const behind = await writesOf(open, ann, 0);
  space.away(false);
  const told: string[] = [];
  while (told.length < 3) told.push(...(await behind()));
  expect(told).toEqual(["1", "2", "3"]);
  space.change();
  space.tell();
  expect([await live(), await behind()]).toEqual([["4"], ["4"]]);
});

test("who catches up is told nothing that came after their removal, though the read model has it", async () => {
  const space = spaceWith([ann, bob]);
  open = streams(space.source, Date.now);
  space.change();
  space.change();
  space.tell();
  space.remove(bob);
  space.change();
  space.ahead();
  const toBob = await writesOf(open, bob, 0);
  const told = [...(await toBob()), ...(await toBob())];
  space.tell();
  expect([...told, ...(await toBob())]).toEqual(["1", "2", "left"]);
});
