/** Files that something else has damaged: either all works, or one clear line says which file it is and what to do. Never a loop of crashes, never silently empty. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { call, createTask, type Person, person, type TaskPage, type Tokens } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { random } from "./system/random.ts";
import {
  cleanUp,
  endDeadlineMs,
  freePort,
  launch,
  run,
  start,
  startDeadlineMs,
  temporaryFolder,
} from "./system/server.ts";

afterAll(cleanUp);

const tasks = 60;
const files = ["tasks.db", "tasks.db-wal", "auth.db", "auth.db-wal"];
let whole = "";
let owner: Person;
let first = "";

beforeAll(async () => {
  const system = await start();
  owner = await person(system.url);
  for (let count = 0; count < tasks; count++) {
    const { id } = await createTask(owner, { title: `Task ${count}`, description: "x".repeat(300), labels: ["kept"] });
    first ||= id;
  }
  // Killed: the latest changes are in the write-ahead logs alone.
  await system.end("SIGKILL");
  whole = system.dataDir;
}, startDeadlineMs);

const settings = async (dataDir: string) => ({
  HOST: "127.0.0.1",
  PORT: String(await freePort()),
  ADMIN_PORT: String(await freePort()),
  DATA_DIR: dataDir,
});

function copy(): string {
  const dir = join(temporaryFolder(), "data");
  cpSync(whole, dir, { recursive: true });
  return dir;
}

test.each([
  ["tasks.db", ["tasks.db", "tasks.db-wal", "tasks.db-shm"], "tasks.db is missing, but auth.db beside it has content"],
  ["auth.db", ["auth.db", "auth.db-wal", "auth.db-shm"], "auth.db is missing, but tasks.db beside it has content"],
  ["tasks.db and not its log", ["tasks.db"], "tasks.db: it is missing, but"],
])("without %s it does not begin anew", async (_what, gone, line) => {
  const dir = copy();
  for (const name of gone) rmSync(join(dir, name), { force: true });
  const { code, stderr } = await run(await settings(dir));
  expect(code).toBe(2);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(line);
  expect(stderr).toContain("backup");
  expect(existsSync(join(dir, gone[0] as string))).toBe(false);
});

/** What is damaged, chosen by the seed: bytes turned around, or the end cut off. */
function damage(dir: string, seed: number): string {
  const choose = random(seed);
  const path = join(
    dir,
    choose.pick(files.filter((name) => existsSync(join(dir, name)) && statSync(join(dir, name)).size > 0)),
  );
  const { size } = statSync(path);
  const at = choose.int(size);
  if (choose.chance(0.3)) {
    truncateSync(path, at);
    return `${path} cut at ${at}`;
  }
  const bytes = readFileSync(path);
  const end = Math.min(size, at + choose.pick([1, 64, 5_000]));
  for (let each = at; each < end; each++) bytes[each] = (bytes[each] as number) ^ 0xff;
  writeFileSync(path, bytes);
  return `${path} turned around from ${at} to ${end}`;
}

/** What a person finds: every status, and how many tasks. */
async function use(url: string): Promise<{ statuses: number[]; found: number }> {
  const login = await call<Tokens>(url, "POST", "/v1/auth/login", {
    body: { email: owner.email, password: owner.password },
  });
  if (login.status !== 200) return { statuses: [login.status], found: -1 };
  const token = login.body.accessToken;
  const list = await call<TaskPage>(url, "GET", "/v1/tasks?limit=100", { token });
  const others = [
    await call(url, "GET", `/v1/tasks/${first}`, { token }),
    await call(url, "GET", "/v1/tasks?q=task&label=kept&sort=title", { token }),
    await call(url, "GET", `/v1/tasks/${first}/history`, { token }),
    await call(url, "POST", "/v1/tasks", { token, body: { title: "New" } }),
    await call(url, "PATCH", `/v1/tasks/${first}`, { token, body: { title: "Changed" } }),
  ];
  return {
    statuses: [login, list, ...others].map(({ status }) => status),
    found: list.status === 200 ? list.body.items.length : -1,
  };
}

const tries = 14;

test("a damaged file works, or is named: no loop of crashes, no failure without a line that names it", async () => {
  for (let seed = 1; seed <= tries; seed++) {
    const dir = copy();
    const what = damage(dir, seed);
    const env = await settings(dir);
    const { child, texts, exited } = launch(env);
    let code: number | null | undefined;
    void exited.then((exit) => {
      code = exit.code;
    });
    const url = `http://127.0.0.1:${env.PORT}`;
    const isReady = async () => (await fetch(`${url}/health`).catch(() => undefined))?.status === 200;
    await poll(
      `${what}: it is ready or has ended`,
      startDeadlineMs,
      async () => code !== undefined || (await isReady()),
    );
    if (code !== undefined) {
      expect([1, 2], what).toContain(code as number);
      expect(texts.stderr, what).toMatch(/Cannot (?:use|open) \S*(?:tasks|auth)\.db/);
      continue;
    }
    const { statuses, found } = await use(url);
    // A write-ahead log that is cut ends at its last whole commit: SQLite tells nobody, and what comes before is whole.
    expect(
      statuses.every((status) => [200, 201, 401, 404, 503].includes(status)),
      `${what}: ${statuses}`,
    ).toBe(true);
    const isNamed = () => /"(?:commit|read)-failed"[^\n]*(?:tasks|auth)\.db/.test(texts.stderr);
    if (statuses.includes(503)) await poll(`${what}: the log names the file`, endDeadlineMs, isNamed);
    else if (!what.includes("-wal")) expect(found, what).toBe(tasks);
    child.kill("SIGTERM");
    expect((await exited).code, what).toBe(0);
  }
}, 600_000);
