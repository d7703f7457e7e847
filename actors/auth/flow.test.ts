import { afterAll, describe, expect, test } from "bun:test";
import { createHmac, createPrivateKey, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuthData, answerHttp, openAuth } from "./main.ts";
import type { Ended } from "./messages.ts";
import { operator } from "./operator.ts";
import { successorOf } from "./refresh-tokens.ts";
import { openStores } from "./stores.ts";

const folders: string[] = [];
const open: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const role of open) await role.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "auth-"));
  folders.push(made);
  return made;
}

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const claims = { issuer: "task-tracker", audience: "task-tracker" };

async function role(dataDir = folder(), more: Partial<AuthData> = {}) {
  const clock = { nowMs: Date.now() };
  const ended: Ended[] = [];
  const failures: unknown[] = [];
  const auth = await openAuth(
    { dataDir, ...claims, ...more },
    {
      announce: (those) => ended.push(...those),
      onFailure: (failure) => failures.push(failure),
      now: () => clock.nowMs,
    },
  );
  open.push(auth);
  async function send(method: string, path: string, body?: unknown, token?: string, type = "application/json") {
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": type }),
    };
    const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
    const response = await auth.app.fetch(
      new Request(`http://localhost.local${path}`, { method, headers, body: text }),
    );
    const content = await response.text();
    expect(failures).toEqual([]);
    return {
      status: response.status,
      headers: response.headers,
      body: content === "" ? undefined : JSON.parse(content),
    };
  }
  return { auth, clock, ended, send, dataDir };
}

const ada = { email: "Ada@Example.com", password: "correct horse 7 battery" };
const system = await role();
const registered = (await system.send("POST", "/v1/auth/register", { ...ada, name: "Ada" })).body;
const login = async () => (await system.send("POST", "/v1/auth/login", ada)).body;

describe("an account", () => {
  test("is made, signed in at once, and shows itself", async () => {
    expect(registered).toMatchObject({ tokenType: "Bearer", expiresIn: 600, user: { email: ada.email, name: "Ada" } });
    const me = await system.send("GET", "/v1/auth/me", undefined, registered.accessToken);
    expect([me.status, me.body]).toEqual([200, registered.user]);
    expect(me.headers.get("cache-control")).toBe("no-store");
    for (const path of ["/users/me", "/auth/users/me", "/auth/me", "/v1/auth/me/"]) {
      expect((await system.send("GET", path, undefined, registered.accessToken)).status).toBe(200);
    }
  });

  test("is unique by its e-mail whatever the case", async () => {
    const again = await system.send("POST", "/register", { email: "aDA@example.COM", password: "another 93 password" });
    expect([again.status, again.body.code]).toEqual([409, "email-taken"]);
  });

  test("is made once when many register the same address at once", async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, () =>
        system.send("POST", "/v1/auth/register", { email: "race@example.com", password: "a fine 1 password" }),
      ),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test("is refused with every fault listed", async () => {
    const refused = await system.send("POST", "/v1/auth/register", {
      email: "nobody",
      password: "PassWord1",
      nick: 1,
      name: "",
    });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      "/email",
      "/name",
      "/nick",
      "/password",
    ]);
  });

  test("does not tell an unknown e-mail from a wrong password", async () => {
    const wrong = await system.send("POST", "/v1/auth/login", { ...ada, password: "x" });
    const unknown = await system.send("POST", "/v1/auth/login", { email: "no@example.com", password: "x" });
    const same = ({ status, body: { code, detail } }: typeof wrong) => ({ status, code, detail });
    expect(same(wrong)).toEqual(same(unknown));
    expect(same(wrong)).toMatchObject({ status: 401, code: "invalid-credentials" });
  });

  test("signs in by the OAuth 2 form", async () => {
    const form = new URLSearchParams({
      grant_type: "password",
      username: "ada@example.com",
      password: ada.password,
      scope: "",
    }).toString();
    const { status, body } = await system.send("POST", "/token", form, undefined, "application/x-www-form-urlencoded");
    expect([status, Object.keys(body).sort()]).toEqual([
      200,
      ["access_token", "expires_in", "refresh_token", "token_type"],
    ]);
  });

  test("changes its name freely and its e-mail only with the password", async () => {
    const { accessToken } = (
      await system.send("POST", "/v1/auth/register", { email: "b@example.com", password: ada.password })
    ).body;
    const patch = (body: unknown) => system.send("PATCH", "/v1/auth/me", body, accessToken);
    expect((await patch({ name: "Bea" })).body.name).toBe("Bea");
    expect((await patch({ email: "c@example.com" })).body.errors[0].path).toBe("/currentPassword");
    const faults = (await patch({ name: "", email: "c@example.com" })).body.errors;
    expect(faults.map(({ path }: { path: string }) => path)).toEqual(["/name", "/currentPassword"]);
    expect((await patch({ name: "Bea", email: "b@example.com" })).status).toBe(200);
    expect((await patch({ email: "c@example.com", currentPassword: "no" })).body.code).toBe("invalid-credentials");
    expect((await patch({ email: "ADA@example.com", currentPassword: ada.password })).body.code).toBe("email-taken");
    expect((await patch({ email: "c@example.com", currentPassword: ada.password })).body).toMatchObject({
      email: "c@example.com",
      name: "Bea",
    });
  });

  test("changes its password, which ends all other sessions", async () => {
    const dan = { email: "dan@example.com", password: ada.password };
    const first = (await system.send("POST", "/v1/auth/register", dan)).body;
    const second = (await system.send("POST", "/v1/auth/login", dan)).body;
    const change = { currentPassword: dan.password, newPassword: "quite another 1" };
    expect((await system.send("POST", "/v1/auth/password", change, first.accessToken)).status).toBe(204);
    expect((await system.send("GET", "/v1/auth/me", undefined, first.accessToken)).status).toBe(200);
    expect((await system.send("GET", "/v1/auth/me", undefined, second.accessToken)).status).toBe(401);
    expect((await system.send("POST", "/v1/auth/login", dan)).status).toBe(401);
    expect((await system.send("POST", "/v1/auth/login", { ...dan, password: change.newPassword })).status).toBe(200);
  });
});

