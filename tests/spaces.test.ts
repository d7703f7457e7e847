/** Spaces and what is in them (section 3 of the contract), through the public port. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { operationIds } from "../actors/task/commands.ts";
import { expectProblem, type Person, type ProblemBody, person } from "./system/client.ts";
import { type Place, placeOn, type ServerName, servers } from "./system/deployments.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, type Batch, type Fact, factsOf, join, newSpace, ok, type Resource } from "./system/spaces.ts";

afterAll(cleanUp);

type Page = { items: Resource[]; nextCursor: string | null };
type Spaces = { items: { space: Resource; member: Resource; seq: number }[] };

for (const { name, needed } of [
  { name: "in one process", needed: [] },
  { name: "on servers", needed: [await servers()] },
])
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let system: System;
    let place: Place | undefined;
    let [ada, bob, eve]: Person[] = [];
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      system = await start({ env: place?.env ?? {} });
      await atWork(await person(system.url));
      [ada, bob, eve] = await Promise.all([person(system.url), person(system.url), person(system.url)]);
    }, 120_000);
    afterAll(async () => {
      await system?.end("SIGTERM");
      await place?.remove();
    }, 120_000);

    const a = () => ada as Person;
    const b = () => bob as Person;
    const e = () => eve as Person;
    const uuid = () => crypto.randomUUID();
    describe("a space", () => {
      test("of one's own is there without being made, can be renamed and nothing else", async () => {
        const who = await person(system.url);
        const own = await ok(who, 200, "GET", "/v1/spaces/me");
        expect(own.body).toMatchObject({ id: who.id, spaceId: who.id, version: 1 });
        const { body } = await ok<Spaces>(who, 200, "GET", "/v1/spaces");
        expect(body.items).toHaveLength(1);
        expect(body.items[0]).toMatchObject({ space: own.body, member: { userId: who.id, role: "owner" }, seq: 0 });
        const members = await ok<Page>(who, 200, "GET", "/v1/spaces/me/members");
        expect(members.body.items).toEqual([body.items[0]?.member as Resource]);
        const renamed = await ok(who, 200, "PATCH", "/v1/spaces/me", { name: "Mine" });
        expect(renamed.body).toMatchObject({ name: "Mine", version: 2 });
        expect((await ok(who, 200, "GET", `/v1/spaces/${who.id}`)).body).toEqual(renamed.body);
        expectProblem(await who.call("DELETE", "/v1/spaces/me"), 403, "forbidden");
        expectProblem(
          await who.call("POST", "/v1/spaces/me/invitations", { body: { role: "member" } }),
          403,
          "forbidden",
        );
        expectProblem(await who.call("DELETE", `/v1/spaces/me/members/${body.items[0]?.member.id}`), 403, "forbidden");
        expect((await ok(who, 200, "GET", "/v1/spaces/me?version=1")).body.name).toBe(own.body.name as string);
      });

      test("that is shared is seen by its members and is not there for anybody else", async () => {
        const spaceId = await newSpace(a());
        await join(spaceId, a(), b());
        const path = `/v1/spaces/${spaceId}`;
        const made = await ok(b(), 201, "POST", `${path}/tasks`, { title: "Together" });
        expect(made.headers.get("location")).toBe(`${path}/tasks/${made.body.id}`);
        expect((await ok(a(), 200, "GET", `${path}/tasks/${made.body.id}`)).body).toEqual(made.body);
        const hidden = expectProblem(await e().call("GET", `${path}/tasks/${made.body.id}`), 404, "not-found");
        const missing = expectProblem(
          await e().call("GET", `/v1/spaces/${uuid()}/tasks/${made.body.id}`),
          404,
          "not-found",
        );
        const bare = ({ requestId: _, instance: __, ...rest }: ProblemBody) => rest;
        expect(bare(hidden)).toEqual(bare(missing));
        // Before anything else of the request is looked at.
        for (const [method, below, body] of [
          ["POST", "/tasks", { nonsense: 1 }],
          ["PATCH", "", { name: "" }],
          ["GET", "/tasks?sort=nonsense", undefined],
          ["GET", "/facts", undefined],
          ["GET", "/snapshot", undefined],
          ["POST", "/batch", {}],
          ["GET", "/members", undefined],
          ["GET", `/operations/${uuid()}`, undefined],
        ] as const)
          expectProblem(await e().call(method, path + below, body === undefined ? {} : { body }), 404, "not-found");
        expect((await ok<Spaces>(b(), 200, "GET", "/v1/spaces")).body.items.map(({ space }) => space.id)).toContain(
          spaceId,
        );
        expect((await ok<Spaces>(e(), 200, "GET", "/v1/spaces")).body.items.map(({ space }) => space.id)).not.toContain(
          spaceId,
        );
      });

      test("that is deleted is seen by its owners alone, to be restored", async () => {
        const spaceId = await newSpace(a());
        await join(spaceId, a(), b(), "admin");
        const path = `/v1/spaces/${spaceId}`;
        expectProblem(await b().call("DELETE", path), 403, "forbidden");
        const once = { "idempotency-key": crypto.randomUUID() };
        await ok(a(), 204, "DELETE", path, undefined, once);
        for (const who of [a(), b()]) expectProblem(await who.call("GET", path), 404, "not-found");
        const again = await ok(a(), 204, "DELETE", path, undefined, once);
        expect(again.headers.get("idempotency-replayed")).toBe("true");
        for (const who of [a(), b()])
          expectProblem(
            await who.call("DELETE", path, { headers: { "idempotency-key": crypto.randomUUID() } }),
            404,
            "not-found",
          );
        expectProblem(await a().call("GET", `${path}/tasks`), 404, "not-found");
        const deleted = async (who: Person) =>
          (await ok<Spaces>(who, 200, "GET", "/v1/spaces?deleted=true")).body.items.map(({ space }) => space.id);
        expect(await deleted(a())).toEqual([spaceId]);
        expect(await deleted(b())).toEqual([]);
        expectProblem(await b().call("POST", `${path}/restore`), 404, "not-found");
        expect((await ok(a(), 200, "POST", `${path}/restore`)).body.version).toBe(3);
        await ok(b(), 200, "GET", path);
      });
    });

    describe("members", () => {
      test("come by an invitation that is used up, ends and is revoked", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}/invitations`;
        const made = await ok<Resource & { token: string; url: null }>(a(), 201, "POST", path, {
          role: "member",
          note: "for Bob",
        });
        expect(made.body.token).toMatch(/^ti_/);
        expect(made.body).toMatchObject({ role: "member", maxUses: 1, uses: 0, note: "for Bob", url: null });
        expect(made.text).not.toContain("tokenHash");
        const member = await ok(b(), 201, "POST", "/v1/invitations/accept", { token: made.body.token });
        expect(member.body).toMatchObject({ userId: b().id, role: "member", version: 1 });
        expect((await ok(b(), 200, "POST", "/v1/invitations/accept", { token: made.body.token })).body).toEqual(
          member.body,
        );
        expectProblem(
          await e().call("POST", "/v1/invitations/accept", { body: { token: made.body.token } }),
          404,
          "not-found",
        );
        const other = await ok<Resource & { token: string }>(a(), 201, "POST", path, { role: "viewer" });
        await ok(a(), 204, "DELETE", `${path}/${other.body.id}`);
        expectProblem(
          await e().call("POST", "/v1/invitations/accept", { body: { token: other.body.token } }),
          404,
          "not-found",
        );
        expectProblem(
          await e().call("POST", "/v1/invitations/accept", { body: { token: "ti_nonsense" } }),
          404,
          "not-found",
        );
        const listed = await ok<Page>(a(), 200, "GET", path);
        expect(listed.body.items.map(({ id }) => id)).toEqual([made.body.id]);
        expect(listed.text).not.toContain("ti_");
        expectProblem(await b().call("POST", path, { body: { role: "member" } }), 403, "forbidden");
        const keyed = { "idempotency-key": uuid() };
        const first = await ok<Resource & { token: string | null }>(a(), 201, "POST", path, { role: "member" }, keyed);
        const again = await ok<Resource & { token: string | null }>(a(), 201, "POST", path, { role: "member" }, keyed);
        expect(again.headers.get("idempotency-replayed")).toBe("true");
        expect(again.body).toEqual({ ...first.body, token: null, url: null });
      });

      test("are invited by the same invitation again, though its end has come meanwhile", async () => {
        const path = `/v1/spaces/${await newSpace(a())}/invitations`;
        const headers = { "idempotency-key": uuid() };
        const body = { role: "member", expiresAt: new Date(Date.now() + 1_000).toISOString() };
        const invite = (more: object = {}) =>
          a().call<Resource>("POST", path, { body: { ...body, ...more } as never, headers });
        const first = await invite();
        expect(first.status).toBe(201);
        await poll("it has ended", 60_000, async () => {
          return (await a().call("POST", path, { body: body as never })).status === 422;
        });
        const again = await invite();
        expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
        expect(again.body).toEqual({ ...first.body, token: null, url: null } as never);
        expectProblem(await invite({ note: "another" }), 422, "validation");
      });

      test("who have left are told nothing more, though they repeat how they came", async () => {
        const headers = { "idempotency-key": uuid() };
        const make = () => a().call<Resource>("POST", "/v1/spaces", { body: { name: "Left" }, headers });
        const spaceId = (await make()).body.id;
        const path = `/v1/spaces/${spaceId}`;
        const { token } = (
          await ok<Resource & { token: string }>(a(), 201, "POST", `${path}/invitations`, { role: "admin" })
        ).body;
        const accept = () => b().call<Resource>("POST", "/v1/invitations/accept", { body: { token }, headers });
        const accepted = await accept();
        await ok(a(), 200, "PATCH", `${path}/members/${accepted.body.id}`, { role: "owner" });
        expect([(await accept()).text, (await make()).status]).toEqual([accepted.text, 201]);
        const { items } = (await ok<Page>(a(), 200, "GET", `${path}/members`)).body;
        const own = items.find(({ userId }) => userId === a().id);
        await ok(a(), 204, "DELETE", `${path}/members/${own?.id}`);
        expectProblem(await make(), 404, "not-found");
        const eves = await join(spaceId, b(), e(), "admin");
        await ok(b(), 200, "PATCH", `${path}/members/${eves}`, { role: "owner" });
        await ok(e(), 204, "DELETE", `${path}/members/${accepted.body.id}`);
        expectProblem(await accept(), 404, "not-found");
      });

      test("act as their role allows, and there is always an owner", async () => {
        const spaceId = await newSpace(a());
        const bobs = await join(spaceId, a(), b(), "admin");
        const eves = await join(spaceId, a(), e(), "viewer");
        const path = `/v1/spaces/${spaceId}`;
        expectProblem(await e().call("POST", `${path}/tasks`, { body: { title: "No" } }), 403, "forbidden");
        expectProblem(
          await e().call("PATCH", `${path}/members/${eves}`, { body: { role: "member" } }),
          403,
          "forbidden",
        );
        expectProblem(
          await b().call("PATCH", `${path}/members/${eves}`, { body: { role: "owner" } }),
          403,
          "forbidden",
        );
        await ok(b(), 200, "PATCH", `${path}/members/${eves}`, { role: "member" });
        await ok(e(), 201, "POST", `${path}/tasks`, { title: "Yes" });
        const own = (await ok<Spaces>(a(), 200, "GET", "/v1/spaces")).body.items.find(
          ({ space }) => space.id === spaceId,
        )?.member;
        expectProblem(
          await a().call("PATCH", `${path}/members/${own?.id}`, { body: { role: "member" } }),
          409,
          "last-owner",
        );
        expectProblem(await a().call("DELETE", `${path}/members/${own?.id}`), 409, "last-owner");
        expectProblem(await b().call("DELETE", `${path}/members/${own?.id}`), 403, "forbidden");
        await ok(a(), 200, "PATCH", `${path}/members/${bobs}`, { role: "owner" });
        await ok(a(), 204, "DELETE", `${path}/members/${own?.id}`);
        expectProblem(await a().call("GET", `${path}/tasks`), 404, "not-found");
        await ok(b(), 204, "DELETE", `${path}/members/${eves}`);
        expectProblem(await e().call("GET", path), 404, "not-found");
      });
    });

    describe("an erased account", () => {
      test("leaves every space, whose oldest admin is the heir of its last owner", async () => {
        const [gone, heir, other] = await Promise.all([person(system.url), person(system.url), person(system.url)]);
        const shared = await newSpace(gone);
        await newSpace(gone, "Alone");
        await join(shared, gone, other);
        await join(shared, gone, heir, "admin");
        const path = `/v1/spaces/${shared}`;
        const { id } = (await ok(gone, 201, "POST", `${path}/tasks`, { title: "Stays" })).body;
        await ok(gone, 204, "DELETE", "/v1/auth/me", { currentPassword: gone.password });
        let members: Resource[] = [];
        await poll("the membership has ended", 60_000, async () => {
          members = (await ok<Page>(heir, 200, "GET", `${path}/members`)).body.items;
          return members.length === 2;
        });
        expect(members.map(({ userId, role }) => [userId, role]).sort()).toEqual(
          [
            [heir.id, "owner"],
            [other.id, "member"],
          ].sort(),
        );
        const last = (await factsOf(heir, shared)).at(-1);
        expect(last?.changes.map(({ type, kind }) => [type, kind])).toEqual([
          ["member", "changed"],
          ["member", "deleted"],
        ]);
        expect((await ok(heir, 200, "GET", `${path}/tasks/${id}`)).body.creatorId).toBe(gone.id);
        expect((await ok<{ items: unknown[] }>(heir, 200, "GET", `/v1/users?id=${gone.id}`)).body.items).toEqual([]);
        expectProblem(await heir.call("GET", `/v1/spaces/${gone.id}/tasks`), 404, "not-found");
      }, 120_000);
    });

    describe("a project", () => {
      test("has columns that tasks go through, and shows a task whose column has gone in the first of its status", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        const project = await ok(a(), 201, "POST", `${path}/projects`, { name: "House" });
        type Column = { id: string; name: string; status: string };
        const columns = project.body.columns as unknown as Column[];
        expect(columns.map(({ name, status }) => [name, status])).toEqual([
          ["To do", "todo"],
          ["In progress", "in_progress"],
          ["Done", "done"],
        ]);
        // An id that the server chooses tells its age.
        for (const { id } of columns) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
        const task = await ok(a(), 201, "POST", `${path}/tasks`, { title: "Roof", projectId: project.body.id });
        expect(task.body.columnId).toBe(columns[0]?.id as string);
        const moved = await ok(a(), 200, "PATCH", `${path}/tasks/${task.body.id}`, { columnId: columns[2]?.id });
        expect(moved.body).toMatchObject({ status: "done", columnId: columns[2]?.id });
        expect(moved.body.completedAt).not.toBeNull();
        const one = `${path}/projects/${project.body.id}`;
        expectProblem(await a().call("PATCH", one, { body: { columns } }), 428, "precondition-required");
        const extra = { name: "Shipped", status: "done" };
        const widened = await ok(a(), 200, "PATCH", one, { columns: [...columns, extra] }, { "if-match": '"1"' });
        const ids = (widened.body.columns as unknown as Column[]).map(({ id }) => id);
        await ok(a(), 200, "PATCH", `${path}/tasks/${task.body.id}`, { columnId: ids[3] });
        await ok(a(), 200, "PATCH", one, { columns }, { "if-match": '"2"' });
        const shown = await ok(a(), 200, "GET", `${path}/tasks/${task.body.id}`);
        expect(shown.body.columnId).toBe(columns[2]?.id as string);
        const inColumn = await ok<Page>(a(), 200, "GET", `${path}/tasks?column=${columns[2]?.id}`);
        expect(inColumn.body.items).toEqual([shown.body]);
        const bad = await a().call("PATCH", `${path}/tasks/${task.body.id}`, { body: { columnId: uuid() } });
        expect(bad.status).toBe(422);
        expect((bad.body as ProblemBody).code).toBe("invalid-reference");
        expect((bad.body as ProblemBody).errors?.[0]?.path).toBe("/columnId");
      });

      test("that is archived takes no changes of its tasks, which lists leave out meanwhile", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        const project = (await ok(a(), 201, "POST", `${path}/projects`, { name: "Old" })).body.id;
        const task = (await ok(a(), 201, "POST", `${path}/tasks`, { title: "Kept", projectId: project })).body.id;
        await ok(a(), 200, "PATCH", `${path}/projects/${project}`, { archived: true });
        expectProblem(await a().call("PATCH", `${path}/tasks/${task}`, { body: { title: "No" } }), 409, "conflict");
        expectProblem(
          await a().call("POST", `${path}/tasks`, { body: { title: "No", projectId: project } }),
          409,
          "conflict",
        );
        expectProblem(
          await a().call("POST", `${path}/comments`, { body: { taskId: task, body: "No" } }),
          409,
          "conflict",
        );
        const ids = async (query: string) =>
          (await ok<Page>(a(), 200, "GET", `${path}/tasks${query}`)).body.items.map(({ id }) => id);
        expect(await ids("")).toEqual([]);
        expect(await ids(`?project=${project}`)).toEqual([task]);
        expect(await ids(`?id=${task}`)).toEqual([task]);
        await ok(a(), 200, "PATCH", `${path}/projects/${project}`, { archived: false });
        expect(await ids("")).toEqual([task]);
      });
    });

    describe("tasks and comments", () => {
      test("stand below each other, and are left out of lists while what is above them is deleted", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        const make = async (title: string, parentId: string | null) =>
          (await ok(a(), 201, "POST", `${path}/tasks`, { title, parentId })).body.id;
        const top = await make("Top", null);
        const middle = await make("Middle", top);
        const low = await make("Low", middle);
        const comment = (await ok(a(), 201, "POST", `${path}/comments`, { taskId: low, body: "On it" })).body.id;
        const loop = await a().call("PATCH", `${path}/tasks/${top}`, { body: { parentId: low } });
        expect((loop.body as ProblemBody).code).toBe("invalid-reference");
        const ids = async (query: string) =>
          (await ok<Page>(a(), 200, "GET", `${path}${query}`)).body.items.map(({ id }) => id);
        expect(new Set(await ids("/tasks"))).toEqual(new Set([top, middle, low]));
        await ok(a(), 204, "DELETE", `${path}/tasks/${top}`);
        expect(await ids("/tasks")).toEqual([]);
        expect(await ids(`/tasks?parent=${middle}`)).toEqual([low]);
        expect(await ids(`/comments?task=${low}`)).toEqual([comment]);
        await ok(a(), 204, "DELETE", `${path}/tasks/${low}`);
        expect(await ids(`/comments?task=${low}`)).toEqual([]);
        await ok(a(), 200, "POST", `${path}/tasks/${low}/restore`);
        // What moves takes what is below it along, out of the lists and into them.
        const move = (parentId: string | null) => ok(a(), 200, "PATCH", `${path}/tasks/${middle}`, { parentId });
        await move(null);
        expect(new Set(await ids("/tasks"))).toEqual(new Set([middle, low]));
        const hidden = await make("Hidden", null);
        await ok(a(), 200, "PATCH", `${path}/tasks/${hidden}`, { parentId: middle });
        const last = await make("Last", hidden);
        await ok(a(), 204, "DELETE", `${path}/tasks/${middle}`);
        expect(await ids("/tasks")).toEqual([]);
        const moved = await make("Moved", null);
        const below = await make("Below", moved);
        await ok(a(), 200, "PATCH", `${path}/tasks/${moved}`, { parentId: last });
        expect(await ids("/tasks")).toEqual([]);
        await ok(a(), 200, "PATCH", `${path}/tasks/${moved}`, { parentId: null });
        expect(new Set(await ids("/tasks"))).toEqual(new Set([moved, below]));
        await ok(a(), 200, "POST", `${path}/tasks/${middle}/restore`);
        await ok(a(), 200, "POST", `${path}/tasks/${top}/restore`);
        expect(new Set(await ids("/tasks"))).toEqual(new Set([top, middle, low, hidden, last, moved, below]));
      });

      test("are undone with 200 and the resource, a restore too, which is then deleted again", async () => {
        const made = await ok(a(), 201, "POST", "/v1/tasks", { title: "Up and down" });
        const path = `/v1/tasks/${made.body.id}`;
        await ok(a(), 204, "DELETE", path);
        await ok(a(), 200, "POST", `${path}/restore`);
        const key = { "idempotency-key": uuid() };
        const undone = await ok(a(), 200, "POST", `${path}/undo`, undefined, key);
        expect(undone.body).toMatchObject({ id: made.body.id, title: "Up and down", version: 4 });
        expect(undone.headers.get("etag")).toBe('"4"');
        const again = await ok(a(), 200, "POST", `${path}/undo`, undefined, key);
        expect([again.body, again.headers.get("idempotency-replayed")]).toEqual([undone.body, "true"]);
        expectProblem(await a().call("GET", path), 404, "not-found");
        expect((await ok<Page>(a(), 200, "GET", `/v1/tasks?deleted=true&limit=1`)).body.items).toEqual([undone.body]);
        // And the one before it, the deletion.
        const back = await ok(a(), 200, "POST", `${path}/undo`);
        expect((await ok(a(), 200, "GET", path)).body).toEqual(back.body);
        expectProblem(await a().call("POST", `${path}/undo`), 409, "conflict");
      });

      test("are moved only where the deepest below them has at most eight above, in one batch or by many at once", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        const chain = async (length: number) => {
          const ids = Array.from({ length }, uuid);
          const changes = ids.map((id, at) => ({
            type: "task",
            kind: "create",
            id,
            body: { title: `${at}`, parentId: ids[at - 1] ?? null },
          }));
          await ok(a(), 200, "POST", `${path}/batch`, { changes });
          return ids;
        };
        const [upper, lower] = [await chain(5), await chain(5)];
        const move = (id: string | undefined, parentId: string | undefined) =>
          a().call("PATCH", `${path}/tasks/${id}`, { body: { parentId } });
        const refused = await move(lower[0], upper[4]);
        expect([refused.status, refused.body]).toMatchObject([422, { errors: [{ path: "/parentId" }] }]);
        // Each alone fits; all of them in some order do not.
        const pieces = [await chain(3), await chain(3), await chain(3), await chain(3)];
        const moves = pieces.flatMap((piece, at) =>
          pieces.flatMap((other, to) => (to === at ? [] : move(piece[0], other[2]))),
        );
        for (const { status, headers } of await Promise.all(moves)) {
          expect([200, 202, 422]).toContain(status);
          // On a slow machine a verdict may come late.
          if (status === 202)
            await poll("the move is decided", 60_000, async () => {
              const { body } = await a().call<{ status: string }>("GET", headers.get("location") ?? "");
              return body.status !== "pending";
            });
        }
        const { items } = (await ok<Page>(a(), 200, "GET", `${path}/tasks?limit=100`)).body;
        const parents = new Map(items.map(({ id, parentId }) => [id, parentId as string | null]));
        for (const id of parents.keys()) {
          let above = 0;
          for (let at = parents.get(id) ?? null; at !== null; at = parents.get(at) ?? null) above += 1;
          expect(above).toBeLessThanOrEqual(8);
        }
      });

      test("are changed by set patches, positions and merge patches that reach into a due", async () => {
        const path = "/v1/tasks";
        const one = await ok(a(), 201, "POST", path, {
          title: "A",
          labels: ["x"],
          due: { date: "2026-03-01", time: "09:30:00", timeZone: "Europe/Berlin" },
        });
        expect(one.body).toMatchObject({
          due: { date: "2026-03-01", time: "09:30", timeZone: "Europe/Berlin" },
          dueAt: "2026-03-01T08:30:00.000Z",
        });
        const patched = await ok(a(), 200, "PATCH", `${path}/${one.body.id}`, {
          labels: { add: ["y"], remove: ["x"] },
          due: { time: null, timeZone: null },
        });
        expect(patched.body).toMatchObject({ labels: ["y"], due: { date: "2026-03-01" }, dueAt: null, version: 2 });
        const two = await ok(a(), 201, "POST", path, { title: "B", position: { before: one.body.id } });
        expect((two.body.rank as string) < (one.body.rank as string)).toBe(true);
        expect((await a().call("POST", path, { body: { title: "C", due: null, dueAt: null } })).status).toBe(422);
        const undone = await ok(a(), 200, "POST", `${path}/${one.body.id}/undo`);
        expect(undone.body).toMatchObject({ labels: ["x"], version: 3 });
        const history = await ok<{ items: { kind: string; seq: number; version: number }[] }>(
          a(),
          200,
          "GET",
          `${path}/${one.body.id}/history`,
        );
        expect(history.body.items.map(({ kind, version }) => [kind, version])).toEqual([
          ["undone", 3],
          ["changed", 2],
          ["created", 1],
        ]);
        expect((await ok(a(), 200, "GET", `${path}/${one.body.id}?version=1`)).body).toEqual(one.body);
        const comment = await ok(
          a(),
          201,
          "PUT",
          `/v1/comments/${uuid()}`,
          { taskId: one.body.id, body: "Hm" },
          { "if-none-match": "*" },
        );
        expectProblem(
          await a().call("PUT", `/v1/comments/${comment.body.id}`, { body: { taskId: one.body.id, body: "Hm" } }),
          405,
          "method-not-allowed",
        );
        expectProblem(await a().call("POST", `/v1/comments/${comment.body.id}/undo`), 405, "method-not-allowed");
      });
    });

    describe("many changes at once", () => {
      test("take effect whole, are answered with what they leave, and are taken back whole", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        const [project, task] = [uuid(), uuid()];
        const key = { "idempotency-key": uuid() };
        const changes = [
          { type: "project", kind: "create", id: project, body: { name: "P" } },
          { type: "task", kind: "create", id: task, body: { title: "T", projectId: project } },
          { type: "task", kind: "patch", id: task, expected: 1, body: { status: "done" } },
          { type: "comment", kind: "create", body: { taskId: task, body: "C" } },
        ];
        const made = await ok<Batch>(a(), 200, "POST", `${path}/batch`, { changes }, key);
        expect(made.body.items).toHaveLength(4);
        expect(made.body.items[2]).toMatchObject({ id: task, version: 2, status: "done" });
        const again = await ok<Batch>(a(), 200, "POST", `${path}/batch`, { changes }, key);
        expect(again.headers.get("idempotency-replayed")).toBe("true");
        expect(again.body).toEqual(made.body);
        const told = await ok<{ status: string; seq: number }>(
          a(),
          200,
          "GET",
          `${path}/operations/${made.body.operationId}`,
        );
        expect(told.body).toMatchObject({ status: "applied", seq: made.body.seq });
        const refused = await a().call("POST", `${path}/batch`, {
          body: {
            changes: [
              { type: "task", kind: "create", body: { title: "X" } },
              { type: "task", kind: "patch", id: task, body: { parentId: uuid() } },
            ],
          },
        });
        expect(refused.status).toBe(422);
        expect(refused.body).toMatchObject({
          code: "invalid-reference",
          change: 1,
          errors: [{ path: "/changes/1/body/parentId" }],
        });
        // Its operation, which is where a client looks that was answered 202, tells the same of a single change and of the first.
        const one = { type: "task", kind: "patch", id: task, body: { parentId: uuid() } };
        const asked = { key: uuid(), userId: a().id };
        const body = { changes: [one] };
        const first = await a().call("POST", `${path}/batch`, { body, headers: { "idempotency-key": asked.key } });
        expect(first.body).toMatchObject({ change: 0, errors: [{ path: "/changes/0/body/parentId" }] });
        const { operationId } = operationIds(asked, spaceId);
        const late = await ok<{ problem: ProblemBody }>(a(), 200, "GET", `${path}/operations/${operationId}`);
        expect(late.body.problem).toMatchObject({ change: 0, errors: (first.body as ProblemBody).errors });
        const faulty = await a().call("POST", `${path}/batch`, {
          body: {
            changes: [
              { type: "task", kind: "create", body: { title: "" } },
              { type: "task", kind: "delete" },
            ],
          },
        });
        expect((faulty.body as ProblemBody).errors?.map((fault) => fault.path)).toEqual([
          "/changes/0/body/title",
          "/changes/1/id",
        ]);
        expect(faulty.body).toMatchObject({ code: "validation", change: 0 });
        const undone = await ok<Batch>(a(), 200, "POST", `${path}/operations/${made.body.operationId}/undo`);
        expect(undone.body.items).toEqual([null, null, null]);
        expectProblem(await a().call("GET", `${path}/tasks/${task}`), 404, "not-found");
        await ok(a(), 200, "POST", `${path}/operations/${undone.body.operationId}/undo`);
        expect((await ok(a(), 200, "GET", `${path}/tasks/${task}`)).body.status).toBe("done");
      });

      test("import the past", async () => {
        const spaceId = await newSpace(a());
        const body = {
          title: "Old",
          status: "done",
          createdAt: "2020-01-01T00:00:00Z",
          completedAt: "2020-02-01T00:00:00Z",
        };
        const { body: made } = await ok<Batch>(a(), 200, "POST", `/v1/spaces/${spaceId}/batch`, {
          import: true,
          changes: [{ type: "task", kind: "create", body }],
        });
        expect(made.items[0]).toMatchObject({
          createdAt: "2020-01-01T00:00:00.000Z",
          completedAt: "2020-02-01T00:00:00.000Z",
        });
        const without = await a().call("POST", `/v1/spaces/${spaceId}/batch`, {
          body: { changes: [{ type: "task", kind: "create", body }] },
        });
        expect(without.status).toBe(422);
      });

      test("never drop the instant of a completion where the task is not done, whoever can tell", async () => {
        const spaceId = await newSpace(a());
        const columnIds = [uuid(), uuid()];
        const [todo, done] = columnIds;
        const columns = [
          { id: todo, name: "To do", status: "todo" },
          { id: done, name: "Done", status: "done" },
        ];
        const projectId = (await ok(a(), 201, "POST", `/v1/spaces/${spaceId}/projects`, { name: "P", columns })).body
          .id;
        const open = (await ok(a(), 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "Open", projectId })).body.id;
        const completedAt = "2020-02-01T00:00:00.000Z";
        const imported = (change: object) =>
          a().call("POST", `/v1/spaces/${spaceId}/batch`, { body: { import: true, changes: [change] } });
        const creation = (body: object) =>
          imported({ type: "task", kind: "create", body: { title: "T", projectId, ...body } });
        const patch = (body: object) => imported({ type: "task", kind: "patch", id: open, body });
        for (const refused of [
          creation({ completedAt }),
          creation({ status: "todo", completedAt }),
          creation({ columnId: todo, completedAt }),
          creation({ columnId: done, completedAt: null }),
          patch({ completedAt }),
          patch({ columnId: todo, completedAt }),
        ]) {
          const { status, body } = await refused;
          expect([status, body]).toMatchObject([422, { change: 0, errors: [{ path: "/changes/0/body/completedAt" }] }]);
        }
        const taken = (await creation({ columnId: done, completedAt })).body as Batch;
        expect(taken.items[0]).toMatchObject({ status: "done", completedAt });
        const moved = (await patch({ columnId: done, completedAt })).body as Batch;
        expect(moved.items[0]).toMatchObject({ status: "done", completedAt });
      });
    });

    describe("the feed", () => {
      test("tells every operation in one order without gap, and brings a snapshot up to date", async () => {
        const spaceId = await newSpace(a());
        const path = `/v1/spaces/${spaceId}`;
        await join(spaceId, a(), b());
        const made = await ok(b(), 201, "POST", `${path}/tasks`, { title: "One" });
        const task = made.body.id;
        const seen = { "consistency-token": made.headers.get("consistency-token") ?? "" };
        const lines = (await ok<unknown>(a(), 200, "GET", `${path}/snapshot`, undefined, seen)).text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        const { seq, epoch } = lines[0] as { seq: number; epoch: string };
        expect(lines.at(-1)).toEqual({ end: true });
        expect(lines.slice(1, -1).map(({ type }) => type)).toEqual(["space", "member", "member", "invitation", "task"]);
        await ok(a(), 200, "PATCH", `${path}/tasks/${task}`, { title: "Two" });
        await ok(a(), 200, "PATCH", `${path}/tasks/${task}`, {});
        const facts = await factsOf(a(), spaceId);
        expect(facts.map((fact) => fact.seq)).toEqual(facts.map((_, at) => at + 1));
        expect(JSON.stringify(facts)).not.toContain("tokenHash");
        const after = facts.filter((fact) => fact.seq > seq);
        expect(after.map(({ changes }) => changes[0])).toEqual([
          {
            type: "task",
            id: task,
            version: 2,
            kind: "changed",
            fields: { title: { from: "One", to: "Two" } },
          } as Fact["changes"][number],
        ]);
        expect((await ok<Fact>(a(), 200, "GET", `${path}/facts/${seq + 1}`)).body).toEqual(after[0] as Fact);
        expectProblem(await a().call("GET", `${path}/facts/${seq + 2}`), 404, "not-found");
        expectProblem(await a().call("GET", `${path}/facts?after=${seq + 2}`), 410, "resync");
        expectProblem(await a().call("GET", `${path}/facts?epoch=another`), 410, "resync");
        await ok(a(), 200, "GET", `${path}/facts?epoch=${epoch}&after=${seq + 1}`);
      });
    });

    describe("lists", () => {
      test("have a tag that changes with the space, and are told over all one's spaces", async () => {
        const spaceId = await newSpace(a());
        await ok(a(), 201, "POST", `/v1/spaces/${spaceId}/tasks`, {
          title: "Shared",
          labels: ["one", "two"],
          assigneeIds: [a().id],
        });
        const own = await ok(a(), 201, "POST", "/v1/tasks", { title: "Own", assigneeIds: [a().id] });
        const page = await ok<Page>(a(), 200, "GET", `/v1/spaces/${spaceId}/tasks`);
        const tag = page.headers.get("etag") ?? "";
        await ok(a(), 304, "GET", `/v1/spaces/${spaceId}/tasks`, undefined, { "if-none-match": tag });
        await ok(a(), 201, "POST", `/v1/spaces/${spaceId}/tasks`, { title: "More" });
        expect(
          (await ok<Page>(a(), 200, "GET", `/v1/spaces/${spaceId}/tasks`, undefined, { "if-none-match": tag })).body
            .items,
        ).toHaveLength(2);
        const spaces = async (known: string) => {
          const { status, headers } = await a().call("GET", "/v1/spaces", { headers: { "if-none-match": known } });
          return { status, tag: headers.get("etag") ?? "" };
        };
        const seen = await spaces('"none"');
        expect(seen).toEqual({ status: 200, tag: expect.stringMatching(/^"[^"]+"$/) });
        expect(await spaces(seen.tag)).toEqual({ status: 304, tag: seen.tag });
        expect((await spaces(`W/${seen.tag}`)).status).toBe(200);
        await newSpace(a());
        expect((await spaces(seen.tag)).status).toBe(200);
        const mine = await ok<Page>(a(), 200, "GET", "/v1/me/tasks?assignee=me");
        expect(mine.body.items.map(({ title }) => title)).toEqual(expect.arrayContaining(["Shared", "Own"]));
        expect(mine.body.items.map(({ id }) => id)).toContain(own.body.id);
        expect((await ok(a(), 200, "GET", `/v1/spaces/${spaceId}/labels`)).body as unknown).toEqual({
          items: [
            { label: "one", tasks: 1 },
            { label: "two", tasks: 1 },
          ],
        });
      });
    });

    describe("what is asked", () => {
      test("is refused in the order of refusals, and never dropped silently", async () => {
        const spaceId = await newSpace(a());
        await join(spaceId, a(), b(), "viewer");
        const path = `/v1/spaces/${spaceId}`;
        // A role that may change nothing comes before what is not there.
        expectProblem(await b().call("POST", `${path}/operations/${uuid()}/undo`), 403, "forbidden");
        expectProblem(await a().call("POST", `${path}/operations/${uuid()}/undo`), 404, "not-found");
        // A method that there is not comes before the body.
        const put = await a().call("PUT", `${path}/comments/${uuid()}`, { body: { nonsense: 1 } });
        expectProblem(put, 405, "method-not-allowed");
        // Labels that Unicode takes for the same.
        const labels = ["\u00e9", "e\u0301"];
        expectProblem(await a().call("POST", `${path}/tasks`, { body: { title: "X", labels } }), 422, "validation");
        const { body } = await ok(a(), 201, "POST", `${path}/tasks`, { title: "X" });
        const added = { body: { labels: { add: labels } } };
        expectProblem(await a().call("PATCH", `${path}/tasks/${body.id}`, added), 422, "validation");
        // When a task was completed that is not.
        const completedAt = "2020-01-01T00:00:00Z";
        const imported = (status: string) => ({
          import: true,
          changes: [
            { type: "task", kind: "create", body: { title: "X" } },
            { type: "task", kind: "create", body: { title: "X", status, completedAt } },
          ],
        });
        const refused = expectProblem(
          await a().call("POST", `${path}/batch`, { body: imported("todo") }),
          422,
          "validation",
        );
        expect(refused).toMatchObject({ change: 1, errors: [{ path: "/changes/1/body/completedAt" }] });
        await ok(a(), 200, "POST", `${path}/batch`, imported("done"));
      });
    });
  });
