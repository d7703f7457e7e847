/** The stream of events (section 3.7 of the contract), on both runtimes and on servers. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectProblem, type Person, person } from "./system/client.ts";
import { type Place, placeOn, type ServerName, servers } from "./system/deployments.ts";
import { type Event, follow, names, seqs } from "./system/following.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, factsOf, join, newSpace, ok } from "./system/spaces.ts";

afterAll(cleanUp);

const waitMs = 20_000;

for (const { name, runtime, needed } of [
  { name: "events on bun", runtime: "bun", needed: [] },
  { name: "events on deno", runtime: "deno", needed: [] },
  { name: "events on servers", runtime: "bun", needed: [await servers()] },
] as const)
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let system: System;
    let place: Place | undefined;
    let ada: Person;
    let bob: Person;
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      system = await start({ runtime, env: place?.env ?? {} });
      await atWork(await person(system.url));
      [ada, bob] = await Promise.all([person(system.url), person(system.url)]);
    }, 120_000);
    afterAll(async () => {
      await system?.end("SIGTERM");
      await place?.remove();
    }, 120_000);

    test("catch up from a place and go on live, in order, without gap or repeat", async () => {
      const spaceId = await newSpace(ada);
      const path = `/v1/spaces/${spaceId}/tasks`;
      for (let made = 0; made < 5; made++) await ok(ada, 201, "POST", path, { title: `before ${made}` });
      const stream = await follow(ada, system.url, `?space=${spaceId}:2`);
      const live = await follow(ada, system.url, `?space=${spaceId}`);
      await Promise.all(Array.from({ length: 30 }, (_, made) => ok(ada, 201, "POST", path, { title: `live ${made}` })));
      const facts = await factsOf(ada, spaceId);
      const last = facts.at(-1)?.seq ?? 0;
      await poll("all facts are heard", waitMs, () => seqs(stream).at(-1) === last && seqs(live).at(-1) === last);
      expect(seqs(stream)).toEqual(facts.map(({ seq }) => seq).filter((seq) => seq > 2));
      expect(seqs(live)).toEqual(facts.map(({ seq }) => seq).filter((seq) => seq > 6));
      expect(stream.events[0]).toMatchObject({ event: "hello", data: { spaceId } });
      expect(stream.events[1]).toEqual({ event: "fact", id: `${spaceId}:3`, data: facts[2] as Event["data"] });
      const resumed = await follow(ada, system.url, "", { "last-event-id": `${spaceId}:${last - 1}` });
      await poll("the rest is heard", waitMs, () => seqs(resumed).length > 0);
      expect(seqs(resumed)).toEqual([last]);
      for (const each of [stream, live, resumed]) each.close();
    }, 60_000);

    test("tell who follows all of a new space, and who is removed that it ended for them", async () => {
      const everything = await follow(bob, system.url, "");
      await poll("it begins", waitMs, () => names(everything).includes("hello"));
      const spaceId = await newSpace(ada);
      const member = await join(spaceId, ada, bob);
      await poll("the space is joined", waitMs, () => names(everything).includes("joined"));
      await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "seen" });
      await poll("the fact is heard", waitMs, () => seqs(everything).length > 0);
      await ok(ada, 204, "DELETE", `/v1/spaces/${spaceId}/members/${member}`);
      await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "unseen" });
      await poll("it ended", waitMs, () => names(everything).includes("left"));
      const count = everything.events.length;
      await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "unseen" });
      await ok(bob, 201, "POST", "/v1/tasks", { title: "own" });
      await poll("one's own goes on", waitMs, () => everything.events.at(-1)?.data.spaceId === bob.id);
      expect(everything.events.slice(count).map(({ data }) => data.spaceId)).toEqual([bob.id]);
      expect(JSON.stringify(everything.events)).not.toContain("unseen");
      everything.close();
      const stranger = await follow(bob, system.url, `?space=${spaceId}:0`);
      await poll("it is refused", waitMs, () => names(stranger).length > 0);
      expect(names(stranger)).toEqual(["left"]);
      stranger.close();
    }, 60_000);

    test("are told anew where the client is ahead, refused where malformed, and bounded for each user", async () => {
      const ahead = await follow(ada, system.url, `?space=${ada.id}:999999`);
      await poll("it is told", waitMs, () => names(ahead).length > 0);
      expect(names(ahead)).toEqual(["resync"]);
      ahead.close();
      expectProblem(await ada.call("GET", "/v1/events?space=nonsense"), 422, "validation");
      expectProblem(
        await ada.call("GET", "/v1/events", { headers: { "last-event-id": "nonsense" } }),
        400,
        "malformed-header",
      );
      const who = await person(system.url);
      const open = await Promise.all(Array.from({ length: 20 }, () => follow(who, system.url, "")));
      const refused = await who.call("GET", "/v1/events");
      expectProblem(refused, 429, "rate-limited");
      expect(refused.headers.get("retry-after")).not.toBeNull();
      open[0]?.close();
      await poll("there is room again", waitMs, async () => {
        const again = await follow(who, system.url, "");
        again.close();
        return again.status === 200;
      });
      for (const each of open) each.close();
    }, 60_000);

    test("end with a bye when the session ends", async () => {
      const who = await person(system.url);
      const stream = await follow(who, system.url, "");
      await poll("it begins", waitMs, () => names(stream).includes("hello"));
      expect((await who.call("POST", "/v1/auth/logout")).status).toBe(204);
      await poll("it ends", waitMs, stream.isOver);
      expect(names(stream).at(-1)).toBe("bye");
    }, 60_000);

    test("end with a bye when the API token is deleted, and those of the session go on", async () => {
      const who = await person(system.url);
      const made = await who.call("POST", "/v1/auth/tokens", { body: { name: "follower" } });
      const { id, token } = made.body as { id: string; token: string };
      const byToken = { ...who, tokens: { ...who.tokens, accessToken: token } };
      const [stream, other] = [await follow(byToken, system.url, ""), await follow(who, system.url, "")];
      await poll("both begin", waitMs, () => [stream, other].every((each) => names(each).includes("hello")));
      expect((await who.call("DELETE", `/v1/auth/tokens/${id}`)).status).toBe(204);
      await poll("it ends", waitMs, stream.isOver);
      expect(names(stream).at(-1)).toBe("bye");
      await ok(who, 201, "POST", "/v1/tasks", { title: "told" });
      await poll("the other one is told", waitMs, () => seqs(other).length > 0);
      other.close();
    }, 60_000);

    test("follow several spaces at once, each from its own place, and say of each that is not theirs that it is left", async () => {
      const [first, second, foreign] = [await newSpace(ada), await newSpace(ada), await newSpace(bob)];
      const unknown = crypto.randomUUID();
      for (const spaceId of [first, second])
        for (let made = 0; made < 3; made++)
          await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "one" });
      const query = `?space=${first}:2&space=${second}:1&space=${foreign}:0&space=${unknown}`;
      // Of a space that is named twice the later place counts.
      const stream = await follow(ada, system.url, query, { "last-event-id": `${second}:3` });
      const of = (spaceId: string) => stream.events.filter(({ data }) => data.spaceId === spaceId);
      await poll(
        "all is told",
        waitMs,
        () => of(first).length === 3 && of(second).length === 2 && of(unknown).length > 0,
      );
      expect(of(first).map(({ event, data }) => [event, data.seq])).toEqual([
        ["hello", 4],
        ["fact", 3],
        ["fact", 4],
      ]);
      expect(of(second).map(({ event, data }) => [event, data.seq])).toEqual([
        ["hello", 4],
        ["fact", 4],
      ]);
      for (const spaceId of [foreign, unknown])
        expect(of(spaceId).map(({ event, data }) => ({ event, data }))).toEqual([
          { event: "left", data: { spaceId } as Event["data"] },
        ]);
      stream.close();
    }, 60_000);

    test("have the headers that let them through proxies, and are asked for with 50 spaces at most", async () => {
      const spaces = (count: number) => Array.from({ length: count }, () => `space=${crypto.randomUUID()}`).join("&");
      expectProblem(await ada.call("GET", `/v1/events?${spaces(51)}`), 422, "validation");
      const ends = new AbortController();
      const answer = await fetch(`${system.url}/v1/events?${spaces(50)}`, {
        headers: { authorization: `Bearer ${ada.tokens.accessToken}` },
        signal: ends.signal,
      });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/event-stream");
      expect(answer.headers.get("x-accel-buffering")).toBe("no");
      expect(answer.headers.get("cache-control")).toBe("private, no-cache");
      ends.abort();
    }, 60_000);
  });

test("a process that drains tells its readers when to come back", async () => {
  const system = await start();
  const who = await person(system.url);
  const stream = await follow(who, system.url, "");
  await poll("it begins", waitMs, () => names(stream).includes("hello"));
  await system.end("SIGTERM");
  await poll("it ends", waitMs, stream.isOver);
  expect(names(stream).at(-1)).toBe("bye");
}, 60_000);
