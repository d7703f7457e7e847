/** A space with some of everything that can be moved, and what of it must be the same in another place. */
import { expect } from "bun:test";
import { writableFields } from "../../actors/http/resource-models.ts";
import type { Field, Json } from "../../actors/resources/field.ts";
import type { ResourceType } from "../../actors/resources/resource-type.ts";
import { importedTypes } from "../../actors/tracker/moving/moving-file.ts";
import type { Person } from "./client.ts";
import { factsOf, newSpace, ok, type Resource } from "./spaces.ts";
import { type TrackerExit, tracker } from "./tracker.ts";

/** Right to left, combining, joined emoji, beyond the first plane, what JSON escapes, white space at the ends. */
export const difficult = ' שלום é 👩‍👩‍👧‍👦🏳️‍🌈 𠜎 牛乳 "\\\u0001\u2028\t\n ';

export type World = {
  readonly spaceId: string;
  readonly projectId: string;
  readonly archivedId: string;
  /** A task with tasks below it and comments. */
  readonly parentId: string;
  readonly deletedIds: readonly string[];
};

/** What it holds is in nearly every state that there is. `friend` is a member. */
export async function makeWorld(
  owner: Person,
  friend: Person,
  join: (spaceId: string) => Promise<unknown>,
): Promise<World> {
  const spaceId = await newSpace(owner, `Moving ${difficult.trim()}`);
  await join(spaceId);
  const base = `/v1/spaces/${spaceId}`;
  const make = async (plural: string, body: object, who = owner) =>
    (await ok(who, 201, "POST", `${base}/${plural}`, body)).body.id;
  const columns = ["todo", "todo", "in_progress", "done"].map((status, n) => ({
    id: crypto.randomUUID(),
    name: `${n} ${difficult.trim()}`,
    status,
  }));
  const projectId = await make("projects", { name: difficult, columns, color: "#12ab9f" });
  const archivedId = await make("projects", { name: "Archived" });
  const goneId = await make("projects", { name: "Gone" });
  const archived = await make("tasks", { title: "In the archive", projectId: archivedId });
  const deletedIds = [goneId, await make("tasks", { title: "Below it", projectId: goneId })];

  // An order that is not the one in which they were made, and parents behind what is below them.
  const column = columns[1]?.id ?? null;
  const ids: string[] = [];
  for (let n = 0; n < 12; n++) {
    const after = ids[(n * 7) % Math.max(1, ids.length)];
    ids.push(
      await make(
        "tasks",
        {
          title: `Task ${n} ${difficult}`,
          projectId,
          columnId: column,
          ...(after === undefined ? {} : { position: { after } }),
        },
        n % 2 === 0 ? owner : friend,
      ),
    );
  }
  const [first = "", second = "", third = "", fourth = ""] = ids;
  await ok(owner, 200, "PATCH", `${base}/tasks/${first}`, { parentId: second });
  await ok(owner, 200, "PATCH", `${base}/tasks/${second}`, { parentId: third, status: "done" });
  await ok(owner, 200, "PATCH", `${base}/tasks/${third}`, { position: { before: fourth } });
  for (let at = third, n = 0; n < 5; n++) at = await make("tasks", { title: `Level ${n}`, parentId: at });
  for (const title of ["Loose 1", "Loose 2", "Loose 3"]) await make("tasks", { title });

  // A million characters in versions of one text.
  for (let n = 0; n < 25; n++)
    await ok(owner, 200, "PATCH", `${base}/tasks/${fourth}`, {
      description: `${String(n).padStart(2, "0")}${"é🍕".repeat(9_999)}`,
    });
  for (const who of [owner, friend]) await make("comments", { taskId: third, body: difficult }, who);
  const comment = await make("comments", { taskId: third, body: "Deleted" });
  await ok(owner, 204, "DELETE", `${base}/comments/${comment}`);
  const last = ids.at(-1) ?? "";
  deletedIds.push(comment, last, await make("comments", { taskId: last, body: "Of a deleted one" }), archived);
  await ok(owner, 204, "DELETE", `${base}/tasks/${last}`);
  await ok(owner, 204, "DELETE", `${base}/projects/${goneId}`);
  await ok(owner, 200, "PATCH", `${base}/projects/${archivedId}`, { archived: true });
  return { spaceId, projectId, archivedId, parentId: third, deletedIds };
}

