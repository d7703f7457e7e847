/** When a member is removed from a space, their streams of it end with `left`, on every process, and nothing brings them back. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Person, person } from "./system/client.ts";
import {
  apart,
  type Deployment,
  oneProcess,
  type Place,
  placeOn,
  type ServerName,
  servers,
} from "./system/deployments.ts";
import { type Following, follow, names } from "./system/following.ts";
import { poll } from "./system/poll.ts";
import { cleanUp } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, join, newSpace, ok } from "./system/spaces.ts";

afterAll(cleanUp);

const deadlineMs = 300_000;
const waitMs = 30_000;
/** Promised is one second: what a busy machine takes beyond it is not what is tested here. */
const leftMs = 15_000;

for (const { name, needed } of [
  { name: "removed on one process", needed: [] },
  { name: "removed on several processes", needed: [await servers()] },
])
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let deployment: Deployment;
    let place: Place | undefined;
    let ada: Person;
    let bob: Person;
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      deployment = place === undefined ? await oneProcess("bun") : await apart("bun", place.env);
      await atWork(await person(deployment.urls[0]));
      [ada, bob] = await Promise.all([person(deployment.urls[0]), person(deployment.urls[0])]);
    }, deadlineMs);
    afterAll(async () => {
      await deployment?.end();
      await place?.remove();
    }, deadlineMs);

    test("the last event of the space on every stream is `left`, whatever is resumed afterwards", async () => {
      if (place !== undefined) expect(deployment.urls.length).toBeGreaterThan(1);
      const spaceId = await newSpace(ada);
      const member = await join(spaceId, ada, bob);
      const path = `/v1/spaces/${spaceId}`;
      await ok(ada, 201, "POST", `${path}/tasks`, { title: "seen" });

      const resumptions = [
        { query: `?space=${spaceId}` },
        { query: `?space=${spaceId}:0` },
        { query: "", headers: { "last-event-id": `${spaceId}:2` } },
        { query: `?space=me&space=${spaceId}:1`, headers: { "last-event-id": `${spaceId}:2` } },
      ];
      const everywhere = (ways: { query: string; headers?: Record<string, string> }[]): Promise<Following[]> =>
        Promise.all(
          deployment.urls.flatMap((url) => ways.map(({ query, headers }) => follow(bob, url, query, headers))),
        );
      const ofSpace = ({ events }: Following) => events.filter(({ data }) => data.spaceId === spaceId);
      const live = await everywhere([{ query: "" }, ...resumptions]);
      await poll("all streams have begun", waitMs, () =>
        live.every((each) => ofSpace(each).some(({ event }) => event === "hello")),
      );

      await ok(ada, 204, "DELETE", `${path}/members/${member}`);
      const removedMs = performance.now();
      await poll("all streams tell it", waitMs, () => live.every((each) => names(each).includes("left")));
      expect(performance.now() - removedMs).toBeLessThan(leftMs);

      const resumed = await everywhere(resumptions);
      for (let each = 0; each < 5; each++) await ok(ada, 201, "POST", `${path}/tasks`, { title: "unseen" });
      await ok(bob, 201, "POST", "/v1/tasks", { title: "own" });
      const isOwn = ({ events }: Following) =>
        events.some(({ event, data }) => event === "fact" && data.spaceId === bob.id);
      const followsOwn = live.filter((_, index) => index % (resumptions.length + 1) === 0);
      await poll("the streams go on", waitMs, () => followsOwn.every(isOwn));
      await poll("no resumed stream begins", waitMs, () => resumed.every((each) => ofSpace(each).length > 0));

      for (const each of live) expect(ofSpace(each).at(-1)?.event).toBe("left");
      for (const each of resumed) expect(ofSpace(each).map(({ event }) => event)).toEqual(["left"]);
      expect(JSON.stringify([...live, ...resumed].map(({ events }) => events))).not.toContain("unseen");
      for (const each of [...live, ...resumed]) each.close();
    }, 120_000);
  });
