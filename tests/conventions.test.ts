/** The conventions that hold for every route: sections 1 and 6 of the contract, over all published routes and over a fixed list. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type CallOptions,
  call,
  createTask,
  expectProblem,
  type Person,
  type ProblemBody,
  person,
  type Reply,
  type Task,
} from "./system/client.ts";
import { fill, isStream, type PublishedRoute, published } from "./system/openapi.ts";
import { cutRequest, rawRequest } from "./system/raw.ts";
import { cleanUp, type System, start } from "./system/server.ts";

afterAll(cleanUp);

let system: System;
let ada: Person;
let bob: Person;
let routes: PublishedRoute[];

beforeAll(async () => {
  system = await start();
  [ada, bob] = await Promise.all([person(system.url), person(system.url)]);
  routes = (await published(system.url)).routes;
}, 120_000);
afterAll(async () => {
  await system?.end("SIGTERM");
}, 120_000);

const send = <Body = unknown>(method: string, path: string, options: CallOptions = {}): Promise<Reply<Body>> =>
  ada.call<Body>(method, path, options);
const post = <Body = unknown>(body: unknown, headers: Record<string, string> = {}): Promise<Reply<Body>> =>
  send<Body>("POST", "/v1/tasks", { body, headers });
const paths = (reply: Reply): string[] => ((reply.body as ProblemBody).errors ?? []).map((fault) => fault.path).sort();

/** The headers that every answer has, whatever happened. */
function expectSafe(reply: Reply, what: string): void {
  const header = (name: string): string | null => reply.headers.get(name);
  expect(header("x-content-type-options"), what).toBe("nosniff");
  expect(header("referrer-policy"), what).toBe("no-referrer");
  expect(header("content-security-policy"), what).toContain("default-src");
  expect(header("cache-control"), what).toMatch(/no-store|private, no-cache|max-age/);
  expect(header("x-request-id"), what).toMatch(/^[\x21-\x7e]{1,128}$/);
  expect(header("server"), what).toBeNull();
  expect(header("x-powered-by"), what).toBeNull();
  expect(header("strict-transport-security"), what).toBeNull();
  expect(reply.text, what).not.toMatch(
    /\.ts:\d|node_modules|\bat .+\(.+:\d+:\d+\)|SQLITE|localhost|127\.0\.0\.1|Elysia/,
  );
}

const contract: readonly [method: string, template: string][] = [
  ["POST", "/v1/auth/register"],
  ["POST", "/v1/auth/login"],
  ["POST", "/v1/auth/refresh"],
  ["POST", "/v1/auth/logout"],
  ["POST", "/v1/auth/logout-all"],
  ["GET", "/v1/auth/me"],
  ["PATCH", "/v1/auth/me"],
  ["POST", "/v1/auth/verify"],
  ["GET", "/.well-known/jwks.json"],
  ["POST", "/v1/tasks"],
  ["GET", "/v1/tasks"],
  ["GET", "/v1/tasks/{id}"],
  ["PATCH", "/v1/tasks/{id}"],
  ["PUT", "/v1/tasks/{id}"],
  ["DELETE", "/v1/tasks/{id}"],
  ["GET", "/v1/tasks/{id}/history"],
  ["GET", "/v1/operations/{id}"],
  ["GET", "/v1/openapi.json"],
];

