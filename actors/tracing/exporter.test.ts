import { afterAll, expect, test } from "bun:test";
import { exporter, type FinishedSpan } from "./exporter.ts";
import { tracer } from "./tracer.ts";

const logged: { event: string; fields: Record<string, unknown> }[] = [];
const self = {
  name: "task",
  index: 0,
  log: (_level: string, event: string, fields: Record<string, unknown> = {}) => void logged.push({ event, fields }),
};
const span = (name: string): FinishedSpan => ({
  traceId: `${"0".repeat(31)}1`,
  spanId: `${"0".repeat(15)}1`,
  name,
  kind: 1,
  startTimeUnixNano: "1",
  endTimeUnixNano: "2",
  attributes: [],
  status: {},
});

/** A server that answers as told, and keeps what each request had. */
const requests: { bytes: number; spans: FinishedSpan[]; url: string }[] = [];
let answers: (() => Response | Promise<Response>)[] = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const text = await request.text();
    const sent = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: FinishedSpan[] }[] }[] };
    const spans = sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans));
    requests.push({ bytes: text.length, spans, url: request.url });
    return (answers.shift() ?? (() => new Response()))();
  },
});
afterAll(() => server.stop(true));
const settings = { endpoint: `http://127.0.0.1:${server.port}/base`, headers: {}, service: "test", ratio: 1 };
const begin = (...next: (() => Response | Promise<Response>)[]) => {
  answers = next;
  requests.length = 0;
  logged.length = 0;
  return exporter(self, settings);
};
const received = () => requests.flatMap(({ spans }) => spans.map(({ name }) => name));

test("spans go in batches below the base's path, each once", async () => {
  const to = begin();
  for (let each = 0; each < 1_300; each++) to.add(span(`${each}`));
  await to.close();
  expect(requests.map(({ spans }) => spans.length)).toEqual([512, 512, 276]);
  expect(new Set(received()).size).toBe(1_300);
  expect(requests[0]?.url).toEndWith("/base/v1/traces");
});

test("while nothing is answered the queue is bounded, and a stop waits no longer than its time", async () => {
  const to = begin(() => new Promise<Response>(() => undefined));
  for (let each = 0; each < 100_000; each++) to.add(span(`${each}`));
  const startMs = performance.now();
  await to.close();
  expect(performance.now() - startMs).toBeLessThan(4_000);
  expect(requests.map(({ spans }) => spans.length)).toEqual([512]);
});

test("what may be sent again is sent again; what the collector refuses for good is dropped", async () => {
  const again = begin(() => new Response(null, { status: 503 }));
  again.add(span("kept"));
  await again.close();
  expect(received()).toEqual(["kept"]);
  const of = { server: "collector", address: `127.0.0.1:${server.port}`, step: "send traces" };
  expect(logged).toEqual([{ event: "server-away", fields: { ...of, reason: "it answers 503" } }]);
  const refused = begin(() => new Response(null, { status: 400 }));
  for (let each = 0; each < 600; each++) refused.add(span(`${each}`));
  await refused.close();
  expect(requests.map(({ spans }) => spans.length)).toEqual([512, 88]);
  expect(logged.map(({ event }) => event)).toEqual(["server-away", "server-back"]);
});

test("a trace goes on below its caller where that records it, begins here by the share, and never begins at a part", async () => {
  const to = begin();
  const ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  const [all, none] = [tracer(to, 1), tracer(to, 0)];
  expect(none.start("a", { kind: "server", parent: null })).toBeUndefined();
  expect(none.start("a", { kind: "server", parent: `00-${ids}-01` })?.traceparent).toMatch(
    /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
  );
  expect(all.start("a", { kind: "server", parent: `00-${ids}-00` })).toBeUndefined();
  expect(all.start("a", { kind: "server", parent: "garbage" })?.traceparent).toMatch(
    /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
  );
  expect(all.start("a", { kind: "consumer", parent: undefined, onlyWithin: true })).toBeUndefined();
  await to.close();
});
