/** Traces as a collector gets them: one trace from the request to the announcement, in one process and across several, on both runtimes. */
import { afterAll, describe, expect, test } from "bun:test";
import { call, person } from "./system/client.ts";
import { collector } from "./system/collector.ts";
import { apart, oneProcess, placeOn, servers } from "./system/deployments.ts";
import { poll } from "./system/poll.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";

const runtimes: readonly Runtime[] = ["bun", "deno"];
const deadlineMs = 30_000;
afterAll(cleanUp);

/** A traceparent with or without the flag that says that its caller records the trace. */
function trace(flags = "01"): { id: string; span: string; header: string } {
  const id = crypto.randomUUID().replaceAll("-", "");
  const span = id.slice(16);
  return { id, span, header: `00-${id}-${span}-${flags}` };
}

describe.each(runtimes)("in one process on %s", (runtime) => {
  test("a create is one trace: request, append, write; what its caller does not record is not", async () => {
    const to = collector();
    const system = await oneProcess(runtime, { OTEL_EXPORTER_OTLP_ENDPOINT: to.url, OTEL_SERVICE_NAME: "tt-test" });
    const ada = await person(system.urls[0]);
    const [recorded, other] = [trace(), trace("00")];
    for (const { header } of [other, recorded]) {
      const body = { title: "traced" };
      expect((await ada.call("POST", "/v1/tasks", { body, headers: { traceparent: header } })).status).toBe(201);
    }
    await poll("the collector has the trace", deadlineMs, () => to.spansOf(recorded.id).length >= 3);
    const [request, append, write] = ["POST /v1/tasks", "append create", "write create"].map((name) =>
      to.spansOf(recorded.id).find((span) => span.name === name),
    );
    expect(request).toMatchObject({ parentSpanId: recorded.span, kind: 2, status: {} });
    expect(append).toMatchObject({ parentSpanId: request?.spanId, kind: 4 });
    expect(write).toMatchObject({ parentSpanId: append?.spanId, kind: 5 });
    expect(request?.attributes).toContainEqual({ key: "http.response.status_code", value: { intValue: "201" } });
    expect(write?.attributes).toContainEqual({ key: "tt.verdict", value: { stringValue: "applied" } });
    for (const span of to.spansOf(recorded.id)) {
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
      expect(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now())).toBeLessThan(120_000);
    }
    expect(to.services()).toEqual(["tt-test"]);
    expect(to.spansOf(other.id)).toEqual([]);
    // What nobody above has begun begins here.
    expect(
      to.spans().some(({ name, parentSpanId }) => name === "POST /v1/auth/register" && parentSpanId === undefined),
    ).toBe(true);
    expect(await system.end()).toEqual([0]);
    to.close();
  }, 120_000);

  test("a collector that is away or silent delays nothing, and is told of once, without its headers' secret", async () => {
    const silent = collector({ silent: true });
    const system = await start({
      runtime,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, OTEL_EXPORTER_OTLP_HEADERS: "api-key=hunter2hunter2" },
    });
    const ada = await person(system.url);
    for (let each = 0; each < 20; each++)
      expect((await ada.call("POST", "/v1/tasks", { body: { title: "quick" } })).status).toBe(201);
    await poll("it was asked", deadlineMs, () => silent.headers("api-key").includes("hunter2hunter2"));
    silent.close();
    await poll("the log tells that it is away", deadlineMs, () => system.stderr().includes('"server":"collector"'));
    const away = trace();
    expect((await ada.call("GET", "/v1/tasks", { headers: { traceparent: away.header } })).status).toBe(200);
    expect((await system.end("SIGTERM")).code).toBe(0);
    expect(system.stderr()).not.toContain("hunter2");
    expect(system.stderr()).toContain(`"address":"${new URL(silent.url).host}"`);
  }, 120_000);
});

test("a stop sends what waits", async () => {
  const to = collector();
  const system = await oneProcess("bun", { OTEL_EXPORTER_OTLP_ENDPOINT: to.url });
  const last = trace();
  await call(system.urls[0], "GET", "/v1/tasks", { headers: { traceparent: last.header } });
  expect(await system.end()).toEqual([0]);
  expect(to.spansOf(last.id).map(({ name }) => name)).toEqual(["GET /v1/tasks"]);
  to.close();
}, 120_000);

test("of traces that begin here the share asked for is recorded", async () => {
  const to = collector();
  const system = await oneProcess("bun", { OTEL_EXPORTER_OTLP_ENDPOINT: to.url, OTEL_TRACES_SAMPLER_ARG: "0" });
  const asked = trace();
  for (let each = 0; each < 50; each++) await call(system.urls[0], "GET", "/v1/tasks");
  await call(system.urls[0], "GET", "/v1/tasks", { headers: { traceparent: asked.header } });
  expect(await system.end()).toEqual([0]);
  expect(to.spans().map(({ traceId }) => traceId)).toEqual([asked.id]);
  to.close();
}, 120_000);

describeWith("on four servers, a process for each role", [await servers()], (urls) => {
  test.each(runtimes)(
    "a change is one trace across processes on %s: request, append, write",
    async (runtime) => {
      const to = collector();
      const place = await placeOn(urls);
      const system = await apart(
        runtime,
        { ...place.env, OTEL_EXPORTER_OTLP_ENDPOINT: to.url },
        { task: 1, consumer: 1 },
      );
      const ada = await person(system.urls[0]);
      const made = await ada.call<{ id: string }>("POST", "/v1/tasks", { body: { title: "traced" } });
      const rename = (title: string) => ada.call("PATCH", `/v1/tasks/${made.body.id}`, { body: { title } });
      await poll("the writer is at work", 60_000, async () => (await rename("at work")).status === 200);
      const one = trace();
      const changed = await ada.call("PATCH", `/v1/tasks/${made.body.id}`, {
        body: { title: "changed" },
        headers: { traceparent: one.header },
      });
      expect(changed.status).toBe(200);
      await poll("the collector has the trace", deadlineMs, () => to.spansOf(one.id).length >= 3);
      let parent = one.span;
      for (const name of ["PATCH /v1/tasks/:id", "append patch", "write patch"]) {
        const span = to.spansOf(one.id).find((each) => each.name === name);
        expect(`${name} below ${span?.parentSpanId}`).toBe(`${name} below ${parent}`);
        parent = span?.spanId ?? "";
      }
      expect(new Set(to.spansOf(one.id).map(({ instance }) => instance)).size).toBe(2);
      expect(await system.end()).toEqual([0, 0, 0]);
      await place.remove();
      to.close();
    },
    180_000,
  );
});
