/** Random sequences of requests by several users, each answer compared with the contract as a plain value in memory. A failing seed is added to `seeds`. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type CallOptions,
  expectProblem,
  historyOf,
  type Person,
  type ProblemBody,
  person,
  type Reply,
  type Task,
  type TaskPage,
} from "./system/client.ts";
import {
  changed,
  created,
  defaults,
  deleted,
  type Filters,
  matches,
  order,
  restored,
  type Sort,
  type Stored,
  sorts,
  undone,
  type Writable,
} from "./system/model.ts";
import { published } from "./system/openapi.ts";
import { type Random, random } from "./system/random.ts";
import { cleanUp, type System, start } from "./system/server.ts";

afterAll(cleanUp);

const seeds = [1, 2, 3, Number(process.hrtime.bigint() % 1_000_000_000n)];
const stepsPerSeed = 1_200;

let system: System;
let features: { restore: boolean; undo: boolean; past: boolean; operations: boolean };
beforeAll(async () => {
  system = await start();
  const { has, routes } = await published(system.url);
  features = {
    restore: has("POST", "/v1/tasks/{id}/restore"),
    undo: has("POST", "/v1/tasks/{id}/undo"),
    operations: has("GET", "/v1/operations/{id}"),
    past: routes.some(
      ({ method, template, operation }) =>
        method === "GET" &&
        template === "/v1/tasks/{id}" &&
        (operation.parameters ?? []).some(({ name }) => name === "asOf"),
    ),
  };
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

type Sent = { method: string; path: string; options: CallOptions };
type World = {
  choose: Random;
  people: Person[];
  /** All tasks, by id. */
  tasks: Map<string, Stored>;
  /** Every answer that was kept under a key, by user. */
  kept: { who: Person; key: string; sent: Sent; reply: Reply<Task> }[];
  keys: number;
};

const titles = [
  "Buy milk",
  "buy bread",
  "Ärger im Büro",
  "BÜRO plan 42",
  "Résumé draft",
  "İstanbul trip",
  "ﬁsh and chips",
  "École",
  "ecole 2",
  "zebra",
  "日本 旅行",
  "x",
];
const descriptions = ["", "call Ömer about milk", "42 is the answer", "naïve Überlegung", "trip notes"];
const labels = ["home", "work", "Home", "ev işi", "😀"];
const dues = [
  null,
  "2030-01-01T00:00:00.000Z",
  "2030-01-01T00:00:00.001Z",
  "2031-06-15T12:30:00.000Z",
  "1999-12-31T23:59:59.999Z",
];
const queries = [
  "mil",
  "MILK buy",
  "buro",
  "BÜRO 4",
  "resume",
  "istan",
  "fish",
  "ﬁ",
  "ecole",
  "naive uber",
  "omer",
  "日",
  "ilk",
  "trip notes",
  "zzz",
  "42",
];

function someFields({ choose }: World): Partial<Writable> {
  const all: Writable = {
    title: choose.pick(titles),
    description: choose.pick(descriptions),
    status: choose.pick(["todo", "in_progress", "done"]),
    priority: choose.pick(["none", "low", "medium", "high", "urgent"]),
    labels: choose.some(labels, 0.4),
    dueAt: choose.pick(dues),
  };
  return Object.fromEntries(choose.some(Object.entries(all), 0.4));
}

/** A task to act on: mostly one's own living one, at times a deleted, a foreign or a missing one. */
function target(world: World, who: Person): { id: string; stored: Stored | undefined } {
  const { choose, tasks } = world;
  const own = [...tasks.values()].filter(({ task }) => task.creatorId === who.id);
  const wanted = choose.int(20);
  const from =
    wanted === 0
      ? [...tasks.values()].filter(({ task }) => task.creatorId !== who.id)
      : wanted <= 3
        ? own.filter((each) => each.deleted)
        : own.filter((each) => !each.deleted);
  if (wanted === 19 || from.length === 0) return { id: crypto.randomUUID(), stored: undefined };
  const stored = choose.pick(from.slice(-12));
  return { id: stored.task.id, stored: stored.task.creatorId === who.id ? stored : undefined };
}

