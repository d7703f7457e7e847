import { describe, expect, test } from "bun:test";
import { Type as t } from "@sinclair/typebox";
import { Problem } from "../model/problem.ts";
import { edge } from "./app.ts";
import type { Call, Route } from "./route.ts";
import { rootSite } from "./site.ts";
import { text } from "./text.ts";

const id = "019b0000-0000-7000-8000-000000000001";
const meta = { summary: "", tag: "Test", answers: {}, problems: [] } as const;
const limits = { "ratelimit-policy": '"default";q=5;w=60', ratelimit: '"default";r=4;t=60' };
const calls: Call[] = [];
const failures: unknown[] = [];

const took = (call: Call) => {
  calls.push(call);
  return { status: 200, json: JSON.stringify(call.body ?? null) };
};
const routes: Route[] = [
  {
    ...meta,
    id: "read",
    method: "GET",
    path: "/v1/things/:id",
    aliases: ["/things/:id"],
    auth: "user",
    cacheControl: "private, no-cache",
    handle: took,
  },
  {
    ...meta,
    id: "change",
    method: "PATCH",
    path: "/v1/things/:id",
    auth: "user",
    body: {
      schema: t.Object({ a: text({ maxLength: 3 }) }, { additionalProperties: false }),
      types: ["application/json"],
    },
    query: { dry: { schema: t.Literal("1") } },
    checkHeaders: (headers) => {
      if (headers.get("if-match") === "1") throw new Problem("malformed-header");
    },
    faults: async ({ body, query }) =>
      query.has("dry") && (body as { a?: unknown }).a === "all" ? [{ path: "/a", message: "must not be all" }] : [],
    handle: took,
  },
  {
    ...meta,
    id: "list",
    method: "GET",
    path: "/v1/things",
    auth: "none",
    query: {
      q: { schema: text({ maxLength: 3 }) },
      tag: { schema: text({ minLength: 1, maxLength: 3 }), repeatable: true },
    },
    handle: took,
  },
  { ...meta, id: "add", method: "POST", path: "/v1/things", auth: "user", handle: took },
  {
    ...meta,
    id: "fail",
    method: "GET",
    path: "/fail",
    auth: "none",
    handle: () => {
      throw new Error("secret of the driver");
    },
  },
  {
    ...meta,
    id: "reject",
    method: "GET",
    path: "/reject",
    auth: "user",
    handle: async () => {
      throw new Error("secret of the driver");
    },
  },
  {
    ...meta,
    id: "unchanged",
    method: "GET",
    path: "/unchanged/:name",
    auth: "user",
    cacheControl: "private, no-cache",
    handle: () => ({ status: 304, headers: { etag: '"1"' } }),
  },
];
const app = edge(routes, {
  authenticate: (authorization) => {
    if (authorization === "later") return Promise.resolve({ userId: "u", sessionId: "s", scopes: [], limits });
    if (authorization === "never") return Promise.reject(new Problem("forbidden", undefined, { headers: limits }));
    if (authorization !== "me") throw new Problem("unauthenticated");
    return { userId: "u", sessionId: "s", scopes: [], limits };
  },
  elsewhere: (_request, path, peer) =>
    path.startsWith("/other/")
      ? Promise.resolve(new Response(`from elsewhere${peer === undefined ? "" : ` to ${peer.remoteAddress}`}`))
      : path === "/away"
        ? Promise.reject(new Problem("users-unavailable"))
        : undefined,
  onFailure: (failure) => failures.push(failure),
});

type Sent = {
  status: number;
  headers: Headers;
  text: string;
  problem: { code: string; errors?: { path: string; message: string }[]; instance: string; requestId: string };
};
async function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | null = null,
): Promise<Sent> {
  const length: Record<string, string> =
    body === null ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  const response = await app.fetch(
    new Request(`http://localhost.local${path}`, { method, headers: { ...length, ...headers }, body }),
  );
  const content = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text: content,
    problem: content.startsWith('{"type"') ? JSON.parse(content) : { code: "" },
  };
}
const me = { authorization: "me" };

