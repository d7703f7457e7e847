/** Retry safety: one key, one effect, one answer, through refusals, restarts and kills. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type CallOptions,
  call,
  createTask,
  expectProblem,
  historyOf,
  inParallel,
  type Person,
  type ProblemBody,
  person,
  type Reply,
  type Task,
  walk,
} from "./system/client.ts";
import { cleanUp, freePort, type System, start, temporaryFolder } from "./system/server.ts";

afterAll(cleanUp);

const dataDir = `${temporaryFolder()}/data`;
let ports: [number, number];
let system: System;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  ports = [await freePort(), await freePort()];
  system = await start({ dataDir, ports });
  [ada, bob] = await Promise.all([person(system.url), person(system.url)]);
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

let keys = 0;
const newKey = (): string => `key ${(keys += 1)}!`.replaceAll(" ", "-");

async function send<Body = Task>(
  method: string,
  path: string,
  key: string,
  body?: unknown,
  more: CallOptions = {},
  who = ada,
): Promise<Reply<Body>> {
  return who.call<Body>(method, path, {
    ...(body === undefined ? {} : { body }),
    ...more,
    headers: { "idempotency-key": key, ...more.headers },
  });
}

/** The second answer is the first again, and says so. */
function expectReplay(again: Reply, first: Reply): void {
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(again.status, again.text).toBe(first.status);
  if (first.status >= 400) {
    const [one, other] = [first.body as ProblemBody, again.body as ProblemBody];
    expect({ ...other, requestId: "" }).toEqual({ ...one, requestId: "" });
  } else expect(again.text).toBe(first.text);
  for (const header of ["etag", "location", "content-type"])
    expect(again.headers.get(header), header).toBe(first.headers.get(header));
  expect(again.headers.get("consistency-token") === null).toBe(first.headers.get("consistency-token") === null);
}

test("a create sent again is the same task, whatever happened to it since", async () => {
  const key = newKey();
  const first = await send("POST", "/v1/tasks", key, { title: "once", labels: ["a", "b"] });
  expect(first.status).toBe(201);
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  expectReplay(await send("POST", "/v1/tasks", key, { title: "once", labels: ["a", "b"] }), first);
  await ada.call("PATCH", `/v1/tasks/${first.body.id}`, { body: { title: "changed" } });
  expectReplay(await send("POST", "/v1/tasks", key, { title: "once", labels: ["a", "b"] }), first);
  await ada.call("DELETE", `/v1/tasks/${first.body.id}`);
  expectReplay(await send("POST", "/v1/tasks", key, { title: "once", labels: ["a", "b"] }), first);
  expect((await historyOf(ada, first.body.id)).map(({ kind }) => kind)).toEqual(["deleted", "changed", "created"]);
});

test("a change sent again tells the column that it told first, though the project has lost it since", async () => {
  type Project = { id: string; columns: { id: string; name: string; status: string }[] };
  const { id: projectId, columns } = (await ada.call<Project>("POST", "/v1/projects", { body: { name: "P" } })).body;
  const [todo, doing, done] = columns;
  const body = { title: "placed", projectId, columnId: doing?.id };
  const changes = [{ type: "task", kind: "create", body }];
  const requests = [
    ["/v1/tasks", body],
    ["/v1/batch", { changes }],
  ] as const;
  const firsts: [string, Reply<Task>][] = [];
  for (const [path, asked] of requests) {
    const key = newKey();
    firsts.push([key, await send("POST", path, key, asked)]);
  }
  const other = { id: crypto.randomUUID(), name: "Other", status: "in_progress" };
  await ada.call("PATCH", `/v1/projects/${projectId}`, {
    body: { columns: [todo, other, done] },
    headers: { "if-match": "*" },
  });
  const [one] = firsts;
  expect((await ada.call<Task>("GET", `/v1/tasks/${one?.[1].body.id}`)).body.columnId).toBe(other.id);
  for (const [at, [path, asked]] of requests.entries()) {
    const [key = "", first] = firsts[at] ?? [];
    expectReplay(await send("POST", path, key, asked), first as Reply);
  }
});

test("the JSON value counts, not its spelling; path aliases count as one path", async () => {
  const key = newKey();
  const first = await send("POST", "/v1/tasks", key, undefined, { raw: '{"title":"é","labels":["x"]}' });
  expect(first.status).toBe(201);
  expectReplay(
    await send("POST", "/tasks/", key, undefined, { raw: ' {"labels" : ["x"],\n"title":"\\u00e9"} ' }),
    first,
  );
});

