/** What happened at another process counts in those of `task`: on streams that are open, and after a process stood still. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { call, expectProblem, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { follow, names } from "../system/following.ts";
import { type Crew, crew, type Member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

const waitMs = 60_000;

for (const hasRedis of [true, false])
  describeWith(
    `what happened at another process, ${hasRedis ? "told by Redis" : "without Redis"}`,
    [await servers()],
    (urls) => {
      let place: Place;
      let system: Crew;
      let task: Member;
      let other: Member;

      beforeAll(async () => {
        place = await placeOn(urls, [
          "DATABASE_URL",
          "MONGO_URL",
          "KAFKA_BROKERS",
          ...(hasRedis ? ["REDIS_URL" as const] : []),
        ]);
        system = await crew(place.env, { task: 2, consumer: 1 });
        [task, other] = system.tasks as [Member, Member];
      }, 180_000);
      afterAll(async () => {
        await system?.end();
        await cleanUp();
        await place?.remove();
      }, 120_000);

      test("a stream ends with a bye when its session does, and the others of the user go on", async () => {
        const ada = await person(task.url);
        const again = await call<{ accessToken: string }>(task.url, "POST", "/v1/auth/login", {
          body: { email: ada.email, password: ada.password },
        });
        const also = { ...ada, tokens: { ...ada.tokens, accessToken: again.body.accessToken } };
        const [ending, going] = [await follow(ada, task.url, ""), await follow(also, task.url, "")];
        await poll("both begin", waitMs, () => [ending, going].every((each) => names(each).includes("hello")));
        expect((await call(system.auth.url, "POST", "/v1/auth/logout", { token: ada.tokens.accessToken })).status).toBe(
          204,
        );
        await poll("it ends", waitMs, ending.isOver);
        expect(names(ending).at(-1)).toBe("bye");
        expect(going.isOver()).toBe(false);
        going.close();
      }, 120_000);

      test("a process that stood still learns who has signed out meanwhile before it believes a token", async () => {
        const [ada, ben] = [await person(task.url), await person(task.url)];
        const read = (token: string) => call(task.url, "GET", "/v1/tasks", { token });
        for (const { tokens } of [ada, ben]) expect((await read(tokens.accessToken)).status).toBe(200);
        task.send("SIGSTOP");
        const signedOutMs = performance.now();
        expect((await call(system.auth.url, "POST", "/v1/auth/logout", { token: ada.tokens.accessToken })).status).toBe(
          204,
        );
        await poll("a second has passed", waitMs, () => performance.now() - signedOutMs > 1_100);
        const answers = [ada, ben, ada].map(({ tokens }) => read(tokens.accessToken));
        // They wait at its door.
        await poll("they have been sent", waitMs, () => performance.now() - signedOutMs > 1_300);
        task.send("SIGCONT");
        const [first, living, last] = await Promise.all(answers);
        for (const each of [first, last]) expectProblem(each as never, 401, "unauthenticated");
        expect(living?.status).toBe(200);
      }, 120_000);

      test("a process that stood still for long has what was written elsewhere meanwhile, though nobody expected it back", async () => {
        const ada = await person(task.url);
        const token = ada.tokens.accessToken;
        const { body } = await call<{ id: string }>(task.url, "POST", "/v1/tasks", { token, body: { title: "old" } });
        const path = `/v1/tasks/${body.id}`;
        expect((await call(task.url, "GET", path, { token })).status).toBe(200);
        task.send("SIGSTOP");
        const haltedMs = performance.now();
        // By then the other one takes itself for the only process, and leaves no word for others.
        await poll("it counts as gone", waitMs, () => performance.now() - haltedMs > 8_000);
        const changed = await call(other.url, "PATCH", path, { token, body: { title: "new" } });
        expect(changed.status).toBe(200);
        // Without Redis other processes know of one's writes by their token alone.
        const headers = hasRedis ? {} : { "consistency-token": changed.headers.get("consistency-token") ?? "" };
        const reading = call<{ title: string }>(task.url, "GET", path, { token, headers });
        const sentMs = performance.now();
        await poll("it has been sent", waitMs, () => performance.now() - sentMs > 200);
        task.send("SIGCONT");
        const read = await reading;
        expect([read.body.title, read.headers.get("consistency")]).toEqual(["new", null]);
      }, 120_000);
    },
  );