/** A condition and whether the living task meets it. */
function condition(world: World, version: number | undefined): { header: string | undefined; met: boolean } {
  const right = version ?? 1;
  switch (world.choose.int(12)) {
    case 0:
      return { header: `"${right}"`, met: true };
    case 1:
      return { header: `"${right + 1 + world.choose.int(3)}"`, met: false };
    case 2:
      return { header: "*", met: true };
    case 3:
      return { header: `"${right + 5}", "${right}"`, met: true };
    case 4:
      return { header: `W/"${right}"`, met: false };
    default:
      return { header: undefined, met: true };
  }
}

/** Sends a write, at times under a key that is kept; later the same again must be the same answer. */
async function write(world: World, who: Person, sent: Sent): Promise<Reply<Task>> {
  const { choose, kept } = world;
  if (!choose.chance(0.4)) return who.call<Task>(sent.method, sent.path, sent.options);
  world.keys += 1;
  const key = `key-${world.keys}`;
  const reply = await who.call<Task>(sent.method, sent.path, {
    ...sent.options,
    headers: { ...sent.options.headers, "idempotency-key": key },
  });
  expect(reply.headers.get("idempotency-replayed")).toBeNull();
  kept.push({ who, key, sent, reply });
  return reply;
}

function set(world: World, stored: Stored, reply: Reply<Task>): void {
  expect(reply.body).toEqual(stored.task);
  expect(reply.headers.get("etag")).toBe(`"${stored.task.version}"`);
  const before = world.tasks.get(stored.task.id);
  expect(stored.task.updatedAt >= (before?.task.updatedAt ?? "")).toBe(true);
  world.tasks.set(stored.task.id, stored);
}

type Action = (world: World, who: Person) => Promise<void>;

const create: Action = async (world, who) => {
  const fields = { title: world.choose.pick(titles), ...someFields(world) };
  const chosen = world.choose.chance(0.3);
  const id = crypto.randomUUID();
  const reply = await write(
    world,
    who,
    chosen
      ? { method: "PUT", path: `/v1/tasks/${id}`, options: { body: fields, headers: { "if-none-match": "*" } } }
      : { method: "POST", path: "/v1/tasks", options: { body: fields } },
  );
  expect(reply.status, reply.text).toBe(201);
  if (chosen) expect(reply.body.id).toBe(id);
  expect(reply.headers.get("location")).toBe(`/v1/tasks/${reply.body.id}`);
  expect(world.tasks.has(reply.body.id)).toBe(false);
  set(
    world,
    created(fields, {
      id: reply.body.id,
      spaceId: who.id,
      creatorId: who.id,
      createdAt: reply.body.createdAt,
      rank: reply.body.rank,
    }),
    reply,
  );
};

const createTaken: Action = async (world, who) => {
  // Ids are unique within a space: another person's is free here.
  const own = [...world.tasks.values()].filter(({ task }) => task.creatorId === who.id);
  if (own.length === 0) return;
  const { task } = world.choose.pick(own);
  expectProblem(
    await write(world, who, {
      method: "PUT",
      path: `/v1/tasks/${task.id}`,
      options: { body: { title: "taken" }, headers: { "if-none-match": "*" } },
    }),
    412,
    "version-mismatch",
  );
};

