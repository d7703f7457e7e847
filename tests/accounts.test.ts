/** Sessions, API tokens and limits as a client sees them: what has ended is refused everywhere within a second. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey, sign } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { call, createTask, expectProblem, type Person, person, type Reply, type Tokens } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type System, start } from "./system/server.ts";

afterAll(cleanUp);

let system: System;
let ada: Person;
beforeAll(async () => {
  system = await start({ env: { TT_TASK_WORKERS: "3" } });
  ada = await person(system.url);
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

const login = async (who: Person, secret = who.password): Promise<Tokens> => {
  const reply = await call<Tokens>(system.url, "POST", "/v1/auth/login", {
    body: { email: who.email, password: secret },
  });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
};
const refresh = (refreshToken: string): Promise<Reply<Tokens>> =>
  call<Tokens>(system.url, "POST", "/v1/auth/refresh", { body: { refreshToken } });

/** Whether every worker refuses the token: each connection may end at another one. */
async function refusedEverywhere(token: string): Promise<void> {
  await poll(
    // Within a second, as long as the machine has time; a token that is remembered would be taken for 30 s.
    "the token is refused by every worker",
    15_000,
    async () => {
      const replies = await Promise.all(
        Array.from({ length: 12 }, () =>
          call(system.url, "GET", "/v1/tasks", { token, headers: { connection: "close" } }),
        ),
      );
      return replies.every(({ status }) => status === 401);
    },
    10,
  );
}

describe("a session", () => {
  test("goes on with the latest refresh token; one spent before ends it", async () => {
    const first = await login(ada);
    const second = (await refresh(first.refreshToken)).body;
    const third = (await refresh(second.refreshToken)).body;
    expect(new Set([first.refreshToken, second.refreshToken, third.refreshToken]).size).toBe(3);
    expectProblem(await refresh(first.refreshToken), 401, "token-reused");
    expectProblem(await refresh(third.refreshToken), 401, "unauthenticated");
    await refusedEverywhere(third.accessToken);
    expect((await ada.call("GET", "/v1/auth/me")).status).toBe(200);
  });

  test("may repeat its immediate predecessor at once, as a client does that lost the answer", async () => {
    const first = await login(ada);
    expect((await refresh(first.refreshToken)).status).toBe(200);
    const lost = await refresh(first.refreshToken);
    const again = await refresh(first.refreshToken);
    expect(again.status).toBe(200);
    expect(again.body.refreshToken).toBe(lost.body.refreshToken);
    expect((await refresh(again.body.refreshToken)).status).toBe(200);
  });

  test("of a page has its refresh token as a cookie, whatever the runtime", async () => {
    for (const runtime of ["bun", "deno"] as const) {
      const { url, end } = await start({ runtime, env: { TT_TRUSTED_PROXIES: "127.0.0.1" } });
      const headers = { "x-token-delivery": "cookie", origin: url, "x-forwarded-proto": "https" };
      const body = { email: "ada@example.com", password: ada.password };
      const made = await call<Tokens>(url, "POST", "/v1/auth/register", { headers, body });
      const [cookie = ""] = made.headers.getSetCookie();
      expect([made.status, "refreshToken" in made.body]).toEqual([201, false]);
      expect(cookie).toMatch(
        /^tt_refresh_\w+=rt_\S+; Path=\/v1\/auth; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/,
      );
      const pair = cookie.slice(0, cookie.indexOf(";"));
      const next = await call<Tokens>(url, "POST", "/v1/auth/refresh", { headers: { ...headers, cookie: pair } });
      expect([next.status, next.headers.getSetCookie().length]).toEqual([200, 1]);
      const token = next.body.accessToken;
      const out = await call(url, "POST", "/v1/auth/logout", { token, headers: { ...headers, cookie: pair } });
      expect([out.status, out.headers.getSetCookie()[0]?.includes("Max-Age=0")]).toEqual([204, true]);
      await end("SIGTERM");
    }
  }, 120_000);

  test("ends alone by logout, with all others by logout-all", async () => {
    const who = await person(system.url);
    const [one, two] = [await login(who), await login(who)];
    expect((await call(system.url, "POST", "/v1/auth/logout", { token: one.accessToken })).status).toBe(204);
    await refusedEverywhere(one.accessToken);
    expectProblem(await refresh(one.refreshToken), 401, "unauthenticated");
    expect((await call(system.url, "GET", "/v1/tasks", { token: two.accessToken })).status).toBe(200);
    expect((await call(system.url, "POST", "/v1/auth/logout-all", { token: two.accessToken })).status).toBe(204);
    await refusedEverywhere(two.accessToken);
    await refusedEverywhere(who.tokens.accessToken);
    expect((await call(system.url, "GET", "/v1/auth/me", { token: two.accessToken })).status).toBe(401);
    await login(who);
  });

  test("is listed, and ended by its id, by its owner only", async () => {
    const who = await person(system.url);
    const other = await login(who);
    const sessions = (await who.call<{ items: { id: string; current: boolean }[] }>("GET", "/v1/auth/sessions")).body
      .items;
    expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);
    const ending = sessions.find(({ current }) => !current)?.id ?? "";
    expectProblem(await ada.call("DELETE", `/v1/auth/sessions/${ending}`), 404, "not-found");
    expect((await who.call("DELETE", `/v1/auth/sessions/${ending}`)).status).toBe(204);
    await refusedEverywhere(other.accessToken);
    expectProblem(await who.call("DELETE", `/v1/auth/sessions/${ending}`), 404, "not-found");
    expect((await who.call("GET", "/v1/tasks")).status).toBe(200);
  });

  test("that changes the password stays, the others end", async () => {
    const who = await person(system.url);
    const other = await login(who);
    const newPassword = "a quite different phrase";
    expectProblem(await who.call("POST", "/v1/auth/password", { body: { newPassword } }), 422, "validation");
    expectProblem(
      await who.call("POST", "/v1/auth/password", { body: { currentPassword: "wrong phrase", newPassword } }),
      401,
      "invalid-credentials",
    );
    expect(
      (await who.call("POST", "/v1/auth/password", { body: { currentPassword: who.password, newPassword } })).status,
    ).toBe(204);
    await refusedEverywhere(other.accessToken);
    expect((await who.call("GET", "/v1/tasks")).status).toBe(200);
    expectProblem(
      await call(system.url, "POST", "/v1/auth/login", { body: { email: who.email, password: who.password } }),
      401,
      "invalid-credentials",
    );
    await login(who, newPassword);
  });
});

