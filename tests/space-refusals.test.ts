/** What spaces refuse, as tables: which method a type lacks, who may do what, and which of several faults is told. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Person, type ProblemBody, person } from "./system/client.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { join, newSpace, ok } from "./system/spaces.ts";

const roles = ["viewer", "member", "admin", "owner"] as const;
type Role = (typeof roles)[number];
type Body = Record<string, unknown>;

let system: System;
const people = {} as Record<Role | "stranger" | "other", Person>;
/** Addresses of one resource of each type, and the space's own. */
const at = {} as Record<"space" | "member" | "invitation" | "project" | "task" | "comment", string>;
const uuid = () => crypto.randomUUID();

beforeAll(async () => {
  system = await start();
  for (const name of [...roles, "stranger", "other"] as const) people[name] = await person(system.url);
  const { owner, other } = people;
  const spaceId = await newSpace(owner);
  at.space = `/v1/spaces/${spaceId}`;
  for (const role of ["viewer", "member", "admin"] as const) await join(spaceId, owner, people[role], role);
  at.member = `${at.space}/members/${await join(spaceId, owner, other)}`;
  const made = async (plural: string, body: Body) =>
    `${at.space}/${plural}/${(await ok(owner, 201, "POST", `${at.space}/${plural}`, body as never)).body.id}`;
  at.project = await made("projects", { name: "P" });
  at.task = await made("tasks", { title: "T" });
  at.comment = await made("comments", { taskId: at.task.split("/").at(-1), body: "C" });
  at.invitation = await made("invitations", { role: "viewer" });
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
  await cleanUp();
}, 120_000);

describe("a type", () => {
  const methods = ["GET", "HEAD", "PATCH", "PUT", "DELETE", "POST"] as const;
  for (const [type, has, more] of [
    ["space", "GET HEAD PATCH DELETE", "restore"],
    ["member", "GET HEAD PATCH DELETE", ""],
    ["invitation", "GET HEAD DELETE", ""],
    ["project", "GET HEAD PATCH PUT DELETE", "restore undo"],
    ["task", "GET HEAD PATCH PUT DELETE", "restore undo"],
    ["comment", "GET HEAD PATCH PUT DELETE", "restore"],
  ] as const)
    test(`such as ${type} takes the methods that it has, and names them where another is tried`, async () => {
      const own = has.split(" ");
      for (const method of methods.filter((each) => !own.includes(each))) {
        const answer = await people.owner.call(method, at[type], { body: {} });
        expect([method, answer.status]).toEqual([method, 405]);
        expect(answer.headers.get("allow")?.split(", ")).toEqual(expect.arrayContaining(own));
      }
      for (const kind of ["restore", "undo"]) {
        const { status, headers } = await people.owner.call("POST", `${at[type]}/${kind}`);
        expect([kind, status === 405]).toEqual([kind, !more.includes(kind)]);
        if (status === 405) expect([kind, headers.get("allow")]).toEqual([kind, "OPTIONS"]);
        const other = await people.owner.call("PUT", `${at[type]}/${kind}`, { body: {} });
        const taken = more.includes(kind) ? "POST" : "OPTIONS";
        expect([kind, other.status, other.headers.get("allow")]).toEqual([kind, 405, taken]);
      }
      for (const path of [at[type], `${at[type]}/history`]) {
        const [got, head] = [await people.viewer.call("GET", path), await people.viewer.call("HEAD", path)];
        expect([path, got.status, head.status, head.text]).toEqual([path, 200, 200, ""]);
        expect(head.headers.get("etag")).toBe(got.headers.get("etag"));
      }
    });
});

test("a role may do what it may, and nothing above it", async () => {
  const rows: readonly (readonly [string, string, Body | undefined, Role, number])[] = [
    ["GET", `${at.space}/facts`, undefined, "viewer", 200],
    ["GET", `${at.space}/invitations`, undefined, "viewer", 200],
    ["POST", `${at.space}/tasks`, { title: "x" }, "member", 201],
    ["PATCH", at.task, { title: "y" }, "member", 200],
    ["POST", `${at.space}/projects`, { name: "x" }, "member", 201],
    ["PATCH", at.project, { name: "y" }, "member", 200],
    ["POST", `${at.space}/comments`, { taskId: at.task.split("/").at(-1), body: "x" }, "member", 201],
    ["PATCH", at.comment, { body: "not the author" }, "owner", 200],
    ["PATCH", at.space, { name: "n" }, "admin", 200],
    ["POST", `${at.space}/invitations`, { role: "viewer" }, "admin", 201],
    ["PATCH", at.member, { role: "viewer" }, "admin", 200],
    ["PATCH", at.member, { role: "admin" }, "admin", 200],
    ["PATCH", at.member, { role: "owner" }, "owner", 200],
    ["PATCH", at.member, { role: "member" }, "owner", 200],
  ];
  for (const [method, path, body, least, status] of rows)
    for (const role of roles) {
      const answer = await people[role].call(method, path, body === undefined ? {} : { body: body as never });
      const expected = roles.indexOf(role) >= roles.indexOf(least) ? status : 403;
      expect([role, method, path, body, answer.status]).toEqual([role, method, path, body, expected]);
    }
});

