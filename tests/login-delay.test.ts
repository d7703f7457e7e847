/** Wrong passwords as clients meet them: who sends them is slowed down, and nobody else; the operator's log and figures tell of it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  call,
  expectProblem,
  inParallel,
  type Person,
  person,
  type Reply,
  password as rightOne,
} from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type Runtime, type System, start } from "./system/server.ts";

afterAll(cleanUp);

const wrongOne = "not the right phrase";
let networks = 0;
/** An address of a network of its own. */
const elsewhere = (): string => {
  networks += 1;
  return `198.18.${networks}.7`;
};
const from = (address: string | undefined) => (address === undefined ? {} : { "x-forwarded-for": address });

function clientOf({ url }: System) {
  const login = (email: string, password: string, address?: string): Promise<Reply> =>
    call(url, "POST", "/v1/auth/login", { body: { email, password }, headers: from(address) });
  /** The statuses of so many wrong ones, one after the other. */
  const wrongOnes = async (times: number, email: string, address?: string): Promise<number[]> => {
    const statuses: number[] = [];
    for (let nth = 0; nth < times; nth += 1) statuses.push((await login(email, wrongOne, address)).status);
    return statuses;
  };
  return { login, wrongOnes };
}

const retryAfterS = (reply: Reply): number => Number(reply.headers.get("retry-after"));

for (const runtime of ["bun", "deno"] satisfies Runtime[]) {
  describe(`wrong passwords, on ${runtime}`, () => {
    let system: System;
    let ada: Person;
    let client: ReturnType<typeof clientOf>;
    beforeAll(async () => {
      system = await start({ runtime, env: { TT_TRUSTED_PROXIES: "127.0.0.1" } });
      client = clientOf(system);
      ada = await person(system.url);
    }, 120_000);
    afterAll(async () => {
      await system?.end("SIGTERM");
    }, 120_000);

    test("are told five times in a row, then there is a delay; for an unknown e-mail alike; right ones from elsewhere go through", async () => {
      for (const email of [ada.email, "nobody@example.com"]) {
        const here = elsewhere();
        expect(await client.wrongOnes(5, email, here)).toEqual([401, 401, 401, 401, 401]);
        const sixth = await client.login(email, wrongOne, here);
        expectProblem(sixth, 429, "rate-limited");
        expect([1, 2]).toContain(retryAfterS(sixth));
        expectProblem(await client.login(ada.email, rightOne, here), 429, "rate-limited");
        expect((await client.login(ada.email, rightOne, elsewhere())).status).toBe(200);
      }
    });

    test("are followed by a right one as soon as the delay is over, and the row ends with it", async () => {
      const here = elsewhere();
      await client.wrongOnes(6, ada.email, here);
      const isIn = async () => (await client.login(ada.email, rightOne, here)).status === 200;
      expect(await isIn()).toBe(false);
      await poll("the delay is over", 60_000, isIn, 50);
      expect(await client.wrongOnes(5, ada.email, here)).toEqual([401, 401, 401, 401, 401]);
    });

    test("count wherever a password is asked for", async () => {
      const here = { headers: from(elsewhere()) };
      const who = await person(system.url);
      const { email } = who;
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const raw = new URLSearchParams({ username: email.toUpperCase(), password: wrongOne }).toString();
      const currentPassword = wrongOne;
      const newPassword = "another good phrase";
      const tries: (() => Promise<Reply>)[] = [
        () => call(system.url, "POST", "/token", { raw, headers: { ...form, ...here.headers } }),
        () => call(system.url, "POST", "/auth/login", { body: { email, password: wrongOne }, ...here }),
        () => who.call("PATCH", "/v1/auth/me", { body: { name: "x", currentPassword }, ...here }),
        () => who.call("POST", "/v1/auth/password", { body: { currentPassword, newPassword }, ...here }),
        () => who.call("DELETE", "/v1/auth/me", { body: { currentPassword }, ...here }),
      ];
      for (const each of tries) expectProblem(await each(), 401, "invalid-credentials");
      await client.wrongOnes(1, email, here.headers["x-forwarded-for"]);
      for (const each of tries) {
        const refused = await each();
        expectProblem(refused, 429, "rate-limited");
        expect(retryAfterS(refused)).toBeGreaterThanOrEqual(1);
      }
      expect((await client.login(email, rightOne, elsewhere())).status).toBe(200);
    });

    test("for many accounts slow down their address, for a few seconds; who was right there before is let in", async () => {
      const here = elsewhere();
      expect((await client.login(ada.email, rightOne, here)).status).toBe(200);
      const statuses: number[] = [];
      for (let nth = 0; nth < 12; nth += 1) {
        const reply = await client.login(`nobody-${nth}@example.com`, wrongOne, here);
        statuses.push(reply.status);
        if (reply.status === 429) expect(retryAfterS(reply)).toBeLessThanOrEqual(5);
      }
      expect(statuses.slice(0, 6)).toEqual([401, 401, 401, 401, 401, 429]);
      expect((await client.login(ada.email, rightOne, here)).status).toBe(200);
    });

    test("are told to the operator: a line with the address for each, and counted; no e-mail is in it", async () => {
      const here = elsewhere();
      await client.wrongOnes(7, "secret.person@example.com", here);
      const lines = () =>
        system
          .stderr()
          .split("\n")
          .filter((line) => line.includes('"login-refused"') && line.includes(here));
      await poll("the lines are there", 60_000, () => lines().length >= 7);
      const told = lines().map((line) => JSON.parse(line) as { level: string; code: string; address: string });
      const codes = [...Array.from({ length: 5 }, () => "invalid-credentials"), "rate-limited", "rate-limited"];
      expect(told.map(({ level, code, address }) => [level, code, address])).toEqual(
        codes.map((code) => ["warn", code, here]),
      );
      expect(system.stderr()).not.toContain("secret.person");
      const metrics = await (await fetch(`${system.admin}/metrics`)).text();
      for (const reason of ["wrong", "delayed"])
        expect(
          Number(new RegExp(`login_refusals_total{reason="${reason}"} (\\d+)`).exec(metrics)?.[1]),
        ).toBeGreaterThan(1);
      expect(metrics).toContain("password_queue_waiting");
    });
  });
}