describe("an account", () => {
  test("is erased with its tasks only by its password; its tokens end and its address is free", async () => {
    const who = await person(system.url);
    const other = await login(who);
    const made = await who.call<{ token: string }>("POST", "/v1/auth/tokens", { body: { name: "all" } });
    const task = await createTask(who, { title: "a most private errand" });
    const erase = (body: unknown) => who.call("DELETE", "/v1/auth/me", { body });
    expectProblem(await erase({}), 422, "validation");
    expectProblem(await erase({ currentPassword: who.password, sure: true }), 422, "validation");
    expectProblem(await erase({ currentPassword: "wrong phrase" }), 401, "invalid-credentials");
    const byToken = { token: made.body.token, body: { currentPassword: who.password } };
    expectProblem(await who.call("DELETE", "/v1/auth/me", byToken), 403, "forbidden");
    const gone = await erase({ currentPassword: who.password });
    expect([gone.status, gone.text]).toEqual([204, ""]);

    for (const token of [who.tokens.accessToken, other.accessToken, made.body.token]) await refusedEverywhere(token);
    const { refreshToken } = who.tokens;
    expectProblem(
      await call(system.url, "POST", "/v1/auth/refresh", { body: { refreshToken } }),
      401,
      "unauthenticated",
    );
    const account = { email: who.email, password: who.password };
    expectProblem(await call(system.url, "POST", "/v1/auth/login", { body: account }), 401, "invalid-credentials");
    const anew = await call<Tokens>(system.url, "POST", "/v1/auth/register", { body: account });
    expect(anew.status).toBe(201);
    const token = anew.body.accessToken;
    expect((await call(system.url, "GET", "/v1/tasks", { token })).text).toBe('{"items":[],"nextCursor":null}');
    expect((await call(system.url, "GET", `/v1/tasks/${task.id}`, { token })).status).toBe(404);
    await poll("nothing of the task is in the file", 60_000, () => {
      const db = new DatabaseSync(join(system.dataDir, "tasks.db"), { readOnly: true });
      const found = ["SELECT text, rest FROM documents", "SELECT json FROM facts"].map((sql) =>
        JSON.stringify(db.prepare(sql).all()),
      );
      db.close();
      return !found.join().includes("a most private errand");
    });
  });
});

