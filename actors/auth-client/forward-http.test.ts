import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type FaultProxy, faultProxy, type Mode } from "../../tests/system/fault-proxy.ts";
import { bodyBytesMax } from "../http/body.ts";
import { parseIp } from "../http/ip-address.ts";
import { problemOf } from "../http/problem-of-for-tests.ts";
import { authServer } from "./auth-for-tests.ts";
import { type ForwardOptions, forwardOverHttp as forwardAs } from "./forward-http.ts";

type Asked = { request: IncomingMessage; body: Buffer };

let auth: Awaited<ReturnType<typeof authServer>>;
let proxy: FaultProxy;
let authUrl: string;
const asked: Asked[] = [];
/** Keeps what it is asked, and answers with everything that a proxy has to take care of. */
const mirror = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    asked.push({ request, body: Buffer.concat(chunks) });
    if (request.url === "/redirect") return response.writeHead(307, { location: "/seen" }).end();
    if (request.url === "/empty") return response.writeHead(204).end();
    const headers = {
      etag: '"1"',
      "x-hop": "1",
      connection: "x-hop",
      "keep-alive": "timeout=5",
      "access-control-allow-origin": "https://other.example",
      "access-control-expose-headers": "ETag",
      "set-cookie": ["a=1", "b=2"],
    };
    response.writeHead(201, { ...headers, "content-type": "application/json" });
    response.end('{"é":1}');
  });
});
let mirrorUrl: string;

beforeAll(async () => {
  auth = await authServer();
  proxy = await faultProxy(auth.port);
  authUrl = `http://127.0.0.1:${proxy.port}`;
  await new Promise<void>((resolve) => mirror.listen(0, "127.0.0.1", resolve));
  mirrorUrl = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
});
beforeEach(() => proxy.mode("pass"));
afterAll(async () => {
  await proxy?.close();
  await auth?.close();
  mirror.close();
});

const client = { address: parseIp("192.0.2.1"), isSecure: false, host: "tasks.example:8080" };
const forwardOverHttp = (url: string, sent: Request, more: Partial<ForwardOptions> = {}) =>
  forwardAs(url, sent, { client, ...more });

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
const json = { "content-type": "application/json" };
function request(path: string, body: Body = null, headers: Record<string, string> = {}, method = "POST"): Request {
  return new Request(`http://tasks.example:8080${path}`, { method, headers, body });
}

test("a request goes there as it is and its answer comes back as it is, without what is of one connection only", async () => {
  asked.length = 0;
  const headers = {
    ...json,
    authorization: "Bearer x",
    traceparent: "00-a-b-01",
    "user-agent": "mine",
    host: "tasks.example:8080",
    connection: "keep-alive, X-Mine",
    "x-mine": "1",
    "proxy-authorization": "secret",
    "x-forwarded-for": "198.51.100.9",
    "x-forwarded-host": "elsewhere.example",
    te: "trailers",
  };
  const answer = await forwardOverHttp(mirrorUrl, request("/v1/auth/login?x=%20é&x=1", '{"é":1}', headers));
  const [seen] = asked;
  expect([seen?.request.method, seen?.request.url]).toEqual(["POST", "/v1/auth/login?x=%20%C3%A9&x=1"]);
  expect(seen?.body.toString()).toBe('{"é":1}');
  expect(seen?.request.headers).toMatchObject({
    ...json,
    authorization: "Bearer x",
    traceparent: "00-a-b-01",
    "user-agent": "mine",
    host: new URL(mirrorUrl).host,
    "content-length": "8",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "tasks.example:8080",
  });
  for (const name of ["x-mine", "proxy-authorization", "te"]) expect(seen?.request.headers[name], name).toBeUndefined();
  expect([answer.status, await answer.text(), answer.headers.get("etag")]).toEqual([201, '{"é":1}', '"1"']);
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  for (const name of ["x-hop", "connection", "keep-alive", "transfer-encoding", "content-length"])
    expect(answer.headers.get(name), name).toBeNull();
});

test("a body that is no UTF-8, or has none of its length told, arrives byte for byte", async () => {
  for (const bytes of [new Uint8Array([0xff, 0x00, 0x7b]), new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])]) {
    for (const body of [bytes, new Blob([bytes]).stream()]) {
      asked.length = 0;
      await forwardOverHttp(mirrorUrl, request("/x", body));
      expect(new Uint8Array(asked[0]?.body ?? [])).toEqual(bytes);
    }
  }
});

test("a redirect is passed on and not followed, and an empty answer is empty", async () => {
  const redirect = await forwardOverHttp(mirrorUrl, request("/redirect"));
  expect([redirect.status, redirect.headers.get("location")]).toEqual([307, "/seen"]);
  const empty = await forwardOverHttp(mirrorUrl, request("/empty"));
  expect([empty.status, empty.body]).toEqual([204, null]);
});

test("which pages may read the answer is not auth's to say", async () => {
  const answer = await forwardOverHttp(mirrorUrl, request("/x", null, { origin: "https://other.example" }));
  expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
  expect(asked.at(-1)?.request.headers.origin).toBe("https://other.example");
});

test("who names no user agent has none there", async () => {
  asked.length = 0;
  await forwardOverHttp(mirrorUrl, request("/x", null, {}, "GET"));
  expect(asked[0]?.request.headers["user-agent"] ?? "").toBe("");
});

