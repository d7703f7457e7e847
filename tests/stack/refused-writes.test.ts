/** Servers that are reached and take no writes: `/readyz` says so and why, what can go on goes on, and nobody has to do anything afterwards. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import postgres from "postgres";
import { freshDatabase } from "../contract/auth-ports.ts";
import { call, createTask, expectProblem, person } from "../system/client.ts";
import { placeOn, servers } from "../system/deployments.ts";
import { faultProxy } from "../system/fault-proxy.ts";
import type { Ready } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, freePort, launch, start } from "../system/server.ts";
import { describeWith, privateService, service } from "../system/services.ts";

const waitMs = 60_000;

async function readyz(admin: string): Promise<{ status: number; body: Ready; text: string }> {
  return await call<Ready>(admin, "GET", "/readyz");
}

/** Waits until the report has this word for the server; the HTTP status then. */
async function said(admin: string, server: string, state: string): Promise<number> {
  let status = 0;
  let last = "";
  await poll(`${server} is ${state}`, waitMs, async () => {
    const report = await readyz(admin);
    status = report.status;
    last = report.text;
    return report.body.dependencies?.[server]?.state === state;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it says ${last}`);
  });
  return status;
}

describeWith("a Redis that takes no writes", [await privateService("redis")], (redis) => {
  afterAll(async () => {
    await cleanUp();
    await redis.stop();
  });

  async function tell(...words: string[]): Promise<void> {
    const client = new Bun.RedisClient(redis.url);
    expect(await client.send(words[0] as string, words.slice(1))).toBe("OK");
    client.close();
  }

  test("is shown with the reason, and the process stays ready", async () => {
    const system = await start({ env: { REDIS_URL: redis.url } });
    const who = await person(system.url);
    const ways: [state: string, hurt: string[][], mend: string[][]][] = [
      ["read-only", [["REPLICAOF", "127.0.0.1", "1"]], [["REPLICAOF", "NO", "ONE"]]],
      [
        "too few replicas",
        [["CONFIG", "SET", "min-replicas-to-write", "1"]],
        [["CONFIG", "SET", "min-replicas-to-write", "0"]],
      ],
      [
        "out of memory",
        [
          ["CONFIG", "SET", "maxmemory-policy", "noeviction"],
          ["CONFIG", "SET", "maxmemory", "1"],
        ],
        [["CONFIG", "SET", "maxmemory", "0"]],
      ],
      ["refuses writes", [["ACL", "SETUSER", "default", "-set"]], [["ACL", "SETUSER", "default", "+set"]]],
    ];
    for (const [state, hurt, mend] of ways) {
      for (const words of hurt) await tell(...words);
      expect(await said(system.admin, "redis", state)).toBe(200);
      expect((await readyz(system.admin)).body.status).toBe("degraded");
      await createTask(who);
      for (const words of mend) await tell(...words);
      await said(system.admin, "redis", "up");
    }
    await system.end("SIGTERM");
    expect(system.stderr()).toContain('"reason":"read-only"');
  }, 240_000);

  test("that cannot save to its disk is shown, though it refuses even PING", async () => {
    const system = await start({ env: { REDIS_URL: redis.url } });
    await said(system.admin, "redis", "up");
    // A folder in the place of the file that it saves to.
    mkdirSync(join(redis.dir, "dump.rdb", "in the way"), { recursive: true });
    await tell("CONFIG", "SET", "save", "3600 1");
    const client = new Bun.RedisClient(redis.url);
    await client.send("BGSAVE", []);
    expect(await said(system.admin, "redis", "refuses writes")).toBe(200);
    await expect(client.send("PING", [])).rejects.toThrow("MISCONF");
    client.close();
    await tell("CONFIG", "SET", "save", "");
    await said(system.admin, "redis", "up");
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 240_000);

  test("the look at it leaves nothing behind", async () => {
    const system = await start({ env: { REDIS_URL: redis.url, TT_NAMESPACE: "look" } });
    await said(system.admin, "redis", "up");
    const client = new Bun.RedisClient(redis.url);
    const keys = async () => (await client.send("KEYS", ["look*"])) as string[];
    expect(await keys()).toEqual(["look.tt:probe"]);
    await system.end("SIGTERM");
    await poll("it is gone", waitMs, async () => (await keys()).length === 0);
    client.close();
  }, 300_000);

  test("a first connection that takes its time is no outage, one that is refused is one", async () => {
    const proxy = await faultProxy(redis.port);
    await proxy.mode("stall");
    const url = new URL(redis.url);
    url.port = String(proxy.port);
    const system = await start({ env: { REDIS_URL: url.href } });
    await said(system.admin, "redis", "not reached");
    await proxy.mode("pass");
    await said(system.admin, "redis", "up");
    await system.end("SIGTERM");
    expect(system.stderr()).not.toContain("server-away");
    await proxy.mode("refuse");
    const other = await start({ env: { REDIS_URL: url.href } });
    await said(other.admin, "redis", "not reached");
    await other.end("SIGTERM");
    expect(
      other
        .stderr()
        .split("\n")
        .filter((line) => line.includes("server-away")),
    ).toHaveLength(1);
    await proxy.close();
  }, 240_000);
});

describeWith("a PostgreSQL that takes no writes", [await service("DATABASE_URL")], ({ url: serverUrl }) => {
  const ends: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    await cleanUp();
    for (const end of ends.reverse()) await end();
  });

  async function database() {
    const fresh = await freshDatabase(serverUrl);
    ends.push(fresh.remove);
    const name = new URL(fresh.url).pathname.slice(1);
    const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
    ends.push(() => admin.end({ timeout: 2 }));
    /** For all sessions of the database: they are begun anew. */
    const set = async (what: string) => {
      await admin.unsafe(`ALTER DATABASE ${name} ${what}`);
      await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name}`;
    };
    return { url: fresh.url, set };
  }

  test("makes accounts unready: reads go on, changes are 503, and it ends by itself", async () => {
    const { url: DATABASE_URL, set } = await database();
    const system = await start({ env: { ROLE: "auth", DATABASE_URL } });
    const who = await person(system.url);
    await set("SET default_transaction_read_only = on");
    expect(await said(system.admin, "postgresql", "read-only")).toBe(503);
    await poll("reads go on", waitMs, async () => (await who.call("GET", "/v1/auth/me")).status === 200);
    expectProblem(await who.call("PATCH", "/v1/auth/me", { body: { name: "Ada" } }), 503, "users-unavailable");
    expect((await call(system.url, "GET", "/health")).status).toBe(503);
    expect((await call(system.url, "GET", "/.well-known/jwks.json")).status).toBe(200);
    // Sessions that were begun read-only stay so: nobody ends them for us.
    const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
    await admin.unsafe(`ALTER DATABASE ${new URL(DATABASE_URL).pathname.slice(1)} RESET default_transaction_read_only`);
    await admin.end({ timeout: 2 });
    expect(await said(system.admin, "postgresql", "up")).toBe(200);
    expect((await who.call("PATCH", "/v1/auth/me", { body: { name: "Ada" } })).status).toBe(200);
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 240_000);

  test("is no reason not to start", async () => {
    const { url: DATABASE_URL, set } = await database();
    const before = await start({ env: { ROLE: "auth", DATABASE_URL } });
    const who = await person(before.url);
    await before.end("SIGTERM");
    await set("SET default_transaction_read_only = on");
    const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
    const { child, exited } = launch({ ROLE: "auth", DATABASE_URL, ...ports });
    const admin = `http://127.0.0.1:${ports.ADMIN_PORT}`;
    const url = `http://127.0.0.1:${ports.PORT}`;
    await poll(
      "it is up",
      waitMs,
      async () => (await call(admin, "GET", "/livez").catch(() => undefined))?.status === 200,
    );
    expect(await said(admin, "postgresql", "read-only")).toBe(503);
    expect((await call(url, "GET", "/v1/auth/me", { token: who.tokens.accessToken })).status).toBe(200);
    await set("RESET default_transaction_read_only");
    expect(await said(admin, "postgresql", "up")).toBe(200);
    child.kill("SIGTERM");
    expect((await exited).code).toBe(0);
  }, 240_000);

  test("whose disk is full is shown after the first refusal, until a write is taken", async () => {
    const { url: DATABASE_URL } = await database();
    const system = await start({ env: { ROLE: "auth", DATABASE_URL } });
    const who = await person(system.url);
    const sql = postgres(DATABASE_URL, { max: 1, onnotice: () => {} });
    await sql.unsafe(`
      CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE UPDATE ON users EXECUTE FUNCTION full_disk();
      CREATE TRIGGER full_disk BEFORE UPDATE ON schema_version EXECUTE FUNCTION full_disk()`);
    expectProblem(await who.call("PATCH", "/v1/auth/me", { body: { name: "Ada" } }), 503, "users-unavailable");
    expect(await said(system.admin, "postgresql", "disk full")).toBe(503);
    expect((await who.call("GET", "/v1/auth/me")).status).toBe(200);
    await sql.unsafe("DROP TRIGGER full_disk ON users; DROP TRIGGER full_disk ON schema_version");
    expect(await said(system.admin, "postgresql", "up")).toBe(200);
    expect((await who.call("PATCH", "/v1/auth/me", { body: { name: "Ada" } })).status).toBe(200);
    await sql.end({ timeout: 2 });
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 240_000);
});

describeWith("a MongoDB that takes no writes", [await servers(), await privateService("mongo")], (urls, mongo) => {
  afterAll(async () => {
    await cleanUp();
    await mongo.stop();
  });

  /** The server's own fault injection: each update is refused with this code. */
  async function refuse(code: number | undefined): Promise<void> {
    const client = await MongoClient.connect(mongo.url, { directConnection: true });
    await client.db("admin").command(
      code === undefined
        ? { configureFailPoint: "failCommand", mode: "off" }
        : {
            configureFailPoint: "failCommand",
            mode: "alwaysOn",
            data: { failCommands: ["update"], errorCode: code },
          },
    );
    await client.close();
  }

  test("degrades the whole and makes a writer alone unready, with the reason", async () => {
    const place = await placeOn(urls, ["KAFKA_BROKERS"]);
    const env = { ...place.env, MONGO_URL: mongo.url };
    const system = await start({ env });
    const writer = await start({ env: { ...env, ROLE: "consumer" } });
    for (const [code, state] of [
      [14_031, "disk full"],
      [10_107, "not primary"],
      [371, "refuses writes"],
    ] as const) {
      await refuse(code);
      expect(await said(system.admin, "mongodb", state)).toBe(200);
      expect((await readyz(system.admin)).body.status).toBe("degraded");
      expect(await said(writer.admin, "mongodb", state)).toBe(503);
      await refuse(undefined);
      expect(await said(writer.admin, "mongodb", "up")).toBe(200);
      await said(system.admin, "mongodb", "up");
    }
    await writer.end("SIGTERM");
    await system.end("SIGTERM");
    await place.remove();
  }, 240_000);

  test("whose index of our name is another ends the start with its name and the remedy", async () => {
    const place = await placeOn(urls, ["KAFKA_BROKERS"]);
    const url = new URL(mongo.url);
    url.pathname = "/conflict";
    const client = await MongoClient.connect(url.href, { directConnection: true });
    const collection = client.db("conflict").collection("facts");
    await collection.createIndex({ expireAt: 1 }, { expireAfterSeconds: 3_600 });
    const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
    const { texts, exited } = launch({ ...place.env, MONGO_URL: url.href, ROLE: "consumer", ...ports });
    expect((await exited).code).toBe(1);
    expect(texts.stderr).toContain(
      'Cannot use the collection facts: its index expireAt_1 has other keys or options than this program needs; drop it with db.facts.dropIndex(\\"expireAt_1\\") and start again',
    );
    await client.close();
    await place.remove();
  }, 300_000);
});