test("the other end of the connection is known to the route that it came with, and to no other", async () => {
  const from = (path: string, remoteAddress?: string) => {
    const request = new Request(`http://localhost.local${path}`, { headers: me });
    return app.fetch(request, remoteAddress === undefined ? undefined : { remoteAddress });
  };
  calls.length = 0;
  await Promise.all([from("/v1/things", "192.0.2.1"), from(`/v1/things/${id}`, "192.0.2.2"), from("/v1/things")]);
  expect(calls.map(({ peer }) => peer?.remoteAddress)).toEqual(["192.0.2.1", "192.0.2.2", undefined]);
  expect(await (await from("/other/x", "192.0.2.3")).text()).toBe("from elsewhere to 192.0.2.3");
});

describe("refusals come in one order", () => {
  const badKey = { ...me, "idempotency-key": "a b" };
  test.each([
    ["an unknown path", "PATCH", "/v1/nothing", {}, "{", 404],
    ["another method", "DELETE", `/v1/things/${id}`, {}, null, 405],
    ["nobody", "PATCH", "/v1/things/x?zzz=%zz", { "idempotency-key": " " }, "{", 401],
    ["a media type", "PATCH", "/v1/things/x?zzz=1", { ...badKey, "content-type": "text/plain" }, "{", 415],
    ["a size", "PATCH", "/v1/things/x?zzz=1", badKey, "x".repeat(262_145), 413],
    ["malformed JSON", "PATCH", "/v1/things/x?zzz=1", me, "{", 400],
    ["a malformed key", "PATCH", "/v1/things/x?zzz=1", badKey, '{"a":"long"}', 400],
    [
      "a malformed header of the route's",
      "PATCH",
      "/v1/things/x?zzz=1",
      { ...me, "if-match": "1" },
      '{"a":"long"}',
      400,
    ],
    ["faults of the body", "PATCH", "/v1/things/x", me, '{"a":"long","b":1}', 422],
    ["faults of the query", "PATCH", "/v1/things/x?zzz=1&dry=2", me, '{"a":"abc"}', 422],
    ["no such id", "PATCH", "/v1/things/x", me, '{"a":"abc"}', 404],
    ["nothing", "PATCH", `/v1/things/${id}?dry=1`, me, '{"a":"abc"}', 200],
  ] as const)("%s", async (_name, method, path, headers, body, status) => {
    expect((await send(method, path, headers, body)).status).toBe(status);
  });

  test("faults of the query and of the body come together", async () => {
    const { problem } = await send("PATCH", `/v1/things/${id}?zzz=1&dry=2&%zz=1`, me, '{"a":"long","b":1}');
    expect(problem.errors?.map(({ path }) => path).sort()).toEqual(["/%zz", "/a", "/b", "/dry", "/zzz"]);
  });

  test("what only the route knows to be a fault comes with the others", async () => {
    const errors = async (query: string, body: string) =>
      (await send("PATCH", `/v1/things/${id}${query}`, me, body)).problem.errors?.map(({ path }) => path);
    expect(await errors("?dry=2", '{"a":"all","b":1}')).toEqual(["/dry", "/b", "/a"]);
    expect(await errors("?dry=1", '{"a":"all"}')).toEqual(["/a"]);
    expect(await errors("?dry=2", "null")).toEqual(["/dry", ""]);
    expect(await errors("", '{"a":"all"}')).toBeUndefined();
  });

  test.each(["[]", "null", "1", '"a"'])("a body that is %s is a fault of the whole", async (body) => {
    expect((await send("PATCH", `/v1/things/${id}`, me, body)).problem).toMatchObject({
      code: "validation",
      errors: [{ path: "", message: "must be a JSON object" }],
    });
  });
});

describe("a query", () => {
  test.each([
    ["q=%zz", "/q"],
    ["q=%ff", "/q"],
    ["q=a%00", "/q"],
    ["q=a&q=b", "/q"],
    ["q=abcd", "/q"],
    ["tag=a&tag=", "/tag"],
    ["a%2Fb=1", "/a~1b"],
    ["tag[]=a", "/tag[]"],
    ["Q=a", "/Q"],
    ["__proto__=a", "/__proto__"],
  ])("?%s is refused at %s", async (query, path) => {
    const { status, problem } = await send("GET", `/v1/things?${query}`);
    expect(status).toBe(422);
    expect(problem.errors?.map((fault) => fault.path)).toEqual([path]);
  });

  test("of very many faults tells a thousand", async () => {
    const { status, problem } = await send("GET", `/v1/things?${"%&".repeat(1_200)}`);
    expect([status, problem.errors?.length]).toEqual([422, 1_000]);
  });

  test("is decoded, keeps repeated values, and may be empty", async () => {
    await send("GET", "/v1/things?q=%C3%A9+a&tag=x&tag=y");
    expect([...(calls.at(-1)?.query ?? [])]).toEqual([
      ["q", "é a"],
      ["tag", "x"],
      ["tag", "y"],
    ]);
    expect((await send("GET", "/v1/things?")).status).toBe(200);
  });
});

