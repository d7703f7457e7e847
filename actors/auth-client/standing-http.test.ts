import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type FaultProxy, faultProxy, type Mode } from "../../tests/system/fault-proxy.ts";
import { poll } from "../../tests/system/poll.ts";
import type { Standing } from "../auth/messages.ts";
import { authServer } from "./auth-for-tests.ts";
import { standingOverHttp } from "./standing-http.ts";

let auth: Awaited<ReturnType<typeof authServer>>;
let proxy: FaultProxy;
const open: { close(): void | Promise<void> }[] = [];

beforeAll(async () => {
  auth = await authServer();
  proxy = await faultProxy(auth.port);
});
beforeEach(() => proxy.mode("pass"));
afterAll(async () => {
  for (const each of open) await each.close();
  await proxy?.close();
  await auth?.close();
});

function follow(authUrl = `http://127.0.0.1:${proxy.port}`, more: { claims?: Standing } | object = {}) {
  const taken: Standing[] = [];
  const logged: [string, unknown][] = [];
  const take = (standing: Standing) => void taken.push(standing);
  const log = (_level: string, event: string, fields: object = {}) => void logged.push([event, fields]);
  const standing = standingOverHttp({ authUrl, take, log, ...more });
  open.push(standing);
  return { ...standing, taken, logged };
}

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const claimsIn = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
const knows = (taken: Standing[], hash: string) => taken.at(-1)?.revoked.some((each) => each.hash === hash) === true;

