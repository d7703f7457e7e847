/** A start that cannot work says so in one clear line, ends with 2 and touches nothing; one that works says where to go. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { call, createTask, person } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, freePort, launch, run, start, temporaryFolder } from "./system/server.ts";

afterAll(cleanUp);

const quiet = async (): Promise<Record<string, string>> => ({
  PORT: String(await freePort()),
  ADMIN_PORT: String(await freePort()),
  DATA_DIR: join(temporaryFolder(), "data"),
});

/** Every file below, with its size and bytes, so that a touch shows. */
function picture(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file} ${readFileSync(file).toString("base64")}`);
}

/** Starts with these variables on top of working ones, and insists on a refusal. */
async function refused(env: Record<string, string>, lines = 1): Promise<string> {
  const all = { ...(await quiet()), ...env };
  const { code, stdout, stderr } = await run(all);
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
  expect(stderr.trimEnd().split("\n"), stderr).toHaveLength(lines);
  expect(stderr).not.toMatch(/\n\s+at |Error:|\.ts:\d/);
  if (env.DATA_DIR === undefined) expect(() => statSync(all.DATA_DIR ?? "")).toThrow();
  return stderr;
}

describe("a start is refused", () => {
  let taken: Server;
  let takenPort = 0;
  beforeAll(async () => {
    takenPort = await freePort();
    taken = createServer().listen(takenPort, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
  });
  afterAll(() => {
    taken.close();
  });

  test("with PORT in use", async () => {
    expect(await refused({ PORT: String(takenPort) })).toContain(String(takenPort));
  });

  test("with ADMIN_PORT in use", async () => {
    expect(await refused({ ADMIN_PORT: String(takenPort) })).toContain(String(takenPort));
  });

  test("with PORT and ADMIN_PORT alike", async () => {
    const port = String(await freePort());
    expect(await refused({ PORT: port, ADMIN_PORT: port })).toContain("ADMIN_PORT");
  });

  test.each([
    ["PORT", "http"],
    ["PORT", "-1"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PORT", "0x50"],
    ["PORT", " 3000"],
    ["ADMIN_PORT", ""],
    ["HOST", ""],
    ["HOST", "a b"],
    ["ROLE", "everything"],
    ["LOG_LEVEL", "loud"],
    ["DATA_DIR", ""],
    ["TT_TASK_WORKERS", "0"],
    ["TT_RATE_LIMIT", "many"],
    ["TT_VERDICT_TIMEOUT_MS", "soon"],
    ["TT_DEBUG_FAULTS", "yes"],
    ["TT_NOBODY_KNOWS", "1"],
    ["TT_", "1"],
    ["KAFKA_BROKERS", "127.0.0.1:9092"],
    ["MONGO_URL", "mongodb://127.0.0.1"],
    ["DATABASE_URL", "postgres://user:secret@127.0.0.1"],
  ])("with %s=%s", async (name, value) => {
    const line = await refused({ [name]: value });
    expect(line).toContain(name);
    expect(line).not.toContain("secret");
  });

  test("with HOST that is no address of this machine", async () => {
    expect(await refused({ HOST: "192.0.2.1" })).toContain("192.0.2.1");
  });

  test.each(["task", "consumer"])("with ROLE=%s alone, without Kafka", async (role) => {
    expect(await refused({ ROLE: role })).toContain("KAFKA_BROKERS");
  });

  test("with several faults, each on a line", async () => {
    const text = await refused({ PORT: "x", ROLE: "y", TT_Z: "1" }, 3);
    for (const name of ["PORT", "ROLE", "TT_Z"]) expect(text).toContain(name);
  });

  test.each(["--port=3", "start", "-x", "--help --version"])("with the argument %s", async (argument) => {
    const { code, stderr, stdout } = await run(await quiet(), argument.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("on a DATA_DIR that is a file, and leaves it", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "mine");
    expect(await refused({ DATA_DIR: file })).toContain(file);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("on a DATA_DIR below a file", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "mine");
    expect(await refused({ DATA_DIR: join(file, "data") })).toContain(file);
  });

  test("on a DATA_DIR that cannot be written", async () => {
    if (process.getuid?.() === 0) {
      // Root may write everywhere but where the kernel says no.
      expect(await refused({ DATA_DIR: "/proc/task-tracker" })).toContain("/proc/task-tracker");
      return;
    }
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    expect(await refused({ DATA_DIR: folder })).toContain(folder);
    chmodSync(folder, 0o700);
  });

  test.each(["tasks.db", "auth.db"])("on a DATA_DIR whose %s is no database", async (name) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, name), "dear diary");
    const before = picture(folder);
    expect(await refused({ DATA_DIR: folder })).toContain(name);
    expect(picture(folder)).toEqual(before);
  });

  test.each(["tasks.db", "auth.db"])("on a DATA_DIR whose %s is a database of another program", async (name) => {
    const folder = temporaryFolder();
    const foreign = new DatabaseSync(join(folder, name));
    foreign.exec("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    foreign.close();
    const before = picture(folder);
    expect(await refused({ DATA_DIR: folder })).toContain(name);
    expect(picture(folder)).toEqual(before);
  });

  test("on a DATA_DIR that a newer version has written", async () => {
    const system = await start();
    await createTask(await person(system.url));
    await system.end("SIGTERM");
    for (const name of readdirSync(system.dataDir).filter((file) => ["auth.db", "tasks.db"].includes(file))) {
      const database = new DatabaseSync(join(system.dataDir, name));
      const version = database.prepare("PRAGMA user_version").get()?.user_version as number;
      expect([name, version > 0]).toEqual([name, true]);
      database.exec(`PRAGMA journal_mode = DELETE; PRAGMA user_version = ${version + 1}`);
      database.close();
      const before = picture(system.dataDir);
      expect(await refused({ DATA_DIR: system.dataDir })).toMatch(/newer|version/);
      expect(picture(system.dataDir)).toEqual(before);
      const again = new DatabaseSync(join(system.dataDir, name));
      again.exec(`PRAGMA user_version = ${version}`);
      again.close();
    }
    const again = await start({ dataDir: system.dataDir });
    await again.end("SIGTERM");
  }, 120_000);

  test("on the DATA_DIR of a process that lives, which goes on; and not of one that was killed", async () => {
    const system = await start();
    const who = await person(system.url);
    const task = await createTask(who);
    expect(await refused({ DATA_DIR: system.dataDir })).toContain(system.dataDir);
    expect((await who.call("GET", `/v1/tasks/${task.id}`)).text).toBe(JSON.stringify(task));
    await createTask(who);
    await system.end("SIGKILL");
    const next = await start({ dataDir: system.dataDir });
    expect((await call(next.url, "GET", `/v1/tasks/${task.id}`, { token: who.tokens.accessToken })).text).toBe(
      JSON.stringify(task),
    );
    await next.end("SIGTERM");
  }, 120_000);
});

describe("a start", () => {
  test("with --help prints every variable and ends with 0, touching nothing", async () => {
    const env = await quiet();
    const { code, stdout, stderr } = await run({ ...env, PORT: "not looked at" }, ["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of ["ROLE", "HOST", "PORT", "ADMIN_PORT", "DATA_DIR", "LOG_LEVEL"]) expect(stdout).toContain(name);
    expect(() => statSync(env.DATA_DIR ?? "")).toThrow();
  });

  test("with PORT=0 and ADMIN_PORT=0 picks free ports and prints where they are", async () => {
    const { child, texts, exited } = launch({
      PORT: "0",
      ADMIN_PORT: "0",
      DATA_DIR: join(temporaryFolder(), "data"),
      LOG_LEVEL: "error",
    });
    let url: string | undefined;
    await poll("the address is printed", 60_000, () => {
      url = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(texts.stdout)?.[0];
      return url !== undefined;
    });
    expect((await call(url ?? "", "GET", "/v1/tasks")).status).toBe(401);
    child.kill("SIGINT");
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(texts.stderr).toBe("");
  }, 120_000);

  test("makes DATA_DIR for its owner only, and takes an empty one that is there", async () => {
    const folder = join(temporaryFolder(), "given");
    mkdirSync(folder);
    const [fresh, given] = [await start(), await start({ dataDir: folder })];
    expect(statSync(fresh.dataDir).mode & 0o077).toBe(0);
    expect((await call(given.url, "GET", "/v1/tasks")).status).toBe(401);
    expect(await Promise.all([fresh.end("SIGTERM"), given.end("SIGINT")])).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  }, 120_000);
});
