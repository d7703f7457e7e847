/** Where and to whom the server is open, on both runtimes: the public URL, other origins, and TLS for good. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { answerHeaders, requestHeaders } from "../actors/http/header-names.ts";
import { ownSegments } from "../actors/http/site.ts";
import { type CallOptions, call, type ProblemBody, type Reply, type Task, type Tokens } from "./system/client.ts";
import { published } from "./system/openapi.ts";
import { cleanUp, type Runtime, type System, start } from "./system/server.ts";

afterAll(cleanUp);

const runtimes: readonly Runtime[] = ["bun", "deno"];
const publicUrl = "https://example.org/todo";
const origin = "https://app.example.org";
const startMs = 60_000;

type Server = {
  system: System;
  token: string;
  send<B = unknown>(method: string, path: string, more?: CallOptions): Promise<Reply<B>>;
};

/** A server with one person signed in. */
async function serve(runtime: Runtime, env: Readonly<Record<string, string>>): Promise<Server> {
  const system = await start({ runtime, env });
  const account = { email: "ada@example.com", password: "correct horse battery staple 7" };
  const { body } = await call<Tokens>(system.url, "POST", "/v1/auth/register", { body: account });
  const token = body.accessToken;
  return { system, token, send: (method, path, more = {}) => call(system.url, method, path, { token, ...more }) };
}

