/** Clients of `auth` who come by way of a `task` process: `auth` sees their address, their scheme and their cookie, not those of `task`. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { call, expectProblem, password, type Reply, type Tokens } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { poll } from "../system/poll.ts";
import { rawRequest } from "../system/raw.ts";
import { cleanUp, type Runtime, type System, start } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

const wrongPassword = "not the right phrase";
const ofProxy = { TT_TRUSTED_PROXIES: "127.0.0.1" };

for (const runtime of ["bun", "deno"] satisfies Runtime[])
  describeWith(`auth behind task, on ${runtime}`, [await servers()], (urls) => {
    let place: Place;
    let auth: System;
    let task: System;

    /** It hands auth's paths on whether or not a consumer is there. */
    const startTask = (env: Readonly<Record<string, string>>) =>
      start({ runtime, env: { ROLE: "task", AUTH_URL: auth.url, ...place.env, ...env } });

    beforeAll(async () => {
      place = await placeOn(urls, ["MONGO_URL", "KAFKA_BROKERS"]);
      auth = await start({ runtime, env: { ROLE: "auth", ...ofProxy } });
      task = await startTask(ofProxy);
    }, 120_000);
    afterAll(async () => {
      await task?.end("SIGTERM");
      await auth?.end("SIGTERM");
      await cleanUp();
      await place?.remove();
    }, 120_000);

    const login = (url: string, email: string, address: string): Promise<Reply> =>
      call(url, "POST", "/v1/auth/login", {
        body: { email, password: wrongPassword },
        headers: { "x-forwarded-for": address },
      });
    const statusesOf = async (url: string, email: string, addresses: readonly string[]) => {
      const statuses: number[] = [];
      for (const address of addresses) statuses.push((await login(url, email, address)).status);
      return statuses;
    };
    const refusedAddresses = () =>
      auth
        .stderr()
        .split("\n")
        .filter((line) => line.includes('"login-refused"'))
        .map((line) => (JSON.parse(line) as { address: string }).address);

    test("who sends wrong passwords is slowed down by their own address, which auth logs; others are not", async () => {
      const [one, other] = ["198.18.1.7", "198.18.2.7"];
      expect(await statusesOf(task.url, "a@example.com", Array(6).fill(one))).toEqual([401, 401, 401, 401, 401, 429]);
      expectProblem(await login(task.url, "a@example.com", one), 429, "rate-limited");
      expect((await login(task.url, "a@example.com", other)).status).toBe(401);
      await poll("auth has logged all of them", 60_000, () => refusedAddresses().length >= 8);
      expect(refusedAddresses()).toEqual([...Array(7).fill(one), other]);
      expect(task.stderr()).not.toContain("login-refused");
    });

    test("what a client says of its address is not handed on by a task process that trusts nobody", async () => {
      const alone = await startTask({});
      const before = refusedAddresses().length;
      const said = Array.from({ length: 6 }, (_, nth) => `198.18.${nth + 10}.7`);
      expect(await statusesOf(alone.url, "b@example.com", said)).toEqual([401, 401, 401, 401, 401, 429]);
      await poll("auth has logged all of them", 60_000, () => refusedAddresses().length >= before + 6);
      expect(refusedAddresses().slice(before)).toEqual(Array(6).fill("127.0.0.1"));
      expect((await alone.end("SIGTERM")).code).toBe(0);
    }, 120_000);

    test("a target with a # in it is for an unknown path, and not handed on without it", async () => {
      for (const path of ["/v1/auth/me#x", "/.well-known/jwks.json#"]) {
        const reply = await rawRequest(task.url, [`GET ${path} HTTP/1.1`]);
        if (reply.status !== 400 || reply.text !== "") expectProblem(reply, 404, "not-found");
      }
    });

    test("a page's refresh token is a cookie, secure where the client came by TLS, and taken from the page's own origin alone", async () => {
      const headers = {
        "x-token-delivery": "cookie",
        origin: "https://tasks.example.org",
        "x-forwarded-for": "198.18.3.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "tasks.example.org",
      };
      const body = { email: `page-${runtime}@example.com`, password };
      const made = await call<Tokens>(task.url, "POST", "/v1/auth/register", { headers, body });
      const [cookie = ""] = made.headers.getSetCookie();
      expect([made.status, "refreshToken" in made.body]).toEqual([201, false]);
      expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
      expect(made.headers.get("strict-transport-security")).toBe("max-age=31536000");
      const pair = cookie.slice(0, cookie.indexOf(";"));
      const refresh = (more: Readonly<Record<string, string>> = {}) =>
        call<Tokens>(task.url, "POST", "/v1/auth/refresh", { headers: { ...headers, cookie: pair, ...more } });
      expectProblem(await refresh({ origin: "https://evil.example.org" }), 403, "forbidden");
      const next = await refresh();
      expect([next.status, next.headers.getSetCookie().length]).toEqual([200, 1]);
      const plain = await call<Tokens>(task.url, "POST", "/v1/auth/login", {
        headers: { "x-token-delivery": "cookie", "x-forwarded-for": headers["x-forwarded-for"] },
        body,
      });
      expect(plain.status).toBe(200);
      expect(plain.headers.getSetCookie()[0]).toEndWith("; HttpOnly; SameSite=Strict");
    });
  });
