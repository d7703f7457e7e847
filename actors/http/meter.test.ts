import { expect, test } from "bun:test";
import { exposition } from "../metrics/exposition.ts";
import { Region, regionBytes } from "../metrics/region.ts";
import { countIn } from "../metrics/registry.ts";
import { edge } from "./app.ts";
import type { Route } from "./route.ts";

const meta = { summary: "", tag: "Test", answers: {}, problems: [], auth: "none" } as const;
const waiting = Promise.withResolvers<void>();
const routes: Route[] = [
  {
    ...meta,
    id: "read",
    method: "GET",
    path: "/v1/metered/:id",
    aliases: ["/metered/:id"],
    handle: () => ({ status: 200, json: "{}" }),
  },
  {
    ...meta,
    id: "wait",
    method: "POST",
    path: "/v1/metered",
    handle: () => waiting.promise.then(() => ({ status: 201, json: "{}" })),
  },
  {
    ...meta,
    id: "fail",
    method: "GET",
    path: "/v1/metered-fail",
    handle: () => {
      throw new Error("broken");
    },
  },
];
const app = edge(routes, {
  authenticate: () => {
    throw new Error("never asked");
  },
  onFailure: () => undefined,
  elsewhere: (_request, path) =>
    path === "/v1/other" ? Promise.reject(new Error("the other role is away")) : undefined,
});
const region = new Region(new SharedArrayBuffer(regionBytes), 0);
countIn(region);
const samples = (name: string) =>
  exposition([{ actor: "task", index: 0, region }])
    .split("\n")
    .filter((line) => line.startsWith(name));
const ask = (path: string, method = "GET") => app.fetch(new Request(`http://localhost.local${path}`, { method }));

test("requests are counted by the route's template, whatever is asked for and by which of its paths", async () => {
  const id = crypto.randomUUID();
  for (const path of [`/v1/metered/${id}`, `/metered/${id}`]) await ask(path);
  await ask(`/v1/metered/${id}`, "HEAD");
  await ask("/v1/metered-fail");
  expect(samples('http_requests_total{method="GET",route="/v1/metered/:id"')).toEqual([
    'http_requests_total{method="GET",route="/v1/metered/:id",status="200"} 2',
  ]);
  expect(samples('http_requests_total{method="HEAD"')).toEqual([
    'http_requests_total{method="HEAD",route="/v1/metered/:id",status="200"} 1',
  ]);
  expect(samples('http_requests_total{method="GET",route="/v1/metered-fail"')).toEqual([
    'http_requests_total{method="GET",route="/v1/metered-fail",status="500"} 1',
  ]);
  expect(samples('http_request_duration_seconds_count{method="GET",route="/v1/metered/:id"}')).toEqual([
    'http_request_duration_seconds_count{method="GET",route="/v1/metered/:id"} 2',
  ]);
});

test("what no route takes makes one series a method, and none for a method of the client's own", async () => {
  // The numbers are the thread's: other tests may have asked for nothing of ours too.
  const valueOf = (of: string) => Number(samples(`http_requests_total{${of}}`)[0]?.split(" ")[1] ?? 0);
  const missed = [
    'method="GET",route="none",status="404"',
    'method="DELETE",route="none",status="405"',
    'method="other",route="none",status="404"',
    'method="GET",route="none",status="500"',
  ];
  const before = missed.map(valueOf);
  for (const each of ["a", "b", "c"]) await ask(`/v1/no-such-${each}`);
  await ask("/v1/metered", "DELETE");
  for (const method of ["MKCOL", "PROPFIND"]) await ask("/v1/no-such", method);
  await ask("/v1/other");
  expect(missed.map((of, place) => valueOf(of) - (before[place] ?? 0))).toEqual([3, 1, 2, 1]);
  expect(samples("http_").filter((line) => /MKCOL|PROPFIND|no-such/.test(line))).toEqual([]);
});

test("a request is in flight until it is answered", async () => {
  const inFlight = () => Number(samples("http_requests_in_flight ")[0]?.split(" ")[1]);
  const before = inFlight();
  const answer = ask("/v1/metered", "POST");
  expect(inFlight()).toBe(before + 1);
  waiting.resolve();
  expect((await answer).status).toBe(201);
  expect(inFlight()).toBe(before);
  expect(samples('http_requests_total{method="POST",route="/v1/metered"')).toEqual([
    'http_requests_total{method="POST",route="/v1/metered",status="201"} 1',
  ]);
});