describe("registration that is closed", () => {
  test("makes no account, whether or not the address is taken, and all else goes on", async () => {
    const open = await role();
    await open.send("POST", "/v1/auth/register", ada);
    const closed = await role(open.dataDir, { registration: false });
    for (const email of [ada.email, "new@example.com"])
      for (const path of ["/v1/auth/register", "/register", "/auth/register"]) {
        const { status, body } = await closed.send("POST", path, { email, password: ada.password });
        expect([status, body.code]).toEqual([403, "registration-closed"]);
      }
    expect((await closed.send("POST", "/v1/auth/register", { email: "x" })).status).toBe(422);
    expect((await closed.send("POST", "/v1/auth/login", ada)).status).toBe(200);
    const { status, body } = await closed.send("GET", "/problems/registration-closed");
    expect([status, body.status]).toEqual([200, 403]);
  });
});

describe("a new password by the operator's link", () => {
  const newPassword = "a quite different phrase";
  /** What an operator's command does, as another process beside this one. */
  const operate = async <T>(dataDir: string, act: (of: ReturnType<typeof operator>) => Promise<T>, now = Date.now) => {
    const stores = await openStores(dataDir, undefined);
    return await act(operator({ ...stores, now })).finally(() => stores.close());
  };

  test("is set once, within an hour, and ends all sessions", async () => {
    const { send, dataDir, clock, ended } = await role();
    const { accessToken, refreshToken } = (await send("POST", "/v1/auth/register", ada)).body;
    const now = () => clock.nowMs;
    const reset = (resetToken: string, more: object = {}) =>
      send("POST", "/v1/auth/reset", { resetToken, newPassword, ...more });
    const first = await operate(dataDir, (of) => of.resetPassword(ada.email.toUpperCase()), now);
    const token = await operate(dataDir, (of) => of.resetPassword(ada.email), now);
    expect(token).toMatch(/^rs_[A-Za-z0-9_-]{43}$/);
    for (const unknown of [first, `${token}x`, "x", refreshToken]) {
      const { status, body } = await reset(unknown);
      expect([status, body.code]).toEqual([401, "unauthenticated"]);
    }
    expect((await reset(token, { newPassword: "password" })).body.errors).toMatchObject([{ path: "/newPassword" }]);
    expect((await reset(token, { more: 1 })).status).toBe(422);
    clock.nowMs += 3_600_000;
    expect((await reset(token)).status).toBe(401);
    expect((await send("GET", "/v1/auth/me", undefined, accessToken)).status).toBe(401);
    clock.nowMs -= 1;
    expect(ended).toEqual([]);
    expect((await reset(token)).status).toBe(204);
    expect(ended).toHaveLength(1);
    expect((await reset(token)).status).toBe(401);
    expect((await send("POST", "/v1/auth/refresh", { refreshToken })).body.code).toBe("unauthenticated");
    expect((await send("POST", "/v1/auth/login", ada)).status).toBe(401);
    expect((await send("POST", "/v1/auth/login", { ...ada, password: newPassword })).status).toBe(200);
  });

  test("sent by many at once is set by one of them", async () => {
    const { send, dataDir } = await role();
    await send("POST", "/v1/auth/register", ada);
    const resetToken = await operate(dataDir, (of) => of.resetPassword(ada.email));
    const all = await Promise.all(
      Array.from({ length: 5 }, (_, nth) =>
        send("POST", "/v1/auth/reset", { resetToken, newPassword: `${newPassword} ${nth}` }),
      ),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401, 401]);
    const password = `${newPassword} ${all.findIndex(({ status }) => status === 204)}`;
    expect((await send("POST", "/v1/auth/login", { ...ada, password })).status).toBe(200);
  });

  test("is how somebody signs in whom the operator added, and who could not before", async () => {
    const { send, dataDir } = await role(folder(), { registration: false });
    const resetToken = await operate(dataDir, (of) => of.addUser({ email: "Bob@example.com", name: "Bob" }));
    for (const password of ["", " ", ada.password])
      expect((await send("POST", "/v1/auth/login", { email: "bob@example.com", password })).status).not.toBe(200);
    expect((await send("POST", "/v1/auth/reset", { resetToken, newPassword })).status).toBe(204);
    const { body } = await send("POST", "/v1/auth/login", { email: "bob@example.com", password: newPassword });
    expect(body.user).toMatchObject({ email: "Bob@example.com", name: "Bob" });
    const again = operate(dataDir, (of) => of.addUser({ email: "BOB@example.com" }));
    await expect(again).rejects.toThrow("another one has this e-mail");
    await expect(operate(dataDir, (of) => of.resetPassword("no@example.com"))).rejects.toThrow("no account has this");
    await expect(operate(dataDir, (of) => of.addUser({ email: "bob" }))).rejects.toThrow(
      "the e-mail must be an e-mail",
    );
    await expect(operate(dataDir, (of) => of.addUser({ email: "c@d.e", name: "" }))).rejects.toThrow("the name must");
  });

  test("is not to be had after the account was erased", async () => {
    const { send, dataDir } = await role();
    const { accessToken } = (await send("POST", "/v1/auth/register", ada)).body;
    const resetToken = await operate(dataDir, (of) => of.resetPassword(ada.email));
    expect((await send("DELETE", "/v1/auth/me", { currentPassword: ada.password }, accessToken)).status).toBe(204);
    expect((await send("POST", "/v1/auth/reset", { resetToken, newPassword })).status).toBe(401);
  });
});