test("another request under the key is 422, and has no effect", async () => {
  const key = newKey();
  const first = await send("POST", "/v1/tasks", key, { title: "one" });
  const other = await createTask(ada, { title: "other" });
  for (const [method, path, body] of [
    ["POST", "/v1/tasks", { title: "two" }],
    ["POST", "/v1/tasks", { title: "one", labels: [] }],
    ["PATCH", `/v1/tasks/${first.body.id}`, { title: "one" }],
    ["PUT", `/v1/tasks/${other.id}`, { title: "one" }],
    ["DELETE", `/v1/tasks/${other.id}`, undefined],
  ] as const) {
    const reply = await send(method, path, key, body);
    expectProblem(reply, 422, "idempotency-mismatch");
  }
  expect((await ada.call("GET", `/v1/tasks/${other.id}`)).text).toBe(JSON.stringify(other));
  expect((await ada.call("GET", `/v1/tasks/${first.body.id}`)).text).toBe(first.text);
  expectReplay(await send("POST", "/v1/tasks", key, { title: "one" }), first);
});

test("the same key of two users are two keys", async () => {
  const key = newKey();
  const [hers, his] = [
    await send("POST", "/v1/tasks", key, { title: "x" }),
    await send("POST", "/v1/tasks", key, { title: "x" }, {}, bob),
  ];
  expect([hers.status, his.status]).toEqual([201, 201]);
  expect(hers.body.id).not.toBe(his.body.id);
  expect(his.body.creatorId).toBe(bob.id);
  expect(his.headers.get("idempotency-replayed")).toBeNull();
});

test("each kind of change takes effect once", async () => {
  const task = await createTask(ada, { title: "many" });
  const path = `/v1/tasks/${task.id}`;
  const steps: [string, unknown][] = [
    ["PATCH", { status: "done" }],
    ["PUT", { title: "put" }],
    ["PATCH", {}],
    ["DELETE", undefined],
  ];
  const done: [string, unknown, string, Reply][] = [];
  for (const [method, body] of steps) {
    const key = newKey();
    const first = await send(method, path, key, body);
    expect(first.status, first.text).toBeLessThan(300);
    done.push([method, body, key, first]);
    for (const [again, sent, used, answer] of done) expectReplay(await send(again, path, used, sent), answer);
  }
  expect((await historyOf(ada, task.id)).map(({ version }) => version)).toEqual([4, 3, 2, 1]);
});

test("refusals are kept: 404, 409 or 412 again, though the cause has gone", async () => {
  const id = crypto.randomUUID();
  const path = `/v1/tasks/${id}`;
  const [patchKey, putKey, deleteKey, staleKey] = [newKey(), newKey(), newKey(), newKey()];
  const patch = await send("PATCH", path, patchKey, { title: "late" });
  const put = await send("PUT", path, putKey, { title: "late" });
  const gone = await send("DELETE", path, deleteKey);
  for (const reply of [patch, put, gone]) expectProblem(reply, 404, "not-found");
  expect((await ada.call("PUT", path, { body: { title: "now" }, headers: { "if-none-match": "*" } })).status).toBe(201);
  const stale = await send("PATCH", path, staleKey, { title: "two" }, { headers: { "if-match": '"2"' } });
  expectProblem(stale, 412, "version-mismatch");
  expect((await ada.call("PATCH", path, { body: { title: "second" } })).status).toBe(200);
  expectReplay(await send("PATCH", path, patchKey, { title: "late" }), patch);
  expectReplay(await send("PUT", path, putKey, { title: "late" }), put);
  expectReplay(await send("DELETE", path, deleteKey), gone);
  expectReplay(await send("PATCH", path, staleKey, { title: "two" }, { headers: { "if-match": '"2"' } }), stale);
  expect((await ada.call<Task>("GET", path)).body).toMatchObject({ title: "second", version: 2 });
});

test("someone else's task under a key is 404, as a missing one, and stays so", async () => {
  const task = await createTask(bob);
  const key = newKey();
  const first = await send("PATCH", `/v1/tasks/${task.id}`, key, { title: "mine" });
  expectProblem(first, 404, "not-found");
  expectReplay(await send("PATCH", `/v1/tasks/${task.id}`, key, { title: "mine" }), first);
  expect((await bob.call("GET", `/v1/tasks/${task.id}`)).text).toBe(JSON.stringify(task));
});

