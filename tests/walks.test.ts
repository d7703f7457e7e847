/** Walks over lists while others write as much as they can between two pages: each ends, and meets what stays as it is once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTask, type Person, person, type Reply, type Task, type TaskPage } from "./system/client.ts";
import { type Place, placeOn, type ServerName, servers } from "./system/deployments.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, newSpace } from "./system/spaces.ts";

afterAll(cleanUp);

const count = 12;
const pagesMax = 40;

/** Every page, with something written behind each; throws where the walk does not end. */
async function walked(who: Person, path: string, write: (page: number, seen: Task[]) => Promise<unknown>) {
  const seen: Task[] = [];
  let cursor: string | null = null;
  for (let page = 1; page <= pagesMax; page += 1) {
    const reply: Reply<TaskPage> = await who.call<TaskPage>(
      "GET",
      `${path}&limit=2${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    expect(reply.status, reply.text).toBe(200);
    seen.push(...reply.body.items);
    cursor = reply.body.nextCursor;
    if (cursor === null) return seen;
    await write(page, reply.body.items);
  }
  throw new Error(`The walk over ${path} does not end`);
}

const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
/** Without what was made meanwhile: in the very millisecond in which the walk began it may be met. */
const ofThese = (found: readonly Task[], tasks: readonly Task[]) => ids(found).filter((id) => ids(tasks).includes(id));

async function world(url: string) {
  const who = await person(url);
  const tasks: Task[] = [];
  for (let at = 0; at < count; at += 1)
    tasks.push(await createTask(who, { title: `b ${at}`, priority: "low", dueAt: "2026-01-01T00:00:00Z" }));
  return { who, tasks };
}

const moved = (page: number): Record<string, Record<string, unknown>> => ({
  updatedAt: { description: `${page}` },
  dueAt: { dueAt: `2026-02-01T00:00:${String(page).padStart(2, "0")}Z` },
  priority: { priority: "urgent" },
  title: { title: `c ${String(page).padStart(3, "0")}` },
});

for (const { name, needed } of [
  { name: "in one process", needed: [] },
  { name: "on servers", needed: [await servers()] },
])
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let system: System;
    let place: Place | undefined;
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      system = await start({ env: place?.env ?? {} });
      await atWork(await person(system.url));
    }, 120_000);
    afterAll(async () => {
      await system?.end("SIGTERM");
      await place?.remove();
    }, 120_000);

    for (const sort of ["createdAt", "updatedAt", "dueAt", "priority", "title", "rank"] as const)
      for (const sign of ["", "-"])
        test(`sorted by ${sign}${sort}, a walk ends while tasks are made before and behind it`, async () => {
          const { who, tasks } = await world(system.url);
          const found = await walked(who, `/v1/tasks?sort=${sign}${sort}`, async (page) => {
            for (const [title, priority, dueAt] of [
              [`a ${page}`, "none", "2025-01-01T00:00:00Z"],
              [`c ${page}`, "high", "2027-01-01T00:00:00Z"],
            ] as const)
              await createTask(who, { title, priority, dueAt });
          });
          expect(ofThese(found, tasks).toSorted()).toEqual(ids(tasks).toSorted());
        });

    for (const sort of ["updatedAt", "dueAt", "priority", "title", "rank"] as const)
      test(`sorted by ${sort}, a walk ends while what it has met moves on before it`, async () => {
        const { who, tasks } = await world(system.url);
        let last = tasks.at(-1)?.id;
        const met: string[] = [];
        const found = await walked(who, `/v1/tasks?sort=${sort}`, async (page, items) => {
          met.push(...ids(items));
          for (const id of met.slice(-4)) {
            if (sort === "rank" && last === id) continue;
            const body = sort === "rank" ? { position: { after: last } } : moved(page)[sort];
            const reply = await who.call("PATCH", `/v1/tasks/${id}`, { body });
            expect(reply.status, reply.text).toBe(200);
            last = id;
          }
        });
        expect(new Set(ids(found)).size).toBe(count);
        // Where it was, and once where it has come to; what moves in the very millisecond in which the walk begins counts as where it was.
        expect(found.length).toBeLessThanOrEqual(2 * count + 2);
      });

    test("a task that the walk has not met is met where it is after one move, and what changes in place is met once", async () => {
      const { who, tasks } = await world(system.url);
      const [late, , changed] = tasks.slice(-3) as [Task, Task, Task];
      const found = await walked(who, "/v1/tasks?sort=title", async (page) => {
        if (page === 1) await who.call("PATCH", `/v1/tasks/${late.id}`, { body: { title: "z" } });
        await who.call("PATCH", `/v1/tasks/${changed.id}`, { body: { description: `${page}` } });
      });
      expect(ids(found).toSorted()).toEqual(ids(tasks).toSorted());
      expect(found.at(-1)?.id).toBe(late.id);
    });

    test("a walk over all of one's spaces ends as well", async () => {
      const { who, tasks } = await world(system.url);
      const spaceId = await newSpace(who);
      const found = await walked(who, "/v1/me/tasks?sort=createdAt", async () => {
        await createTask(who);
        await who.call("POST", `/v1/spaces/${spaceId}/tasks`, { body: { title: "x" } });
      });
      expect(ofThese(found, tasks)).toEqual(ids(tasks));
    });
  });
