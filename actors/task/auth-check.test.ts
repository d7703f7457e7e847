import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuth } from "../auth/main.ts";
import type { ApiTokenGrant, Standing } from "../auth/messages.ts";
import { problemOf } from "../http/problem-of-for-tests.ts";
import { rateLimiter } from "../http/rate-limit.ts";
import type { Caller, Route } from "../http/route.ts";
import type { Problem } from "../model/problem.ts";
import { authCheck } from "./auth-check.ts";
import type { SessionOf } from "./session-check.ts";

let standing: Standing;
let accessToken: string;
let userId: string;
let sessionId: string;
let sessionHash: string;

/** Auth itself makes the keys and the token. */
beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "check-"));
  const auth = await openAuth(
    { dataDir, issuer: "i", audience: "a" },
    { announce() {}, onFailure() {}, now: Date.now },
  );
  const body = JSON.stringify({ email: "ada@example.com", password: "a long enough phrase" });
  const made = await auth.app.fetch(
    new Request("http://localhost.local/v1/auth/register", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    }),
  );
  const tokens = (await made.json()) as { accessToken: string; user: { id: string } };
  ({ accessToken } = tokens);
  userId = tokens.user.id;
  sessionId = (JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as { sid: string }).sid;
  sessionHash = sha256(sessionId);
  standing = await auth.standing();
  await auth.close();
  rmSync(dataDir, { recursive: true });
});

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const route = (method: Route["method"]): Route => ({ method }) as Route;
const get = route("GET");
const post = route("POST");

function check(grant: () => ApiTokenGrant | Promise<ApiTokenGrant> = () => ({ active: false }), requests = 1000) {
  const clock = { nowMs: Date.now() };
  const asked: string[] = [];
  const looked: SessionOf[] = [];
  const sessions = { ask: async (_of: SessionOf): Promise<boolean> => true };
  const missed: { learning?: Promise<void> } = {};
  const made = authCheck(
    {
      async apiToken({ token, hash }) {
        expect(hash).toBe(sha256(token));
        asked.push(hash);
        return grant();
      },
      session(of) {
        looked.push(of);
        return sessions.ask(of);
      },
      learning: () => missed.learning,
    },
    rateLimiter({ requests, windowS: 60 }, () => clock.nowMs),
    () => clock.nowMs,
  );
  const as = async (token: string, on = get): Promise<Caller> => made.authenticate(`Bearer ${token}`, on);
  return { ...made, clock, asked, looked, sessions, missed, as };
}
const granted = (more: Partial<ApiTokenGrant & { active: true }> = {}): ApiTokenGrant => ({
  active: true,
  userId: "u",
  scopes: ["tasks:read", "tasks:write"],
  expMs: null,
  ...more,
});

test("nobody is known before auth has told its keys, and a missing header is refused even then", async () => {
  const { as, authenticate, learn } = check();
  expect(await problemOf(() => as(accessToken))).toBe("users-unavailable");
  expect(await problemOf(() => authenticate(null, get))).toBe("unauthenticated");
  learn(standing);
  expect(await as(accessToken)).toMatchObject({
    userId,
    sessionId,
    scopes: ["tasks:read", "tasks:write", "spaces:admin"],
  });
});

test("a token that is known already is answered without waiting", async () => {
  const { authenticate, as, learn } = check();
  learn(standing);
  await as(accessToken);
  expect(authenticate(`bearer ${accessToken}`, post)).not.toBeInstanceOf(Promise);
});

test("nobody is believed before what was missed has been learned", async () => {
  const { as, learn, revoke, missed, clock } = check();
  learn(standing);
  await as(accessToken);
  const learned = Promise.withResolvers<void>();
  missed.learning = learned.promise;
  const asking = problemOf(() => as(accessToken));
  expect(revoke([{ hash: sessionHash, untilMs: clock.nowMs + 60_000 }])).toEqual([sessionHash]);
  expect(revoke([{ hash: sessionHash, untilMs: clock.nowMs + 60_000 }])).toEqual([]);
  learned.resolve();
  expect(await asking).toBe("unauthenticated");
});

test("the token of a session that ended is refused from then on, also one that is remembered, and one that ended before", async () => {
  const { as, learn, revoke, clock } = check();
  learn(standing);
  await as(accessToken);
  revoke([{ hash: sessionHash, untilMs: clock.nowMs + 60_000 }]);
  expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
  revoke([{ hash: sha256("another"), untilMs: clock.nowMs + 1 }]);
  expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
  const later = check();
  later.learn({ ...standing, revoked: [{ hash: sessionHash, untilMs: Date.now() + 60_000 }] });
  expect(await problemOf(() => later.as(accessToken))).toBe("unauthenticated");
});

test("a token that has run out is refused though its session lives", async () => {
  const { as, learn, clock } = check();
  learn(standing);
  await as(accessToken);
  clock.nowMs += 3_600_000;
  expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
});

test("the session of a token is asked for once, however many come at once", async () => {
  const { as, learn, looked, authenticate } = check();
  learn(standing);
  await Promise.all([as(accessToken), as(accessToken), as(accessToken)]);
  expect(looked).toEqual([{ token: accessToken, userId, sessionId }]);
  expect(authenticate(`Bearer ${accessToken}`, get)).not.toBeInstanceOf(Promise);
});

test("a token whose session auth does not know as that user's is refused each time, and auth asked each time", async () => {
  const { as, learn, looked, sessions } = check();
  learn(standing);
  sessions.ask = async () => false;
  for (let tries = 1; tries <= 2; tries += 1) {
    expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
    expect(looked).toHaveLength(tries);
  }
  sessions.ask = async () => true;
  expect(await as(accessToken)).toMatchObject({ userId });
});

