/** `bun run services`: real servers that tests can share, hurt and rely on to be gone afterwards. In a set of its own. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { MongoClient } from "mongodb";
import postgres from "postgres";
import {
  type ServiceName,
  service,
  serviceNames,
  startPrivate,
  status,
  variableOf,
} from "../deploy/services/services.ts";
import { poll } from "./system/poll.ts";
import { freePort } from "./system/server.ts";

const root = join(import.meta.dir, "..");
const home = mkdtempSync(join(tmpdir(), "services-test-"));
// PostgreSQL's user must get through.
chmodSync(home, 0o711);
const dir = join(home, "set");
const here = { dir };

type Said = { code: number | null; stdout: string; stderr: string };

/** The command as a person gives it, in a shell that has none of its variables unless told. */
async function services(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Said> {
  const none = Object.fromEntries(Object.values(variableOf).map((variable) => [variable, undefined]));
  const child = Bun.spawn([process.execPath, join(root, "deploy", "services", "main.ts"), ...args], {
    env: { ...process.env, CI: undefined, SERVICES_FROM: undefined, ...none, ...more },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, stdout, stderr };
}

afterAll(async () => {
  await services(["down", "--dir", dir]);
  rmSync(home, { recursive: true, force: true });
});

// Before the tests, because the first time of all it installs things, and what cannot be had is a skip by name.
const first = await services(["up", "--dir", dir]);
const reasons = new Map(
  [...first.stderr.matchAll(/^(\w+): cannot be had: (.*)$/gm)].map(([, name, why]) => [name, why]),
);
if (process.env.CI === "true" && reasons.size > 0) throw new Error(first.stderr);
const needs = (...names: ServiceName[]) => {
  const missing = names.filter((name) => reasons.has(name)).map((name) => `${name}: ${reasons.get(name)}`);
  return (title: string, body: () => Promise<void>) =>
    missing.length > 0
      ? test.skip(`${title} (cannot be had here: ${missing.join("; ")})`, body)
      : test(title, body, 60_000);
};

/** Runs its use with a client that is closed in any case. */
async function inPostgres<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
async function inMongo<T>(url: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
async function endOffset(brokers: string, topic: string): Promise<string | undefined> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    return (await admin.fetchTopicOffsets(topic))[0]?.high;
  } finally {
    await admin.disconnect();
  }
}

describe("up", () => {
  test("prints one export line for each service that a shell understands, and nothing else", async () => {
    const shell = Bun.spawnSync([
      "sh",
      "-c",
      `unset ${Object.values(variableOf).join(" ")}; eval "$1"; env`,
      "sh",
      first.stdout,
    ]);
    const seen = new Map(
      shell.stdout
        .toString()
        .split("\n")
        .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const expected = serviceNames.filter((name) => !reasons.has(name));
    for (const name of expected) expect(seen.get(variableOf[name]), name).toBe(service(name, here).url);
    const lines = first.stdout.split("\n").filter((line) => line !== "");
    expect(lines.map((line) => /^export (\w+)='[^']+'$/.exec(line)?.[1])).toEqual(
      expected.map((name) => variableOf[name]),
    );
  });

  test("a second time prints the same and starts nothing", async () => {
    const pids = () => status(here).map(({ name, pid }) => [name, pid]);
    const before = pids();
    const again = await services(["up", "--dir", dir]);
    expect(again.stdout).toBe(first.stdout);
    expect(pids()).toEqual(before);
  });

  test("two at once have one set between them", async () => {
    const both = await Promise.all([services(["up", "--dir", dir]), services(["up", "--dir", dir])]);
    expect(both.map(({ stdout }) => stdout)).toEqual([first.stdout, first.stdout]);
  });

  needs("redis")("starts what has died again, at the same place", async () => {
    await service("redis", here).kill();
    expect(await service("redis", here).serves()).toBe(false);
    const again = await services(["up", "--dir", dir]);
    expect(again.stdout).toBe(first.stdout);
    expect(await service("redis", here).serves()).toBe(true);
  });

  needs("redis")("starts what has been left halted again", async () => {
    await service("redis", here).pause();
    expect((await services(["up", "--dir", dir, "--only", "redis"])).code).toBe(0);
    expect(await service("redis", here).serves()).toBe(true);
  });

  test("passes a given URL through, and down does not touch its server", async () => {
    // It answers as Redis does and is none of ours.
    const server = createServer((socket) => socket.on("data", () => socket.write("+PONG\r\n")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}/3`;
    const other = join(home, "given");
    try {
      const said = await services(["up", "--dir", other, "--only", "redis"], { REDIS_URL: url });
      expect(said).toEqual({ code: 0, stdout: `export REDIS_URL='${url}'\n`, stderr: "" });
      await services(["down", "--dir", other]);
      expect(server.listening).toBe(true);
      expect(existsSync(other)).toBe(false);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("names what cannot be had, and fails for it only when CI or --strict", async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const args = ["up", "--dir", join(home, "absent"), "--only", "redis"];
    const calm = await services(args, { REDIS_URL: url });
    expect(calm.stderr).toMatch(/^redis: cannot be had: REDIS_URL is given, but nothing answers there.*\n$/);
    expect([calm.code, calm.stdout]).toEqual([0, ""]);
    expect((await services([...args, "--strict"], { REDIS_URL: url })).code).toBe(1);
    expect((await services(args, { REDIS_URL: url, CI: "true" })).code).toBe(1);
    await services(["down", "--dir", join(home, "absent")]);
  });

  test("takes no folder that holds something else", async () => {
    const theirs = join(home, "theirs");
    mkdirSync(theirs);
    writeFileSync(join(theirs, "letter.txt"), "dear");
    for (const verb of ["up", "down"]) {
      const said = await services([verb, "--dir", theirs]);
      expect(said).toEqual({ code: 2, stdout: "", stderr: `Cannot use ${theirs}: it holds other files\n` });
    }
    expect(readdirSync(theirs)).toEqual(["letter.txt"]);
  });
});

describe("a service that is killed and restarted", () => {
  needs("postgres")("keeps PostgreSQL's rows", async () => {
    const server = service("postgres", here);
    await inPostgres(server.url, async (sql) => {
      expect(await sql`show fsync`).toMatchObject([{ fsync: "on" }]);
      await sql`create table kept (word text)`;
      await sql`insert into kept values ('here')`;
    });
    const before = server.pid;
    await server.kill();
    expect(await server.serves()).toBe(false);
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await inPostgres(server.url, (sql) => sql`select word from kept`)).toMatchObject([{ word: "here" }]);
  });

  needs("mongo")("keeps MongoDB's documents, and has transactions", async () => {
    const server = service("mongo", here);
    await inMongo(server.url, async (client) => {
      const kept = client.db("services").collection("kept");
      await kept.createIndex({ word: 1 });
      await client.withSession((session) =>
        session.withTransaction(() => kept.insertOne({ word: "here" }, { session })),
      );
    });
    await server.restart();
    expect(await inMongo(server.url, (client) => client.db("services").collection("kept").countDocuments())).toBe(1);
  });

  needs("kafka")("keeps Kafka's messages", async () => {
    const server = service("kafka", here);
    const producer = new Kafka({ brokers: [server.url], logLevel: logLevel.NOTHING }).producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic: "kept", messages: [{ value: "here" }] });
    await producer.disconnect();
    await server.restart();
    await poll(
      "the topic is led again",
      60_000,
      async () => (await endOffset(server.url, "kept").catch(() => "")) === "1",
    );
  });
});

needs("postgres")("a service that is paused is silent on open connections too, and goes on when resumed", async () => {
  const server = service("postgres", here);
  await inPostgres(server.url, async (sql) => {
    await sql`select 1`;
    await server.pause();
    let answered = false;
    const late = sql`select 1`.then(() => {
      answered = true;
    });
    expect(await server.serves()).toBe(false);
    expect(answered).toBe(false);
    await server.resume();
    await late;
    expect(await server.serves()).toBe(true);
  });
});

needs("redis")("a private service is another one with another folder, and stop leaves nothing of it", async () => {
  const mine = await startPrivate("redis");
  const { pid } = mine;
  expect(mine.port).not.toBe(service("redis", here).port);
  await mine.kill();
  await mine.restart();
  expect(await mine.serves()).toBe(true);
  expect(mine.pid).not.toBe(pid);
  const last = mine.pid;
  await mine.stop();
  expect(isThere(last)).toBe(false);
  expect(existsSync(mine.dir)).toBe(false);
});

test.each([
  [["up", "--fast"], "--fast"],
  [["up", "--only", "postgres,mysql"], "mysql"],
  [["sideways"], "sideways"],
  [["up", "twice"], "twice"],
  [["down", "--zookeeper"], "--zookeeper"],
  [[], "up, down or status"],
])("%p is one clear line and exit code 2", async (args, named) => {
  const said = await services(args);
  expect([said.code, said.stdout]).toEqual([2, ""]);
  expect(said.stderr).toMatch(/^Cannot run services: [^\n]+\n$/);
  expect(said.stderr).toContain(named);
});

test("--help tells every option", async () => {
  const said = await services(["--help"]);
  expect([said.code, said.stderr]).toEqual([0, ""]);
  for (const option of ["--only", "--zookeeper", "--strict", "--dir", "SERVICES_FROM"])
    expect(said.stdout).toContain(option);
});

test("down leaves no process and no folder, and is no error when nothing is there", async () => {
  const pids = status(here).map(({ pid }) => pid);
  expect(pids.length).toBe(serviceNames.length - reasons.size);
  expect(pids.map(isThere)).not.toContain(false);
  expect(await services(["down", "--dir", dir])).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(pids.map(isThere)).not.toContain(true);
  expect(existsSync(dir)).toBe(false);
  expect((await services(["down", "--dir", dir])).code).toBe(0);
});

/** Whether a process lives; one that has ended and that nobody has asked for is none. */
function isThere(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  return !/^(Z|$)/.test(stdout.toString().trim());
}