const change: Action = async (world, who) => {
  const { id, stored } = target(world, who);
  const put = world.choose.chance(0.3);
  const fields = put ? { title: world.choose.pick(titles), ...someFields(world) } : someFields(world);
  // In a merge patch null stands for a field's default.
  const nulls = put ? [] : Object.keys(defaults).filter((name) => name !== "title" && world.choose.chance(0.1));
  const body = { ...fields, ...Object.fromEntries(nulls.map((name) => [name, null])) };
  for (const name of nulls) Object.assign(fields, { [name]: defaults[name as keyof Writable] });
  const { header, met } = condition(world, stored?.task.version);
  const reply = await write(world, who, {
    method: put ? "PUT" : "PATCH",
    path: `/v1/tasks/${id}`,
    options: { body, headers: header === undefined ? {} : { "if-match": header } },
  });
  if (stored === undefined || stored.deleted) return void expectProblem(reply, 404, "not-found");
  if (!met) return void expectProblem(reply, 412, "version-mismatch");
  expect(reply.status, reply.text).toBe(200);
  set(world, changed(stored, put ? { ...defaults, ...fields } : fields, reply.body.updatedAt), reply);
};

const invalid: Action = async (world, who) => {
  const { id } = target(world, who);
  expectProblem(
    await who.call("PATCH", `/v1/tasks/${id}`, {
      body: { title: "never", priority: "very" },
      headers: { "idempotency-key": "invalid" },
    }),
    422,
    "validation",
  );
};

const remove: Action = async (world, who) => {
  const { id, stored } = target(world, who);
  const { header, met } = condition(world, stored?.task.version);
  const reply = await write(world, who, {
    method: "DELETE",
    path: `/v1/tasks/${id}`,
    options: { headers: header === undefined ? {} : { "if-match": header } },
  });
  if (stored === undefined || stored.deleted) return void expectProblem(reply, 404, "not-found");
  if (!met) return void expectProblem(reply, 412, "version-mismatch");
  expect([reply.status, reply.text]).toEqual([204, ""]);
  const [latest] = await historyOf(who, id);
  expect(latest?.kind).toBe("deleted");
  expect((latest?.at ?? "") >= stored.task.updatedAt).toBe(true);
  world.tasks.set(id, deleted(stored, latest?.at ?? ""));
};

const restore: Action = async (world, who) => {
  const { choose } = world;
  const gone = [...world.tasks.values()].filter((each) => each.deleted && each.task.creatorId === who.id);
  const { id, stored } =
    gone.length > 0 && choose.chance(0.7) ? { id: choose.pick(gone).task.id, stored: undefined } : target(world, who);
  const found = stored ?? gone.find(({ task }) => task.id === id);
  const stale = found?.deleted === true && choose.chance(0.15);
  const headers: Record<string, string> = stale
    ? { "if-match": `"${found.task.version - 1}"` }
    : found?.deleted === true && choose.chance(0.2)
      ? { "if-match": `"${found.task.version}"` }
      : {};
  const reply = await write(world, who, { method: "POST", path: `/v1/tasks/${id}/restore`, options: { headers } });
  if (found === undefined) return void expectProblem(reply, 404, "not-found");
  if (!found.deleted) return void expectProblem(reply, 409, "conflict");
  if (stale) return void expectProblem(reply, 412, "version-mismatch");
  expect(reply.status, reply.text).toBe(200);
  set(world, restored(found, reply.body.updatedAt), reply);
};

const undo: Action = async (world, who) => {
  const { id, stored } = target(world, who);
  // The contract does not say what taking back a restore answers.
  if (stored?.undoable.at(-1)?.by === "restored") return;
  const stale = stored !== undefined && world.choose.chance(0.1);
  const reply = await write(world, who, {
    method: "POST",
    path: `/v1/tasks/${id}/undo`,
    options: { headers: stale ? { "if-match": `"${stored.task.version + 1}"` } : {} },
  });
  if (stored === undefined) return void expectProblem(reply, 404, "not-found");
  const next = undone(stored, reply.body.updatedAt);
  if (next === undefined) {
    if (reply.status !== 412 || !stale) expectProblem(reply, 409, "conflict");
    return;
  }
  if (stale) return void expectProblem(reply, 412, "version-mismatch");
  expect(reply.status, reply.text).toBe(200);
  set(world, next, reply);
};