test("answers given before the log are not kept", async () => {
  const key = newKey();
  expectProblem(await send("POST", "/v1/tasks", key, { title: "" }), 422, "validation");
  expectProblem(await send("POST", "/v1/tasks", key, undefined, { raw: "{" }), 400, "malformed-json");
  expectProblem(await send("POST", "/v1/tasks", key, { title: "x" }, { token: "none" }), 401, "unauthenticated");
  const first = await send("POST", "/v1/tasks", key, { title: "x" });
  expect(first.status).toBe(201);
  expect(first.headers.get("idempotency-replayed")).toBeNull();
});

test("a PUT that makes a task, sent again, is 201 again", async () => {
  const path = `/v1/tasks/${crypto.randomUUID()}`;
  const key = newKey();
  const first = await send("PUT", path, key, { title: "x" }, { headers: { "if-none-match": "*" } });
  expect(first.status).toBe(201);
  expectReplay(await send("PUT", path, key, { title: "x" }, { headers: { "if-none-match": "*" } }), first);
});

test("a PUT sent again is answered as the first, whether or not it would make a task now", async () => {
  const [path, key] = [`/v1/tasks/${crypto.randomUUID()}`, newKey()];
  const making = { headers: { "if-none-match": "*" } };
  const made = await send("PUT", path, key, { title: "x" }, making);
  expect([made.status, made.headers.get("location")]).toEqual([201, path]);
  expectReplay(await send("PUT", path, key, { title: "x" }), made);

  const another = newKey();
  const replaced = await send("PUT", path, another, { title: "x" });
  expect([replaced.status, replaced.headers.get("location"), replaced.headers.get("etag")]).toEqual([200, null, '"1"']);
  expectReplay(await send("PUT", path, another, { title: "x" }, making), replaced);
});

test("200 at once with one key make one task", async () => {
  const who = await person(system.url);
  const key = newKey();
  const replies: Reply<Task>[] = [];
  await inParallel(200, 200, async () => {
    replies.push(await send("POST", "/v1/tasks", key, { title: "one of 200" }, {}, who));
  });
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(replies.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
  expect(await walk(who, "")).toHaveLength(1);
});

test("100 at once with one key and two bodies: one wins, the others are told", async () => {
  const who = await person(system.url);
  const key = newKey();
  const replies: Reply<Task>[] = [];
  await inParallel(100, 100, async (index) => {
    replies.push(await send("POST", "/v1/tasks", key, { title: index % 2 === 0 ? "even" : "odd" }, {}, who));
  });
  const [only, ...more] = await walk(who, "");
  expect(more).toEqual([]);
  for (const reply of replies) {
    if (reply.status === 201) expect(reply.body).toEqual(only as Task);
    else expectProblem(reply, 422, "idempotency-mismatch");
  }
  expect(replies.filter(({ status }) => status === 201)).toHaveLength(50);
});

test("keys outlive kill -9 and an orderly restart", async () => {
  const key = newKey();
  const refusedKey = newKey();
  const first = await send("POST", "/v1/tasks", key, { title: "for ever" });
  const changeKey = newKey();
  const change = await send("PATCH", `/v1/tasks/${first.body.id}`, changeKey, { status: "in_progress" });
  const refused = await send("DELETE", `/v1/tasks/${crypto.randomUUID()}`, refusedKey);
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await system.end(signal);
    system = await start({ dataDir, ports });
    expectReplay(await send("POST", "/v1/tasks", key, { title: "for ever" }), first);
    expectReplay(await send("PATCH", `/v1/tasks/${first.body.id}`, changeKey, { status: "in_progress" }), change);
    expectReplay(await send("DELETE", (refused.body as unknown as ProblemBody).instance, refusedKey), refused);
    expect((await ada.call<Task>("GET", `/v1/tasks/${first.body.id}`)).body.version).toBe(2);
  }
}, 120_000);

test("routes other than tasks check the key's form and ignore the key", async () => {
  const headers = { "idempotency-key": newKey() };
  const login = (extra: Record<string, string>, password = ada.password): Promise<Reply> =>
    call(system.url, "POST", "/v1/auth/login", { body: { email: ada.email, password }, headers: extra });
  expect([(await login(headers)).status, (await login(headers, "another one")).status]).toEqual([200, 401]);
  expectProblem(await login({ "idempotency-key": "a b" }), 400, "malformed-header");
});