describe("names of users", () => {
  test("are told by ids to whoever is signed in, of those that exist, in the order asked for", async () => {
    const { send } = await role();
    const join = async (email: string, name?: string) =>
      (await send("POST", "/v1/auth/register", { email, password: ada.password, ...(name && { name }) })).body;
    const [one, two, gone] = [
      await join("a@example.com", "Ada"),
      await join("b@example.com"),
      await join("c@example.com"),
    ];
    await send("DELETE", "/v1/auth/me", { currentPassword: ada.password }, gone.accessToken);
    const ids = [two.user.id, gone.user.id, crypto.randomUUID(), one.user.id, two.user.id];
    const path = `/v1/users?${ids.map((id) => `id=${id}`).join("&")}`;
    const named = await send("GET", path, undefined, one.accessToken);
    expect([named.status, named.body]).toEqual([
      200,
      {
        items: [
          { id: two.user.id, name: null },
          { id: one.user.id, name: "Ada" },
        ],
      },
    ] as never);
    expect((await send("GET", "/v1/users", undefined, one.accessToken)).body).toEqual({ items: [] });
    expect((await send("GET", path)).status).toBe(401);
    const token = async (scopes: string[]) =>
      (await send("POST", "/v1/auth/tokens", { name: "t", scopes }, one.accessToken)).body.token;
    expect((await send("GET", path, undefined, await token(["tasks:read"]))).body).toEqual(named.body);
    const writer = await token(["tasks:write"]);
    expect((await send("GET", path, undefined, writer)).body.code).toBe("forbidden");
    expect((await send("GET", "/v1/auth/me", undefined, await token(["tasks:read"]))).body.code).toBe("forbidden");
    const faults = async (query: string) => {
      const { status, body } = await send("GET", `/v1/users?${query}`, undefined, one.accessToken);
      return [status, body.errors?.map(({ path: at }: { path: string }) => at)];
    };
    expect(await faults(`id=${one.user.id.toUpperCase()}`)).toEqual([422, ["/id"]]);
    expect(await faults("ids=x")).toEqual([422, ["/ids"]]);
    const many = (count: number) => Array.from({ length: count }, () => `id=${crypto.randomUUID()}`).join("&");
    expect(await faults(many(100))).toEqual([200, undefined]);
    expect(await faults(many(101))).toEqual([422, ["/id"]]);
  });
});

