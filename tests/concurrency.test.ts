/** Many at once on the same tasks: nothing overwritten in silence, one order for all, own writes seen at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  createTask,
  expectProblem,
  historyOf,
  inParallel,
  type Person,
  person,
  type Reply,
  type Task,
  type TaskPage,
} from "./system/client.ts";
import { cleanUp, type System, start } from "./system/server.ts";

afterAll(cleanUp);

let system: System;
let ada: Person;

beforeAll(async () => {
  system = await start();
  ada = await person(system.url);
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

test("patches of different fields at the same moment are all kept", async () => {
  const wanted = {
    title: "new",
    description: "new",
    status: "in_progress",
    priority: "high",
    labels: ["new"],
    dueAt: "2031-01-01T00:00:00.000Z",
  };
  for (let round = 0; round < 30; round += 1) {
    const task = await createTask(ada, { title: "old" });
    const replies = await Promise.all(
      Object.entries(wanted).map(([field, value]) =>
        ada.call<Task>("PATCH", `/v1/tasks/${task.id}`, { body: { [field]: value } }),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(replies.map(({ body }) => body.version).sort()).toEqual([2, 3, 4, 5, 6, 7]);
    expect((await ada.call<Task>("GET", `/v1/tasks/${task.id}`)).body).toMatchObject({ ...wanted, version: 7 });
  }
});

test("of 50 with the same If-Match exactly one wins", async () => {
  const task = await createTask(ada);
  for (let version = 1; version <= 5; version += 1) {
    const replies: Reply<Task>[] = [];
    await inParallel(50, 50, async (index) => {
      replies.push(
        await ada.call<Task>("PATCH", `/v1/tasks/${task.id}`, {
          body: { title: `${version} by ${index}` },
          headers: { "if-match": `"${version}"` },
        }),
      );
    });
    const won = replies.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const reply of replies) if (reply.status !== 200) expectProblem(reply, 412, "version-mismatch");
    expect((await ada.call("GET", `/v1/tasks/${task.id}`)).text).toBe(won[0]?.text ?? "");
  }
});

test("of 50 that make a task under the same id exactly one does", async () => {
  const id = crypto.randomUUID();
  const replies: Reply<Task>[] = [];
  await inParallel(50, 50, async (index) => {
    replies.push(
      await ada.call<Task>("PUT", `/v1/tasks/${id}`, {
        body: { title: `by ${index}` },
        headers: { "if-none-match": "*" },
      }),
    );
  });
  const made = replies.filter(({ status }) => status === 201);
  expect(made).toHaveLength(1);
  for (const reply of replies) if (reply.status !== 201) expectProblem(reply, 412, "version-mismatch");
  expect((await ada.call("GET", `/v1/tasks/${id}`)).text).toBe(made[0]?.text ?? "");
});

test("of 50 deletions exactly one is 204", async () => {
  const task = await createTask(ada);
  const replies = await Promise.all(Array.from({ length: 50 }, () => ada.call("DELETE", `/v1/tasks/${task.id}`)));
  expect(replies.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 49 }, () => 404)]);
});

test("500 patches of one task by 32 at once: versions 2 to 501, and the history is what was answered", async () => {
  const task = await createTask(ada);
  const answered = new Map<number, Task>();
  await inParallel(500, 32, async (index) => {
    const reply = await ada.call<Task>("PATCH", `/v1/tasks/${task.id}`, { body: { title: `title ${index}` } });
    expect(reply.status, reply.text).toBe(200);
    expect(answered.has(reply.body.version)).toBe(false);
    answered.set(reply.body.version, reply.body);
  });
  const history = await historyOf(ada, task.id);
  expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 501 }, (_, index) => 501 - index));
  let at = "";
  for (const entry of history.toReversed().slice(1)) {
    expect(entry.changes.title).toEqual({
      from: (answered.get(entry.version - 1) ?? task).title,
      to: answered.get(entry.version)?.title ?? "",
    });
    expect(entry.at).toBe(answered.get(entry.version)?.updatedAt ?? "");
    expect(entry.at >= at).toBe(true);
    at = entry.at;
  }
}, 120_000);

test("one's own writes are seen at once, in the task and in the list, 2,000 times", async () => {
  const people = await Promise.all(Array.from({ length: 4 }, () => person(system.url)));
  await Promise.all(
    people.map(async (who) => {
      const own: Task[] = [];
      const see = async (task: Task | undefined, id: string): Promise<void> => {
        const single = await who.call<Task>("GET", `/v1/tasks/${id}`);
        expect(single.headers.get("consistency")).toBeNull();
        if (task === undefined) expect(single.status).toBe(404);
        else expect(single.body).toEqual(task);
        const list = await who.call<TaskPage>("GET", "/v1/tasks?sort=-updatedAt&limit=5");
        expect(list.headers.get("consistency")).toBeNull();
        const listed = list.body.items.find((item) => item.id === id);
        if (task === undefined) expect(listed).toBeUndefined();
        else expect(listed).toEqual(task);
      };
      for (let round = 0; round < 500; round += 1) {
        const kind = round % 5;
        const last = own.at(-1);
        if (kind === 4 && last !== undefined) {
          expect((await who.call("DELETE", `/v1/tasks/${last.id}`)).status).toBe(204);
          own.pop();
          await see(undefined, last.id);
        } else if (kind % 2 === 1 && last !== undefined) {
          const changed = (await who.call<Task>("PATCH", `/v1/tasks/${last.id}`, { body: { title: `title ${round}` } }))
            .body;
          own[own.length - 1] = changed;
          await see(changed, changed.id);
        } else {
          const made = await createTask(who, { title: `task ${round}` });
          own.push(made);
          await see(made, made.id);
        }
      }
    }),
  );
}, 120_000);
