/** The auth role with its accounts in PostgreSQL, as a program of its own and together with the others: while the server is there, away, and back. */
import { afterAll, expect, test } from "bun:test";
import postgres from "postgres";
import { neededColumns, uniqueColumns } from "../../actors/auth/postgres/schema-check.ts";
import { freshDatabase, server } from "../contract/auth-ports.ts";
import { call, createTask, expectProblem, person, type Tokens } from "../system/client.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, freePort, launch, type Runtime, start, temporaryFolder } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

const account = () => ({ email: `${crypto.randomUUID()}@example.com`, password: "correct horse battery staple 7" });
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const sessionOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { sid: string }).sid;

describeWith("accounts in PostgreSQL", [server], ({ url: serverUrl }) => {
  const ends: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    await cleanUp();
    for (const end of ends) await end();
  });

  /** A database of its own behind a proxy of its own. */
  async function database(): Promise<{ url: string; direct: string; proxy: FaultProxy }> {
    const fresh = await freshDatabase(serverUrl);
    const proxy = await faultProxy(Number(new URL(serverUrl).port));
    ends.push(async () => {
      await proxy.close();
      await fresh.remove();
    });
    const url = new URL(fresh.url);
    url.hostname = "127.0.0.1";
    url.port = String(proxy.port);
    return { url: url.href, direct: fresh.url, proxy };
  }

  const status = async (url: string) => (await call(url, "GET", "")).status;
  const lines = (text: string, event: string) => text.split("\n").filter((line) => line.includes(`"${event}"`));

  for (const runtime of ["bun", "deno"] satisfies Runtime[]) {
    test(`a server that is away at the start is waited for, and meanwhile every answer is the truth (${runtime})`, async () => {
      const { url: DATABASE_URL, proxy } = await database();
      await proxy.mode("refuse");
      const [port, adminPort] = [await freePort(), await freePort()];
      const dataDir = `${temporaryFolder()}/none`;
      const env = { ROLE: "auth", PORT: `${port}`, ADMIN_PORT: `${adminPort}`, DATABASE_URL, DATA_DIR: dataDir };
      const { texts, child, exited } = launch(env, { runtime });
      const url = `http://127.0.0.1:${port}`;
      const admin = `http://127.0.0.1:${adminPort}`;
      const isUp = async () => (await status(`${url}/health`).catch(() => 0)) === 503;
      await poll("it is up", 60_000, isUp);
      expect(await status(`${admin}/livez`)).toBe(200);
      expect(await status(`${admin}/readyz`)).toBe(503);
      for (const [method, path, body] of [
        ["GET", "/.well-known/jwks.json", undefined],
        ["GET", "/.well-known/revocations.json", undefined],
        ["POST", "/v1/auth/register", account()],
        ["POST", "/v1/auth/login", account()],
      ] as const) {
        const reply = await call(url, method, path, body === undefined ? {} : { body });
        expectProblem(reply, 503, "users-unavailable");
        expect(reply.headers.get("retry-after"), path).toBe("1");
      }
      await proxy.mode("pass");
      await poll("it is ready", 60_000, async () => (await status(`${admin}/readyz`)) === 200);
      const keys = await call<{ keys: unknown[] }>(url, "GET", "/.well-known/jwks.json");
      expect([keys.status, keys.body.keys.length, keys.headers.get("cache-control")]).toEqual([
        200,
        1,
        "public, max-age=300",
      ]);
      await person(url);
      // What it last said is said again for a moment.
      await poll("it says so", 60_000, async () => (await status(`${url}/health`)) === 200);
      const all = texts.stderr;
      expect([lines(all, "server-away").length, lines(all, "server-back").length], all).toEqual([1, 1]);
      expect(all).not.toContain(new URL(DATABASE_URL).password);
      expect((await call<{ auth: unknown }>(admin, "GET", "/readyz")).text).toContain('"restarts":0');
      child.kill("SIGTERM");
      expect(await exited).toEqual({ code: 0, signal: null });
      expect(await Bun.file(dataDir).exists()).toBe(false);
    }, 120_000);
  }

  test("an outage is 503 for what needs accounts, and nothing for the keys; afterwards sessions go on", async () => {
    const { url: DATABASE_URL, proxy } = await database();
    const system = await start({ env: { ROLE: "auth", DATABASE_URL } });
    const { url, admin } = system;
    const someone = account();
    const { body: tokens } = await call<Tokens>(url, "POST", "/v1/auth/register", { body: someone });
    for (const mode of ["refuse", "cut", "stall", "drop-replies"] as const) {
      await proxy.mode(mode);
      const began = performance.now();
      expectProblem(await call(url, "POST", "/v1/auth/login", { body: someone }), 503, "users-unavailable");
      expectProblem(await call(url, "GET", "/v1/auth/me", { token: tokens.accessToken }), 503, "users-unavailable");
      expect(performance.now() - began).toBeLessThan(30_000);
      expect(await status(`${url}/.well-known/jwks.json`)).toBe(200);
      await poll("readiness tells it", 60_000, async () => (await status(`${admin}/readyz`)) === 503);
      expect(await status(`${url}/health`)).toBe(503);
      await proxy.mode("pass");
      await poll("it is ready again", 60_000, async () => (await status(`${admin}/readyz`)) === 200);
      expect((await call(url, "GET", "/v1/auth/me", { token: tokens.accessToken })).status).toBe(200);
      const { refreshToken } = tokens;
      const refreshed = await call<Tokens>(url, "POST", "/v1/auth/refresh", { body: { refreshToken } });
      expect(refreshed.status).toBe(200);
      Object.assign(tokens, refreshed.body);
    }
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 120_000);

  test("in one process with the others an outage takes no task along", async () => {
    const { url: DATABASE_URL, proxy } = await database();
    const system = await start({ env: { DATABASE_URL, TT_DEBUG_FAULTS: "1" } });
    const who = await person(system.url);
    await createTask(who);
    await proxy.mode("stall");
    await poll("readiness tells it", 60_000, async () =>
      (await call(system.admin, "GET", "/readyz")).text.includes('"status":"degraded"'),
    );
    await createTask(who);
    expectProblem(await call(system.url, "POST", "/v1/auth/login", { body: account() }), 503, "users-unavailable");
    expect(await status(`${system.admin}/readyz`)).toBe(200);
    // A worker that is started again learns the keys though accounts are away.
    await call(system.admin, "POST", "/debug/kill?actor=task&how=throw");
    await poll("it was started again", 60_000, async () =>
      /"task":{[^}]*"restarts":1/.test((await call(system.admin, "GET", "/readyz")).text),
    );
    await poll("tasks are made again", 60_000, async () => {
      const made = await who.call("POST", "/v1/tasks", { body: { title: "x" } }).catch(() => undefined);
      return made?.status === 201;
    });
    await proxy.mode("pass");
    await person(system.url);
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 120_000);

  test("two processes share keys, accounts and what has ended", async () => {
    const { direct: DATABASE_URL } = await database();
    const env = { ROLE: "auth", DATABASE_URL };
    const [one, other] = await Promise.all([start({ env }), start({ env })]);
    const keys = await Promise.all([one, other].map(({ url }) => call(url, "GET", "/.well-known/jwks.json")));
    expect(keys[0]?.text).toBe(keys[1]?.text ?? "");
    const who = await person(one.url);
    const token = who.tokens.accessToken;
    expect((await call(other.url, "GET", "/v1/auth/me", { token })).status).toBe(200);
    const made = await who.call<{ id: string; token: string }>("POST", "/v1/auth/tokens", { body: { name: "ci" } });
    expect((await who.call("DELETE", `/v1/auth/tokens/${made.body.id}`)).status).toBe(204);
    expect((await who.call("POST", "/v1/auth/logout")).status).toBe(204);
    expectProblem(await call(other.url, "GET", "/v1/auth/me", { token }), 401, "unauthenticated");
    const list = await call<{ issuer: string; audience: string; revoked: { hash: string; untilMs: number }[] }>(
      other.url,
      "GET",
      "/.well-known/revocations.json",
    );
    expect([list.status, list.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(list.body).toMatchObject({ issuer: "task-tracker", audience: "task-tracker" });
    const hashes = [sha256(sessionOf(token)), sha256(made.body.token)];
    expect(list.body.revoked.map(({ hash }) => hash).sort()).toEqual(hashes.sort());
    for (const { untilMs } of list.body.revoked) expect(untilMs).toBeGreaterThan(Date.now());
    for (const system of [one, other]) expect((await system.end("SIGTERM")).code).toBe(0);
  }, 120_000);

  test("a sign-out in one process is known to the task workers of another within a second", async () => {
    const { direct: DATABASE_URL } = await database();
    const env = { DATABASE_URL };
    const [one, other] = await Promise.all([start({ env }), start({ env })]);
    const who = await person(one.url);
    const token = who.tokens.accessToken;
    const made = await who.call<{ id: string; token: string }>("POST", "/v1/auth/tokens", { body: { name: "ci" } });
    const there = (bearer: string) => call(other.url, "GET", "/v1/tasks", { token: bearer });
    for (const bearer of [token, made.body.token]) expect((await there(bearer)).status).toBe(200);
    await who.call("DELETE", `/v1/auth/tokens/${made.body.id}`);
    await who.call("POST", "/v1/auth/logout");
    const isRefused = async () => (await there(token)).status === 401 && (await there(made.body.token)).status === 401;
    await poll("both are refused", 15_000, isRefused, 10);
    for (const system of [one, other]) expect((await system.end("SIGTERM")).code).toBe(0);
  }, 120_000);

  test("a database of a newer program is refused with one clear line", async () => {
    const { direct: DATABASE_URL } = await database();
    const sql = postgres(DATABASE_URL, { max: 1, onnotice: () => {} });
    await sql.unsafe("CREATE TABLE schema_version (version integer NOT NULL); INSERT INTO schema_version VALUES (99)");
    await sql.end();
    const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
    const { texts, exited } = launch({ ROLE: "auth", DATABASE_URL, ...ports });
    expect((await exited).code).toBe(1);
    expect(texts.stderr).toMatch(/Cannot use the database: its schema version 99 is newer than \d+, the newest that/);
  }, 120_000);

  test("a database that lacks something that statements need is a failed start that names it", async () => {
    const { direct: DATABASE_URL } = await database();
    expect((await (await start({ env: { ROLE: "auth", DATABASE_URL } })).end("SIGTERM")).code).toBe(0);
    const sql = postgres(DATABASE_URL, { max: 1, onnotice: () => {} });
    ends.push(() => sql.end({ timeout: 2 }));
    const columns = await sql<{ table_name: keyof typeof neededColumns; names: string[] }[]>`
      SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS names
      FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name`;
    expect(Object.fromEntries(columns.map(({ table_name, names }) => [table_name, names.sort()]))).toEqual(
      Object.fromEntries(Object.entries(neededColumns).map(([table, names]) => [table, [...names].sort()])),
    );
    const unique = await sql<{ table: string; names: string[] }[]>`
      SELECT c.relname::text AS table, array_agg(a.attname::text ORDER BY a.attname) AS names
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
      WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname ORDER BY c.relname`;
    expect(Object.fromEntries(unique.map(({ table, names }) => [table, names]))).toEqual(
      Object.fromEntries(Object.entries(uniqueColumns).map(([table, names]) => [table, [...names]])),
    );
    const faults: [hurt: string, mend: string, said: string][] = [
      [
        "ALTER TABLE keys DROP CONSTRAINT keys_pkey",
        "ALTER TABLE keys ADD PRIMARY KEY (number)",
        'no key or unique index sees to it that "number" of the table "keys" is there once',
      ],
      [
        "ALTER TABLE reset_tokens DROP CONSTRAINT reset_tokens_user_id_key",
        "ALTER TABLE reset_tokens ADD UNIQUE (user_id)",
        'no key or unique index sees to it that "user_id" of the table "reset_tokens" is there once',
      ],
      [
        "ALTER TABLE users RENAME COLUMN password_hash TO password",
        "ALTER TABLE users RENAME COLUMN password TO password_hash",
        'the column "password_hash" of the table "users" is missing',
      ],
      [
        "ALTER TABLE sessions RENAME TO old_sessions",
        "ALTER TABLE old_sessions RENAME TO sessions",
        'the table "sessions" is missing',
      ],
      [
        "ALTER TABLE users RENAME CONSTRAINT email_taken TO once",
        "ALTER TABLE users RENAME CONSTRAINT once TO email_taken",
        'the constraint "email_taken" of the table "users" is missing',
      ],
      [
        "ALTER FUNCTION rotate_refresh_token RENAME TO rotate",
        "ALTER FUNCTION rotate RENAME TO rotate_refresh_token",
        "the function rotate_refresh_token(text,text,bigint,bigint,bigint) is missing",
      ],
      [
        "ALTER TABLE schema_version RENAME TO old_version",
        "DROP TABLE IF EXISTS schema_version; ALTER TABLE old_version RENAME TO schema_version",
        "its tables are not those of its schema version",
      ],
    ];
    for (const [hurt, mend, said] of faults) {
      await sql.unsafe(hurt);
      const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
      const { texts, exited } = launch({ ROLE: "auth", DATABASE_URL, ...ports });
      expect((await exited).code, said).toBe(1);
      expect(texts.stderr).toContain(`Cannot use the database: ${said.replaceAll('"', '\\"')}`);
      await sql.unsafe(mend);
    }
    const mended = await start({ env: { ROLE: "auth", DATABASE_URL } });
    expect((await mended.end("SIGTERM")).code).toBe(0);
  }, 240_000);
});