/** A server that answers what it is told to, by path. */
async function answering(pages: Record<string, () => { status?: number; body: string | Buffer }>) {
  const server = createServer((request, response) => {
    const page = pages[request.url ?? ""]?.() ?? { status: 404, body: "" };
    response.writeHead(page.status ?? 200, { "content-type": "application/json", location: "/elsewhere" });
    response.end(page.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const key = { kid: "k", kty: "OKP", crv: "Ed25519", x: "A".repeat(43), alg: "EdDSA", use: "sig" };
const keysPage = "/.well-known/jwks.json";
const endedPage = "/.well-known/revocations.json";

test("it learns the keys and what auth says of itself", async () => {
  const { first, taken, logged, close } = follow();
  await first();
  const { body } = await auth.send("GET", keysPage);
  expect(taken[0]).toEqual({ jwks: body, ...auth.claims, revoked: [] } as never);
  expect(logged).toEqual([]);
  close();
});

test("auth tells whether an access token's session goes on, and whose it is", async () => {
  const { verifySession, close } = follow();
  const token = await auth.person();
  const { sub: userId, sid: sessionId } = claimsIn(token);
  expect(await verifySession({ token, userId, sessionId })).toBe(true);
  expect(await verifySession({ token, userId: crypto.randomUUID(), sessionId })).toBe(false);
  expect(await verifySession({ token, userId, sessionId: crypto.randomUUID() })).toBe(false);
  await auth.send("POST", "/v1/auth/logout", undefined, token);
  expect(await verifySession({ token, userId, sessionId })).toBe(false);
  await proxy.mode("refuse");
  await expect(verifySession({ token, userId, sessionId })).rejects.toThrow();
  close();
});

test("a session that ends, and an API token that is deleted, are known within a second", async () => {
  const { first, taken, close } = follow();
  await first();
  const token = await auth.person();
  await auth.send("POST", "/v1/auth/logout", undefined, token);
  await poll("the session is known", 1_000, () => knows(taken, sha256(claimsIn(token).sid)), 5);
  const another = await auth.person();
  const made = (await auth.send("POST", "/v1/auth/tokens", { name: "ci" }, another)).body;
  await auth.send("DELETE", `/v1/auth/tokens/${made.id}`, undefined, another);
  await poll("the API token is known", 1_000, () => knows(taken, sha256(made.token ?? "")), 5);
  expect(JSON.stringify(taken)).not.toContain(claimsIn(token).sid);
  close();
});

test("an API token is looked up, and what is none is inactive", async () => {
  const { verifyApiToken, close } = follow();
  const token = await auth.person();
  const made = (await auth.send("POST", "/v1/auth/tokens", { name: "ci", scopes: ["tasks:read"] }, token)).body;
  const grant = { active: true, userId: claimsIn(token).sub, scopes: ["tasks:read"], expMs: null };
  expect(await verifyApiToken(made.token ?? "")).toEqual(grant as never);
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const short = (await auth.send("POST", "/v1/auth/tokens", { name: "short", expiresAt }, token)).body;
  const { expMs } = (await verifyApiToken(short.token ?? "")) as { expMs: number };
  expect(Math.abs(expMs - Date.parse(expiresAt))).toBeLessThanOrEqual(1_000);
  for (const none of ["tt_unknown", "", token, "x".repeat(4_000)])
    expect(await verifyApiToken(none)).toEqual({ active: false });
  close();
});

const faults: Mode[] = ["refuse", "cut", "stall", "drop-replies"];
test.concurrent.each(faults)(
  "%s: the keys known last hold, it is logged once, and it goes on by itself",
  async (mode) => {
    const line = await faultProxy(auth.port);
    open.push(line);
    const { first, taken, logged, verifyApiToken, close } = follow(`http://127.0.0.1:${line.port}`);
    await first();
    await line.mode(mode);
    await poll("it is noticed", 60_000, () => logged.length > 0);
    const before = taken.length;
    const began = performance.now();
    await expect(verifyApiToken("tt_x")).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(taken.length).toBe(before);
    const token = await auth.person();
    await auth.send("POST", "/v1/auth/logout", undefined, token);
    await line.mode("pass");
    await poll("what was missed is known", 60_000, () => knows(taken, sha256(claimsIn(token).sid)));
    await poll("it is told that it is over", 1_000, () => logged.length === 2);
    const of = { server: "auth", address: `127.0.0.1:${line.port}`, step: "learn its keys and what has ended" };
    expect(logged).toEqual([
      ["server-away", { ...of, reason: expect.stringMatching(/.{5}/) }],
      ["server-back", of],
    ]);
    expect(await verifyApiToken("tt_x")).toEqual({ active: false });
    close();
  },
  120_000,
);

test("a slow line is only slow", async () => {
  await proxy.mode("slow", { delayMs: 100 });
  const { first, logged, close } = follow();
  await first();
  expect(logged).toEqual([]);
  close();
});

test("it waits for an auth that is not there yet, and closing ends the wait", async () => {
  await proxy.mode("refuse");
  const late = follow();
  const never = follow();
  await poll("both notice", 60_000, () => late.logged.length + never.logged.length === 2);
  never.close();
  await expect(never.first()).rejects.toThrow("closed");
  await proxy.mode("pass");
  await late.first();
  await poll("it is over", 1_000, () => late.logged.length === 2);
  expect(late.logged.map(([event]) => event)).toEqual(["server-away", "server-back"]);
  late.close();
});

test("new keys take the place of the old ones", async () => {
  let kid = "old";
  const ended = { issuer: "i", audience: "a", revoked: [] };
  const url = await answering({
    [keysPage]: () => ({ body: JSON.stringify({ keys: [{ ...key, kid }] }) }),
    [endedPage]: () => ({ body: JSON.stringify(ended) }),
  });
  const { first, taken, close } = follow(url);
  await first();
  kid = "new";
  await poll("the new key is known", 60_000, () => taken.at(-1)?.jwks.keys[0]?.kid === "new");
  expect(taken[0]?.jwks.keys[0]?.kid).toBe("old");
  close();
});

test("while auth's database is away its keys alone do, for who believes to know the rest", async () => {
  const url = await answering({
    [keysPage]: () => ({ body: JSON.stringify({ keys: [key] }) }),
    [endedPage]: () => ({ status: 503, body: "{}" }),
  });
  const claims = { issuer: "i", audience: "a" };
  const { first, taken, logged, close } = follow(url, { claims });
  const without = follow(url);
  await first();
  expect(taken[0]).toEqual({ jwks: { keys: [key] }, ...claims, revoked: [] });
  await poll("it is told", 1_000, () => logged.length === 1 && without.logged.length === 1);
  expect(logged).toEqual([
    ["server-away", expect.objectContaining({ reason: "/.well-known/revocations.json answers 503" })],
  ]);
  expect(without.taken).toEqual([]);
  close();
  without.close();
});

const good = { [keysPage]: JSON.stringify({ keys: [key] }), [endedPage]: '{"issuer":"i","audience":"a","revoked":[]}' };
const bad: [string, string, string | Buffer, number?][] = [
  ["keys that are no JSON", keysPage, "<html>"],
  ["no keys", keysPage, '{"keys":[]}'],
  ["keys of another kind", keysPage, JSON.stringify({ keys: [{ ...key, kty: "RSA" }] })],
  ["a key of another length", keysPage, JSON.stringify({ keys: [{ ...key, x: "AAAA" }] })],
  ["keys without end", keysPage, `{"keys":[${JSON.stringify(key)}],"more":"${"x".repeat(65_536)}"}`],
  ["a redirect", keysPage, "", 302],
  ["no list of what ended", endedPage, '{"issuer":"i","audience":"a"}'],
  ["another form of what ended", endedPage, '{"issuer":"i","audience":"a","revoked":[{"sessionId":"x"}]}'],
  ["more than can be", endedPage, Buffer.alloc(17 * 1024 * 1024, 32)],
];
test.concurrent.each(bad)("an answer with %s is not taken", async (_, path, body, status = 200) => {
  let isBad = false;
  const page = (each: keyof typeof good) => () =>
    isBad && each === path ? { status, body } : { body: good[each] ?? "" };
  const url = await answering({
    [keysPage]: page(keysPage),
    [endedPage]: page(endedPage),
    "/elsewhere": page(keysPage),
  });
  const { first, taken, logged, close } = follow(url);
  await first();
  isBad = true;
  await poll("it is told", 60_000, () => logged.length > 0);
  const known = { jwks: { keys: [key] }, issuer: "i", audience: "a", revoked: [] };
  for (const each of taken) expect(each).toEqual(known);
  close();
});