describe("an API token without the scope", () => {
  test("is forbidden, though the limit of its user is used up as well", async () => {
    const { send } = await role(folder(), { rateLimit: { requests: 3, windowS: 60 } });
    const { accessToken } = (await send("POST", "/v1/auth/register", ada)).body;
    const { token } = (await send("POST", "/v1/auth/tokens", { name: "t", scopes: ["tasks:write"] }, accessToken)).body;
    for (const path of ["/v1/auth/me", "/v1/users", "/v1/auth/me"]) {
      const { status, body, headers } = await send("GET", path, undefined, token);
      expect([status, body.code, headers.has("ratelimit")]).toEqual([403, "forbidden", true]);
    }
    expect((await send("GET", "/v1/auth/me", undefined, accessToken)).body.code).toBe("rate-limited");
  });
});

describe("a session", () => {
  test("ends at logout: tokens refused, revocation announced and standing", async () => {
    const { accessToken, refreshToken } = await login();
    const { sid } = (await system.send("POST", "/v1/auth/verify", { token: accessToken })).body;
    expect((await system.send("POST", "/logout", undefined, accessToken)).status).toBe(204);
    expect((await system.send("GET", "/v1/auth/me", undefined, accessToken)).status).toBe(401);
    expect((await system.send("POST", "/v1/auth/verify", { token: accessToken })).body).toEqual({ active: false });
    expect((await system.send("POST", "/v1/auth/refresh", { refreshToken })).body.code).toBe("unauthenticated");
    expect(system.ended.map(({ hash }) => hash)).toContain(sha256(sid));
    expect((await system.auth.standing()).revoked.map(({ hash }) => hash)).toContain(sha256(sid));
  });

  test("is listed, and another one of the account can be ended, but nobody else's", async () => {
    const eve = { email: "eve@example.com", password: ada.password };
    const one = (await system.send("POST", "/v1/auth/register", eve)).body;
    const two = (await system.send("POST", "/v1/auth/login", eve)).body;
    const { items } = (await system.send("GET", "/v1/auth/sessions", undefined, one.accessToken)).body;
    expect(items.map(({ current }: { current: boolean }) => current)).toEqual([true, false]);
    const path = `/v1/auth/sessions/${items[1].id}`;
    expect((await system.send("DELETE", path, undefined, registered.accessToken)).status).toBe(404);
    expect((await system.send("DELETE", path, undefined, one.accessToken)).status).toBe(204);
    expect((await system.send("GET", "/v1/auth/me", undefined, two.accessToken)).status).toBe(401);
    expect((await system.send("POST", "/v1/auth/logout-all", undefined, one.accessToken)).status).toBe(204);
    expect((await system.send("GET", "/v1/auth/me", undefined, one.accessToken)).status).toBe(401);
  });

  test("survives the process without a goodbye, with its key", async () => {
    const before = await role();
    const made = (await before.send("POST", "/v1/auth/register", ada)).body;
    // The first one is never closed: what a killed process leaves behind.
    const after = await role(before.dataDir);
    expect((await after.send("GET", "/v1/auth/me", undefined, made.accessToken)).status).toBe(200);
    const [one, other] = [before, after].map(({ send }) =>
      send("POST", "/v1/auth/refresh", { refreshToken: made.refreshToken }),
    );
    expect([(await one)?.status, (await other)?.status]).toEqual([200, 200]);
    expect((await other)?.body.refreshToken).toBe((await one)?.body.refreshToken);
    expect((await after.auth.standing()).jwks).toEqual((await before.auth.standing()).jwks);
  });
});