describe("every route", () => {
  test("of the contract is in the OpenAPI 3.1 document, with its errors", async () => {
    const { document, has } = await published(system.url);
    expect(document.openapi).toStartWith("3.1");
    expect(contract.filter(([method, template]) => !has(method, template))).toEqual([]);
    for (const { method, template, operation } of routes) {
      const answers = Object.keys(operation.responses);
      expect(
        answers.some((status) => /^[23]/.test(status)),
        `${method} ${template} tells its answer`,
      ).toBe(true);
      if (operation.requestBody !== undefined)
        for (const status of ["400", "413", "415", "422"]) expect(answers, `${method} ${template}`).toContain(status);
    }
    const ids = routes.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(routes.length);
  });

  test("answers another method with 405 and Allow, before it asks who is there", async () => {
    const templates = Map.groupBy(routes, ({ template }) => template);
    for (const [template, known] of templates) {
      const takes = known.map(({ method }) => method);
      if (takes.includes("GET")) takes.push("HEAD");
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
        if (takes.includes(method)) continue;
        const reply = await call(
          system.url,
          method,
          fill(template),
          method === "GET" || method === "HEAD" ? {} : { body: {} },
        );
        expect(`${method} ${template} ${reply.status}`).toBe(`${method} ${template} 405`);
        if (method !== "HEAD") expectProblem(reply, 405, "method-not-allowed");
        expect((reply.headers.get("allow") ?? "").split(/, */).sort(), `${method} ${template}`).toEqual(
          takes.toSorted(),
        );
        expectSafe(reply, `${method} ${template}`);
      }
    }
  });

  test("means the same with a trailing slash", async () => {
    for (const { method, template } of routes) {
      const path = fill(template);
      const options = method === "GET" || method === "DELETE" ? {} : { raw: "[" };
      const [plain, slashed] = [
        await call(system.url, method, path, options),
        await call(system.url, method, `${path}/`, options),
      ];
      expect(`${method} ${template} ${slashed.status}`).toBe(`${method} ${template} ${plain.status}`);
    }
  });

  test("is found whatever the Host, which may be missing", async () => {
    const bearer = `authorization: Bearer ${ada.tokens.accessToken}`;
    const hosts = [["host: x"], ["host: api"], ["host:"], ["host: a b"], ["host: x:99999"]];
    for (const path of ["/v1/tasks", "/v1/auth/sessions", "/tasks/", "/.well-known/jwks.json", "/users/me"]) {
      for (const host of hosts)
        expect([path, host, (await rawRequest(system.url, [`GET ${path} HTTP/1.1`, bearer, ...host])).status]).toEqual([
          path,
          host,
          200,
        ]);
      expectProblem(
        await rawRequest(system.url, [`PUT ${path} HTTP/1.1`, bearer, "host: x"]),
        405,
        "method-not-allowed",
      );
    }
    for (const path of ["/livez", "/livez/", "/readyz"])
      for (const host of hosts) {
        const reply = await rawRequest(system.admin, [`GET ${path} HTTP/1.1`, "x-request-id: mine", ...host]);
        expect([path, host, reply.status, reply.headers.get("x-request-id")]).toEqual([path, host, 200, "mine"]);
      }
  });

  test("answers HEAD as GET, without the body", async () => {
    for (const { template } of routes.filter((route) => route.method === "GET" && !isStream(route))) {
      const path = fill(template);
      const [get, head] = [await send("GET", path), await send("HEAD", path)];
      expect(`HEAD ${template} ${head.status} ${head.text}`).toBe(`HEAD ${template} ${get.status} `);
      expect(head.headers.get("content-type"), template).toBe(get.headers.get("content-type"));
    }
  });

  test("that needs a user answers 401 with WWW-Authenticate to none, a broken and a foreign token", async () => {
    const open =
      /^\/(v1\/auth\/(register|login|refresh|reset|verify)|\.well-known\/|v1\/openapi|docs|problems|health|token|register|login|refresh|verify|auth\/(register|login|refresh|verify|token))/;
    const [head = "", , signature = ""] = ada.tokens.accessToken.split(".");
    const forged = `${head}.${Buffer.from(JSON.stringify({ sub: bob.id, exp: 9_999_999_999 })).toString("base64url")}.${signature}`;
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${ada.tokens.accessToken.split(".")[1]}.`;
    let tried = 0;
    for (const { method, template } of routes.filter((route) => !open.test(route.template))) {
      tried += 1;
      for (const authorization of [
        "",
        "Bearer",
        "Bearer x",
        "Basic eDp5",
        `Bearer ${forged}`,
        `Bearer ${none}`,
        `Bearer ${ada.tokens.refreshToken}`,
      ]) {
        const reply = await call(system.url, method, fill(template), { headers: { authorization } });
        expect(`${method} ${template} [${authorization}] ${reply.status}`).toBe(
          `${method} ${template} [${authorization}] 401`,
        );
        expectProblem(reply, 401, "unauthenticated");
        expect(reply.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
        expectSafe(reply, template);
        expect(reply.text).not.toContain(signature);
      }
    }
    expect(tried).toBeGreaterThan(8);
  });

  test("with a body answers 415, 413, 400 and 422 as the contract says", async () => {
    const withBody = routes.filter(
      ({ operation }) =>
        operation.requestBody !== undefined &&
        !Object.keys(operation.requestBody.content).some((type) => type.includes("form")),
    );
    expect(withBody.length).toBeGreaterThan(5);
    for (const { method, template, operation } of withBody) {
      const path = template === "/v1/tasks/{id}" ? `/v1/tasks/${crypto.randomUUID()}` : fill(template);
      const what = `${method} ${template}`;
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "multipart/form-data; boundary=x",
      ]) {
        const reply = await send(method, path, { raw: "{}", headers: { "content-type": type } });
        expect(`${what} ${type} ${reply.status}`).toBe(`${what} ${type} 415`);
        expectProblem(reply, 415, "unsupported-media-type");
      }
      for (const type of Object.keys(operation.requestBody?.content ?? {})) {
        const reply = await send(method, path, { raw: "[]", headers: { "content-type": `${type}; charset=UTF-8` } });
        expect(`${what} ${type} ${reply.status}`).toBe(`${what} ${type} 422`);
        expectProblem(reply, 422, "validation");
      }
      const charsMax = template.endsWith("/batch") ? 2_097_152 : 262_144;
      const large = await send(method, path, { raw: `{"title":"${"x".repeat(charsMax)}"}` });
      expect(`${what} ${large.status}`).toBe(`${what} 413`);
      expectProblem(large, 413, "body-too-large");
      for (const raw of [
        "",
        "{",
        "{}{}",
        '{"a":1,"a":1}',
        '{"a":{"b":1,"b":2}}',
        '{"a":1,"\\u0061":2}',
        "\ufeff{}",
        "{'a':1}",
        '{"a":01}',
        '{"a":1,}',
        "NaN",
        '"\n"',
        '{"a":"\t"}',
      ]) {
        const reply = await send(method, path, { raw });
        expect(`${what} ${raw} ${reply.status}`).toBe(`${what} ${raw} 400`);
        expectProblem(reply, 400, "malformed-json");
      }
      const broken = await send(method, path, { raw: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) });
      expect(`${what} bad UTF-8 ${broken.status}`).toBe(`${what} bad UTF-8 400`);
      for (const raw of ["[]", "null", "1", '"x"', "true"]) {
        const reply = await send(method, path, { raw });
        expect(`${what} ${raw} ${reply.status}`).toBe(`${what} ${raw} 422`);
        expectProblem(reply, 422, "validation");
      }
      // Of comments PUT only creates, which a condition asks for.
      const headers: Record<string, string> =
        what === "PUT /v1/comments/{id}" || what === "PUT /v1/spaces/{spaceId}/comments/{id}"
          ? { "if-none-match": "*" }
          : {};
      const unknown = await send(method, path, { raw: '{"nobody knows":1}', headers });
      expect(`${what} unknown field ${unknown.status}`).toBe(`${what} unknown field 422`);
      expect(paths(unknown)).toContain("/nobody knows");
    }
  }, 120_000);

  test("refuses unknown query parameters", async () => {
    for (const { method, template } of routes.filter(
      (route) => route.method === "GET" && route.template.startsWith("/v1/tasks"),
    )) {
      const reply = await send(method, `${fill(template)}?surprise=1`);
      expect(`${template} ${reply.status}`).toBe(`${template} 422`);
      expect(paths(reply)).toEqual(["/surprise"]);
      expectProblem(reply, 422, "validation");
    }
  });
});

describe("a path", () => {
  test("/ is the page, and takes no other method", async () => {
    for (const method of ["GET", "HEAD"]) {
      const reply = await call(system.url, method, "/");
      expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
      expect(reply.text.startsWith("<!doctype html>")).toBe(method === "GET");
      expect(reply.headers.get("cache-control")).toBe("no-cache");
      for (const name of ["x-content-type-options", "referrer-policy", "content-security-policy", "x-request-id"])
        expect(reply.headers.has(name), name).toBe(true);
    }
    expect((await call(system.url, "GET", "/?x=1")).status).toBe(422);
    const refused = await call(system.url, "POST", "/", { body: {} });
    expectProblem(refused, 405, "method-not-allowed");
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
  });

  test.each([
    "/nothing",
    "/v1",
    "/v1/nothing",
    "/v2/tasks",
    "/v1/tasks/x/y/z",
    "/V1/tasks",
    "/v1/Tasks",
    "/v1//tasks",
    "/.env",
    "/livez",
    "/readyz",
    "/metrics",
    "/tree",
    "/debug/kill",
  ])("%s is an unknown one: 404, with a token and without", async (path) => {
    for (const reply of [
      await call(system.url, "GET", path),
      await send("GET", path),
      await call(system.url, "POST", path, { body: {} }),
    ]) {
      expectProblem(reply, 404, "not-found");
      expectSafe(reply, path);
    }
  });

  test.each([
    "x",
    "1",
    "%zz",
    "%00",
    "%",
    "..%2f",
    "%c0%ae",
    "%ff",
    "🎈",
    "00000000-0000-0000-0000-00000000000",
    "{id}",
    "%61",
  ])("id that is no lower-case UUID, %s, is 404 as a missing one", async (id) => {
    const reply = await rawRequest(system.url, [
      `GET /v1/tasks/${Buffer.from(id).toString("latin1")} HTTP/1.1`,
      `authorization: Bearer ${ada.tokens.accessToken}`,
    ]);
    if (reply.status !== 400 || reply.text !== "") expectProblem(reply, 404, "not-found");
  });

  test("id in capitals is 404, even when the task exists", async () => {
    const task = await createTask(ada);
    expectProblem(await send("GET", `/v1/tasks/${task.id.toUpperCase()}`), 404, "not-found");
    expectProblem(
      await send("PATCH", `/v1/tasks/${task.id.toUpperCase()}`, { body: { title: "x" } }),
      404,
      "not-found",
    );
  });
});

describe("an answer", () => {
  test("carries the safe headers, whatever its status", async () => {
    const task = await createTask(ada);
    const made: [string, Reply][] = [
      ["200", await send("GET", `/v1/tasks/${task.id}`)],
      ["201", await post({ title: "x" })],
      ["304", await send("GET", `/v1/tasks/${task.id}`, { headers: { "if-none-match": '"1"' } })],
      ["400", await send("POST", "/v1/tasks", { raw: "{" })],
      ["401", await call(system.url, "GET", "/v1/tasks")],
      ["404", await send("GET", `/v1/tasks/${crypto.randomUUID()}`)],
      ["405", await send("PUT", "/v1/tasks", { body: {} })],
      ["412", await send("PATCH", `/v1/tasks/${task.id}`, { body: {}, headers: { "if-match": '"9"' } })],
      ["413", await send("POST", "/v1/tasks", { raw: " ".repeat(262_145) })],
      ["415", await send("POST", "/v1/tasks", { raw: "{}", headers: { "content-type": "text/plain" } })],
      ["422", await post({})],
      ["204", await send("DELETE", `/v1/tasks/${task.id}`)],
      [
        "409",
        await call(system.url, "POST", "/v1/auth/register", { body: { email: ada.email, password: ada.password } }),
      ],
    ];
    for (const [status, reply] of made) {
      expect(String(reply.status), reply.text).toBe(status);
      expectSafe(reply, status);
    }
  });

  test("repeats a usable X-Request-Id and makes one otherwise", async () => {
    for (const good of ["a", "0123-~!@#", "x".repeat(128)]) {
      for (const reply of [
        await send("GET", "/v1/tasks", { headers: { "x-request-id": good } }),
        await call(system.url, "GET", "/nothing", { headers: { "x-request-id": good } }),
      ]) {
        expect(reply.headers.get("x-request-id")).toBe(good);
      }
    }
    for (const bad of ["x".repeat(129), "a b", "é", "a\tb"]) {
      const reply = await call(system.url, "GET", "/nothing", { headers: { "x-request-id": bad } });
      expect(reply.headers.get("x-request-id")).not.toBe(bad);
      expectProblem(reply, 404, "not-found");
    }
    const seen = new Set<string | null>();
    for (let count = 0; count < 50; count += 1)
      seen.add((await send("GET", "/v1/tasks?limit=1")).headers.get("x-request-id"));
    expect(seen.size).toBe(50);
  });

  test("on someone else's task is byte for byte that on a missing one", async () => {
    const task = await createTask(bob, { title: "private" });
    const missing = crypto.randomUUID();
    const normal = (reply: Reply, id: string): string =>
      `${reply.status} ${reply.text.replaceAll(id, "ID").replace(/"requestId":"[^"]+"/, "")} ${reply.headers.get("etag")}`;
    for (const [method, rest, options] of [
      ["GET", "", {}],
      ["HEAD", "", {}],
      ["GET", "/history", {}],
      ["PATCH", "", { body: { title: "mine" } }],
      ["PATCH", "", { body: { title: "mine" }, headers: { "if-match": '"7"' } }],
      ["PATCH", "", { body: { title: "mine" }, headers: { "if-match": "*" } }],
      ["PATCH", "", { body: {} }],
      ["PUT", "", { body: { title: "mine" } }],
      ["DELETE", "", {}],
      ["GET", "", { headers: { "if-none-match": '"1"' } }],
    ] satisfies [string, string, CallOptions][]) {
      const [theirs, none] = [
        await send(method, `/v1/tasks/${task.id}${rest}`, options),
        await send(method, `/v1/tasks/${missing}${rest}`, options),
      ];
      expect(normal(theirs, task.id), `${method} ${rest}`).toBe(normal(none, missing));
      expect(theirs.status).toBe(404);
    }
    // Ids are unique within a space: in one's own the id is free.
    const own = await send("PUT", `/v1/tasks/${task.id}`, {
      body: { title: "mine" },
      headers: { "if-none-match": "*" },
    });
    expect(own.status).toBe(201);
    expect((await bob.call("GET", `/v1/tasks/${task.id}`)).text).toBe(JSON.stringify(task));
    expect((await bob.call<Task>("GET", `/v1/tasks/${task.id}`)).body.version).toBe(1);
  });

  test("to an authenticated request tells the rate limit", async () => {
    for (const reply of [
      await send("GET", "/v1/tasks"),
      await post({}),
      await send("GET", `/v1/tasks/${crypto.randomUUID()}`),
    ]) {
      expect(reply.headers.get("ratelimit-policy")).toMatch(/^"default";q=\d+;w=\d+$/);
      expect(reply.headers.get("ratelimit")).toMatch(/^"default";r=\d+;t=\d+$/);
    }
  });

  test("explains each code in a sentence at /problems/<code>", async () => {
    const codes =
      "malformed-json malformed-header unauthenticated invalid-credentials token-reused forbidden not-found method-not-allowed email-taken conflict version-mismatch body-too-large unsupported-media-type validation idempotency-mismatch invalid-cursor rate-limited internal log-unavailable read-model-unavailable users-unavailable not-yet-visible overloaded";
    for (const code of codes.split(" ")) {
      const reply = await call(system.url, "GET", `/problems/${code}`);
      expect(`${code} ${reply.status}`).toBe(`${code} 200`);
      expect(reply.text).toContain(code);
      expect(reply.text.length).toBeGreaterThan(40);
      expectSafe(reply, code);
    }
    expectProblem(await call(system.url, "GET", "/problems/nothing"), 404, "not-found");
  });

  test("does not depend on Accept", async () => {
    expect(
      (await send("GET", "/v1/tasks", { headers: { accept: "text/html" } })).headers.get("content-type"),
    ).toContain("application/json");
  });
});