/** Of every type one resource for each value of every writable field. */
export async function makeEveryField(owner: Person, friend: Person, spaceId: string): Promise<void> {
  const base = `/v1/spaces/${spaceId}`;
  const ids: Record<string, string> = {};
  for (const type of importedTypes) {
    const fields = writableFields(type, "create");
    const needed = Object.fromEntries(
      fields
        .filter(([, field]) => field.byDefault === undefined && field.form.kind !== "columns")
        .map(([name, field]) => [name, valuesOf(field, ids, owner, friend)[0]]),
    );
    const make = async (body: object) => {
      ids[type.name] = (await ok(owner, 201, "POST", `${base}/${type.plural}`, body)).body.id;
    };
    await make(needed);
    for (const [name, field] of fields)
      for (const value of name === "columnId" ? [] : valuesOf(field, ids, owner, friend))
        await make({ ...needed, [name]: value });
  }
}

/** A form without a value here fails the test. */
function valuesOf({ form }: Field, ids: Readonly<Record<string, string>>, owner: Person, friend: Person): Json[] {
  switch (form.kind) {
    case "text":
      return ["x", `${difficult.trim()}`.slice(0, form.max)];
    case "choice":
      return [...form.values];
    case "integer":
      return [form.min, form.max];
    case "flag":
      return [true, false];
    case "instant":
      return ["2020-02-29T12:34:56.789Z"];
    case "color":
      return ["#00ff7f"];
    case "reference":
      return [ids[form.to] ?? ""];
    case "texts":
      return [["b", "a", "é🍕"], Array.from({ length: form.max }, (_, n) => `${n}`)];
    case "members":
      return [[owner.id], [friend.id, owner.id]];
    case "due":
      return [
        { date: "2026-01-31" },
        { date: "2026-01-31", time: "09:30" },
        { date: "2026-01-31", time: "09:30", timeZone: "Europe/Berlin" },
      ];
    case "columns":
      return [[{ id: crypto.randomUUID(), name: "Only", status: "cancelled" }]];
    default:
      throw new Error(`Cannot try a field of the form ${form.kind}: give it a value here`);
  }
}

type Kept = Readonly<Record<string, Json>>;
/** By type: all that must be the same after a move, living and deleted ones, and the orders of tasks. */
export async function keptOf(who: Person, spaceId: string): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  const shown = new Map((await snapshotOf(who, spaceId)).map(({ resource }) => [resource.id, resource]));
  const facts = await factsOf(who, spaceId);
  for (const type of importedTypes) {
    const changes = facts.flatMap((fact) => fact.changes.filter((change) => change.type === type.name));
    const all: [string, Kept][] = [];
    for (const id of new Set(changes.map((change) => change.id))) {
      const resource = shown.get(id) ?? (await readOne(who, `/v1/spaces/${spaceId}/${type.plural}/${id}`));
      all.push([id, resource === undefined ? { deleted: true } : kept(type, resource)]);
    }
    result[type.name] = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  const orders = new Map<string, [string, string][]>();
  for (const { id, ...task } of shown.values()) {
    if (task.rank === undefined) continue;
    const order = `${task.projectId} ${task.projectId === null ? "" : task.columnId}`;
    orders.set(order, [...(orders.get(order) ?? []), [String(task.rank), id]]);
  }
  const inOrder = [...orders].map(([order, tasks]) => [order, tasks.sort().map(([, id]) => id)] as const);
  result.orders = Object.fromEntries(inOrder.sort(([a], [b]) => (a < b ? -1 : 1)));
  return result;
}

/** Comments, which no snapshot has, and deleted ones. */
async function readOne(who: Person, path: string): Promise<Resource | undefined> {
  const reply = await who.call<Resource>("GET", path);
  expect([200, 404], reply.text).toContain(reply.status);
  return reply.status === 200 ? reply.body : undefined;
}

function kept(type: ResourceType, resource: Resource): Kept {
  const names = writableFields(type, "create").map(([name]) => name);
  return Object.fromEntries(["id", "createdAt", "completedAt", ...names].map((name) => [name, resource[name] ?? null]));
}

export async function snapshotOf(who: Person, spaceId: string): Promise<{ type: string; resource: Resource }[]> {
  const { status, text } = await who.call("GET", `/v1/spaces/${spaceId}/snapshot`);
  expect(status).toBe(200);
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return lines.slice(1, -1);
}

export async function tokenOf(who: Person, scopes: readonly string[]): Promise<string> {
  return (await ok<Resource & { token: string }>(who, 201, "POST", "/v1/auth/tokens", { name: "Moving", scopes })).body
    .token;
}

/** `tracker` as this person, at this server. */
export async function moving(who: Person, url: string, args: readonly string[]): Promise<TrackerExit> {
  const [command = "", ...rest] = args;
  const token = await tokenOf(who, ["tasks:read", "tasks:write", "spaces:admin"]);
  return await tracker([command, "--server", url, ...rest], { TT_API_TOKEN: token }).exited;
}
