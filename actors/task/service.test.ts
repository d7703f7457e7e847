import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apply } from "../consumer/apply.ts";
import { userA, userB } from "../consumer/commands-for-tests.ts";
import { openDatabase } from "../consumer/database.ts";
import { mailboxSource } from "../consumer/source-mailbox.ts";
import { sqliteStore } from "../consumer/store-sqlite.ts";
import { edge } from "../http/app.ts";
import type { Outcome } from "../model/command.ts";
import { generations, generationsBytes } from "../model/generations.ts";
import { Problem } from "../model/problem.ts";
import type { Task } from "../model/task.ts";
import { latestInSqlite } from "./latest-sqlite.ts";
import { sqliteReads } from "./reads-sqlite.ts";
import { taskRoutes } from "./routes.ts";
import { taskService } from "./service.ts";

// The whole role but for its threads: the edge, the routes, the service, the writer's own code as the log, and the read model.
const dir = mkdtempSync(join(tmpdir(), "service-"));
const db = openDatabase(dir);
const store = sqliteStore(db);
const source = mailboxSource(store.end());
const reads = sqliteReads(dir);
let nowMs = Date.UTC(2026, 0, 31, 9, 30);
const log = {
  append: async (command: Parameters<typeof source.deliveries>[0][number]) => {
    const [outcome] = (await apply(store, source.deliveries([command]))) as [Outcome];
    counted.changed(command.taskId);
    return { position: outcome.position, outcome };
  },
};
const now = () => nowMs;
const counted = generations(new SharedArrayBuffer(generationsBytes));
const latest = latestInSqlite({ reads, generations: counted, now });
const app = edge(taskRoutes(taskService({ log, reads, latest, now })), {
  authenticate: (authorization) => {
    if (authorization !== userA && authorization !== userB) throw new Problem("unauthenticated");
    return { userId: authorization, sessionId: "s", scopes: [], limits: {} };
  },
  onFailure: (failure) => {
    throw failure;
  },
});
afterAll(() => {
  reads.close();
  db.close();
  rmSync(dir, { recursive: true });
});

type Sent = { status: number; headers: Headers; text: string; task: Task; body: Record<string, unknown> };
async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  user = userA,
): Promise<Sent> {
  const json = body === undefined ? null : JSON.stringify(body);
  const type: Record<string, string> =
    json === null ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(json)) };
  nowMs += 1_000;
  const response = await app.fetch(
    new Request(`http://localhost.local${path}`, {
      method,
      headers: { authorization: user, ...type, ...headers },
      body: json,
    }),
  );
  const text = await response.text();
  const value = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, text, task: value, body: value };
}
const create = async (
  body: Record<string, unknown> = { title: "a" },
  headers: Record<string, string> = {},
): Promise<Task> => (await send("POST", "/v1/tasks", body, headers)).task;
const fresh = (): string => crypto.randomUUID();