test("auth answers through it as it does by itself: accounts, problems, HEAD, its document", async () => {
  const body = JSON.stringify({ email: "ada@example.com", password: "a long enough phrase" });
  const made = await forwardOverHttp(authUrl, request("/v1/auth/register", body, { ...json, "x-request-id": "mine" }));
  expect([made.status, made.headers.get("x-request-id")]).toEqual([201, "mine"]);
  const { accessToken } = (await made.json()) as { accessToken: string };
  const authorization = `Bearer ${accessToken}`;
  const me = await forwardOverHttp(authUrl, request("/users/me", null, { authorization }, "GET"));
  expect(await me.json()).toMatchObject({ email: "ada@example.com" });
  const listed = await forwardOverHttp(authUrl, request("/v1/auth/sessions", null, { authorization }, "GET"));
  expect(await listed.json()).toMatchObject({ items: [{ userAgent: null }] });
  const none = await forwardOverHttp(authUrl, request("/v1/auth/me", null, {}, "GET"));
  expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
  const head = await forwardOverHttp(authUrl, request("/.well-known/jwks.json", null, {}, "HEAD"));
  const whole = await (await fetch(`${authUrl}/.well-known/jwks.json`)).text();
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, `${whole.length}`, ""]);
  const document = await forwardOverHttp(authUrl, request("/v1/openapi.json", null, {}, "GET"));
  expect(((await document.json()) as { openapi: string }).openapi).toMatch(/^3\.1/);
  expect(auth.failures).toEqual([]);
});

test("auth knows who asks through it: a cookie for TLS where the client came so, and wrong passwords by address", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const body = JSON.stringify({ email, password: "a long enough phrase" });
  const from = (address: string, isSecure = false) => ({
    client: { address: parseIp(address), isSecure, host: "tasks.example:8080" },
  });
  const headers = { ...json, "x-token-delivery": "cookie", "x-forwarded-for": "198.51.100.1" };
  const made = await forwardOverHttp(authUrl, request("/v1/auth/register", body, headers), from("203.0.113.1", true));
  const [cookie = ""] = made.headers.getSetCookie();
  expect(cookie).toMatch(/^tt_refresh_\w+=rt_.*; Secure$/);
  const pair = cookie.slice(0, cookie.indexOf(";"));
  const refreshing = { ...headers, cookie: pair, origin: "http://tasks.example:8080" };
  const next = await forwardOverHttp(authUrl, request("/v1/auth/refresh", "{}", refreshing), from("203.0.113.1"));
  expect([next.status, next.headers.getSetCookie()[0]?.includes("Secure")]).toEqual([200, false]);
  const wrong = async (address: string, password = "not this one") => {
    const credentials = JSON.stringify({ email, password });
    const sent = request("/v1/auth/login", credentials, { ...json, "x-forwarded-for": `198.51.100.${Math.random()}` });
    return (await forwardOverHttp(authUrl, sent, from(address))).status;
  };
  const statuses: number[] = [];
  for (let nth = 0; nth < 6; nth += 1) statuses.push(await wrong("203.0.113.2"));
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  expect(await wrong("192.0.2.200", "a long enough phrase")).toBe(200);
});

test("a body that is too large is refused by auth in its turn: after the token and the type", async () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
  const large = "x".repeat(bodyBytesMax + 1);
  for (const body of [() => large, endless]) {
    expect((await forwardOverHttp(authUrl, request("/v1/auth/login", body(), json))).status).toBe(413);
    expect(
      (await forwardOverHttp(authUrl, request("/v1/auth/login", body(), { "content-type": "text/plain" }))).status,
    ).toBe(415);
    expect((await forwardOverHttp(authUrl, request("/v1/auth/password", body(), json))).status).toBe(401);
  }
});

test("a body that was cut off is malformed, and auth is not asked", async () => {
  asked.length = 0;
  const cut = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("connection reset")) });
  expect(await problemOf(() => forwardOverHttp(mirrorUrl, request("/x", cut)))).toBe("malformed-json");
  expect(asked).toEqual([]);
});

const faults: Mode[] = ["refuse", "cut", "drop-replies"];
test.each(faults)("%s: it is users-unavailable at once, and well again afterwards", async (mode) => {
  const keys = () => forwardOverHttp(authUrl, request("/.well-known/jwks.json", null, {}, "GET"));
  await keys();
  await proxy.mode(mode);
  const began = performance.now();
  expect(await problemOf(keys)).toBe("users-unavailable");
  expect(performance.now() - began).toBeLessThan(2_000);
  await proxy.mode("pass");
  expect((await keys()).status).toBe(200);
});

test("an auth that says nothing is users-unavailable in time, and more than can wait is overloaded", async () => {
  const keys = (timeoutMs = 500) =>
    forwardOverHttp(authUrl, request("/.well-known/jwks.json", null, {}, "GET"), { timeoutMs });
  await proxy.mode("stall");
  const began = performance.now();
  const waiting = Array.from({ length: 256 }, () => problemOf(() => keys()));
  expect(await problemOf(() => keys())).toBe("overloaded");
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["users-unavailable"]));
  const tookMs = performance.now() - began;
  expect(tookMs).toBeGreaterThan(450);
  await proxy.mode("pass");
  expect((await keys(10_000)).status).toBe(200);
});