describe("a refresh token", () => {
  const refresh = (refreshToken: string) => system.send("POST", "/v1/auth/refresh", { refreshToken });

  test("is spent for fresh tokens of the same session", async () => {
    const first = await login();
    const { status, body } = await refresh(first.refreshToken);
    expect(status).toBe(200);
    const sid = async (token: string) => (await system.send("POST", "/verify", { token })).body.sid;
    expect(await sid(body.accessToken)).toBe(await sid(first.accessToken));
    expect(body.refreshToken).not.toBe(first.refreshToken);
  });

  test("sent by many at once and again within the grace is answered with one and the same successor", async () => {
    const { refreshToken } = await login();
    const many = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
    system.clock.nowMs += 10_000;
    many.push(await refresh(refreshToken));
    expect(many.map(({ status }) => status)).toEqual(many.map(() => 200));
    const successors = new Set(many.map(({ body }) => body.refreshToken as string));
    expect(successors.size).toBe(1);
    expect(new Set(many.map(({ body }) => body.accessToken)).size).toBe(many.length);
    // Of two who go on with it both do, until one is a step ahead: the session has one line.
    const [one, other] = [await refresh([...successors][0] ?? ""), await refresh([...successors][0] ?? "")];
    expect(one?.body.refreshToken).toBe(other?.body.refreshToken);
    await refresh(one?.body.refreshToken);
    expect((await refresh([...successors][0] ?? "")).body.code).toBe("token-reused");
  });

  test("cannot be told from the one before it without auth's key", async () => {
    const first = await login();
    const { body } = await refresh(first.refreshToken);
    expect(successorOf(first.refreshToken, Buffer.alloc(32))).not.toBe(body.refreshToken);
    expect(body.refreshToken).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
  });

  test("ends its session when it comes again after the grace", async () => {
    const { refreshToken } = await login();
    const { body } = await refresh(refreshToken);
    system.clock.nowMs += 10_001;
    const reused = await refresh(refreshToken);
    expect([reused.status, reused.body.code]).toEqual([401, "token-reused"]);
    expect((await refresh(body.refreshToken)).body.code).toBe("unauthenticated");
    expect((await system.send("GET", "/v1/auth/me", undefined, body.accessToken)).status).toBe(401);
  });

  test("ends its session at once when its follower was spent already", async () => {
    const { refreshToken } = await login();
    await refresh((await refresh(refreshToken)).body.refreshToken);
    expect((await refresh(refreshToken)).body.code).toBe("token-reused");
  });

  test("means nothing when it is unknown or its session has run out", async () => {
    expect((await refresh("rt_unknown")).body.code).toBe("unauthenticated");
    const late = await role();
    const { refreshToken } = (await late.send("POST", "/v1/auth/register", ada)).body;
    late.clock.nowMs += 30 * 86_400_000;
    expect((await late.send("POST", "/v1/auth/refresh", { refreshToken })).body.code).toBe("unauthenticated");
  });
});