describe("an access token signed with the real key", () => {
  test("is refused by every worker where auth never made it: in the future, of a session that is nobody's or another's", async () => {
    const db = new DatabaseSync(join(system.dataDir, "auth.db"), { readOnly: true });
    const { private_jwk: jwk } = db.prepare("SELECT private_jwk FROM keys").get() as { private_jwk: string };
    db.close();
    const key = createPrivateKey({ key: JSON.parse(jwk), format: "jwk" });
    const [head = "", body = ""] = ada.tokens.accessToken.split(".");
    const own = JSON.parse(Buffer.from(body, "base64url").toString());
    const signed = (claims: object) => {
      const text = `${head}.${Buffer.from(JSON.stringify({ ...own, ...claims })).toString("base64url")}`;
      return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
    };
    const theirs = await person(system.url);
    const { sid } = JSON.parse(Buffer.from(theirs.tokens.accessToken.split(".")[1] ?? "", "base64url").toString());
    // Known to the workers as theirs by then.
    await Promise.all(Array.from({ length: 12 }, () => theirs.call("GET", "/v1/tasks")));
    const read = (token: string) => call(system.url, "GET", "/v1/tasks", { token });
    expect((await read(signed({ jti: crypto.randomUUID() }))).status).toBe(200);
    const forged = [
      signed({ iat: own.iat + 3_600, exp: own.exp + 3_600 }),
      signed({ sid: crypto.randomUUID() }),
      signed({ sid }),
      signed({ sub: theirs.id }),
      signed({ exp: own.exp + 86_400 }),
    ];
    for (const token of forged) await refusedEverywhere(token);
  });
});

describe("an API token", () => {
  type Made = { id: string; name: string; token: string; scopes: string[] };
  const make = async (who: Person, body: object): Promise<Made> => {
    const reply = await who.call<Made>("POST", "/v1/auth/tokens", { body });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body.token).toStartWith("tt_");
    return reply.body;
  };

  test("does what its scopes say and nothing with the account", async () => {
    const task = await createTask(ada);
    const both = await make(ada, { name: "both" });
    const reader = await make(ada, { name: "reader", scopes: ["tasks:read"] });
    const writer = await make(ada, { name: "writer", scopes: ["tasks:write"] });
    const read = (token: string): Promise<Reply> => call(system.url, "GET", `/v1/tasks/${task.id}`, { token });
    const write = (token: string): Promise<Reply> =>
      call(system.url, "PATCH", `/v1/tasks/${task.id}`, { token, body: {} });
    expect([(await read(both.token)).status, (await write(both.token)).status]).toEqual([200, 200]);
    expect([(await read(reader.token)).status, (await write(writer.token)).status]).toEqual([200, 200]);
    expectProblem(await write(reader.token), 403, "forbidden");
    expectProblem(await read(writer.token), 403, "forbidden");
    // Before anything else is looked at: neither its body nor its query nor the id in its path matters.
    const ofAccounts = [
      ["GET", "/v1/auth/me"],
      ["PATCH", "/v1/auth/me"],
      ["DELETE", "/v1/auth/me"],
      ["POST", "/v1/auth/password"],
      ["POST", "/v1/auth/tokens"],
      ["GET", "/v1/auth/tokens?x=1"],
      ["DELETE", "/v1/auth/sessions/x"],
    ] as const;
    for (const [method, path] of ofAccounts)
      for (const body of method === "GET" ? [{}] : [{}, { body: {} }])
        expectProblem(await call(system.url, method, path, { token: both.token, ...body }), 403, "forbidden");
    expect((await call(system.url, "POST", "/v1/auth/verify", { body: { token: reader.token } })).body).toMatchObject({
      active: true,
      sub: ada.id,
      scopes: ["tasks:read"],
    });
    const listed = await ada.call("GET", "/v1/auth/tokens");
    for (const { token, name } of [both, reader, writer]) {
      expect(listed.text).toContain(name);
      expect(listed.text).not.toContain(token);
    }
  });

  test("is refused by every worker once deleted, and outlives a password change", async () => {
    const who = await person(system.url);
    const { id, token } = await make(who, { name: "script" });
    expect((await call(system.url, "GET", "/v1/tasks", { token })).status).toBe(200);
    expect(
      (
        await who.call("POST", "/v1/auth/password", {
          body: { currentPassword: who.password, newPassword: "a quite different phrase" },
        })
      ).status,
    ).toBe(204);
    expect((await call(system.url, "GET", "/v1/tasks", { token })).status).toBe(200);
    expectProblem(await ada.call("DELETE", `/v1/auth/tokens/${id}`), 404, "not-found");
    expect((await who.call("DELETE", `/v1/auth/tokens/${id}`)).status).toBe(204);
    await refusedEverywhere(token);
    expect((await call(system.url, "POST", "/v1/auth/verify", { body: { token } })).body).toEqual({ active: false });
  });

  test.each([
    ["no name", {}, "/name"],
    ["a scope that is none", { name: "x", scopes: ["everything"] }, "/scopes/0"],
    ["an end that is no instant", { name: "x", expiresAt: "tomorrow" }, "/expiresAt"],
  ])("with %s is 422", async (_name, body, path) => {
    const problem = expectProblem(await ada.call("POST", "/v1/auth/tokens", { body }), 422, "validation");
    expect(problem.errors?.map((fault) => fault.path)).toEqual([path]);
  });
});

