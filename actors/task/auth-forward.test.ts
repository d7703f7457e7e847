import { expect, test } from "bun:test";
import type { Ref } from "../../runtime/actor.ts";
import { ActorError } from "../../runtime/errors.ts";
import type { auth, HttpAnswer, HttpRequest } from "../auth/messages.ts";
import { bodyBytesMax } from "../http/body.ts";
import { problemOf } from "../http/problem-of-for-tests.ts";
import { forward } from "./auth-forward.ts";

/** Stands where auth's mailbox is, and keeps what it was asked. */
function mailbox(answer: HttpAnswer | Error) {
  const asked: HttpRequest[] = [];
  const ask = async (_kind: string, request: HttpRequest) => {
    asked.push(request);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ref: { ask } as unknown as Ref<typeof auth.accepts>, asked };
}
const well: HttpAnswer = { status: 201, headers: { etag: '"1"', "content-type": "application/json" }, body: "{}" };
const post = (
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  headers: Record<string, string> = {},
): Request => new Request("http://localhost.local/v1/auth/login?x=1", { method: "POST", body, headers });

test("a request goes there as it is, and its answer comes back as it is", async () => {
  const { ref, asked } = mailbox(well);
  const answer = await forward(ref, post('{"é":1}', { authorization: "Bearer x", "content-type": "application/json" }));
  expect(asked).toMatchObject([
    {
      method: "POST",
      url: "http://localhost.local/v1/auth/login?x=1",
      body: '{"é":1}',
      headers: { authorization: "Bearer x" },
    },
  ]);
  expect([answer.status, answer.headers.get("etag"), await answer.text()]).toEqual([201, '"1"', "{}"]);
});

test("auth is told the other end of the connection, and by nobody else", async () => {
  const { ref, asked } = mailbox(well);
  await forward(ref, post("{}", { "x-forwarded-for": "198.51.100.1" }), "192.0.2.7");
  await forward(ref, post("{}"));
  expect(asked.map(({ remoteAddress }) => remoteAddress)).toEqual(["192.0.2.7", undefined]);
});

test("a body that is no UTF-8, or begins with a byte order mark, arrives byte for byte", async () => {
  for (const bytes of [new Uint8Array([0xff, 0x00, 0x7b]), new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])]) {
    const { ref, asked } = mailbox(well);
    await forward(ref, post(bytes));
    const { body, base64 } = asked[0] as HttpRequest;
    expect(new Uint8Array(Buffer.from(body ?? "", base64 === true ? "base64" : "utf8"))).toEqual(bytes);
  }
});

test("a body that is too large is not sent, only its length", async () => {
  const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
  const { ref, asked } = mailbox(well);
  await forward(ref, post(endless));
  expect(asked[0]?.body).toBeNull();
  expect(Number(asked[0]?.headers["content-length"])).toBeGreaterThan(bodyBytesMax);
});

test("an answer without a body has none", async () => {
  const answer = await forward(mailbox({ status: 204, headers: {}, body: null }).ref, post(null));
  expect([answer.status, answer.body]).toEqual([204, null]);
});

test("auth that is away is users-unavailable, with a full mailbox overloaded, and a body cut off is malformed", async () => {
  expect(await problemOf(() => forward(mailbox(new ActorError("Died", "Cannot")).ref, post("{}")))).toBe(
    "users-unavailable",
  );
  expect(await problemOf(() => forward(mailbox(new ActorError("Expired", "Cannot")).ref, post("{}")))).toBe(
    "users-unavailable",
  );
  expect(await problemOf(() => forward(mailbox(new ActorError("Busy", "Cannot")).ref, post("{}")))).toBe("overloaded");
  const cut = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("connection reset")) });
  expect(await problemOf(() => forward(mailbox(well).ref, post(cut)))).toBe("malformed-json");
});
