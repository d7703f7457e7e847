/** The system under measurement, with users and some tasks of theirs. */

import { writeFileSync } from "node:fs";

import { type Running, type Runtime, start } from "./processes.ts";

export type Tracker = Running & {
  /** Without a slash at its end. */
  readonly url: string;
  /** From the spawn to the end of the first 2xx answer, which auth gave through the `task` worker. */
  readonly startMs: number;
};

export type Person = { readonly token: string; readonly taskIds: readonly string[] };

/** Tasks of each new user; a page of a list holds 50 of them. */
const tasksEach = 200;

/** Whatever the shell that starts a run has set. */
const withoutServers = { ROLE: "all", DATABASE_URL: "", MONGO_URL: "", REDIS_URL: "", KAFKA_BROKERS: "" };

/** On its embedded default unless `more` says otherwise. */
export async function startTracker(
  runtime: Runtime,
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Tracker> {
  const beganMs = performance.now();
  const env = {
    HOST: "127.0.0.1",
    PORT: "0",
    ADMIN_PORT: "0",
    DATA_DIR: dataDir,
    LOG_LEVEL: "warn",
    TT_RATE_LIMIT: "999999999/60",
    ...withoutServers,
    ...more,
  };
  const running = await start(runtime, "actors/main.ts", [], env);
  const { url } = JSON.parse(running.greeting) as { url: string };
  // A consumer has no public port.
  if (more.ROLE !== "consumer") await answered(await fetch(`${url}/.well-known/jwks.json`), 200);
  return { ...running, url, startMs: performance.now() - beganMs };
}

/** Registers somebody and creates their tasks. A token lives ten minutes, so each round has its own user. */
export async function newPerson(url: string, tasks = tasksEach): Promise<Person> {
  const account = { email: `bench-${crypto.randomUUID()}@example.com`, password: "correct horse battery staple 7" };
  const registered = await answered(await post(`${url}/v1/auth/register`, account), 201);
  const { accessToken: token } = JSON.parse(registered) as { accessToken: string };
  const taskIds: string[] = [];
  for (let each = 0; each < tasks; each++) {
    const created = await answered(await post(`${url}/v1/tasks`, newTask(each), token), 201);
    taskIds.push((JSON.parse(created) as { id: string }).id);
  }
  return { token, taskIds };
}

/** A reference answers with what the system answers, to the byte. */
export async function keepAnswers(
  url: string,
  { token, taskIds }: Person,
  files: { readonly taskFile: string; readonly pageFile: string },
): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  writeFileSync(files.taskFile, await answered(await fetch(`${url}/v1/tasks/${taskIds[0]}`, { headers }), 200));
  writeFileSync(files.pageFile, await answered(await fetch(`${url}/v1/tasks`, { headers }), 200));
}

/** What a client sends to create a task; its JSON text as served has about 500 bytes. */
export function newTask(each: number): object {
  return {
    title: `Write down what was agreed in meeting ${each}`,
    description: "Everybody who was there reads it, says what is missing within the week, and the rest is done.",
    priority: "medium",
    labels: ["meetings", "writing"],
  };
}

export function post(url: string, body: object, token?: string): Promise<Response> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify(body),
  });
}

/** The body of an answer that must have this status. */
export async function answered(answer: Response, status: number): Promise<string> {
  const text = await answer.text();
  if (answer.status !== status)
    throw new Error(`Cannot measure: ${answer.url} answered ${answer.status}, not ${status}: ${text}`);
  return text;
}