const repeat: Action = async ({ choose, kept }) => {
  if (kept.length === 0) return;
  const { who, key, sent, reply } = choose.pick(kept);
  const headers = { ...sent.options.headers, "idempotency-key": key };
  if (choose.chance(0.25)) {
    const other = sent.method === "PATCH" ? { title: `other ${key}` } : { title: `other ${key}`, description: "other" };
    const method =
      sent.method === "DELETE" || sent.path.endsWith("restore") || sent.path.endsWith("undo") ? "PATCH" : sent.method;
    const path = sent.path.replace(/\/(restore|undo)$/, "");
    expectProblem(await who.call(method, path, { body: other, headers }), 422, "idempotency-mismatch");
    return;
  }
  const again = await who.call<Task>(sent.method, sent.path, { ...sent.options, headers });
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(again.status).toBe(reply.status);
  if (reply.status < 400) expect(again.text).toBe(reply.text);
  else
    expect({ ...(again.body as unknown as ProblemBody), requestId: "" }).toEqual({
      ...(reply.body as unknown as ProblemBody),
      requestId: "",
    });
  expect(again.headers.get("etag")).toBe(reply.headers.get("etag"));
};

const read: Action = async (world, who) => {
  const { id, stored } = target(world, who);
  const reply = await who.call<Task>("GET", `/v1/tasks/${id}`);
  if (stored === undefined || stored.deleted) return void expectProblem(reply, 404, "not-found");
  expect(reply.status, reply.text).toBe(200);
  expect(reply.body).toEqual(stored.task);
  expect(
    (await who.call("GET", `/v1/tasks/${id}`, { headers: { "if-none-match": `"${stored.task.version}"` } })).status,
  ).toBe(304);
};

const readHistory: Action = async (world, who) => {
  const { id, stored } = target(world, who);
  if (stored === undefined)
    return void expectProblem(await who.call("GET", `/v1/tasks/${id}/history`), 404, "not-found");
  const history = await historyOf(who, id);
  const plain = history.map(({ operationId: _operation, seq: _seq, actorId, changes, ...rest }) => {
    expect(actorId).toBe(who.id);
    return {
      ...rest,
      changes: Object.fromEntries(Object.entries(changes).filter(([, { from, to }]) => from !== null || to !== null)),
    };
  });
  expect(plain).toEqual(stored.history.map((entry) => ({ ...entry })));
  expect(new Set(history.map(({ operationId }) => operationId)).size).toBe(history.length);
  if (!features.operations) return;
  const entry = world.choose.pick(history);
  const was = stored.versions[entry.version - 1];
  const operation = await who.call<{ id: string; status: string; items: (Task | null)[] }>(
    "GET",
    `/v1/operations/${entry.operationId}`,
  );
  expect(operation.body).toMatchObject({ id: entry.operationId, status: "applied" });
  expect(operation.body.items).toEqual([was === undefined || was.deleted ? null : was.task]);
  const stranger = world.people.find((other) => other !== who) as Person;
  expectProblem(await stranger.call("GET", `/v1/operations/${entry.operationId}`), 404, "not-found");
};

const readPast: Action = async (world, who) => {
  const { choose } = world;
  const { id, stored } = target(world, who);
  if (stored === undefined)
    return void expectProblem(await who.call("GET", `/v1/tasks/${id}?version=1`), 404, "not-found");
  const at = choose.pick(stored.history).at;
  const byInstant = choose.chance(0.5);
  const version = choose.int(stored.task.version + 2);
  const before = byInstant && choose.chance(0.2);
  const instant = before ? new Date(Date.parse(stored.task.createdAt) - 1).toISOString() : at;
  const shown = byInstant
    ? stored.versions.findLast(({ task }) => task.updatedAt <= instant)
    : stored.versions[version - 1];
  const reply = await who.call<Task>("GET", `/v1/tasks/${id}?${byInstant ? `asOf=${instant}` : `version=${version}`}`);
  if (shown === undefined || shown.deleted) return void expectProblem(reply, 404, "not-found");
  expect(reply.status, reply.text).toBe(200);
  expect(reply.body).toEqual(shown.task);
  expect(reply.headers.get("etag")).toBe(`"${shown.task.version}"`);
};