test("what nobody trusted says of addresses does not help who sends wrong passwords", async () => {
  const system = await start();
  const { login } = clientOf(system);
  const statuses: number[] = [];
  for (let nth = 0; nth < 7; nth += 1) statuses.push((await login("a@example.com", wrongOne, elsewhere())).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  await system.end("SIGTERM");
}, 120_000);

test("a flood of wrong passwords from one network keeps nobody else out: who waits has a turn", async () => {
  const env = { TT_TRUSTED_PROXIES: "127.0.0.1", TT_LOGIN_DELAY: "off", LOG_LEVEL: "error" };
  const system = await start({ env });
  const { login } = clientOf(system);
  const people: Person[] = [];
  for (let nth = 0; nth < 8; nth += 1) people.push(await person(system.url));
  const flood = new Set<number>();
  let isOver = false;
  // Three times what the queue takes, again and again.
  const flooding = inParallel(384, 384, async () => {
    while (!isOver) flood.add((await login("victim@example.com", wrongOne)).status);
  });
  await poll("the queue is full", 60_000, () => flood.has(503));
  /** On a machine with much else to do a turn may come too late, and the next one in time; without turns none would come. */
  async function soon(email: string): Promise<number> {
    const address = elsewhere();
    for (let tries = 1; ; tries += 1) {
      const { status } = await login(email, rightOne, address);
      if (status !== 503 || tries === 10) return status;
    }
  }
  const honest = await Promise.all(people.map(({ email }) => soon(email))).finally(() => {
    isOver = true;
  });
  expect(honest).toEqual(people.map(() => 200));
  await flooding;
  expect([...flood].sort()).toEqual([401, 503]);
  await system.end("SIGTERM");
}, 120_000);