describe("a path", () => {
  test("means the same under its alias and with a trailing slash", async () => {
    for (const path of [`/v1/things/${id}`, `/v1/things/${id}/`, `/things/${id}`, `/things/${id}/`])
      expect((await send("GET", path, me)).status, path).toBe(200);
  });

  test.each([
    `/v1/things/${id.toUpperCase()}`,
    "/v1/things/%zz",
    "/v1/things/%00",
    `/v1/things/${id}%20`,
    `/v1/things//`,
    `/v1//things/${id}`,
    `/V1/things/${id}`,
    `/v1/things/${id}/x`,
    "/",
    "//",
    "/%",
    "/problems/nothing",
    "/problems/constructor",
  ])("%s is 404", async (path) => {
    const { status, problem } = await send("GET", path, me);
    expect([status, problem.code, problem.instance]).toEqual([404, "not-found", path]);
  });

  test("that is known answers another method with 405 and what it takes", async () => {
    for (const [method, path, allow] of [
      ["DELETE", `/v1/things/${id}/`, "GET, HEAD, PATCH"],
      ["PUT", "/v1/things?x=%zz", "GET, HEAD, POST"],
      ["OPTIONS", `/things/${id}`, "GET, HEAD"],
      ["POST", "/problems/validation", "GET, HEAD"],
    ] as const) {
      const { status, headers, problem } = await send(method, path);
      expect([status, problem.code, headers.get("allow")]).toEqual([405, "method-not-allowed", allow]);
    }
  });

  test("of the other role is handed over, and its failure is told as a problem", async () => {
    expect((await send("GET", "/other/x")).text).toBe("from elsewhere");
    expect((await send("GET", "/away")).problem.code).toBe("users-unavailable");
  });

  test("of a problem explains it", async () => {
    expect(JSON.parse((await send("GET", "/problems/version-mismatch")).text)).toMatchObject({
      code: "version-mismatch",
      status: 412,
    });
  });
});