describe("an access token", async () => {
  const { jwks } = await system.auth.standing();
  const kid = jwks.keys[0]?.kid;
  const token = (await login()).accessToken as string;
  const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const coded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const stored = new DatabaseSync(join(system.dataDir, "auth.db"), { readOnly: true });
  const { private_jwk: jwk } = stored.prepare("SELECT private_jwk FROM keys").get() as { private_jwk: string };
  stored.close();
  const ours = createPrivateKey({ key: JSON.parse(jwk), format: "jwk" });
  const theirs = generateKeyPairSync("ed25519").privateKey;
  const header = { alg: "EdDSA", typ: "at+jwt", kid };
  const made = (head: object, claim: object, key = ours) => {
    const text = `${coded(head)}.${coded({ ...payload, ...claim })}`;
    return `${text}.${signBytes(null, Buffer.from(text), key).toString("base64url")}`;
  };
  const active = async (text: string) => (await system.send("POST", "/v1/auth/verify", { token: text })).body.active;

  test("has the contract's header and claims, and its key in the key set", () => {
    expect(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString())).toEqual(header);
    expect(payload).toMatchObject({ iss: claims.issuer, aud: claims.audience, sub: registered.user.id });
    expect(Object.keys(payload).sort()).toEqual(["aud", "exp", "iat", "iss", "jti", "sid", "sub"]);
    expect(jwks.keys).toEqual([
      { kid, kty: "OKP", crv: "Ed25519", x: expect.any(String), alg: "EdDSA", use: "sig" },
    ] as never);
  });

  const hmacHead = coded({ alg: "HS256", typ: "at+jwt", kid });
  const hmac = createHmac("sha256", Buffer.from(jwks.keys[0]?.x ?? "", "base64url"))
    .update(`${hmacHead}.${coded(payload)}`)
    .digest("base64url");
  const forged: [string, string][] = [
    ["without a signature (alg none)", `${coded({ ...header, alg: "none" })}.${coded(payload)}.`],
    ["signed with HS256 and the public key", `${hmacHead}.${coded(payload)}.${hmac}`],
    ["signed by another key under our kid", made(header, {}, theirs)],
    ["with another kid", made({ ...header, kid: "other" }, {})],
    [
      "that brings its own key",
      made({ alg: "EdDSA", typ: "at+jwt", jwk: theirs.export({ format: "jwk" }) }, {}, theirs),
    ],
    ["of another type", made({ ...header, typ: "JWT" }, {})],
    ["run out", made(header, { exp: Math.floor(Date.now() / 1000) - 1 })],
    ["without an end", made(header, { exp: undefined })],
    ["for another audience", made(header, { aud: "other" })],
    ["of another issuer", made(header, { iss: "other" })],
    ["made in the future", made(header, { iat: payload.iat + 3_600, exp: payload.exp + 3_600 })],
    ["of a session that nobody opened", made(header, { sid: crypto.randomUUID() })],
    ["of a session that is another user's", made(header, { sub: crypto.randomUUID() })],
    ["with a critical extension", made({ ...header, crit: ["b64"], b64: false }, {})],
    ["cut short", token.slice(0, -2)],
    ["that is empty", ""],
  ];
  test.each(forged)("is refused %s", async (_, text) => {
    expect(await active(text)).toBe(false);
    expect((await system.send("GET", "/v1/auth/me", undefined, text)).status).toBe(401);
  });

  test("made by the test's own hand in the right way is taken (so the refusals above mean something)", async () => {
    expect(await active(made(header, {}))).toBe(true);
  });
});

describe("an API token", () => {
  test("is shown once, identifies, cannot manage the account, and is refused once deleted", async () => {
    const { accessToken } = await login();
    const created = await system.send("POST", "/v1/auth/tokens", { name: "ci", scopes: ["tasks:read"] }, accessToken);
    expect([created.status, created.body.token.slice(0, 3), created.body.expiresAt]).toEqual([201, "tt_", null]);
    const { id, token } = created.body;
    const listed = await system.send("GET", "/v1/auth/tokens", undefined, accessToken);
    expect(JSON.stringify(listed.body)).not.toContain(token);
    const verified = await system.send("POST", "/v1/auth/verify", { token });
    expect(verified.body).toEqual({ active: true, sub: registered.user.id, scopes: ["tasks:read"] });
    expect((await system.send("GET", "/v1/auth/me", undefined, token)).status).toBe(403);
    expect((await system.send("DELETE", `/v1/auth/tokens/${id}`, undefined, accessToken)).status).toBe(204);
    expect((await system.send("GET", "/v1/auth/me", undefined, token)).status).toBe(401);
    const hash = sha256(token);
    expect(system.ended.at(-1)).toEqual({ hash, untilMs: system.clock.nowMs + 60_000 });
    expect(await system.auth.apiToken(hash)).toEqual({ active: false });
  });

  test("runs out, and cannot be made run out", async () => {
    const { accessToken } = await login();
    const make = (expiresAt: string, name = "short") =>
      system.send("POST", "/v1/auth/tokens", { name, expiresAt }, accessToken);
    expect((await make("2001-01-01T00:00:00Z")).body.errors[0].path).toBe("/expiresAt");
    expect((await make(new Date(system.clock.nowMs).toISOString(), "")).body.errors).toMatchObject([
      { path: "/name" },
      { path: "/expiresAt", message: "must be in the future" },
    ]);
    const { token } = (await make(new Date(system.clock.nowMs + 5_000).toISOString())).body;
    expect((await system.send("POST", "/verify", { token })).body.active).toBe(true);
    system.clock.nowMs += 5_001;
    expect((await system.send("POST", "/verify", { token })).body.active).toBe(false);
  });
});