describe("one's own writes with three workers", () => {
  test("are seen by whichever worker answers, 500 times", async () => {
    const who = await person(system.url);
    for (let round = 0; round < 500; round += 1) {
      const fresh = { headers: { connection: "close" } };
      const task = await createTask(who, { title: `round ${round}` });
      const changed = await who.call("PATCH", `/v1/tasks/${task.id}`, { body: { status: "done" }, ...fresh });
      expect((await who.call("GET", `/v1/tasks/${task.id}`, fresh)).text).toBe(changed.text);
      const list = await who.call<{ items: unknown[] }>("GET", "/v1/tasks?limit=1", fresh);
      expect(list.body.items[0]).toEqual(changed.body);
      expect(list.headers.get("consistency")).toBeNull();
    }
  }, 120_000);
});

describe("limits", () => {
  test("on a user's requests answer 429 with Retry-After, count down, and leave others alone", async () => {
    const small = await start({ env: { TT_RATE_LIMIT: "5/60" } });
    const [one, two] = [await person(small.url), await person(small.url)];
    const replies: Reply[] = [];
    for (let count = 0; count < 7; count += 1) replies.push(await one.call("GET", "/v1/tasks"));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(replies.map(({ headers }) => /^"default";r=(\d+);t=\d+$/.exec(headers.get("ratelimit") ?? "")?.[1])).toEqual(
      ["4", "3", "2", "1", "0", "0", "0"],
    );
    const last = replies.at(-1) as Reply;
    expectProblem(last, 429, "rate-limited");
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(last.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(last.headers.get("ratelimit-policy")).toBe('"default";q=5;w=60');
    expect((await two.call("GET", "/v1/tasks")).status).toBe(200);
    await small.end("SIGTERM");
  }, 120_000);

  test("on passwords under way answer 503 with Retry-After rather than wait without end, and tasks go on", async () => {
    const crowded = await start({ env: { TT_LOGIN_DELAY: "off", LOG_LEVEL: "error" } });
    const who = await person(crowded.url);
    let underWay = 150;
    const attempts = Array.from({ length: underWay }, () =>
      call(crowded.url, "POST", "/v1/auth/login", { body: { email: who.email, password: "not this one" } }).finally(
        () => {
          underWay -= 1;
        },
      ),
    );
    expect((await who.call("GET", "/v1/tasks?limit=1")).status).toBe(200);
    // The passwords that are hashed keep two threads busy for seconds.
    expect(underWay).toBeGreaterThan(0);
    for (const reply of await Promise.all(attempts)) {
      if (reply.status === 401) expectProblem(reply, 401, "invalid-credentials");
      else {
        expectProblem(reply, 503, "overloaded");
        expect(reply.headers.get("retry-after")).toMatch(/^\d+$/);
      }
    }
    await crowded.end("SIGTERM");
  }, 120_000);
});

test("behind TLS every answer asks for TLS, errors too", async () => {
  const { url, end } = await start({ env: { TT_TRUSTED_PROXIES: "127.0.0.1" } });
  const who = await person(url);
  for (const path of ["/v1/tasks", "/nothing", "/v1/auth/me"]) {
    const reply = await who.call("GET", path, { headers: { "x-forwarded-proto": "https" } });
    expect(reply.headers.get("strict-transport-security"), path).toContain("max-age=");
  }
  await end("SIGTERM");
}, 120_000);
