import { afterEach, expect, test } from "bun:test";
import { poll } from "../../tests/system/poll.ts";
import { type Streams, streams } from "./streams.ts";
import { ann, bob, follower, spaceId, spaceWith, writesOf } from "./streams-for-tests.ts";

let open: Streams | undefined;
afterEach(() => open?.drain());

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