for (const runtime of runtimes) {
  describe(`with TT_PUBLIC_URL on ${runtime}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await serve(runtime, { TT_PUBLIC_URL: publicUrl });
    }, startMs);
    afterAll(async () => {
      await server.system.end("SIGTERM");
    }, startMs);

    test.each(["", "/todo"])(
      "all links begin with it, whether requests come with its path or not (%p)",
      async (prefix) => {
        const { send } = server;
        const made = await send<Task>("POST", `${prefix}/v1/tasks`, { body: { title: "é😀".repeat(100) } });
        expect([made.status, made.headers.get("location")]).toEqual([201, `${publicUrl}/v1/tasks/${made.body.id}`]);
        expect((await send<Task>("GET", `${prefix}/v1/tasks/${made.body.id}`)).text).toBe(made.text);
        const alias = await send<Task>("POST", `${prefix}/tasks/`, { body: { title: "x" } });
        expect(alias.headers.get("location")).toBe(`${publicUrl}/v1/tasks/${alias.body.id}`);
        const root = await send("GET", prefix === "" ? "/" : prefix);
        expect(root.status).toBe(200);
        expect(root.text).toContain(`src="${new URL(publicUrl).pathname}/assets/main-`);
        const [, script = ""] = /src="[^"]*(\/assets\/main-[^"]+)"/.exec(root.text) ?? [];
        expect((await send("GET", prefix + script)).status).toBe(200);
        const { servers } = (await send<{ servers: unknown }>("GET", `${prefix}/v1/openapi.json`)).body;
        expect(servers).toEqual([{ url: publicUrl }]);
      },
    );

    test.each(["", "/todo"])("problems of both roles lead to where they are explained (%p)", async (prefix) => {
      const { send } = server;
      for (const [method, path, options, code] of [
        ["GET", "/nothing", {}, "not-found"],
        ["GET", "/v1/tasks?limit=0", {}, "validation"],
        ["POST", "/v1/tasks", { raw: "{" }, "malformed-json"],
        ["POST", "/v1/tasks", { raw: " ".repeat(300_000) }, "body-too-large"],
        ["POST", "/v1/auth/login", { body: { email: "x@example.com", password: "wrong one" } }, "invalid-credentials"],
        ["GET", "/v1/auth/nothing", {}, "not-found"],
        ["PUT", "/v1/auth/me", { body: {} }, "method-not-allowed"],
      ] satisfies [string, string, CallOptions, string][]) {
        const { body } = await send<ProblemBody>(method, prefix + path, options);
        const instance = `/todo${path.split("?")[0]}`;
        expect(body).toMatchObject({ code, type: `${publicUrl}/problems/${code}`, instance });
        expect((await send("GET", `${prefix}/problems/${code}`)).status).toBe(200);
      }
      const task = (await send<Task>("POST", "/v1/tasks", { body: { title: "x" } })).body;
      const refused = await send("POST", `${prefix}/v1/tasks/${task.id}/restore`, {
        headers: { "idempotency-key": `k${prefix}` },
      });
      expect(refused.status).toBe(409);
      const [entry] = (await send<{ items: { operationId: string }[] }>("GET", `/v1/tasks/${task.id}/history`)).body
        .items;
      expect((await send("GET", `${prefix}/v1/operations/${entry?.operationId}`)).status).toBe(200);
    });

    test.each(["/docs", "/docs/", "/todo/docs", "/todo/docs/"])(
      "the page at %s links to the document relative to itself",
      async (path) => {
        const page = await server.send("GET", path);
        const [, href = ""] = /<a href="([^"]+)">\/v1\/openapi\.json/.exec(page.text) ?? [];
        const target = new URL(href, server.system.url + path);
        expect(target.pathname).toBe(`${path.startsWith("/todo") ? "/todo" : ""}/v1/openapi.json`);
        expect((await fetch(target)).status).toBe(200);
        expect(page.text).not.toContain("<root>");
      },
    );

    test("a path that only begins like it is another one", async () => {
      for (const path of ["/todos/v1/tasks", "/todo-v1/tasks", "/todo/todo/v1/tasks", "/Todo/v1/tasks"])
        expect([path, (await server.send("GET", path)).status]).toEqual([path, 404]);
    });

    test("it tells that clients come by TLS", async () => {
      for (const path of ["/v1/tasks", "/nothing", "/v1/auth/me"])
        expect((await server.send("GET", path)).headers.get("strict-transport-security")).toBe("max-age=31536000");
    });
  });

  describe(`with TT_ALLOWED_ORIGINS on ${runtime}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await serve(runtime, { TT_ALLOWED_ORIGINS: `https://other.example,${origin}` });
    }, startMs);
    afterAll(async () => {
      await server.system.end("SIGTERM");
    }, startMs);

    const asked = {
      origin,
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "authorization",
    };
    const names = (list: string | null) => (list ?? "").toLowerCase().split(/, */).sort();
    const granted = (reply: Reply) =>
      [...reply.headers.keys()].filter((name) => name.startsWith("access-control-")).sort();

    test.each([
      "/v1/tasks",
      `/v1/tasks/${crypto.randomUUID()}`,
      "/v1/auth/me",
      "/tasks/",
      "/nothing",
      "/v1/openapi.json",
    ])("a preflight of %s is answered: every header of ours, no credentials", async (path) => {
      const reply = await call(server.system.url, "OPTIONS", path, { headers: asked });
      expect([reply.status, reply.text]).toEqual([204, ""]);
      expect(reply.headers.get("access-control-allow-origin")).toBe(origin);
      expect(names(reply.headers.get("vary"))).toContain("origin");
      expect(names(reply.headers.get("access-control-allow-methods"))).toEqual(
        names("DELETE, GET, HEAD, PATCH, POST, PUT"),
      );
      expect(names(reply.headers.get("access-control-allow-headers"))).toEqual(
        names(Object.keys(requestHeaders).join(", ")),
      );
      expect(Number(reply.headers.get("access-control-max-age"))).toBeGreaterThan(0);
      expect(reply.headers.get("access-control-allow-credentials")).toBeNull();
      expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
    });

    const requests: [status: number, method: string, path: string, options: CallOptions][] = [
      [201, "POST", "/v1/tasks", { body: { title: "x" } }],
      [200, "GET", "/v1/tasks", {}],
      [200, "HEAD", "/v1/tasks", {}],
      [200, "GET", "/v1/auth/me", {}],
      [200, "GET", "/docs", {}],
      [200, "GET", "/", {}],
      [401, "GET", "/v1/tasks", { token: "x" }],
      [401, "GET", "/v1/auth/me", { token: "x" }],
      [404, "GET", "/nothing", {}],
      [404, "GET", `/v1/tasks/${crypto.randomUUID()}`, {}],
      [405, "PUT", "/v1/tasks", { body: {} }],
      [405, "OPTIONS", "/v1/tasks", {}],
      [413, "POST", "/v1/tasks", { raw: " ".repeat(300_000) }],
      [413, "POST", "/v1/auth/login", { raw: " ".repeat(300_000) }],
      [422, "POST", "/v1/tasks", { body: {} }],
    ];
    test("what is answered to an allowed page it may read, failures too", async () => {
      for (const [status, method, path, options] of requests) {
        const reply = await server.send(method, path, { ...options, headers: { origin } });
        expect([method, path, reply.status]).toEqual([method, path, status]);
        expect(granted(reply)).toEqual(["access-control-allow-origin", "access-control-expose-headers"]);
        expect(reply.headers.get("access-control-allow-origin")).toBe(origin);
        expect(names(reply.headers.get("vary"))).toContain("origin");
        expect(names(reply.headers.get("access-control-expose-headers"))).toEqual(
          names(Object.keys(answerHeaders).join(", ")),
        );
      }
    });

    test("any other page gets nothing but the answer, a preflight that of the method", async () => {
      const others = [
        "null",
        "https://app.example.org.evil.example",
        "http://app.example.org",
        `${origin}:8443`,
        "*",
        "",
      ];
      for (const other of others) {
        for (const [status, method, path, options] of requests) {
          const reply = await server.send(method, path, { ...options, headers: { origin: other } });
          expect([other, method, path, reply.status, granted(reply)]).toEqual([other, method, path, status, []]);
          expect(names(reply.headers.get("vary"))).toContain("origin");
        }
        const preflight = await call(server.system.url, "OPTIONS", "/v1/tasks", {
          headers: { ...asked, origin: other },
        });
        expect([preflight.status, preflight.headers.get("allow"), granted(preflight)]).toEqual([
          405,
          "GET, HEAD, POST",
          [],
        ]);
      }
    });
  });

  describe(`without settings on ${runtime}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await serve(runtime, {});
    }, startMs);
    afterAll(async () => {
      await server.system.end("SIGTERM");
    }, startMs);

    test("no page of another origin is let in", async () => {
      for (const method of ["GET", "OPTIONS"]) {
        const headers = { origin, "access-control-request-method": "GET" };
        const reply = await server.send(method, "/v1/tasks", { headers });
        expect(reply.status).toBe(method === "GET" ? 200 : 405);
        expect([...reply.headers.keys()].filter((name) => /^access-control|^vary$/.test(name))).toEqual([]);
      }
    });

    test("links are relative to the root", async () => {
      const made = await server.send<Task>("POST", "/v1/tasks", { body: { title: "x" } });
      expect(made.headers.get("location")).toBe(`/v1/tasks/${made.body.id}`);
      expect((await server.send<{ servers: unknown }>("GET", "/v1/openapi.json")).body.servers).toEqual([{ url: "/" }]);
      expect((await server.send("GET", "/todo/v1/tasks")).status).toBe(404);
    });

    test("TLS is asked for on this host alone, where a trusted proxy says that a request came by it", async () => {
      const hsts = async (proto: string) =>
        (await server.send("GET", "/nothing", { headers: { "x-forwarded-proto": proto } })).headers.get(
          "strict-transport-security",
        );
      const believing = await start({ env: { TT_TRUSTED_PROXIES: "127.0.0.0/8" } });
      const behind = async (proto: string, path = "/nothing") =>
        (await call(believing.url, "GET", path, { headers: { "x-forwarded-proto": proto } })).headers.get(
          "strict-transport-security",
        );
      // Where no proxy is named, any counts.
      expect([await hsts("https"), await hsts("https,http"), await hsts("http")]).toEqual([
        "max-age=31536000",
        "max-age=31536000",
        null,
      ]);
      for (const path of ["/nothing", "/v1/tasks", "/v1/auth/me"])
        expect([await behind("https", path), await behind("http", path), await behind("", path)], path).toEqual([
          "max-age=31536000",
          null,
          null,
        ]);
      // The proxy that is nearest has the last word: what stands before it came with the request.
      expect([await behind("http, https"), await behind("https, http")]).toEqual(["max-age=31536000", null]);
      expect((await believing.end("SIGTERM")).code).toBe(0);
    });

    test("every header that an answer may have is one that pages of allowed origins may read, or that any page may", async () => {
      const { send } = server;
      const made = await send<Task>("POST", "/v1/tasks", { body: { title: "x" }, headers: { "idempotency-key": "a" } });
      const path = `/v1/tasks/${made.body.id}`;
      const replies = [
        made,
        await send("POST", "/v1/tasks", { body: { title: "x" }, headers: { "idempotency-key": "a" } }),
        await send("GET", path, { headers: { "if-none-match": '"1"' } }),
        await send("GET", "/v1/tasks"),
        await send("GET", "/v1/tasks", { headers: { "consistency-token": "0-999999" } }),
        await send("PUT", "/v1/tasks", { body: {} }),
        await call(server.system.url, "GET", "/v1/tasks"),
        await send("GET", "/docs"),
      ];
      const seen = new Set(replies.flatMap((reply) => [...reply.headers.keys()]));
      const ours = Object.keys(answerHeaders).map((name) => name.toLowerCase());
      const anyMayRead = ["cache-control", "content-length", "content-type"];
      const ofNoUse = [
        "connection",
        "content-security-policy",
        "date",
        "keep-alive",
        "referrer-policy",
        "transfer-encoding",
        "vary",
        "x-content-type-options",
      ];
      expect([...seen].filter((name) => ![...ours, ...anyMayRead, ...ofNoUse].includes(name))).toEqual([]);
      expect(ours.filter((name) => !seen.has(name))).toEqual(["consistency"]);
    });

    test("no path of the server begins with anything that a public URL's path may begin with", async () => {
      const { routes } = await published(server.system.url);
      const first = new Set(routes.map(({ template }) => template.split("/")[1] ?? ""));
      expect([...first].filter((segment) => !(ownSegments as readonly string[]).includes(segment))).toEqual([]);
    });
  });
}

test.each([
  ["subdomains", "max-age=31536000; includeSubDomains"],
  ["off", null],
])(
  "with TT_HSTS=%s what is asked for by TLS is %p",
  async (hsts, expected) => {
    const system = await start({ env: { TT_HSTS: hsts, TT_PUBLIC_URL: "https://example.org" } });
    const reply = await call(system.url, "GET", "/v1/auth/me", { headers: { "x-forwarded-proto": "https" } });
    expect(reply.headers.get("strict-transport-security")).toBe(expected);
    expect((await system.end("SIGTERM")).code).toBe(0);
  },
  startMs,
);
