import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootSite } from "../http/site.ts";
import { openAuth } from "./main.ts";

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

const ada = { email: "ada@example.com", password: "correct horse 7 battery" };

async function page(url = "", folder = mkdtempSync(join(tmpdir(), "cookie-"))) {
  const auth = await openAuth(
    {
      ...{ dataDir: folder, issuer: "i", audience: "a" },
      trustedProxies: ["192.0.2.1"],
      ...(url === "" ? {} : { site: { ...rootSite, url } }),
    },
    { announce() {}, onFailure() {}, now: Date.now },
  );
  closing.push(async () => {
    await auth.close();
    rmSync(folder, { recursive: true, force: true });
  });
  async function send(path: string, body?: object, headers: Record<string, string> = {}, remoteAddress = "192.0.2.9") {
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const request = new Request(`http://here.test:3000${path}`, {
      method: "POST",
      headers: Object.entries({ host: "here.test:3000", "x-token-delivery": "cookie", ...type, ...headers }).filter(
        ([, value]) => value !== "",
      ),
      body: body === undefined ? null : JSON.stringify(body),
    });
    const response = await auth.app.fetch(request, { remoteAddress });
    const text = await response.text();
    const [set, ...more] = response.headers.getSetCookie();
    expect(more).toEqual([]);
    const [pair = "", ...attributes] = set?.split("; ") ?? [];
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text), pair, attributes };
  }
  return { send, folder };
}

const attributes = (path: string, maxAgeS = 2_592_000) => [
  ...[`Path=${path}`, `Max-Age=${maxAgeS}`],
  ...["HttpOnly", "SameSite=Strict"],
];

test("who asks for a cookie gets the refresh token so, and nowhere else, wherever one signs in", async () => {
  const { send } = await page();
  const ways: [string, object?][] = [
    ["/v1/auth/register", ada],
    ["/v1/auth/login", ada],
    ["/login", ada],
  ];
  let pair = "";
  for (const [path, body] of ways) {
    const made = await send(path, body);
    expect([made.status < 300, "refreshToken" in made.body, made.attributes]).toEqual([
      true,
      false,
      attributes("/v1/auth"),
    ]);
    expect(made.pair).toMatch(/^tt_refresh_[0-9a-f]{12}=rt_[A-Za-z0-9_-]{43}$/);
    pair = made.pair;
  }
  const next = await send("/v1/auth/refresh", {}, { cookie: `other=1; ${pair}; more=x=y` });
  expect([next.status, "refreshToken" in next.body, next.attributes]).toEqual([200, false, attributes("/v1/auth")]);
  expect(next.pair).not.toBe(pair);
  // Also without any body, as a page sends that has nothing to say.
  expect((await send("/v1/auth/refresh", undefined, { cookie: next.pair })).status).toBe(200);
  const plain = await send("/v1/auth/login", ada, { "x-token-delivery": "" });
  expect([plain.status, plain.pair, plain.body.refreshToken.slice(0, 3)]).toEqual([200, "", "rt_"]);
  // One that came in a body goes on as a cookie where that is asked for.
  const moved = await send("/v1/auth/refresh", { refreshToken: plain.body.refreshToken });
  expect([moved.status, "refreshToken" in moved.body, moved.pair !== ""]).toEqual([200, false, true]);
});

test("a refresh by cookie needs the header that only our own pages can send, and an origin of our own if there is one", async () => {
  const { send } = await page();
  const { pair } = await send("/v1/auth/register", ada);
  const refreshed = async (headers: Record<string, string>) => {
    const { status, body } = await send("/v1/auth/refresh", {}, { cookie: pair, ...headers });
    return [status, body.code];
  };
  for (const origin of [
    "https://evil.test",
    "http://here.test",
    "http://here.test:3001",
    "https://x.here.test:3000",
    "null",
  ])
    expect(await refreshed({ origin })).toEqual([403, "forbidden"]);
  expect(await refreshed({ origin: "http://here.test:3000" })).toEqual([200, undefined]);
  for (const delivery of ["body", "Cookie", "cookie, cookie"])
    expect(await refreshed({ "x-token-delivery": delivery })).toEqual([400, "malformed-header"]);
  expect(await refreshed({ "x-token-delivery": "" })).toEqual([422, "validation"]);
  const empty = await send("/v1/auth/refresh", undefined, { cookie: pair, "x-token-delivery": "" });
  expect([empty.status, empty.body.code]).toEqual([400, "malformed-json"]);
});

test("none, an unknown one, or two of the name are no refresh token", async () => {
  const { send } = await page();
  const { pair } = await send("/v1/auth/register", ada);
  const [name] = pair.split("=");
  for (const cookie of ["", "tt_refresh=x", `${name}=`, `${name}=rt_x`, `${pair}; ${name}=rt_planted`]) {
    const { status, body } = await send("/v1/auth/refresh", {}, { cookie });
    expect([status, body.code], cookie).toEqual([401, "unauthenticated"]);
  }
  expect((await send("/v1/auth/refresh", {}, { cookie: pair })).status).toBe(200);
});

test("it goes with the session, by whichever way out", async () => {
  const { send } = await page();
  const { pair, body } = await send("/v1/auth/register", ada);
  const [name] = pair.split("=");
  const authorization = `Bearer ${body.accessToken}`;
  const out = await send("/v1/auth/logout", undefined, { authorization, cookie: pair });
  expect([out.status, out.pair, out.attributes]).toEqual([204, `${name}=`, attributes("/v1/auth", 0)]);
  expect((await send("/v1/auth/refresh", {}, { cookie: pair })).status).toBe(401);
  const again = await send("/v1/auth/login", ada);
  const all = await send("/v1/auth/logout-all", undefined, { authorization: `Bearer ${again.body.accessToken}` });
  expect([all.status, all.pair]).toEqual([204, `${name}=`]);
});

test("it is for TLS only where a trusted proxy says that the request came so", async () => {
  const { send } = await page();
  const tls = { "x-forwarded-proto": "https" };
  await send("/v1/auth/register", ada);
  expect((await send("/v1/auth/login", ada, tls, "192.0.2.9")).attributes).not.toContain("Secure");
  expect((await send("/v1/auth/login", ada, {}, "192.0.2.1")).attributes).not.toContain("Secure");
  expect((await send("/v1/auth/login", ada, tls, "192.0.2.1")).attributes).toContain("Secure");
});

test("below a public URL it has that path, a name of its own, and the public origin", async () => {
  const first = await page("https://example.org/todo");
  const made = await first.send("/v1/auth/register", ada);
  expect(made.attributes.slice(0, 1)).toEqual(["Path=/todo/v1/auth"]);
  const second = await page("https://example.org/work");
  const other = await second.send("/v1/auth/register", ada);
  expect(other.pair.split("=")[0]).not.toBe(made.pair.split("=")[0]);
  const both = { cookie: `${other.pair}; ${made.pair}` };
  const from = async (origin: string) => (await first.send("/v1/auth/refresh", {}, { ...both, origin })).status;
  expect([await from("http://here.test:3000"), await from("https://example.org")]).toEqual([403, 200]);
});