describe("an answer", () => {
  const always = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
  };

  test("has the security headers, whatever it is", async () => {
    for (const [path, status, cache] of [
      [`/v1/things/${id}`, 200, "private, no-cache"],
      ["/unchanged/x", 304, "private, no-cache"],
      ["/v1/things/x", 404, "no-store"],
      ["/nothing", 404, "no-store"],
      ["/fail", 500, "no-store"],
    ] as const) {
      const answer = await send("GET", path, me);
      expect(answer.status).toBe(status);
      expect(Object.fromEntries(answer.headers), path).toMatchObject({ ...always, "cache-control": cache });
      expect(answer.headers.get("strict-transport-security")).toBeNull();
    }
    const trusting = edge(routes, {
      authenticate: () => {
        throw new Problem("unauthenticated");
      },
      onFailure: () => undefined,
      site: { ...rootSite, trustedProxies: ["10.0.0.0/8"] },
    });
    const hsts = async (of: typeof app, remoteAddress: string | undefined) => {
      const request = new Request("http://localhost/nothing", { headers: { "x-forwarded-proto": "https" } });
      const answer = await of.fetch(request, remoteAddress === undefined ? undefined : { remoteAddress });
      return answer.headers.get("strict-transport-security");
    };
    expect(await hsts(trusting, "10.1.2.3")).toContain("max-age");
    // Where no proxy is named, any counts.
    expect(await hsts(app, "10.1.2.3")).toContain("max-age");
    for (const [of, peer] of [
      [trusting, "192.0.2.1"],
      [trusting, undefined],
    ] as const)
      expect(await hsts(of, peer)).toBeNull();
  });

  test.each(["GET", "HEAD"])(
    "of 304 to %s has the tag, the limits and no body, of which it tells nothing",
    async (method) => {
      const { status, headers, text: content } = await send(method, "/unchanged/x", me);
      const told = ["etag", "content-type", "content-length", "ratelimit"].map((name) => headers.get(name));
      expect([status, content, ...told]).toEqual([304, "", '"1"', null, null, limits.ratelimit]);
    },
  );

  test("to somebody known tells the limits, refusals included", async () => {
    for (const [authorization, path, status] of [
      ["me", `/v1/things/${id}`, 200],
      ["later", `/v1/things/${id}`, 200],
      ["later", "/v1/things/x", 404],
      ["me", "/reject", 500],
      ["never", "/reject", 403],
    ] as const) {
      const answer = await send("GET", path, { authorization });
      expect([path, answer.status, answer.headers.get("ratelimit")]).toEqual([path, status, limits.ratelimit]);
    }
  });

  test("carries the request's id if that is one, else an own", async () => {
    for (const good of ["a", "!~", "x".repeat(128)])
      expect((await send("GET", "/v1/things", { "x-request-id": good })).headers.get("x-request-id")).toBe(good);
    for (const bad of ["a b", "x".repeat(129), "é"])
      expect((await send("GET", "/v1/things", { "x-request-id": bad })).headers.get("x-request-id")).toMatch(
        /^[0-9a-f-]{36}$/,
      );
    const refused = await send("GET", "/nothing");
    expect(refused.problem.requestId).toBe(refused.headers.get("x-request-id") ?? "");
    const failed = await send("GET", "/reject", { ...me, "x-request-id": "mine" });
    expect(failed.problem.requestId).toBe("mine");
  });

  test("to an unexpected failure tells nothing of it, and the log is told", async () => {
    for (const path of ["/fail", "/reject"]) {
      failures.length = 0;
      const { status, text: content, problem } = await send("GET", path, me);
      expect([status, problem.code]).toEqual([500, "internal"]);
      expect(content).not.toContain("secret");
      expect(failures).toHaveLength(1);
    }
  });

  test("to nobody asks for a bearer", async () => {
    expect((await send("GET", `/v1/things/${id}`)).headers.get("www-authenticate")).toBe(
      'Bearer error="invalid_token"',
    );
  });

  test("to HEAD is the one to GET", async () => {
    const [get, head] = [await send("GET", `/v1/things/${id}`, me), await send("HEAD", `/v1/things/${id}`, me)];
    expect(head.status).toBe(get.status);
    expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
  });
});

describe("the trace", () => {
  const ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  test.each([
    [`00-${ids}`, true],
    [`01-${ids}`, true],
    [`01-${ids}-more`, true],
    [`00-${ids}-more`, false],
    [`ff-${ids}`, false],
    [`00-${ids.toUpperCase()}`, false],
    [`00-${"0".repeat(32)}-b7ad6b7169203331-01`, false],
    [`00-0af7651916cd43dd8448eb211c80319c-${"0".repeat(16)}-01`, false],
    ["garbage", false],
    // No longer than the log takes: what is not understood there is set aside.
    [`01-${ids}-${"x".repeat(512 - 56)}`, true],
    [`01-${ids}-${"x".repeat(513 - 56)}`, false],
  ])("%s is continued: %p", async (traceparent, continued) => {
    await send("GET", "/v1/things", { traceparent });
    expect(calls.at(-1)?.traceparent).toBe(continued ? traceparent : undefined);
  });
});

test("an Idempotency-Key has its form on every route that is not a read, and is ignored on reads", async () => {
  for (const good of ["a", "!~", "x".repeat(255)])
    expect((await send("POST", "/v1/things", { ...me, "idempotency-key": good })).status).toBe(200);
  for (const bad of ["", "a b", "x".repeat(256), "é"])
    expect((await send("POST", "/v1/things", { ...me, "idempotency-key": bad })).problem.code).toBe("malformed-header");
  expect((await send("GET", "/v1/things", { "idempotency-key": "a b" })).status).toBe(200);
});

test("a body on a route that takes none is ignored", async () => {
  expect((await send("POST", "/v1/things", { ...me, "content-type": "text/plain" }, "{{{")).status).toBe(200);
});
