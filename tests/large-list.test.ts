/** 20,000 tasks of one user: every sort walked by cursor is complete and without repetition, and each page is quick. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { inParallel, type Person, person, type Task, type TaskPage } from "./system/client.ts";
import { random } from "./system/random.ts";
import { cleanUp, type System, start } from "./system/server.ts";

afterAll(cleanUp);

const total = 20_000;
/** Far above the aim of 20 ms, which the benchmark measures: here only a scan of everything must show. */
const pageMsMax = 250;
let system: System;
let ada: Person;
const ids = new Set<string>();
const labelled = new Set<string>();

beforeAll(async () => {
  system = await start();
  ada = await person(system.url);
  const choose = random(7);
  await inParallel(total, 64, async (index) => {
    const labels = index % 50 === 0 ? ["fiftieth"] : [];
    const reply = await ada.call<Task>("POST", "/v1/tasks", {
      body: {
        title: `${choose.pick(["Buy", "Älter", "zoo", "ábaco", "Sell"])} thing ${choose.int(500)}`,
        priority: choose.pick(["none", "low", "medium", "high", "urgent"]),
        status: choose.pick(["todo", "in_progress", "done"]),
        dueAt: choose.chance(0.5) ? new Date(1_900_000_000_000 + choose.int(1000) * 86_400_000).toISOString() : null,
        labels,
      },
    });
    if (reply.status !== 201) throw new Error(`Cannot create a task: ${reply.status} ${reply.text}`);
    ids.add(reply.body.id);
    if (labels.length > 0) labelled.add(reply.body.id);
  });
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

async function timedWalk(query: string): Promise<{ found: Task[]; median: number; p99: number }> {
  const found: Task[] = [];
  const times: number[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const began = performance.now();
    const reply = await ada.call<TaskPage>("GET", `/v1/tasks?limit=100&${query}${more}`);
    times.push(performance.now() - began);
    if (reply.status !== 200) throw new Error(`Cannot list: ${reply.status} ${reply.text}`);
    found.push(...reply.body.items);
    cursor = reply.body.nextCursor;
  } while (cursor !== null);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
  return { found, median: at(0.5), p99: at(0.99) };
}

const ranks = ["none", "low", "medium", "high", "urgent"];
/** Without case and accents, numbers by value. */
const form = (title: string): string =>
  title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/\d+/g, (digits) => digits.padStart(20, "0"));
const sortKeys: Record<string, (task: Task) => string | number | null> = {
  createdAt: (task) => task.createdAt,
  updatedAt: (task) => task.updatedAt,
  dueAt: (task) => task.dueAt,
  priority: (task) => ranks.indexOf(task.priority),
  title: (task) => form(task.title),
};

/** Whether two neighbours stand in the order that the contract gives. */
function inOrder(first: Task, second: Task, key: (task: Task) => string | number | null, descending: boolean): boolean {
  const [a, b] = [key(first), key(second)];
  if (a === b) return descending ? first.id > second.id : first.id < second.id;
  if (a === null || b === null) return b === null;
  return descending ? a > b : a < b;
}

for (const [name, key] of Object.entries(sortKeys)) {
  for (const sort of [name, `-${name}`]) {
    test(`sorted by ${sort}, the walk is complete, in order and without repetition`, async () => {
      const { found, median, p99 } = await timedWalk(`sort=${sort}`);
      expect(found).toHaveLength(total);
      expect(new Set(found.map(({ id }) => id))).toEqual(ids);
      const wrong = found.findIndex(
        (task, index) => index > 0 && !inOrder(found[index - 1] as Task, task, key, sort.startsWith("-")),
      );
      expect(wrong).toBe(-1);
      process.stdout.write(`  p99 of a page of 100 of ${total}, ${sort}: ${p99.toFixed(1)} ms\n`);
      expect(median).toBeLessThan(pageMsMax);
    }, 120_000);
  }
}

test("filtered by a rare label, every one is found", async () => {
  const { found, median, p99 } = await timedWalk("label=fiftieth&sort=-title");
  expect(new Set(found.map(({ id }) => id))).toEqual(labelled);
  expect(found).toHaveLength(labelled.size);
  process.stdout.write(`  p99 of a page of 100 by label: ${p99.toFixed(1)} ms\n`);
  expect(median).toBeLessThan(pageMsMax);
}, 120_000);

test("searched for words, every one is found", async () => {
  const { found, median, p99 } = await timedWalk("q=ALTER%20thing%2042&sort=createdAt");
  expect(found.length).toBeGreaterThan(0);
  expect(found.every(({ title }) => /^Älter thing 42\d?$/.test(title))).toBe(true);
  process.stdout.write(`  p99 of a search page: ${p99.toFixed(1)} ms\n`);
  expect(median).toBeLessThan(pageMsMax);
}, 120_000);

test("walked while others write, no task that stays as it is repeats or is missed", async () => {
  const bystander = (await ada.call<TaskPage>("GET", "/v1/tasks?limit=100&sort=title")).body.items;
  let walking = true;
  const writes = inParallel(400, 4, async (index) => {
    if (!walking) return;
    const victim = bystander[index % 100];
    await ada.call("PATCH", `/v1/tasks/${victim?.id}`, { body: { title: `zz ${index}` } });
    await ada.call("POST", "/v1/tasks", { body: { title: `middle ${index}` } });
  });
  const { found } = await timedWalk("sort=title");
  walking = false;
  await writes;
  const touched = new Set(bystander.map(({ id }) => id));
  const steady = found.map(({ id }) => id).filter((id) => ids.has(id) && !touched.has(id));
  expect(steady).toHaveLength(new Set(steady).size);
  expect(steady).toHaveLength(total - touched.size);
}, 120_000);