test("of several faults the first in the order is told", async () => {
  const tasks = `${at.space}/tasks`;
  const missing = `${tasks}/${uuid()}`;
  const gone = { parentId: uuid() };
  const rows: readonly (readonly [keyof typeof people, string, string, object, number, string])[] = [
    ["stranger", "POST", tasks, { raw: "{bad", headers: { "content-type": "text/plain" } }, 404, "not-found"],
    [
      "viewer",
      "POST",
      tasks,
      { raw: "{bad", headers: { "content-type": "text/plain" } },
      415,
      "unsupported-media-type",
    ],
    ["viewer", "POST", tasks, { raw: `{${"x".repeat(300_000)}` }, 413, "body-too-large"],
    ["viewer", "POST", tasks, { raw: "{bad" }, 400, "malformed-json"],
    ["viewer", "POST", tasks, { body: { title: "" } }, 422, "validation"],
    ["viewer", "PATCH", missing, { body: { title: "x" } }, 403, "forbidden"],
    ["member", "PATCH", missing, { body: { title: "x" }, headers: { "if-match": '"9"' } }, 404, "not-found"],
    ["member", "PATCH", missing, { body: { title: "x" }, headers: { "if-match": "*" } }, 404, "not-found"],
    ["member", "POST", `${at.task}/restore`, { headers: { "if-match": '"99"' } }, 412, "version-mismatch"],
    ["member", "POST", `${at.task}/restore`, {}, 409, "conflict"],
    ["member", "PATCH", at.task, { body: gone, headers: { "if-match": '"99"' } }, 412, "version-mismatch"],
    ["member", "PATCH", at.task, { body: gone }, 422, "invalid-reference"],
    ["member", "PATCH", at.task, { body: { title: "x" }, headers: { "if-match": 'W/"1"' } }, 412, "version-mismatch"],
    ["member", "PATCH", at.task, { body: { title: "x" }, headers: { "if-match": "1" } }, 400, "malformed-header"],
    ["viewer", "PATCH", at.project, { body: { columns: [{ name: "A", status: "todo" }] } }, 403, "forbidden"],
    [
      "member",
      "PATCH",
      at.project,
      { body: { columns: [{ name: "A", status: "todo" }] } },
      428,
      "precondition-required",
    ],
  ];
  for (const [who, method, path, request, status, code] of rows) {
    const answer = await people[who].call(method, path, request as never);
    expect([who, method, path, answer.status, (answer.body as ProblemBody).code]).toEqual([
      who,
      method,
      path,
      status,
      code,
    ]);
  }
});

test("a patch of columns in a batch names the version that it was made from, unless something before that is refused", async () => {
  const { columns } = (await ok(people.owner, 200, "GET", at.project)).body;
  const patch = (id: string) => ({ type: "project", id, kind: "patch", body: { columns } });
  const project = at.project.split("/").at(-1) as string;
  const gone = { type: "task", id: uuid(), kind: "delete" };
  for (const [who, changes, expected] of [
    ["member", [patch(project)], [428, "precondition-required", 0]],
    ["viewer", [patch(project)], [403, "forbidden", 0]],
    ["member", [patch(uuid())], [404, "not-found", 0]],
    ["member", [gone, patch(project)], [404, "not-found", 0]],
    [
      "member",
      [{ type: "task", kind: "create", body: { title: "x" } }, patch(project)],
      [428, "precondition-required", 1],
    ],
  ] as const) {
    const { status, body } = await people[who].call<ProblemBody>("POST", `${at.space}/batch`, { body: { changes } });
    expect([status, body.code, body.change]).toEqual([...expected]);
  }
});

test("each fault of a change in a batch is told once, at its own place", async () => {
  const body = { title: "x", due: { date: "2026-01-31" }, completedAt: "2026-01-31T00:00:00Z", columnId: "first" };
  const changes = [{ type: "task", kind: "create", body }];
  const answer = await people.member.call("POST", `${at.space}/batch`, { body: { changes } });
  expect([answer.status, (answer.body as ProblemBody).errors?.map(({ path }) => path).sort()]).toEqual([
    422,
    ["/changes/0/body/columnId", "/changes/0/body/completedAt"],
  ]);
});