test("what has ended is told to anybody, by hashes, for as long as it matters", async () => {
  const here = await role();
  const list = async () => {
    const { status, headers, body } = await here.send("GET", "/.well-known/revocations.json");
    expect([status, headers.get("cache-control"), body.issuer, body.audience]).toEqual([
      200,
      "no-store",
      claims.issuer,
      claims.audience,
    ]);
    return body.revoked as Ended[];
  };
  const { accessToken } = (await here.send("POST", "/v1/auth/register", ada)).body;
  const { id, token } = (await here.send("POST", "/v1/auth/tokens", { name: "ci" }, accessToken)).body;
  const { sid } = (await here.send("POST", "/v1/auth/verify", { token: accessToken })).body;
  expect(await list()).toEqual([]);
  await here.send("DELETE", `/v1/auth/tokens/${id}`, undefined, accessToken);
  const deleted = { hash: sha256(token), untilMs: here.clock.nowMs + 60_000 };
  expect(await list()).toEqual([deleted]);
  await here.send("POST", "/v1/auth/logout", undefined, accessToken);
  const ended = { hash: sha256(sid), untilMs: here.clock.nowMs + 660_000 };
  expect(await list()).toEqual([ended, deleted]);
  here.clock.nowMs = deleted.untilMs;
  expect(await list()).toEqual([ended]);
  here.clock.nowMs = ended.untilMs;
  expect(await list()).toEqual([]);
});

describe("the auth database", () => {
  const opening = (dataDir: string) =>
    openAuth({ dataDir, ...claims }, { announce() {}, onFailure() {}, now: Date.now });

  test("is readable by its owner only", () => {
    for (const file of ["auth.db", "auth.db-wal"])
      expect(statSync(join(system.dataDir, file)).mode & 0o777).toBe(0o600);
  });

  test("of an older program is brought up to date, and loses nothing", async () => {
    const older = await role();
    const { accessToken } = (await older.send("POST", "/v1/auth/register", ada)).body;
    await older.auth.close();
    open.splice(open.indexOf(older.auth), 1);
    const db = new DatabaseSync(join(older.dataDir, "auth.db"));
    db.exec("DROP TABLE deleted_api_tokens; DROP TABLE erasures; DROP TABLE reset_tokens; PRAGMA user_version = 1");
    db.close();
    const newer = await role(older.dataDir);
    const { id, token } = (await newer.send("POST", "/v1/auth/tokens", { name: "ci" }, accessToken)).body;
    expect((await newer.send("DELETE", `/v1/auth/tokens/${id}`, undefined, accessToken)).status).toBe(204);
    expect((await newer.auth.standing()).revoked.map(({ hash }) => hash)).toEqual([sha256(token)]);
  });

  test("is refused untouched when it is foreign or newer", async () => {
    const text = folder();
    writeFileSync(join(text, "auth.db"), "a diary, not a database");
    await expect(opening(text)).rejects.toThrow("not a users database of this program");
    const other = folder();
    const foreign = new DatabaseSync(join(other, "auth.db"));
    foreign.exec("CREATE TABLE diary (day TEXT)");
    foreign.close();
    await expect(opening(other)).rejects.toThrow("not a users database of this program");
    const newer = await role();
    await newer.auth.close();
    open.splice(open.indexOf(newer.auth), 1);
    const db = new DatabaseSync(join(newer.dataDir, "auth.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    await expect(opening(newer.dataDir)).rejects.toThrow("schema version 99 is newer");
  });
});

test("a request handed over as a message is answered as one from the network", async () => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ token: "x" });
  const request = { method: "POST", url: "http://127.0.0.1:8080/v1/auth/verify?", headers, body };
  expect(await answerHttp(system.auth.app, request)).toMatchObject({ status: 200, body: '{"active":false}' });
  const broken = { ...request, body: Buffer.from([0xff, 0xfe]).toString("base64"), base64: true };
  expect((await answerHttp(system.auth.app, broken)).status).toBe(400);
  expect(
    (await answerHttp(system.auth.app, { method: "GET", url: "/.well-known/jwks.json", headers: {}, body: null }))
      .status,
  ).toBe(200);
});