const list: Action = async ({ choose, tasks }, who) => {
  const filters: Filters = {};
  if (choose.chance(0.25)) filters.status = choose.some(["todo", "in_progress", "done"] as const, 0.6);
  if (choose.chance(0.2)) filters.priority = choose.pick(["none", "low", "medium", "high", "urgent"]);
  if (choose.chance(0.2)) filters.label = choose.some(labels, 0.3);
  if (choose.chance(0.35)) filters.q = choose.pick(queries);
  if (choose.chance(0.2)) filters.dueBefore = choose.pick(dues.slice(1)) ?? "";
  if (choose.chance(0.2)) filters.dueAfter = choose.pick(dues.slice(1)) ?? "";
  if (choose.chance(0.2) && tasks.size > 0) filters.updatedAfter = choose.pick([...tasks.values()]).task.updatedAt;
  if (choose.chance(0.2)) filters.deleted = true;
  if (filters.status?.length === 0) delete filters.status;
  const sort: Sort = choose.chance(0.2) ? "-createdAt" : (`${choose.pick(["", "-"])}${choose.pick(sorts)}` as Sort);
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filters))
    for (const one of [value].flat()) parameters.append(name, String(one));
  if (sort !== "-createdAt") parameters.set("sort", sort);
  const expected = [...tasks.values()]
    .filter((stored) => stored.task.creatorId === who.id && matches(stored, filters))
    .map(({ task }) => task)
    .sort((a, b) => order(a, b, sort));
  const found: Task[] = [];
  let cursor: string | null = null;
  do {
    parameters.set("limit", String(1 + choose.int(40)));
    if (cursor !== null) parameters.set("cursor", cursor);
    const reply: Reply<TaskPage> = await who.call<TaskPage>("GET", `/v1/tasks?${parameters}`);
    expect(reply.status, `${parameters} ${reply.text}`).toBe(200);
    found.push(...reply.body.items);
    cursor = reply.body.nextCursor;
    if (cursor !== null) expect(reply.body.items.length).toBe(Number(parameters.get("limit")));
  } while (cursor !== null);
  expect(
    found.map(({ title, id }) => `${title} ${id}`),
    String(parameters),
  ).toEqual(expected.map(({ title, id }) => `${title} ${id}`));
  expect(found).toEqual(expected);
};

for (const seed of seeds) {
  test(`${stepsPerSeed} random requests by three users are answered as the contract says (seed ${seed})`, async () => {
    const people = await Promise.all([person(system.url), person(system.url), person(system.url)]);
    const world: World = { choose: random(seed), people, tasks: new Map(), kept: [], keys: 0 };
    const weighted: [number, Action][] = [
      [20, create],
      [2, createTaken],
      [30, change],
      [2, invalid],
      [7, remove],
      [features.restore ? 6 : 0, restore],
      [features.undo ? 10 : 0, undo],
      [10, repeat],
      [8, read],
      [6, readHistory],
      [features.past ? 8 : 0, readPast],
      [14, list],
    ];
    const actions = weighted.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));
    for (let step = 0; step < stepsPerSeed; step += 1) {
      const action = world.choose.pick(actions);
      try {
        await action(world, world.choose.pick(people));
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
    for (const who of people) {
      const own = [...world.tasks.values()].filter(({ task }) => task.creatorId === who.id);
      for (const stored of own)
        expect((await historyOf(who, stored.task.id)).map(({ version }) => version)).toEqual(
          stored.history.map(({ version }) => version),
        );
    }
  }, 120_000);
}
