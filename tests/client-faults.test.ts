/** The typed client when things go wrong: cuts, lost answers, a server that is killed, tokens that expire, spaces that are left. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type Client,
  connect,
  type Fact,
  type FollowEvent,
  type Options,
  ProblemError,
} from "../clients/typescript/src/client.ts";
import { type FaultProxy, faultProxy } from "./system/fault-proxy.ts";
import { poll } from "./system/poll.ts";
import { random } from "./system/random.ts";
import { cleanUp, freePort, type System, start, temporaryFolder } from "./system/server.ts";

const deadlineMs = 120_000;
const ports = [await freePort(), await freePort()] as const;
const dataDir = `${temporaryFolder()}/data`;
const env = { TT_LOGIN_DELAY: "off" };
let system: System;
let proxy: FaultProxy;

beforeAll(async () => {
  system = await start({ ports, dataDir, env });
  proxy = await faultProxy(ports[0]);
}, deadlineMs);
afterAll(async () => {
  await proxy?.close();
  await system?.end("SIGTERM");
  await cleanUp();
}, deadlineMs);

const password = "correct horse battery staple 7";
async function signedIn(url: string, options: Options = {}): Promise<Client> {
  const client = connect(url, options);
  await client.register({ body: { email: `${crypto.randomUUID()}@example.com`, password } });
  return client;
}
const behindProxy = () => `http://127.0.0.1:${proxy.port}`;

async function allFacts(client: Client, spaceId: string): Promise<Fact[]> {
  return (await client.listFacts({ spaceId, limit: 1_000 })).items;
}

test("a follower of several spaces gets each fact once and in order, over cuts and a server that is killed", async () => {
  const client = await signedIn(system.url);
  const names = ["one", "two", "three"];
  const spaces = await Promise.all(names.map((name) => client.createSpace({ body: { name } })));
  const session = client.session();
  if (session?.refreshToken === undefined) throw new Error("There is no session");
  const ends = new AbortController();
  const got = new Map<string, Fact[]>();
  const token = await client.makeApiToken({ body: { name: "follower" } });
  const follower = connect(behindProxy(), { apiToken: token.token });
  const following = (async () => {
    const wanted = Object.fromEntries(spaces.map(({ id }) => [id, 0]));
    for await (const event of follower.follow({ spaces: wanted, signal: ends.signal })) {
      if (event.type === "fact") got.set(event.spaceId, [...(got.get(event.spaceId) ?? []), event.fact]);
      else expect(event.type).toBe("hello");
    }
  })();
  const { chance } = random(7);
  const changes = 240;
  for (let n = 0; n < changes; n += 1) {
    const { id: spaceId = "" } = spaces[n % spaces.length] ?? {};
    await client.createTaskInSpace({ spaceId, body: { title: `Task ${n}` } });
    if (chance(1 / 4)) {
      await proxy.mode("cut");
      await proxy.mode("pass");
    }
    if (n === changes / 2) {
      await system.end("SIGKILL");
      system = await start({ ports, dataDir, env });
    }
  }
  const count = () => [...got.values()].flat().length;
  await poll("every fact has come", deadlineMs, () => count() >= changes + spaces.length);
  ends.abort();
  await following;
  for (const { id } of spaces) {
    expect(got.get(id)?.map(({ seq }) => seq)).toEqual(Array.from({ length: changes / 3 + 1 }, (_, n) => n + 1));
    expect(got.get(id)).toEqual(await allFacts(client, id));
  }
}, 300_000);

test("a follower of all spaces gets what happened while it was away, a fact that is too large for the stream, and spaces joined later", async () => {
  const client = await signedIn(behindProxy(), { attemptsMax: 20 });
  const ends = new AbortController();
  const events: FollowEvent[] = [];
  const following = (async () => {
    for await (const event of client.follow({ signal: ends.signal })) events.push(event);
  })();
  const seen = (type: string) => events.filter((event) => event.type === type);
  await poll("it follows the personal space", deadlineMs, () => seen("hello").length === 1);
  await proxy.mode("refuse");
  const direct = connect(system.url, { session: { refreshToken: client.session()?.refreshToken } });
  const description = "😀".repeat(20_000);
  for (const title of ["while", "away"]) await direct.createTask({ body: { title, description } });
  await proxy.mode("pass");
  await poll("both have come", deadlineMs, () => seen("fact").length === 2);
  const space = await direct.createSpace({ body: { name: "Later" } });
  await direct.createTaskInSpace({ spaceId: space.id, body: { title: "there" } });
  await poll("the new space is followed", deadlineMs, () => seen("joined").length === 1);
  await direct.createTaskInSpace({ spaceId: space.id, body: { title: "and followed" } });
  await poll("its fact has come", deadlineMs, () => seen("fact").some(({ spaceId }) => spaceId === space.id));
  ends.abort();
  await following;
  const own = events.flatMap((event) => (event.type === "fact" && event.spaceId !== space.id ? [event.fact] : []));
  expect(own.map(({ seq }) => seq)).toEqual([1, 2]);
  for (const fact of own) expect(fact.changes[0]?.fields.description?.to).toBe(description);
}, 300_000);

test("whoever is removed from a space is told once, and the following ends", async () => {
  const [owner, guest] = await Promise.all([signedIn(system.url), signedIn(system.url)]);
  const { id: spaceId } = await owner.createSpace({ body: { name: "Ours" } });
  const { token } = await owner.createInvitation({ spaceId, body: { role: "member" } });
  const member = await guest.acceptInvitation({ body: { token: token ?? "" } });
  const types: string[] = [];
  for await (const { type } of guest.follow({ spaces: { [spaceId]: undefined } })) {
    types.push(type);
    if (type === "hello") await owner.deleteMember({ spaceId, id: member.id });
  }
  expect(types).toEqual(["hello", "left"]);
}, 120_000);

test("whoever is removed while a large fact is read is told so, and the following of other spaces goes on", async () => {
  const owner = await signedIn(system.url);
  let beforeReading = async () => undefined as unknown;
  const send = async (input: string | URL | Request, init?: RequestInit) => {
    if (String(input).includes("/facts?")) await beforeReading();
    return fetch(input, init);
  };
  const guest = await signedIn(system.url, { fetch: send as typeof fetch });
  const { id: spaceId } = await owner.createSpace({ body: { name: "Ours" } });
  const { token } = await owner.createInvitation({ spaceId, body: { role: "member" } });
  const member = await guest.acceptInvitation({ body: { token: token ?? "" } });
  beforeReading = async () => {
    beforeReading = async () => undefined;
    await owner.deleteMember({ spaceId, id: member.id });
  };
  const ends = new AbortController();
  const types: string[] = [];
  for await (const { type, spaceId: of } of guest.follow({ signal: ends.signal })) {
    types.push(of === spaceId ? type : `own ${type}`);
    if (of === spaceId && type === "hello")
      await owner.createTaskInSpace({ spaceId, body: { title: "large", description: "😀".repeat(20_000) } });
    if (of === spaceId && type === "left") await guest.createTask({ body: { title: "own" } });
    if (types.at(-1) === "own fact") ends.abort();
  }
  expect(types.toSorted()).toEqual(["hello", "left", "own fact", "own hello"]);
}, 120_000);

test("a change whose answer is lost is sent again and takes effect once", async () => {
  const client = await signedIn(behindProxy(), { attemptsMax: 20 });
  const tries = 12;
  for (let n = 0; n < tries; n += 1) {
    await proxy.mode("drop-replies");
    const made = client.createTask({ body: { title: `Task ${n}` } });
    await poll("the first try is over", deadlineMs, () => proxy.connections() === 0);
    await proxy.mode("pass");
    expect((await made).title).toBe(`Task ${n}`);
  }
  const titles: string[] = [];
  for await (const { title } of client.each("listTasks", { limit: 5, sort: "createdAt" })) titles.push(title);
  expect(titles).toEqual(Array.from({ length: tries }, (_, n) => `Task ${n}`));
}, 240_000);

test("a session goes on with its refresh token: one refresh for many requests, and one more when the access token is refused", async () => {
  const first = await signedIn(system.url);
  const refreshToken = first.session()?.refreshToken;
  let refreshes = 0;
  let broken = 0;
  const counting = (async (input: string, init: RequestInit) => {
    if (input.endsWith("/refresh")) refreshes += 1;
    if (broken === 0) return fetch(input, init);
    broken -= 1;
    return fetch(input, { ...init, headers: { ...(init.headers as object), authorization: "Bearer of.none.such" } });
  }) as typeof fetch;
  const kept: unknown[] = [];
  const client = connect(system.url, {
    session: { refreshToken },
    fetch: counting,
    onSession: (session) => kept.push(session),
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.me()));
  expect([answers.length, refreshes, kept.length]).toEqual([20, 1, 1]);
  broken = 3;
  expect((await Promise.all([client.me(), client.me(), client.me()])).length).toBe(3);
  expect(refreshes).toBe(2);
  await client.logout();
  expect(kept.at(-1)).toBeUndefined();
  await expect(client.me()).rejects.toMatchObject({ code: "unauthenticated", status: 401 });
}, 120_000);

test("a change whose outcome is not known at once is waited for, alone and as a batch", async () => {
  let late = false;
  const own = await signedIn(system.url);
  /** As a server that is slow answers: the outcome is to be had by its operation. */
  const slow = (async (input: string, init: RequestInit) => {
    const answer = await fetch(input, init);
    if (!late || init.method === "GET" || answer.status >= 500) return answer;
    const me = await own.me();
    const { operationId: id } = (await allFacts(own, me.id)).at(-1) ?? {};
    const headers = { location: `/v1/operations/${id}`, "content-type": "application/json" };
    return new Response(JSON.stringify({ id, status: "pending" }), { status: 202, headers });
  }) as typeof fetch;
  const client = connect(system.url, { session: { refreshToken: own.session()?.refreshToken }, fetch: slow });
  await client.me();
  late = true;
  expect(await client.createTask({ body: { title: "Late" } })).toMatchObject({ title: "Late", version: 1 });
  const batch = { changes: [{ type: "task", kind: "create", body: { title: "Also late" } }] } as const;
  const { operationId, seq, items } = await client.changeMany({ body: { changes: [...batch.changes], import: false } });
  expect([operationId.length, seq, items.length]).toEqual([36, 2, 1]);
}, 120_000);

test("a refusal is an error with the code, each fault, and the request's id", async () => {
  const client = await signedIn(system.url);
  const failure = await client.createTask({ body: { title: "", estimateMinutes: -1 } }).catch((each: unknown) => each);
  if (!(failure instanceof ProblemError)) throw new Error("It was taken");
  expect([failure.code, failure.status]).toEqual(["validation", 422]);
  expect(failure.errors.map(({ path }) => path).sort()).toEqual(["/estimateMinutes", "/title"]);
  expect(failure.requestId).toMatch(/^\S+$/);
  expect(failure.message).not.toBe("");
  const gone = connect(`http://127.0.0.1:${await freePort()}`, { attemptsMax: 2 });
  await expect(gone.keys()).rejects.toMatchObject({ name: "ConnectionError" });
}, 120_000);
