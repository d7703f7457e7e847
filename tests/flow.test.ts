/**
 * The path that the README promises, however the system stands and on both runtimes: the same answers, byte for byte but for ids, tokens and
 * instants. `TRACKER_URL` names a further system to ask.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { call, type Reply, type Task, type Tokens } from "./system/client.ts";
import {
  allServers,
  apart,
  type Deployment,
  oneProcess,
  type Place,
  placeOn,
  type ServerName,
  servers,
} from "./system/deployments.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type Runtime } from "./system/server.ts";
import { describeWith } from "./system/services.ts";

afterAll(cleanUp);

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const jwt = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;

/** The answer with what no test can know replaced. */
function plain(reply: Reply): string {
  const text = reply.text
    .replace(jwt, "JWT")
    .replace(/"exp":\d+/, '"exp":EXP')
    .replace(/Ada\.[0-9a-f]{8}@/, "Ada.WHO@")
    .replace(/"refreshToken":"[^"]+"/, '"refreshToken":"REFRESH"')
    .replace(/"rank":"[^"]+"/g, '"rank":"RANK"')
    .replace(/"rank":\{"from":null,"to":"[^"]+"\}/g, '"rank":{"from":null,"to":"RANK"}')
    .replace(/"requestId":"[^"]+"/, '"requestId":"REQUEST"');
  return `${reply.status} ${text.replace(instant, "INSTANT").replace(id, "ID")}`.trim();
}

/** All answers of each way, in order, for the comparison at the end. */
const transcripts = new Map<string, string[]>();
const given = await servers();

const isOneProcess = (runtime: Runtime, without: readonly ServerName[]) => async (place: Place | undefined) =>
  oneProcess(runtime, without.length === allServers.length ? {} : place?.env);
const ways: {
  name: string;
  without: readonly ServerName[];
  begin: (place: Place | undefined) => Promise<Deployment>;
}[] = [
  { name: "in one process on bun", without: allServers, begin: isOneProcess("bun", allServers) },
  { name: "in one process on deno", without: allServers, begin: isOneProcess("deno", allServers) },
  ...[[], ["REDIS_URL"], ["DATABASE_URL"], ["REDIS_URL", "DATABASE_URL"]].map((without) => ({
    name: `in one process on its servers${without.length === 0 ? "" : ` but ${without.join(" and ")}`}`,
    without: without as ServerName[],
    begin: isOneProcess("bun", without as ServerName[]),
  })),
  { name: "in five processes on bun", without: [], begin: async (place) => apart("bun", place?.env ?? {}) },
  {
    name: "in three processes on deno",
    without: [],
    begin: async (place) => apart("deno", place?.env ?? {}, { task: 1, consumer: 1 }),
  },
];

// A system that stands already (docker compose, for one) is asked too where it is named; its admin ports are its own.
const standing = process.env.TRACKER_URL;
if (standing !== undefined)
  ways.push({
    name: `at ${standing}`,
    without: allServers,
    begin: async () => ({ urls: [standing], processes: [], end: async () => [0] }),
  });

for (const { name, without, begin } of ways) {
  const needed = without.length === allServers.length ? [] : [given];
  describeWith(`the flow ${name}`, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let deployment: Deployment;
    let place: Place | undefined;
    let tokens: Tokens;
    let task: Task;
    let calls = 0;
    const email = `Ada.${crypto.randomUUID().slice(0, 8)}@Example.com`;
    const secret = "a long enough phrase";
    const transcript: string[] = [];
    transcripts.set(name, transcript);
    const ask = async <Body = unknown>(...[method, path, options]: [string, string, Parameters<typeof call>[3]]) => {
      // Whoever of several answers, it is one system.
      const url = deployment.urls[calls++ % deployment.urls.length] ?? deployment.urls[0];
      const reply = await call<Body>(url, method, path, options);
      transcript.push(`${method} ${path.replace(id, "ID")}: ${plain(reply)}`);
      return reply;
    };
    const send = <Body = unknown>(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<Reply<Body>> =>
      ask<Body>(method, path, {
        ...(body === undefined ? {} : { body }),
        headers,
        token: tokens?.accessToken ?? "none",
      });

    beforeAll(async () => {
      const on = allServers.filter((each) => !without.includes(each));
      place = urls === undefined ? undefined : await placeOn(urls, on);
      deployment = await begin(place);
    }, 120_000);
    afterAll(async () => {
      expect(new Set(await deployment?.end())).toEqual(new Set([0]));
      await place?.remove();
    }, 120_000);

    test("register answers 201 with tokens and the user", async () => {
      const reply = await ask<Tokens>("POST", "/v1/auth/register", {
        body: { email, password: secret, name: "Ada" },
      });
      expect(plain(reply)).toBe(
        `201 {"accessToken":"JWT","tokenType":"Bearer","expiresIn":600,"refreshToken":"REFRESH","user":{"id":"ID","email":"Ada.WHO@Example.com","name":"Ada","createdAt":"INSTANT"}}`,
      );
      expect(reply.headers.get("cache-control")).toBe("no-store");
    });

    test("a second registration of the address in other letters is 409", async () => {
      const reply = await ask("POST", "/v1/auth/register", {
        body: { email: email.toUpperCase(), password: secret },
      });
      expect(reply.status).toBe(409);
      expect(reply.body).toMatchObject({ code: "email-taken" });
    });

    test("login answers 200 with tokens that work", async () => {
      const reply = await ask<Tokens>("POST", "/v1/auth/login", {
        body: { email: email.toLowerCase(), password: secret },
      });
      expect(plain(reply)).toBe(
        `200 {"accessToken":"JWT","tokenType":"Bearer","expiresIn":600,"refreshToken":"REFRESH","user":{"id":"ID","email":"Ada.WHO@Example.com","name":"Ada","createdAt":"INSTANT"}}`,
      );
      tokens = reply.body;
      expect(plain(await send("GET", "/v1/auth/me"))).toBe(
        `200 {"id":"ID","email":"Ada.WHO@Example.com","name":"Ada","createdAt":"INSTANT"}`,
      );
    });

    test("login with a wrong password and with an unknown address answer alike", async () => {
      const wrong = await ask("POST", "/v1/auth/login", { body: { email, password: "not the phrase" } });
      const unknown = await ask("POST", "/v1/auth/login", {
        body: { email: "nobody@example.com", password: secret },
      });
      expect(wrong.status).toBe(401);
      expect(plain(wrong)).toBe(plain(unknown));
      expect(wrong.body).toMatchObject({ code: "invalid-credentials" });
    });

    test("create answers 201 with the task, its address, version and token", async () => {
      const reply = await send<Task>("POST", "/v1/tasks", {
        title: "Buy milk",
        labels: ["home"],
        dueAt: "2030-01-02T03:04:05.6789+02:00",
      });
      task = reply.body;
      expect(plain(reply)).toBe(
        '201 {"id":"ID","spaceId":"ID","title":"Buy milk","description":"","status":"todo","priority":"none","labels":["home"],"due":{"date":"2030-01-02","time":"01:04:05.678","timeZone":"UTC"},"dueAt":"INSTANT","projectId":null,"columnId":null,"parentId":null,"assigneeIds":[],"estimateMinutes":null,"rank":"RANK","completedAt":null,"creatorId":"ID","version":1,"createdAt":"INSTANT","updatedAt":"INSTANT"}',
      );
      expect(["2030-01-02T01:04:05.678Z", "2030-01-02T01:04:05.679Z"]).toContain(task.dueAt ?? "");
      expect(task.creatorId).toBe(tokens.user.id);
      expect(task.createdAt).toBe(task.updatedAt);
      expect(task.id[14]).toBe("7");
      expect(reply.headers.get("location")).toBe(`/v1/tasks/${task.id}`);
      expect(reply.headers.get("etag")).toBe('"1"');
      expect(reply.headers.get("consistency-token")).not.toBeNull();
      expect(reply.headers.get("content-type")?.split(";")[0]).toBe("application/json");
    });

    test("read answers the very bytes of create, 304 to its tag, and HEAD without a body", async () => {
      const reply = await send("GET", `/v1/tasks/${task.id}`);
      expect(reply.status).toBe(200);
      expect(reply.text).toBe(JSON.stringify(task));
      expect(reply.headers.get("etag")).toBe('"1"');
      expect(reply.headers.get("cache-control")).toBe("private, no-cache");
      const same = await send("GET", `/v1/tasks/${task.id}`, undefined, { "if-none-match": '"1"' });
      expect([same.status, same.text, same.headers.get("etag")]).toEqual([304, "", '"1"']);
      const head = await send("HEAD", `/v1/tasks/${task.id}`);
      expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", '"1"']);
    });

    test("change answers 200 with the next version and nothing else touched", async () => {
      const reply = await send<Task>(
        "PATCH",
        `/v1/tasks/${task.id}`,
        { status: "done" },
        { "content-type": "application/merge-patch+json" },
      );
      expect(reply.status).toBe(200);
      const { updatedAt } = reply.body;
      expect(reply.body).toEqual({ ...task, status: "done", completedAt: updatedAt, version: 2, updatedAt });
      expect(updatedAt >= task.updatedAt).toBe(true);
      expect(reply.headers.get("etag")).toBe('"2"');
      task = reply.body;
      const put = await send<Task>("PUT", `/v1/tasks/${task.id}`, { title: "Buy oat milk" });
      expect(put.body).toEqual({
        ...task,
        title: "Buy oat milk",
        labels: [],
        ...("due" in task ? { due: null } : {}),
        dueAt: null,
        status: "todo",
        completedAt: null,
        version: 3,
        updatedAt: put.body.updatedAt,
      });
      task = put.body;
    });

    test("list answers the task as it is", async () => {
      const reply = await send("GET", "/v1/tasks");
      expect(reply.text).toBe(`{"items":[${JSON.stringify(task)}],"nextCursor":null}`);
      expect(reply.headers.get("cache-control")).toBe("private, no-cache");
    });

    test("delete answers 204, then 404 and an empty list", async () => {
      const gone = await send("DELETE", `/v1/tasks/${task.id}`);
      expect([gone.status, gone.text]).toEqual([204, ""]);
      expect(gone.headers.get("consistency-token")).not.toBeNull();
      const missing = await send("GET", `/v1/tasks/${task.id}`);
      expect(missing.status).toBe(404);
      expect(missing.body).toMatchObject({ code: "not-found" });
      expect((await send("GET", "/v1/tasks")).text).toBe('{"items":[],"nextCursor":null}');
      expect((await send("DELETE", `/v1/tasks/${task.id}`)).status).toBe(404);
    });

    test("the history tells what happened, newest first", async () => {
      const reply = await send<{ items: { version: number; kind: string; actorId: string }[] }>(
        "GET",
        `/v1/tasks/${task.id}/history`,
      );
      expect(reply.status).toBe(200);
      expect(reply.body.items.map(({ version, kind }) => [version, kind])).toEqual([
        [4, "deleted"],
        [3, "changed"],
        [2, "changed"],
        [1, "created"],
      ]);
      expect(new Set(reply.body.items.map(({ actorId }) => actorId))).toEqual(new Set([tokens.user.id]));
    });

    test("refresh turns the session on, logout ends it within a second", async () => {
      const fresh = await ask<Tokens>("POST", "/v1/auth/refresh", {
        body: { refreshToken: tokens.refreshToken },
      });
      expect(fresh.status).toBe(200);
      tokens = fresh.body;
      expect((await ask("POST", "/v1/auth/verify", { body: { token: tokens.accessToken } })).body).toMatchObject({
        active: true,
        sub: tokens.user.id,
      });
      const out = await send("POST", "/v1/auth/logout");
      expect([out.status, out.text]).toEqual([204, ""]);
      const { accessToken: token } = tokens;
      for (const url of deployment.urls)
        await poll(
          "the token is refused",
          15_000,
          async () => (await call(url, "GET", "/v1/tasks", { token })).status === 401,
        );
      const refused = await send("GET", "/v1/tasks");
      expect(refused.status).toBe(401);
      expect(refused.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
      expect(
        (await ask("POST", "/v1/auth/refresh", { body: { refreshToken: tokens.refreshToken } })).body,
      ).toMatchObject({ code: "unauthenticated" });
      expect((await ask("POST", "/v1/auth/verify", { body: { token: tokens.accessToken } })).body).toEqual({
        active: false,
      });
    });

    test("an erased account is gone at once, its address is free, and its tasks go", async () => {
      const account = { email, password: secret };
      tokens = (await ask<Tokens>("POST", "/v1/auth/login", { body: account })).body;
      const { id: last } = (await send<Task>("POST", "/v1/tasks", { title: "Buy nothing" })).body;
      const refused = await send("DELETE", "/v1/auth/me", { currentPassword: "not the phrase" });
      expect([refused.status, refused.body]).toMatchObject([401, { code: "invalid-credentials" }]);
      const gone = await send("DELETE", "/v1/auth/me", { currentPassword: secret });
      expect([gone.status, gone.text]).toEqual([204, ""]);
      expect((await ask("POST", "/v1/auth/login", { body: account })).status).toBe(401);
      const { user } = tokens;
      const anew = await ask<Tokens>("POST", "/v1/auth/register", { body: account });
      expect(anew.status).toBe(201);
      tokens = anew.body;
      expect((await send("GET", "/v1/tasks")).text).toBe('{"items":[],"nextCursor":null}');
      expect((await send("GET", `/v1/tasks/${last}`)).status).toBe(404);
      const { MONGO_URL: url } = place?.env ?? {};
      if (url === undefined) return;
      const mongo = new MongoClient(url);
      const [documents, facts] = [mongo.db().collection("documents"), mongo.db().collection("facts")];
      await poll("nothing is left of it in MongoDB", 60_000, async () => {
        const kept = await facts.find({ space: user.id }).toArray();
        const left = await documents.countDocuments({ space: user.id, text: { $ne: "" } });
        return kept.length > 0 && left === 0 && kept.every(({ json }) => !json.includes("title"));
      });
      await mongo.close();
    });

    test("the process tells of itself on the admin port only", async () => {
      for (const { admin } of deployment.processes) {
        for (const path of ["/livez", "/readyz", "/metrics", "/tree"]) {
          const inside = await fetch(admin + path);
          expect([path, inside.status]).toEqual([path, 200]);
          await inside.text();
          expect([path, (await call(deployment.urls[0], "GET", path)).status]).toEqual([path, 404]);
        }
      }
      if (deployment.processes.length === 0) return;
      const trees = deployment.processes.map(async ({ admin }) => (await fetch(`${admin}/tree`)).text());
      const all = (await Promise.all(trees)).join();
      for (const role of ["auth", "task", "consumer"]) expect(all).toContain(`"${role}"`);
      expect((await call(deployment.urls[0], "GET", "/health")).status).toBe(200);
      expect((await call(deployment.urls[0], "GET", "/docs")).text.toLowerCase()).toContain("<!doctype html>");
    });
  });
}

test("all ways gave the same answers", () => {
  const [first, ...others] = [...transcripts].filter(([, transcript]) => transcript.length > 0);
  if (first === undefined) return;
  expect(first[1].length).toBeGreaterThan(20);
  for (const [name, transcript] of others) expect([name, transcript]).toEqual([name, first[1]]);
});