describe("a replay", () => {
  test("is the first answer, byte for byte, whatever happened since, and is said to be one", async () => {
    const key = { "idempotency-key": fresh() };
    const first = await send("POST", "/v1/tasks", { title: "once", dueAt: "2026-03-01T00:00:00+01:00" }, key);
    await send("PATCH", `/v1/tasks/${first.task.id}`, { title: "changed" });
    const again = await send("POST", "/tasks/", { dueAt: "2026-03-01T00:00:00+01:00", title: "once" }, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect([first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")]).toEqual([
      null,
      "true",
    ]);
    for (const name of ["etag", "location", "consistency-token"])
      expect(again.headers.get(name)).toBe(first.headers.get(name));
  });

  test("of a refusal is the same refusal", async () => {
    const { id } = await create();
    const key = { "idempotency-key": fresh(), "if-match": '"7"' };
    const first = await send("PATCH", `/v1/tasks/${id}`, { title: "b" }, key);
    const again = await send("PATCH", `/v1/tasks/${id}`, { title: "b" }, { ...key, "if-match": '"1"' });
    expect([first.status, again.status, again.body.code, again.headers.get("idempotency-replayed")]).toEqual([
      412,
      412,
      "version-mismatch",
      "true",
    ]);
  });

  test("with another body, path or method is a mismatch; of another user it is none", async () => {
    const key = { "idempotency-key": fresh() };
    const task = await create({ title: "a" }, key);
    const others = [
      send("POST", "/v1/tasks", { title: "b" }, key),
      send("POST", "/v1/tasks", { title: "a", description: "" }, key),
      send("PATCH", `/v1/tasks/${task.id}`, { title: "a" }, key),
      send("DELETE", `/v1/tasks/${task.id}`, undefined, key),
    ];
    for (const other of await Promise.all(others)) {
      expect([other.status, other.body.code]).toEqual([422, "idempotency-mismatch"]);
      expect(other.headers.get("consistency-token")).not.toBeNull();
    }
    const foreign = await send("POST", "/v1/tasks", { title: "a" }, key, userB);
    expect([foreign.status, foreign.task.id === task.id]).toEqual([201, false]);
  });
});

describe("somebody else's task", () => {
  const plain = ({ text }: Sent): string => text.replace(/"instance":"[^"]*"/, "").replace(/"requestId":"[^"]*"/, "");

  test("is 404, byte for byte as a missing one, on every route", async () => {
    const { id } = await create();
    const deleted = await create();
    await send("DELETE", `/v1/tasks/${deleted.id}`);
    for (const [method, rest, body] of [
      ["GET", "", undefined],
      ["GET", "?version=1", undefined],
      ["GET", "/history", undefined],
      ["PATCH", "", { title: "b" }],
      ["PUT", "", { title: "b" }],
      ["DELETE", "", undefined],
      ["POST", "/restore", undefined],
      ["POST", "/undo", undefined],
    ] as const) {
      const missing = await send(method, `/v1/tasks/${fresh()}${rest}`, body, {}, userB);
      expect([method, rest, missing.status]).toEqual([method, rest, 404]);
      for (const other of [id, deleted.id]) {
        const foreign = await send(method, `/v1/tasks/${other}${rest}`, body, {}, userB);
        expect([foreign.status, plain(foreign)]).toEqual([404, plain(missing)]);
        expect([...foreign.headers.keys()].sort()).toEqual([...missing.headers.keys()].sort());
      }
      expect(plain(await send(method, `/v1/tasks/no-uuid${rest}`, body, {}, userB))).toBe(plain(missing));
    }
  });

  test("keeps its id taken: PUT with If-None-Match: * is 412 for everybody", async () => {
    const { id } = await create();
    for (const user of [userA, userB])
      expect((await send("PUT", `/v1/tasks/${id}`, { title: "b" }, { "if-none-match": "*" }, user)).status).toBe(412);
    const made = await send("PUT", `/v1/tasks/${fresh()}`, { title: "b" }, { "if-none-match": "*" });
    expect([made.status, made.headers.get("location")]).toEqual([201, `/v1/tasks/${made.task.id}`]);
  });
});

test("a refused write carries a Consistency-Token that a read takes", async () => {
  const { id } = await create();
  for (const refused of [
    await send("PATCH", `/v1/tasks/${id}`, {}, { "if-match": '"9"' }),
    await send("POST", `/v1/tasks/${id}/restore`),
    await send("POST", `/v1/tasks/${id}/undo`),
    await send("DELETE", `/v1/tasks/${fresh()}`),
  ]) {
    expect([412, 409, 404]).toContain(refused.status);
    const token = refused.headers.get("consistency-token") ?? "";
    for (const path of [`/v1/tasks/${id}`, "/v1/tasks", `/v1/tasks/${id}/history`])
      expect((await send("GET", path, undefined, { "consistency-token": token })).status).toBe(200);
  }
});

test("a token of what is not here yet waits, then is 503 not-yet-visible with Retry-After", async () => {
  const began = performance.now();
  const answer = send("GET", "/v1/tasks", undefined, { "consistency-token": "0-999999999" });
  const later = setInterval(() => (nowMs += 100), 10);
  const { status, body, headers } = await answer;
  clearInterval(later);
  expect([status, body.code, headers.get("retry-after")]).toEqual([503, "not-yet-visible", "1"]);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect((await send("GET", "/v1/tasks", undefined, { "consistency-token": "what" })).body.code).toBe(
    "malformed-header",
  );
});

describe("conditions", () => {
  test("on a read give 304 with the tag and without a body", async () => {
    const { id } = await create();
    const { status, text, headers } = await send("GET", `/v1/tasks/${id}`, undefined, { "if-none-match": '"5", "1"' });
    expect([status, text, headers.get("etag"), headers.get("cache-control"), headers.get("content-type")]).toEqual([
      304,
      "",
      '"1"',
      "private, no-cache",
      null,
    ]);
  });

  test("on a write: one of a list matches, weak never, * on a missing one is 404", async () => {
    const { id } = await create();
    const write = async (ifMatch: string, to = id) =>
      (await send("PATCH", `/v1/tasks/${to}`, {}, { "if-match": ifMatch })).status;
    expect([
      await write('"4", "1"'),
      await write('W/"1"'),
      await write("*"),
      await write("*", fresh()),
      await write("1"),
    ]).toEqual([200, 412, 200, 404, 400]);
  });
});

describe("the past", () => {
  test("is shown at each version and instant, also of a deleted task, and not outside its life", async () => {
    const task = await create({ title: "one" });
    const patched = (await send("PATCH", `/v1/tasks/${task.id}`, { title: "two", status: "done" })).task;
    await send("DELETE", `/v1/tasks/${task.id}`);
    const at = (query: string) => send("GET", `/v1/tasks/${task.id}?${query}`);
    expect((await at("version=1")).task).toEqual(task);
    expect((await at("version=2")).task).toEqual(patched);
    expect((await at("version=2")).headers.get("etag")).toBe('"2"');
    expect((await at(`asOf=${task.updatedAt}`)).task).toEqual(task);
    expect((await at(`asOf=${patched.updatedAt}`)).task).toEqual(patched);
    for (const query of [
      "version=0",
      "version=3",
      "version=4",
      "version=999999999999999",
      "asOf=2020-01-01T00:00:00Z",
      "asOf=2030-01-01T00:00:00Z",
    ])
      expect([query, (await at(query)).status]).toEqual([query, 404]);
    for (const query of [
      "version=00",
      "version=1.0",
      "version=x",
      "asOf=now",
      `asOf=${task.updatedAt}&version=1`,
      "version=1&version=2",
    ])
      expect([query, (await at(query)).status]).toEqual([query, 422]);
    await send("POST", `/v1/tasks/${task.id}/restore`);
    expect((await at("version=4")).status).toBe(200);
    expect((await at("version=3")).status).toBe(404);
  });
});

describe("history", () => {
  test("is walked by a cursor that belongs to this task", async () => {
    const task = await create({ title: "v1" });
    for (const title of ["v2", "v3", "v4", "v5"]) await send("PATCH", `/v1/tasks/${task.id}`, { title });
    const versions: number[] = [];
    let cursor = "";
    do {
      const { body } = await send("GET", `/v1/tasks/${task.id}/history?limit=2${cursor}`);
      versions.push(...(body.items as { version: number }[]).map(({ version }) => version));
      cursor = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`;
      if (cursor !== "")
        expect((await send("GET", `/v1/tasks/${(await create()).id}/history?limit=2${cursor}`)).body.code).toBe(
          "invalid-cursor",
        );
    } while (cursor !== "");
    expect(versions).toEqual([5, 4, 3, 2, 1]);
    expect((await send("GET", `/v1/tasks/${task.id}/history?cursor=x`)).body.code).toBe("invalid-cursor");
  });
});

describe("an operation", () => {
  test("tells what became of it, to its own user only", async () => {
    const task = await create({ title: "one" });
    const [operationId] = (
      (await send("GET", `/v1/tasks/${task.id}/history`)).body.items as { operationId: string }[]
    ).map((entry) => entry.operationId);
    await send("PATCH", `/v1/tasks/${task.id}`, { title: "two" });
    expect((await send("GET", `/v1/operations/${operationId}`)).body).toEqual({
      id: operationId,
      status: "applied",
      task,
    });
    expect((await send("GET", `/v1/operations/${operationId}`, undefined, {}, userB)).status).toBe(404);
    expect((await send("GET", `/v1/operations/${fresh()}`)).status).toBe(404);
  });
});

test("an undo of a restore answers the task, which is deleted again, and so does its replay", async () => {
  const { id } = await create();
  await send("DELETE", `/v1/tasks/${id}`);
  await send("POST", `/v1/tasks/${id}/restore`);
  const first = await send("POST", `/v1/tasks/${id}/undo`, undefined, { "idempotency-key": "back" });
  expect([first.status, first.task.version, first.headers.get("etag")]).toEqual([200, 4, '"4"']);
  expect((await send("GET", `/v1/tasks/${id}`)).status).toBe(404);
  const replay = await send("POST", `/v1/tasks/${id}/undo`, undefined, { "idempotency-key": "back" });
  expect([replay.status, replay.task, replay.headers.get("idempotency-replayed")]).toEqual([200, first.task, "true"]);
});
