/** Signs of life, and how streams end. */
import { afterEach, expect, test } from "bun:test";
import { lastChanged } from "./feed-source.ts";
import { type Streams, streams } from "./streams.ts";
import { ann, bob, follower, spaceId, spaceWith, writesOf } from "./streams-for-tests.ts";

let open: Streams | undefined;
afterEach(() => open?.drain());

let nowMs = 0;
const at = () => nowMs;

async function reading(userId: string, expMs?: number) {
  const reader = (await (open as Streams).open(follower(userId, [{ spaceId }], expMs))).getReader();
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await reader.read();
    return done ? undefined : new TextDecoder().decode(value);
  };
  expect(await next()).toStartWith("event: hello\n");
  return next;
}

test("a stream on which nothing happens has a comment every 15 seconds", async () => {
  open = streams(spaceWith([ann]).source, at);
  const next = await reading(ann);
  for (let round = 0; round < 3; round++) {
    nowMs += 15_000;
    expect(await next()).toBe(": \n\n");
  }
});

test("a stream ends with `bye` when its token expires, and others go on", async () => {
  const space = spaceWith([ann, bob]);
  open = streams(space.source, at);
  const [short, long] = [await reading(ann, nowMs + 1_000), await reading(bob, nowMs + 100_000)];
  nowMs += 1_000;
  expect([await short(), await short()]).toEqual(["event: bye\ndata: {}\n\n", undefined]);
  space.change();
  space.tell();
  expect(await long()).toContain(`id: ${spaceId}:1\n`);
});

test("a stream ends with `bye` when its credential is revoked, and others of the user go on", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, at);
  const revoked = await reading(ann);
  const other = (await open.open({ ...follower(ann, [{ spaceId }]), credential: "another" })).getReader();
  await other.read();
  open.revoke([ann]);
  expect([await revoked(), await revoked()]).toEqual(["event: bye\ndata: {}\n\n", undefined]);
  space.change();
  space.tell();
  expect(new TextDecoder().decode((await other.read()).value)).toContain(`id: ${spaceId}:1\n`);
});

test("draining ends all streams and tells each when to come back", async () => {
  open = streams(spaceWith([ann, bob]).source, at);
  const all = [await reading(ann), await reading(bob)];
  open.drain();
  for (const next of all) {
    expect(await next()).toMatch(/^retry: \d+\nevent: bye\ndata: \{\}\n\n$/);
    expect(await next()).toBeUndefined();
  }
  const late = (await open.open(follower(ann, [{ spaceId }]))).getReader();
  expect(new TextDecoder().decode((await late.read()).value)).toMatch(/^retry: \d+\nevent: bye\n/);
});

test("a fact of more than 64 KiB is told without its changes, marked as partial", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, at);
  const next = await reading(ann);
  space.change("x".repeat(70_000));
  space.tell();
  const { data = "" } = /\ndata: (?<data>.*)\n/.exec((await next()) ?? "")?.groups ?? {};
  const fact = JSON.parse(data) as { seq: number; partial?: boolean; changes?: unknown };
  expect(fact).toMatchObject({ spaceId, seq: 1, actorId: ann, partial: true });
  expect(fact).not.toHaveProperty("changes");
});

test("who catches up is not cut off, however much there is and however late it is read", async () => {
  const space = spaceWith([ann]);
  open = streams(space.source, at);
  for (let each = 0; each < 60; each++) space.change("x".repeat(60_000));
  space.tell();
  const behind = await writesOf(open, ann, 0);
  // A stream whose reader keeps up is told something new meanwhile.
  const live = await writesOf(open, ann);
  space.change();
  space.tell();
  expect(await live()).toEqual(["61"]);
  const told: string[] = [];
  while (told.length < 61) told.push(...(await behind()));
  expect(told).toEqual(Array.from({ length: 61 }, (_, each) => `${each + 1}`));
});

test("without a choice the personal space is followed, and of the others the 49 that changed last", async () => {
  const ids = Array.from({ length: 60 }, (_, each) => `space ${each}`);
  const { source } = spaceWith([ann]);
  const followed = await lastChanged(
    {
      ...source,
      memberships: () => [
        ...ids.map((id) => ({ spaceId: id, isDeleted: false })),
        { spaceId: "deleted", isDeleted: true },
        { spaceId: ann, isDeleted: false },
      ],
      head: (id) => ({
        ...{ spaceId: id, seq: 1, position: 1, isDeleted: false, members: [], projects: 0 },
        at: new Date(Date.UTC(2026, 0, 1) + ids.indexOf(id) * 1_000).toISOString(),
      }),
    },
    ann,
  );
  expect(followed.map((each) => each.spaceId).toSorted()).toEqual([ann, ...ids.slice(11)].toSorted());
});