describe("of several refusals", () => {
  test("the first is 415, then 413, 400, 422, 404 and 412, whatever else is wrong", async () => {
    const { id } = await createTask(ada);
    const broken = { "if-match": "1", "idempotency-key": "a b" };
    const large = " ".repeat(262_145);
    for (const path of [`/v1/tasks/${id}?x=1`, `/v1/tasks/${crypto.randomUUID()}?x=1`, "/v1/tasks/x?x=1"]) {
      for (const [options, status, code] of [
        [{ raw: large, headers: { ...broken, "content-type": "text/plain" } }, 415, "unsupported-media-type"],
        [{ raw: large, headers: broken }, 413, "body-too-large"],
        [{ raw: "{", headers: { "if-match": '"9"' } }, 400, "malformed-json"],
        [{ body: { title: 1 }, headers: { "if-match": "1" } }, 400, "malformed-header"],
        [{ body: { title: 1 }, headers: { "idempotency-key": "a b" } }, 400, "malformed-header"],
        [{ body: { title: 1 }, headers: { "if-match": '"9"' } }, 422, "validation"],
      ] satisfies [CallOptions, number, string][])
        for (const method of ["PATCH", "PUT"]) expectProblem(await send(method, path, options), status, code);
    }
    const unseen = { body: { title: "x" }, headers: { "if-match": '"9"' } };
    for (const path of ["/v1/tasks/x", `/v1/tasks/${crypto.randomUUID()}`])
      expectProblem(await send("PATCH", path, unseen), 404, "not-found");
    expectProblem(await send("PATCH", `/v1/tasks/${id}`, unseen), 412, "version-mismatch");
    expectProblem(
      await send("PUT", "/v1/tasks/x", { body: {}, headers: { "if-none-match": "1" } }),
      400,
      "malformed-header",
    );
  });

  test("an unusable Consistency-Token comes before a fault of the query, and that before a missing task", async () => {
    const headers = { "consistency-token": "x" };
    for (const path of ["/v1/tasks?x=1", "/v1/tasks/x?x=1", "/v1/tasks/x/history?x=1", "/v1/operations/x?x=1"]) {
      expectProblem(await send("GET", path, { headers }), 400, "malformed-header");
      expectProblem(await send("GET", path), 422, "validation");
    }
  });

  test("a scope that is lacking comes before them all, and 405 before the question who asks", async () => {
    const made = await send<{ token: string }>("POST", "/v1/auth/tokens", {
      body: { name: "r", scopes: ["tasks:read"] },
    });
    const { token } = made.body;
    const wrong = { token, raw: "{", headers: { "content-type": "text/plain", "idempotency-key": "a b" } };
    const refused = await call(system.url, "PATCH", "/v1/tasks/x?x=1", wrong);
    expectProblem(refused, 403, "forbidden");
    expect(refused.headers.get("ratelimit")).not.toBeNull();
    expectProblem(await call(system.url, "PATCH", "/v1/tasks", wrong), 405, "method-not-allowed");
  });
});

