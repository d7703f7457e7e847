/** A small client of the public contract that keeps a user's tokens. */
import { expect } from "bun:test";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type Due = { date: string; time?: string; timeZone?: string };
export type Task = {
  id: string;
  spaceId: string;
  title: string;
  description: string;
  status: "todo" | "in_progress" | "done" | "cancelled";
  priority: "none" | "low" | "medium" | "high" | "urgent";
  labels: string[];
  due: Due | null;
  dueAt: string | null;
  projectId: string | null;
  columnId: string | null;
  parentId: string | null;
  assigneeIds: string[];
  estimateMinutes: number | null;
  rank: string;
  completedAt: string | null;
  creatorId: string;
  version: number;
  createdAt: string;
  updatedAt: string;
};
export type TaskPage = { items: Task[]; nextCursor: string | null };
export type HistoryEntry = {
  version: number;
  seq: number;
  kind: "created" | "changed" | "deleted" | "restored" | "undone";
  at: string;
  actorId: string;
  operationId: string;
  changes: Record<string, { from: Json; to: Json }>;
};
export type HistoryPage = { items: HistoryEntry[]; nextCursor: string | null };
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  errors?: { path: string; message: string }[];
  change?: number;
  resources?: string[];
};
export type Account = { id: string; email: string; name: string | null; createdAt: string };
export type Tokens = { accessToken: string; tokenType: string; expiresIn: number; refreshToken: string; user: Account };

export type Reply<Body = unknown> = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
};

export type CallOptions = {
  /** Sent as JSON, unless `raw` is given. */
  body?: unknown;
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: Readonly<Record<string, string>>;
  token?: string;
};

/** One request. The answer's body is parsed when it is JSON; a connection that is cut rejects. */
export async function call<Body = unknown>(
  url: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Reply<Body>> {
  const headers = new Headers();
  if (options.token !== undefined) headers.set("authorization", `Bearer ${options.token}`);
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  if (body !== undefined) headers.set("content-type", "application/json");
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value === "") headers.delete(name);
    else headers.set(name, value);
  }
  const answer = await fetch(url + path, {
    method,
    headers,
    redirect: "manual",
    signal: AbortSignal.timeout(60_000),
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const isJson = /^application\/([a-z-]+\+)?json/.test(answer.headers.get("content-type") ?? "") && text !== "";
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: (isJson ? JSON.parse(text) : undefined) as Body,
  };
}

export type Person = {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly tokens: Tokens;
  call<Body = unknown>(method: string, path: string, options?: CallOptions): Promise<Reply<Body>>;
};

export const password = "correct horse battery staple 7";
let people = 0;

/** Registers somebody new. */
export async function person(url: string): Promise<Person> {
  people += 1;
  const email = `person-${process.pid}-${people}-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const reply = await call<Tokens>(url, "POST", "/v1/auth/register", {
    body: { email, password, name: `Person ${people}` },
  });
  expect(reply.status, reply.text).toBe(201);
  const tokens = reply.body;
  return {
    id: tokens.user.id,
    email,
    password,
    tokens,
    call: (method, path, options = {}) => call(url, method, path, { token: tokens.accessToken, ...options }),
  };
}

/** Creates a task and insists that it worked. */
export async function createTask(
  who: Person,
  body: Readonly<Record<string, unknown>> = { title: "a task" },
): Promise<Task> {
  const reply = await who.call<Task>("POST", "/v1/tasks", { body });
  expect(reply.status, reply.text).toBe(201);
  return reply.body;
}

/** All tasks of a list, page after page. */
export async function walk(who: Person, query: string, limit = 100): Promise<Task[]> {
  const found: Task[] = [];
  let cursor: string | null = null;
  do {
    const parameters = new URLSearchParams(query);
    parameters.set("limit", String(limit));
    if (cursor !== null) parameters.set("cursor", cursor);
    const reply: Reply<TaskPage> = await who.call<TaskPage>("GET", `/v1/tasks?${parameters}`);
    expect(reply.status, reply.text).toBe(200);
    found.push(...reply.body.items);
    cursor = reply.body.nextCursor;
  } while (cursor !== null);
  return found;
}

/** The whole history of a task, newest first. */
export async function historyOf(who: Person, id: string): Promise<HistoryEntry[]> {
  const found: HistoryEntry[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`;
    const reply: Reply<HistoryPage> = await who.call<HistoryPage>("GET", `/v1/tasks/${id}/history${more}`);
    expect(reply.status, reply.text).toBe(200);
    found.push(...reply.body.items);
    cursor = reply.body.nextCursor;
  } while (cursor !== null);
  return found;
}

/** Insists on a problem of this status and code, in the shape that the contract gives all of them. */
export function expectProblem(reply: Reply, status: number, code: string): ProblemBody {
  expect({ status: reply.status, text: reply.text }, reply.text).toMatchObject({ status });
  expect(reply.headers.get("content-type")?.split(";")[0]).toBe("application/problem+json");
  const problem = reply.body as ProblemBody;
  expect(problem).toMatchObject({ type: `/problems/${code}`, status, code });
  for (const field of ["title", "detail", "instance", "requestId"] as const)
    expect(typeof problem[field], field).toBe("string");
  expect(problem.requestId).toBe(reply.headers.get("x-request-id") ?? "(no X-Request-Id)");
  expect(problem.errors !== undefined).toBe(code === "validation" || code === "invalid-reference");
  const known = ["type", "title", "status", "detail", "instance", "code", "requestId", "errors", "change", "resources"];
  expect(Object.keys(problem).filter((key) => !known.includes(key))).toEqual([]);
  return problem;
}

/** Runs `count` jobs with at most `width` at once, in order of their number. */
export async function inParallel(count: number, width: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await job(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
