/** One request of each kind, all at once but the list, as a user would notice them: what happens when something is down. */
import { expect } from "bun:test";
import { call, createTask, type Person, password, type Reply, type Task, type TaskPage } from "./client.ts";
import type { Crew } from "./member.ts";
import { poll } from "./poll.ts";

export const asked = [
  "create",
  "keyed create",
  "patch",
  "delete",
  "get cached",
  "get other",
  "list",
  "login",
  "refresh",
  "me",
  "keys",
] as const;
export type Asked = (typeof asked)[number];
/** The status, with the code of a problem, and `stale` where the answer says so. */
export type Answers = Record<Asked, string>;

export type Prepared = {
  readonly who: Person;
  /** Tasks nobody touches but the probe of that name. */
  readonly tasks: Readonly<Record<"patch" | "delete" | "get cached" | "get other", Task>>;
  refreshToken: string;
};

/** A user with tasks of which one is in the cache and one is not. `forget` takes a task out of the cache when all that was written to its position is in it. */
export async function prepare(
  url: string,
  who: Person,
  forget: (spaceId: string, id: string, token: string) => Promise<void>,
): Promise<Prepared> {
  const [one, two, cached] = [await createTask(who), await createTask(who), await createTask(who)];
  const made = await who.call<Task>("POST", "/v1/tasks", { body: { title: "other" } });
  expect(made.status, made.text).toBe(201);
  const login = await call<{ refreshToken: string }>(url, "POST", "/v1/auth/login", {
    body: { email: who.email, password },
  });
  expect(login.status, login.text).toBe(200);
  await forget(made.body.spaceId, made.body.id, made.headers.get("consistency-token") ?? "");
  expect((await who.call("GET", `/v1/tasks/${cached.id}`)).status).toBe(200);
  const isHeard = async () => (await who.call("GET", "/v1/tasks")).headers.get("consistency") === null;
  await poll("all of it is heard of", 60_000, isHeard);
  return {
    who,
    tasks: { patch: one, delete: two, "get cached": cached, "get other": made.body },
    refreshToken: login.body.refreshToken,
  };
}

export type Probed = {
  readonly answers: Answers;
  /** The slowest of tasks' routes, and of auth's. */
  readonly slowestMs: { readonly tasks: number; readonly auth: number };
  /** Where to look for what was 202. */
  readonly operations: readonly string[];
};

/** Every 503 must say when to come back. */
export async function probe(url: string, { who, tasks, refreshToken }: Prepared): Promise<Probed> {
  const token = who.tokens.accessToken;
  const path = (kind: keyof Prepared["tasks"]) => `/v1/tasks/${tasks[kind].id}`;
  const key = { "idempotency-key": crypto.randomUUID() };
  const requests: Record<Asked, () => Promise<Reply>> = {
    create: () => call(url, "POST", "/v1/tasks", { token, body: { title: "made" } }),
    "keyed create": () => call(url, "POST", "/v1/tasks", { token, body: { title: "made" }, headers: key }),
    patch: () => call(url, "PATCH", path("patch"), { token, body: { title: crypto.randomUUID() } }),
    delete: () => call(url, "DELETE", path("delete"), { token }),
    "get cached": () => call(url, "GET", path("get cached"), { token }),
    "get other": () => call(url, "GET", path("get other"), { token }),
    list: () => call<TaskPage>(url, "GET", "/v1/tasks", { token }),
    login: () => call(url, "POST", "/v1/auth/login", { body: { email: who.email, password } }),
    refresh: () => call(url, "POST", "/v1/auth/refresh", { body: { refreshToken } }),
    me: () => call(url, "GET", "/v1/auth/me", { token }),
    keys: () => call(url, "GET", "/.well-known/jwks.json"),
  };
  const operations: string[] = [];
  const slowestMs = { tasks: 0, auth: 0 };
  const answers = {} as Answers;
  const ask = async (kind: Asked): Promise<void> => {
    const begunMs = performance.now();
    const reply = await requests[kind]().catch(() => undefined);
    const of = ["login", "refresh", "me", "keys"].includes(kind) ? "auth" : "tasks";
    slowestMs[of] = Math.max(slowestMs[of], Math.round(performance.now() - begunMs));
    if (reply === undefined) {
      answers[kind] = "cut";
      return;
    }
    const { status, headers } = reply;
    if (status === 202) operations.push(headers.get("location") ?? "");
    const code = status >= 400 ? ` ${(reply.body as { code?: string } | undefined)?.code}` : "";
    const comeBack = status === 503 && !/^\d+$/.test(headers.get("retry-after") ?? "") ? " without Retry-After" : "";
    answers[kind] = `${status}${code}${headers.get("consistency") === "stale" ? " stale" : ""}${comeBack}`;
  };
  await Promise.all(asked.filter((kind) => kind !== "list").map(ask));
  // Only now there are writes to be missing in it.
  await ask("list");
  return { answers, slowestMs, operations };
}

/** What each role says of itself: `ok`, `degraded` or `down` (not ready); `gone` when it does not answer. */
export async function readinessOf({ auth, tasks, consumers }: Crew): Promise<string> {
  const said = await Promise.all(
    [auth, tasks[0], consumers[0]].map(async (each) => (await each?.report())?.status ?? "gone"),
  );
  return `auth ${said[0]}, task ${said[1]}, consumer ${said[2]}`;
}