describe("a task's body", () => {
  const emoji = "😀";
  test.each([
    ["title of 1", { title: emoji }],
    ["title of 500", { title: emoji.repeat(500) }],
    ["title with white space kept", { title: "  a  " }],
    ["title of zero-width joiners", { title: "\u200d" }],
    ["description of 20,000", { title: "x", description: emoji.repeat(20_000) }],
    ["description of control characters", { title: "x", description: "\u0001\n\t\u007f\u2028" }],
    [
      "20 labels of 50",
      {
        title: "x",
        labels: Array.from({ length: 20 }, (_, index) => emoji.repeat(48) + String(index).padStart(2, "0")),
      },
    ],
    ["labels that differ in case", { title: "x", labels: ["a", "A", "á"] }],
    ["dangerous names", { title: "__proto__", labels: ["constructor", "$where", "'; drop table tasks; --"] }],
  ])("takes a %s, and gives it back as it was", async (_name, body) => {
    const reply = await post<Task>(body);
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body).toMatchObject(body);
    expect((await send<Task>("GET", `/v1/tasks/${reply.body.id}`)).body).toEqual(reply.body);
  });

  test.each([
    ["no title", {}, ["/title"]],
    ["an empty title", { title: "" }, ["/title"]],
    ["a title of white space", { title: " \t\n\u00a0\u1680\u2003\u2028\u202f\u205f\u3000\u0085" }, ["/title"]],
    ["a title of 501", { title: emoji.repeat(501) }, ["/title"]],
    ["a title of null", { title: null }, ["/title"]],
    ["a title that is a number", { title: 1 }, ["/title"]],
    ["a description of 20,001", { title: "x", description: "x".repeat(20_001) }, ["/description"]],
    ["an unknown status", { title: "x", status: "Done" }, ["/status"]],
    ["an unknown priority", { title: "x", priority: 1 }, ["/priority"]],
    ["21 labels", { title: "x", labels: Array.from({ length: 21 }, (_, index) => `l${index}`) }, ["/labels"]],
    ["a label twice", { title: "x", labels: ["a", "b", "a"] }, ["/labels"]],
    ["an empty label", { title: "x", labels: ["a", ""] }, ["/labels/1"]],
    ["a label of 51", { title: "x", labels: [emoji.repeat(51)] }, ["/labels/0"]],
    ["a label that is no string", { title: "x", labels: ["a", null] }, ["/labels/1"]],
    ["a date without a time", { title: "x", dueAt: "2030-01-01" }, ["/dueAt"]],
    ["a time without an offset", { title: "x", dueAt: "2030-01-01T00:00:00" }, ["/dueAt"]],
    ["a day that is none", { title: "x", dueAt: "2030-02-30T00:00:00Z" }, ["/dueAt"]],
    ["a due time that is a number", { title: "x", dueAt: 1_900_000_000_000 }, ["/dueAt"]],
    ["NUL in a title", { title: "a\0b" }, ["/title"]],
    ["NUL in a label", { title: "x", labels: ["\0"] }, ["/labels/0"]],
    ["an id", { title: "x", id: crypto.randomUUID() }, ["/id"]],
    ["a version", { title: "x", version: 1 }, ["/version"]],
    ["a completion", { title: "x", completedAt: null }, ["/completedAt"]],
    [
      "an owner and instants",
      { title: "x", creatorId: "x", createdAt: "x", updatedAt: "x" },
      ["/createdAt", "/creatorId", "/updatedAt"],
    ],
    [
      "every fault at once",
      { title: "", description: 1, status: "x", priority: "x", labels: [""], dueAt: "x", more: 1 },
      ["/description", "/dueAt", "/labels/0", "/more", "/priority", "/status", "/title"],
    ],
    ["a field whose name needs escapes", { title: "x", "a/b~c": 1 }, ["/a~1b~0c"]],
  ])("with %s is 422 and names each fault once", async (_name, body, faults) => {
    const task = await createTask(ada);
    const reply = await post(body);
    expectProblem(reply, 422, "validation");
    expect(paths(reply)).toEqual(faults);
    expectProblem(await send("PUT", `/v1/tasks/${task.id}`, { body }), 422, "validation");
    if (Object.keys(body).length > 0)
      expectProblem(await send("PATCH", `/v1/tasks/${task.id}`, { body }), 422, "validation");
    expect((await send("GET", `/v1/tasks/${task.id}`)).text).toBe(JSON.stringify(task));
  });

  test("with a lone surrogate, escaped, is 422; with a pair it is taken", async () => {
    for (const bad of ["\\ud800", "\\udc00", "a\\udfffb", "\\udc00\\ud800"]) {
      const reply = await send("POST", "/v1/tasks", { raw: `{"title":"${bad}"}` });
      expectProblem(reply, 422, "validation");
      expect(paths(reply)).toEqual(["/title"]);
    }
    expectProblem(await send("POST", "/v1/tasks", { raw: '{"title":"x","labels":["\\ud800"]}' }), 422, "validation");
    const good = await send<Task>("POST", "/v1/tasks", { raw: '{"title":"\\ud83d\\ude00"}' });
    expect(good.body.title).toBe(emoji);
  });

  test("of a field unknown and a lone surrogate in its name still gets an answer that is JSON", async () => {
    const reply = await send("POST", "/v1/tasks", { raw: '{"title":"x","\\ud800":1}' });
    expect(reply.status).toBe(422);
    expectProblem(reply, 422, "validation");
  });

  test("nested 64 deep is read (422), 65 deep is 400", async () => {
    const nested = (depth: number): string => `{"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expectProblem(await send("POST", "/v1/tasks", { raw: nested(64) }), 422, "validation");
    expectProblem(await send("POST", "/v1/tasks", { raw: nested(65) }), 400, "malformed-json");
    expectProblem(await send("POST", "/v1/tasks", { raw: "[".repeat(200_000) }), 400, "malformed-json");
  });

  test("of exactly 256 KiB is read", async () => {
    const body = '{"title":"x"}';
    expect((await send("POST", "/v1/tasks", { raw: body + " ".repeat(262_144 - body.length) })).status).toBe(201);
    expectProblem(
      await send("POST", "/v1/tasks", { raw: body + " ".repeat(262_145 - body.length) }),
      413,
      "body-too-large",
    );
  });

  test("of many megabytes is refused with a problem, or ignored on a route that takes none", async () => {
    const raw = " ".repeat(20_000_000);
    expectProblem(await send("POST", "/v1/tasks", { raw }), 413, "body-too-large");
    const task = await createTask(ada);
    expectProblem(await send("POST", `/v1/tasks/${task.id}/undo`, { raw }), 409, "conflict");
  });

  test("without a Content-Type is 415", async () => {
    const reply = await rawRequest(
      system.url,
      ["POST /v1/tasks HTTP/1.1", `authorization: Bearer ${ada.tokens.accessToken}`, "content-length: 13"],
      '{"title":"x"}',
    );
    expectProblem(reply, 415, "unsupported-media-type");
  });

  test("on a route that takes none is ignored", async () => {
    const task = await createTask(ada);
    const reply = await send("DELETE", `/v1/tasks/${task.id}`, {
      raw: "{not json",
      headers: { "content-type": "text/plain" },
    });
    expect(reply.status).toBe(204);
  });

  test("keeps labels' order and turns every offset of dueAt into UTC milliseconds", async () => {
    const labels = ["z", "a", "m"];
    expect((await post<Task>({ title: "x", labels })).body.labels).toEqual(labels);
    for (const [given, kept] of [
      ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"],
      ["2030-01-01T00:00:00.1Z", "2030-01-01T00:00:00.100Z"],
      ["2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00.000Z"],
      ["2029-12-31T13:00:00.000-11:00", "2030-01-01T00:00:00.000Z"],
      ["2028-02-29T12:00:00.120000Z", "2028-02-29T12:00:00.120Z"],
    ] as const) {
      expect((await post<Task>({ title: "x", dueAt: given })).body.dueAt).toBe(kept);
    }
  });

  test("as a merge patch takes null for a field's default, and refuses it where there is none", async () => {
    const task = await createTask(ada, {
      title: "x",
      description: "told",
      status: "done",
      priority: "high",
      labels: ["a"],
      dueAt: "2030-01-01T00:00:00Z",
    });
    const path = `/v1/tasks/${task.id}`;
    const defaults = { description: "", status: "todo", priority: "none", labels: [], dueAt: null };
    for (const [index, [name, value]] of Object.entries(defaults).entries()) {
      const patched = await send<Task>("PATCH", path, { body: { [name]: null }, headers: { "idempotency-key": name } });
      expect([patched.status, patched.body[name as keyof Task], patched.body.version]).toEqual([200, value, index + 2]);
    }
    const all = Object.fromEntries(Object.keys(defaults).map((name) => [name, null]));
    const reset = await send<Task>("PATCH", path, { body: all });
    expect(reset.body).toMatchObject({ title: "x", ...defaults, completedAt: null, version: 6 });
    for (const body of [{}, { dueAt: null }, { labels: null, status: null }, { title: "x" }]) {
      const same = await send<Task>("PATCH", path, {
        body,
        headers: { "content-type": "application/merge-patch+json" },
      });
      expect([same.status, same.text, same.headers.get("etag")]).toEqual([200, reset.text, '"6"']);
    }
    const refused = await send("PATCH", path, { body: { ...all, title: null, labels: [null], id: null } });
    expectProblem(refused, 422, "validation");
    expect(paths(refused)).toEqual(["/id", "/labels/0", "/title"]);
    for (const [method, target] of [
      ["POST", "/v1/tasks"],
      ["PUT", path],
    ] as const)
      expect(paths(await send(method, target, { body: { title: "x", ...all } }))).toEqual([
        "/description",
        "/labels",
        "/priority",
        "/status",
      ]);
  });

  test("as a merge patch of the account takes null for its name, and for nothing else", async () => {
    const who = await person(system.url);
    const me = await who.call("PATCH", "/v1/auth/me", { body: { name: null } });
    expect([me.status, (me.body as { name: unknown }).name]).toEqual([200, null]);
    expect((await who.call<{ name: unknown }>("GET", "/v1/auth/me")).body.name).toBeNull();
    for (const body of [{ email: null }, { email: who.email, currentPassword: null }])
      expectProblem(await who.call("PATCH", "/v1/auth/me", { body }), 422, "validation");
  });
});

describe("a condition", () => {
  test("on a write takes quoted versions, lists and *, never a weak one", async () => {
    const task = await createTask(ada);
    const patch = (ifMatch: string): Promise<Reply> =>
      send("PATCH", `/v1/tasks/${task.id}`, { body: {}, headers: { "if-match": ifMatch } });
    for (const good of ['"1"', "*", '"7", "1"', '"7","1"', 'W/"1", "1"', '"a", "1"'])
      expect([good, (await patch(good)).status]).toEqual([good, 200]);
    for (const stale of ['"2"', '"0"', 'W/"1"', '"7", "8"', '"01"', '""', '"a"'])
      expectProblem(await patch(stale), 412, "version-mismatch");
    for (const bad of ["1", '"1', "W/1", '"1" "2"', "**", '"1",,x']) {
      const reply = await patch(bad);
      expect([bad, reply.status]).toEqual([bad, 400]);
      expectProblem(reply, 400, "malformed-header");
    }
    const missing = `/v1/tasks/${crypto.randomUUID()}`;
    for (const ifMatch of ["*", '"1"']) {
      for (const method of ["PATCH", "PUT", "DELETE"]) {
        expectProblem(
          await send(method, missing, {
            ...(method === "DELETE" ? {} : { body: { title: "x" } }),
            headers: { "if-match": ifMatch },
          }),
          404,
          "not-found",
        );
      }
    }
    expectProblem(
      await send("DELETE", `/v1/tasks/${task.id}`, { headers: { "if-match": '"2"' } }),
      412,
      "version-mismatch",
    );
    expect((await send("DELETE", `/v1/tasks/${task.id}`, { headers: { "if-match": '"1"' } })).status).toBe(204);
  });

  test("without its form is 400 on every write of what is in spaces", async () => {
    const writes = routes.filter(
      ({ method, template }) =>
        method !== "GET" && /^\/v1\/(?!auth)/.test(template) && !template.includes("/webhooks/"),
    );
    expect(writes.length).toBeGreaterThan(30);
    for (const { method, template, operation } of writes) {
      const options = operation.requestBody === undefined ? {} : { raw: "{}" };
      const reply = await send(method, fill(template), { ...options, headers: { "if-match": "1" } });
      expect(`${method} ${template} ${reply.status}`).toBe(`${method} ${template} 400`);
      expectProblem(reply, 400, "malformed-header");
    }
  });

  test("on a read gives 304 to any of its tags", async () => {
    const task = await createTask(ada);
    const read = async (tags: string): Promise<number> =>
      (await send("GET", `/v1/tasks/${task.id}`, { headers: { "if-none-match": tags } })).status;
    for (const tags of ['"1"', '"9", "1"', "*"]) expect([tags, await read(tags)]).toEqual([tags, 304]);
    for (const tags of ['"2"', '"11"', '"9", "8"']) expect([tags, await read(tags)]).toEqual([tags, 200]);
    expect((await send("GET", `/v1/tasks/${crypto.randomUUID()}`, { headers: { "if-none-match": "*" } })).status).toBe(
      404,
    );
  });

  test("on PUT makes a task under a chosen id once", async () => {
    const id = crypto.randomUUID();
    const put = (headers: Record<string, string>): Promise<Reply<Task>> =>
      send<Task>("PUT", `/v1/tasks/${id}`, { body: { title: "mine" }, headers });
    expectProblem(await put({}), 404, "not-found");
    const made = await put({ "if-none-match": "*" });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ id, title: "mine", version: 1 });
    expect(made.headers.get("location")).toBe(`/v1/tasks/${id}`);
    expectProblem(await put({ "if-none-match": "*" }), 412, "version-mismatch");
    const same = await put({});
    expect([same.status, same.text]).toEqual([200, made.text]);
  });

  test.each([
    ["consistency-token", ["x", "!", "0", "-1", '"1"', "9".repeat(400)]],
    ["idempotency-key", ["a b", "x".repeat(256), "é", "a\tb"]],
  ])("in %s that cannot be used is 400", async (name, values) => {
    for (const value of values) {
      const reply =
        name === "consistency-token"
          ? await send("GET", "/v1/tasks", { headers: { [name]: value } })
          : await post({ title: "x" }, { [name]: value });
      expect([value, reply.status]).toEqual([value, 400]);
      expectProblem(reply, 400, "malformed-header");
    }
  });

  test("in Consistency-Token is met by a read of what was written", async () => {
    const made = await post<Task>({ title: "seen" });
    const token = made.headers.get("consistency-token") ?? "";
    const read = await send<Task>("GET", `/v1/tasks/${made.body.id}`, { headers: { "consistency-token": token } });
    expect([read.status, read.text]).toEqual([200, made.text]);
    expect((await send("GET", "/v1/tasks?limit=1", { headers: { "consistency-token": token } })).status).toBe(200);
  });
});

describe("a query", () => {
  test.each([
    "limit=0",
    "limit=101",
    "limit=1.5",
    "limit=",
    "limit=x",
    "limit=+1",
    "limit=1&limit=2",
    "sort=id",
    "sort=",
    "sort=--title",
    "sort=title&sort=title",
    "status=open",
    "status=",
    "priority=high,low",
    "q=a&q=b",
    "dueBefore=2030-02-30",
    "dueAfter=yesterday",
    "updatedAfter=1",
    "deleted=1",
    "deleted=",
    "label=",
    `label=${"x".repeat(51)}`,
    "Limit=1",
    "label=%00",
  ])("of %s is 422 and named", async (query) => {
    const reply = await send("GET", `/v1/tasks?${query}`);
    expectProblem(reply, 422, "validation");
    expect(paths(reply)).toEqual([`/${query.split("=")[0]}`]);
  });

  test("whose instant has lost its + says so, and one with %2B is taken", async () => {
    const id = crypto.randomUUID();
    for (const [path, name] of [
      ["/v1/tasks?", "dueBefore"],
      ["/v1/tasks?", "dueAfter"],
      ["/v1/tasks?", "updatedAfter"],
      [`/v1/tasks/${id}?`, "asOf"],
    ] as const) {
      const message = async (value: string) =>
        ((await send("GET", `${path}${name}=${value}`)).body as ProblemBody).errors?.map((fault) => fault.message);
      const form = name.startsWith("due")
        ? "must be an RFC 3339 instant or a date such as 2026-01-31"
        : "must be an RFC 3339 instant such as 2026-01-31T09:30:00Z";
      for (const lost of ["2030-01-01T00:00:00+02:00", "2030-01-01t00:00:00.5%2002:00"])
        expect(await message(lost)).toEqual([
          `${form}: it has a space where a + was meant, which is written %2B in a URL`,
        ]);
      for (const none of ["2030-01-01+00:00:00Z", "2030-01-01T00:00:00+02", "2030-13-01T00:00:00+02:00", "+02:00"])
        expect(await message(none)).toEqual([form]);
      expect(await message("2030-01-01T00:00:00%2B02:00")).toBeUndefined();
    }
  });

  test("tells its bounds where they are crossed", async () => {
    const messages = async (path: string) =>
      ((await send("GET", path)).body as ProblemBody).errors?.map((fault) => fault.message);
    const id = crypto.randomUUID();
    for (const limit of ["0", "101", "1.5", "", "x", "-1", "01"]) {
      expect(await messages(`/v1/tasks?limit=${limit}`)).toEqual(["must be an integer from 1 to 100"]);
      expect(await messages(`/v1/tasks/${id}/history?limit=${limit}`)).toEqual(["must be an integer from 1 to 100"]);
    }
    expect(await messages(`/v1/tasks/${id}?version=-1`)).toEqual(["must be an integer of at least 0"]);
    expect(await messages(`/v1/tasks?q=${"x".repeat(501)}&label=`)).toEqual([
      "must have at least 1 character",
      "must have at most 500 characters",
    ]);
  });

  test("with several faults names each", async () => {
    const reply = await send("GET", "/v1/tasks?limit=0&sort=x&status=y&z=1");
    expect(paths(reply)).toEqual(["/limit", "/sort", "/status", "/z"]);
  });

  test("with a cursor that is not of this list is 422 invalid-cursor", async () => {
    for (const title of ["one", "two", "three"]) {
      await createTask(bob, { title });
      await createTask(ada, { title });
    }
    const first = await send<{ nextCursor: string }>("GET", "/v1/tasks?limit=1&sort=title");
    const cursor = encodeURIComponent(first.body.nextCursor);
    expect((await send("GET", `/v1/tasks?limit=2&sort=title&cursor=${cursor}`)).status).toBe(200);
    for (const query of [
      `sort=-title&cursor=${cursor}`,
      `cursor=${cursor}`,
      `sort=title&status=todo&cursor=${cursor}`,
      "cursor=x",
      "cursor=",
      `sort=title&cursor=${cursor}x`,
      `sort=title&cursor=A${cursor}`,
    ]) {
      expectProblem(await send("GET", `/v1/tasks?${query}`), 422, "invalid-cursor");
    }
    expectProblem(await bob.call("GET", `/v1/tasks?sort=title&cursor=${cursor}`), 422, "invalid-cursor");
  });
});

describe("an alias", () => {
  test("of tasks means the route under /v1", async () => {
    const made = await send<Task>("POST", "/tasks", { body: { title: "by alias" } });
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(`/v1/tasks/${made.body.id}`);
    expect((await send<Task>("POST", "/tasks/", { body: { title: "by alias" } })).status).toBe(201);
    expect((await send("GET", `/tasks/${made.body.id}`)).text).toBe(made.text);
    expect((await send("GET", "/tasks")).text).toBe((await send("GET", "/v1/tasks")).text);
    expect((await send("GET", "/tasks/")).text).toBe((await send("GET", "/v1/tasks")).text);
    expect((await send("GET", `/tasks/${made.body.id}/history`)).text).toBe(
      (await send("GET", `/v1/tasks/${made.body.id}/history`)).text,
    );
    expect((await send<Task>("PATCH", `/tasks/${made.body.id}`, { body: { status: "done" } })).body.version).toBe(2);
    expect((await send("DELETE", `/tasks/${made.body.id}`)).status).toBe(204);
    expectProblem(await send("PUT", "/tasks", { body: {} }), 405, "method-not-allowed");
  });

  test.each(["", "/auth"])("of accounts under %s/ means the route under /v1/auth", async (prefix) => {
    const email = `alias-${crypto.randomUUID()}@example.com`;
    const made = await call<{ refreshToken: string }>(system.url, "POST", `${prefix}/register`, {
      body: { email, password: ada.password },
    });
    expect(made.status).toBe(201);
    const login = await call<{ accessToken: string }>(system.url, "POST", `${prefix}/login`, {
      body: { email, password: ada.password },
    });
    expect(login.status).toBe(200);
    const token = login.body.accessToken;
    expect((await call(system.url, "GET", `${prefix}/users/me`, { token })).body).toMatchObject({ email });
    expect((await call(system.url, "POST", `${prefix}/verify`, { body: { token } })).body).toMatchObject({
      active: true,
    });
    expect(
      (await call(system.url, "POST", `${prefix}/refresh`, { body: { refreshToken: made.body.refreshToken } })).status,
    ).toBe(200);
    expect((await call(system.url, "POST", `${prefix}/logout`, { token })).status).toBe(204);
  });

  test("/token takes the OAuth 2 password form", async () => {
    const form = (fields: Record<string, string>): Promise<Reply> =>
      call(system.url, "POST", "/token", {
        raw: new URLSearchParams(fields).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
    const reply = await form({
      grant_type: "password",
      username: ada.email,
      password: ada.password,
      scope: "",
      client_id: "x",
      client_secret: "y",
    });
    expect(reply.status, reply.text).toBe(200);
    expect(Object.keys(reply.body as object).sort()).toEqual([
      "access_token",
      "expires_in",
      "refresh_token",
      "token_type",
    ]);
    expect(
      (await call(system.url, "GET", "/v1/tasks", { token: (reply.body as { access_token: string }).access_token }))
        .status,
    ).toBe(200);
    expectProblem(await form({ username: ada.email, password: "wrong one" }), 401, "invalid-credentials");
    expectProblem(await form({ username: ada.email }), 422, "validation");
  });
});

describe("an account", () => {
  test.each([
    ["no e-mail", { password: "long enough x" }, ["/email"]],
    ["an e-mail of 255", { email: `${"x".repeat(243)}@example.com`, password: "long enough x" }, ["/email"]],
    ["no address", { email: "nobody", password: "long enough x" }, ["/email"]],
    ["a password of 7", { email: "a@example.com", password: "😀".repeat(7) }, ["/password"]],
    ["a password of 1,025", { email: "a@example.com", password: "x".repeat(1025) }, ["/password"]],
    ["a common password", { email: "a@example.com", password: "password123" }, ["/password"]],
    ["NUL in the password", { email: "a@example.com", password: "long enough\0" }, ["/password"]],
    ["a name of 201", { email: "a@example.com", password: "long enough x", name: "x".repeat(201) }, ["/name"]],
    ["an empty name", { email: "a@example.com", password: "long enough x", name: "" }, ["/name"]],
    ["more than is known", { email: "a@example.com", password: "long enough x", admin: true }, ["/admin"]],
  ])("with %s is 422", async (_name, body, faults) => {
    const reply = await call(system.url, "POST", "/v1/auth/register", { body });
    expectProblem(reply, 422, "validation");
    expect(paths(reply)).toEqual(faults);
    expect(reply.text).not.toContain("long enough");
  });

  test("with a password of 8 or 1,024 emoji and a name of 200 is taken", async () => {
    for (const password of ["🎈🎩🎪🎫🎬🎭🎮🎯", "🎈".repeat(1024)]) {
      const email = `edge-${crypto.randomUUID()}@example.com`;
      expect(
        (await call(system.url, "POST", "/v1/auth/register", { body: { email, password, name: "😀".repeat(200) } }))
          .status,
      ).toBe(201);
      expect((await call(system.url, "POST", "/v1/auth/login", { body: { email, password } })).status).toBe(200);
      expectProblem(
        await call(system.url, "POST", "/v1/auth/login", { body: { email, password: `x${password.slice(2)}` } }),
        401,
        "invalid-credentials",
      );
    }
  });

  test("shows its public keys, and signs with one of them", async () => {
    const reply = await call<{ keys: Record<string, string>[] }>(system.url, "GET", "/.well-known/jwks.json");
    expect(reply.status).toBe(200);
    const header = JSON.parse(
      Buffer.from(ada.tokens.accessToken.split(".")[0] ?? "", "base64url").toString(),
    ) as Record<string, string>;
    expect(header).toMatchObject({ alg: "EdDSA", typ: "at+jwt" });
    const key = reply.body.keys.find(({ kid }) => kid === header.kid);
    expect(key).toMatchObject({ kty: "OKP", crv: "Ed25519", use: "sig" });
    expect(key?.d).toBeUndefined();
    const claims = JSON.parse(
      Buffer.from(ada.tokens.accessToken.split(".")[1] ?? "", "base64url").toString(),
    ) as Record<string, unknown>;
    expect(Object.keys(claims).sort()).toEqual(
      expect.arrayContaining(["aud", "exp", "iat", "iss", "jti", "sid", "sub"]),
    );
    expect(Number(claims.exp) - Number(claims.iat)).toBe(600);
  });

  test("changes its name by merge patch, its address only with the password", async () => {
    const who = await person(system.url);
    expect((await who.call("PATCH", "/v1/auth/me", { body: { name: "Countess" } })).body).toMatchObject({
      name: "Countess",
      email: who.email,
    });
    const email = `new-${who.email}`;
    expectProblem(await who.call("PATCH", "/v1/auth/me", { body: { email } }), 422, "validation");
    expectProblem(
      await who.call("PATCH", "/v1/auth/me", { body: { email, currentPassword: "wrong one" } }),
      401,
      "invalid-credentials",
    );
    expectProblem(
      await who.call("PATCH", "/v1/auth/me", { body: { email: ada.email, currentPassword: who.password } }),
      409,
      "email-taken",
    );
    expect(
      (await who.call("PATCH", "/v1/auth/me", { body: { email, currentPassword: who.password } })).body,
    ).toMatchObject({ email });
    expect(
      (await call(system.url, "POST", "/v1/auth/login", { body: { email: who.email, password: who.password } })).status,
    ).toBe(401);
    expect((await call(system.url, "POST", "/v1/auth/login", { body: { email, password: who.password } })).status).toBe(
      200,
    );
  });
});

describe("a hostile request", () => {
  test("with a method in small letters is not that method in capitals", async () => {
    for (const path of ["/v1/tasks", "/v1/auth/me", "/.well-known/jwks.json"])
      for (const method of ["get", "Get", "head"]) {
        // Bun's own parser cuts the connection.
        const reply = await rawRequest(system.url, [`${method} ${path} HTTP/1.1`, bearer()]).catch(() => undefined);
        expect([method, path, reply?.status ?? 405]).toEqual([method, path, 405]);
      }
  });

  test("with a # in its target is for an unknown path", async () => {
    for (const path of ["/v1/tasks#x", "/v1/auth/me#x", "/#"]) {
      const reply = await rawRequest(system.url, [`GET ${path} HTTP/1.1`, bearer()]);
      if (reply.status !== 400 || reply.text !== "") expectProblem(reply, 404, "not-found");
    }
  });

  const bearer = (): string => `authorization: Bearer ${ada.tokens.accessToken}`;

  test.each(["localhost", "x", "[::1]", "a.b.c:80", "EXAMPLE.com.", "1"])(
    "with Host %s is served as any other",
    async (host) => {
      expect((await rawRequest(system.url, ["GET /v1/tasks?limit=1 HTTP/1.1", `host: ${host}`, bearer()])).status).toBe(
        200,
      );
      expectProblem(
        await rawRequest(system.url, ["GET /v1/auth/me HTTP/1.1", `host: ${host}`]),
        401,
        "unauthenticated",
      );
      expectProblem(
        await rawRequest(system.url, ["DELETE /v1/tasks HTTP/1.1", `host: ${host}`]),
        405,
        "method-not-allowed",
      );
    },
  );

  test.each(["/v1/tasks", "/v1/auth/login"])("to %s with an endless body in chunks is 413", async (path) => {
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const reply = await rawRequest(
      system.url,
      [`POST ${path} HTTP/1.1`, bearer(), "content-type: application/json", "transfer-encoding: chunked"],
      `${chunk.repeat(8)}0\r\n\r\n`,
    );
    expectProblem(reply, 413, "body-too-large");
  });

  test.each(["/v1/tasks", "/v1/auth/login"])("to %s that is cut in its body harms nobody", async (path) => {
    for (let count = 0; count < 5; count += 1) {
      await cutRequest(
        system.url,
        [`POST ${path} HTTP/1.1`, bearer(), "content-type: application/json", "content-length: 100"],
        '{"title":',
      );
    }
    expect((await send("GET", "/v1/tasks?limit=1")).status).toBe(200);
    expect((await send("GET", "/v1/auth/me")).status).toBe(200);
  });

  test("with names that objects have by themselves is 422 and names them", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const reply = await send("POST", "/v1/tasks", { raw: `{"title":"x","${name}":{"title":"y"}}` });
      expect([name, reply.status, paths(reply)]).toEqual([name, 422, [`/${name}`]]);
      expect(paths(await send("GET", `/v1/tasks?${name}=1`))).toEqual([`/${name}`]);
      expectProblem(await call(system.url, "GET", `/problems/${name}`), 404, "not-found");
    }
  });

  test.each(["q=%ff", "q=%ed%a0%80", "q=%zz", "label=%c0%80", "q=%00"])(
    "with the ill-formed query %s is 422",
    async (query) => {
      const reply = await rawRequest(system.url, [`GET /v1/tasks?${query} HTTP/1.1`, bearer()]);
      expectProblem(reply, 422, "validation");
      expect(paths(reply)).toEqual([`/${query.split("=")[0]}`]);
    },
  );

  test("that registers one address 20 times at once makes one account; composed and decomposed letters are one address", async () => {
    const name = `\u00e9t\u00e9-${crypto.randomUUID()}`;
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        call(system.url, "POST", "/v1/auth/register", {
          body: {
            email: `${index % 2 === 0 ? name : name.normalize("NFD").toUpperCase()}@example.com`,
            password: ada.password,
          },
        }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  test("with a lone surrogate in a password is 422", async () => {
    for (const path of ["register", "login"]) {
      const reply = await call(system.url, "POST", `/v1/auth/${path}`, {
        raw: '{"email":"a@example.com","password":"long enough \\ud800"}',
      });
      expectProblem(reply, 422, "validation");
      expect(paths(reply)).toEqual(["/password"]);
    }
  });
});

describe("a read", () => {
  test("of a version that nothing can have is 404, however long the number", async () => {
    const { id } = await createTask(ada);
    for (const version of ["0", "2", "999999999999999", "9".repeat(16), "9".repeat(400)])
      expectProblem(await send("GET", `/v1/tasks/${id}?version=${version}`), 404, "not-found");
  });

  test("of the past takes one of asOf and version, once, well-formed", async () => {
    const { id } = await createTask(ada);
    for (const query of [
      "version=1&asOf=2030-01-01T00:00:00Z",
      "version=1&version=1",
      "version=01",
      "version=x",
      "version=1.0",
      "version=-1",
      "asOf=2030-02-30T00:00:00Z",
      "asOf=now",
      "asOf=",
    ]) {
      const reply = await send("GET", `/v1/tasks/${id}?${query}`);
      expect([query, reply.status]).toEqual([query, 422]);
      expectProblem(reply, 422, "validation");
    }
    const both = await send<{ errors: { path: string }[] }>(
      "GET",
      `/v1/tasks/${id}?version=1&asOf=2030-01-01T00:00:00Z&at=now`,
    );
    expect(both.body.errors.map(({ path }) => path)).toEqual(["/at", "/version"]);
    expectProblem(await send("GET", `/v1/tasks/${id}?version=2`), 404, "not-found");
  });

  test("of history takes its own cursors only, and pages completely", async () => {
    const [one, two] = [await createTask(ada), await createTask(ada)];
    for (let count = 0; count < 5; count += 1)
      for (const { id } of [one, two]) await send("PATCH", `/v1/tasks/${id}`, { body: { title: `t${count}` } });
    type Page = { items: { version: number }[]; nextCursor: string | null };
    const first = await send<Page>("GET", `/v1/tasks/${one.id}/history?limit=4`);
    const cursor = encodeURIComponent(first.body.nextCursor ?? "");
    const second = await send<Page>("GET", `/v1/tasks/${one.id}/history?limit=100&cursor=${cursor}`);
    expect([...first.body.items, ...second.body.items].map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(second.body.nextCursor).toBeNull();
    expectProblem(await send("GET", `/v1/tasks/${two.id}/history?cursor=${cursor}`), 422, "invalid-cursor");
    expectProblem(await send("GET", `/v1/tasks?cursor=${cursor}`), 422, "invalid-cursor");
    expectProblem(await send("GET", `/v1/tasks/${one.id}/history?limit=0`), 422, "validation");
  });

  test("that asks for a write not yet made waits, then is 503 not-yet-visible with Retry-After", async () => {
    const made = await post({ title: "x" });
    const future = (made.headers.get("consistency-token") ?? "").replace(/\d+$/, (offset) =>
      String(Number(offset) + 1_000_000),
    );
    const began = performance.now();
    const reply = await send("GET", "/v1/tasks", { headers: { "consistency-token": future } });
    expectProblem(reply, 503, "not-yet-visible");
    expect(reply.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});
