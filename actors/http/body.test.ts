import { expect, test } from "bun:test";
import { exposition } from "../metrics/exposition.ts";
import { Region, regionBytes } from "../metrics/region.ts";
import { countIn } from "../metrics/registry.ts";
import type { Problem } from "../model/problem.ts";
import { bodyBytesMax, form, readBody, readBytes } from "./body.ts";
import { problemOf } from "./problem-of-for-tests.ts";

const json = ["application/json"];

/** A request whose body comes in chunks, without a length. */
function chunked(chunks: readonly (string | Error)[], headers: Record<string, string> = {}): Request {
  const left = [...chunks];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift();
      if (next === undefined) controller.close();
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(new TextEncoder().encode(next));
    },
  });
  return new Request("http://localhost/", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", "transfer-encoding": "chunked", ...headers },
  });
}

function request(body: string | Uint8Array<ArrayBuffer> | null, headers: Record<string, string>): Request {
  const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Request("http://localhost/", { method: "POST", body, headers: { ...length, ...headers } });
}

test.each([
  "application/json",
  "Application/JSON",
  "application/json; charset=utf-8",
  'application/json;charset="UTF-8"',
  "application/json; v=1",
])("%s is taken", async (type) => {
  expect(await readBody(request('{"a":1}', { "content-type": type }), json)).toEqual({ a: 1 });
});

test.each([
  "text/plain",
  "application/jsonp",
  "application/json; charset=latin1",
  "application/json; charset=utf-8; charset=utf-16",
  'application/json; charset="utf-8',
  "application/merge-patch+json",
  ";",
  "*/*",
])("%s is an unsupported media type", async (type) => {
  expect(await problemOf(() => readBody(request("{}", { "content-type": type }), json))).toBe("unsupported-media-type");
});

test("a body without a type is an unsupported media type, none at all is empty", async () => {
  const bare = request(new TextEncoder().encode("{}"), {});
  bare.headers.delete("content-type");
  expect(await problemOf(() => readBody(bare, json))).toBe("unsupported-media-type");
  expect(await problemOf(() => readBody(request(null, {}), json))).toBe("malformed-json");
});

test("an encoded body is an unsupported media type", async () => {
  expect(
    await problemOf(() =>
      readBody(request("{}", { "content-type": "application/json", "content-encoding": "gzip" }), json),
    ),
  ).toBe("unsupported-media-type");
});

test("256 KiB are taken and one byte more is too large, with a length and without", async () => {
  const most = `"${"x".repeat(bodyBytesMax - 2)}"`;
  for (const make of [
    (text: string) => request(text, { "content-type": "application/json" }),
    (text: string) => chunked([text.slice(0, 1000), text.slice(1000)]),
  ]) {
    expect(await problemOf(() => readBody(make(most), json))).toBeUndefined();
    expect(await problemOf(() => readBody(make(`${most} `), json))).toBe("body-too-large");
  }
});

test("the media type is looked at before the size, the size before the form", async () => {
  const large = "{".repeat(bodyBytesMax + 1);
  expect(await problemOf(() => readBody(request(large, { "content-type": "text/plain" }), json))).toBe(
    "unsupported-media-type",
  );
  expect(await problemOf(() => readBody(request(large, { "content-type": "application/json" }), json))).toBe(
    "body-too-large",
  );
});

test("chunks are put together across code points, and a body that is cut off is malformed", async () => {
  const bytes = new TextEncoder().encode('"é😀"');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  expect(
    await readBody(
      new Request("http://localhost/", { method: "POST", body, headers: { "content-type": "application/json" } }),
      json,
    ),
  ).toBe("é😀");
  expect(await problemOf(() => readBody(chunked(['{"a":', new Error("connection reset")]), json))).toBe(
    "malformed-json",
  );
});

test("a form of a hundred thousand faults tells a thousand", async () => {
  const failed = await readBody(request("x&".repeat(100_000), { "content-type": form }), [form]).catch(
    (problem: Problem) => problem,
  );
  expect((failed as Problem).errors).toHaveLength(1_000);
});

test("a form is read strictly", async () => {
  const read = (text: string) => readBody(request(text, { "content-type": form }), [form]);
  expect(await read("username=a%40b&password=p+w&__proto__=x")).toEqual(
    JSON.parse('{"username":"a@b","password":"p w","__proto__":"x"}'),
  );
  for (const bad of ["a=1&a=2", "a=%zz", "a=%00"]) expect(await problemOf(() => read(bad))).toBe("validation");
  expect(await problemOf(() => readBody(request("a=1", { "content-type": form }), json))).toBe(
    "unsupported-media-type",
  );
});

test("a body that is not complete in time is refused, and counted", async () => {
  const region = new Region(new SharedArrayBuffer(regionBytes), 0);
  countIn(region);
  const endless = new Request("http://localhost/", { method: "POST", body: new ReadableStream({}) });
  expect(await problemOf(() => readBytes(endless, { timeoutMs: 20 }))).toBe("malformed-json");
  expect(exposition([{ actor: "task", index: 0, region }])).toContain('http_requests_cut_total{reason="slow"} 1\n');
});