test("a session that ends while it is asked for is refused", async () => {
  const { as, learn, revoke, sessions, clock } = check();
  learn(standing);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  sessions.ask = () => promise;
  const asking = as(accessToken);
  revoke([{ hash: sessionHash, untilMs: clock.nowMs + 60_000 }]);
  resolve(true);
  expect(await problemOf(() => asking)).toBe("unauthenticated");
});

test("while auth does not answer, what its keys have signed counts, and it is left alone for a second", async () => {
  const { as, learn, looked, sessions, clock } = check();
  learn(standing);
  sessions.ask = async () => {
    throw new Error("not there");
  };
  await as(accessToken);
  await as(accessToken);
  expect(looked).toHaveLength(1);
  clock.nowMs += 1_000;
  sessions.ask = async () => false;
  expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
});

test("who asks too much is refused, with the limits", async () => {
  const { as, learn } = check(undefined, 1);
  learn(standing);
  expect((await as(accessToken)).limits).toMatchObject({ ratelimit: '"default";r=0;t=60' });
  expect(await problemOf(() => as(accessToken))).toBe("rate-limited");
});

test("what a request is charged for later is told in its own limits", async () => {
  const { as, learn } = check(undefined, 10);
  learn(standing);
  const caller = await as(accessToken);
  caller.charge?.(7);
  expect(caller.limits).toMatchObject({ ratelimit: '"default";r=2;t=60' });
  expect((await as(accessToken)).limits).toMatchObject({ ratelimit: '"default";r=1;t=60' });
  expect(await problemOf(() => caller.charge?.(2))).toBe("rate-limited");
});

test("an API token is looked up by its hash, then remembered for 30 s", async () => {
  const { as, asked, clock } = check(granted);
  expect(await as("tt_secret")).toMatchObject({ userId: "u", sessionId: undefined });
  await as("tt_secret", post);
  clock.nowMs += 29_999;
  await as("tt_secret");
  expect(asked).toEqual([sha256("tt_secret")]);
  clock.nowMs += 1;
  await as("tt_secret");
  expect(asked).toHaveLength(2);
});

test("an API token may do what its scopes say: writing does not imply reading", async () => {
  const reader = check(() => granted({ scopes: ["tasks:read"] }));
  expect(await problemOf(() => reader.as("tt_r"))).toBeUndefined();
  expect(await problemOf(() => reader.as("tt_r", post))).toBe("forbidden");
  expect(await problemOf(() => reader.as("tt_r", route("DELETE")))).toBe("forbidden");
  const writer = check(() => granted({ scopes: ["tasks:write"] }));
  expect(await problemOf(() => writer.as("tt_w", post))).toBeUndefined();
  const refused = await writer.as("tt_w").catch((thrown: unknown) => thrown as Problem);
  expect(refused).toMatchObject({ code: "forbidden", headers: { ratelimit: '"default";r=998;t=60' } });
});

test("a scope that is lacking is told before a limit that is used up", async () => {
  const reader = check(() => granted({ scopes: ["tasks:read"] }), 1);
  expect(await problemOf(() => reader.as("tt_r"))).toBeUndefined();
  expect(await problemOf(() => reader.as("tt_r"))).toBe("rate-limited");
  const refused = await reader.as("tt_r", post).catch((thrown: unknown) => thrown as Problem);
  expect(refused).toMatchObject({ code: "forbidden", headers: { ratelimit: '"default";r=0;t=60' } });
});

test("an API token that is unknown, run out or deleted is refused", async () => {
  expect(await problemOf(() => check().as("tt_x"))).toBe("unauthenticated");
  let active = true;
  const { as, clock, revoke, asked } = check(() =>
    active ? granted({ expMs: clock.nowMs + 10_000 }) : { active: false },
  );
  await as("tt_x");
  clock.nowMs += 10_000;
  expect(await problemOf(() => as("tt_x"))).toBe("unauthenticated");
  clock.nowMs -= 10_000;
  active = false;
  revoke([{ hash: asked[0] ?? "", untilMs: clock.nowMs + 10 }]);
  expect(await problemOf(() => as("tt_x"))).toBe("unauthenticated");
  clock.nowMs += 11;
  revoke([]);
  expect(await problemOf(() => as("tt_x"))).toBe("unauthenticated");
});

test("a grant that was on its way when its token was deleted is worth nothing", async () => {
  const answers: ((grant: ApiTokenGrant) => void)[] = [];
  const { as, revoke, asked, clock } = check(() => new Promise((resolve) => answers.push(resolve)));
  const first = as("tt_x");
  revoke([{ hash: asked[0] ?? "", untilMs: clock.nowMs + 60_000 }]);
  answers[0]?.(granted());
  expect(await problemOf(() => first)).toBe("unauthenticated");
  expect(await problemOf(() => as("tt_x"))).toBe("unauthenticated");
});

test("what auth says again changes nothing, and new keys take the place of the old ones", async () => {
  const { as, authenticate, learn } = check();
  learn(standing);
  await as(accessToken);
  learn({ ...standing, revoked: [] });
  expect(authenticate(`Bearer ${accessToken}`, get)).not.toBeInstanceOf(Promise);
  learn({ ...standing, jwks: { keys: [] } });
  expect(await problemOf(() => as(accessToken))).toBe("unauthenticated");
});

test("auth that does not answer is users-unavailable, and its failure is not remembered", async () => {
  let away = true;
  const { as } = check(() => {
    if (away) throw new Error("not there");
    return granted();
  });
  expect(await problemOf(() => as("tt_x"))).toBe("users-unavailable");
  away = false;
  expect(await problemOf(() => as("tt_x"))).toBeUndefined();
});
