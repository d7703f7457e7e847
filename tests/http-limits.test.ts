/** How long a request's line and headers may be: the platforms' bounds, as docs/operations.md has them. */
import { afterAll, describe, expect, test } from "bun:test";
import { rawRequest } from "./system/raw.ts";
import { cleanUp, type Runtime, type System, start } from "./system/server.ts";

const deadlineMs = 120_000;
afterAll(cleanUp);

/** Of each platform: bytes in all that are taken and that are not, header fields that are not, and what the refusal is. */
const bounds: Record<Runtime, { taken: number; beyond: number; fieldsBeyond: number; status: number }> = {
  bun: { taken: 16_000, beyond: 16_400, fieldsBeyond: 200, status: 431 },
  deno: { taken: 64_000, beyond: 70_000, fieldsBeyond: 150, status: 400 },
};
const fieldsTaken = 100;

for (const runtime of Object.keys(bounds) as Runtime[]) {
  describe(`the request line and headers on ${runtime}`, () => {
    const { taken, beyond, fieldsBeyond, status } = bounds[runtime];
    let begun: Promise<System> | undefined;
    const system = () => {
      begun ??= start({ runtime });
      return begun;
    };
    const statusOf = async (lines: readonly string[]) => (await rawRequest((await system()).url, lines)).status;
    /** What is left unread when a server closes resets the connection, and that may overtake the answer. */
    const refusalOf = (lines: readonly string[]) =>
      statusOf(lines).catch((error: Error) => {
        expect(error.message).toMatch(/ECONNRESET|EPIPE/);
        return status;
      });
    const withUrl = (bytes: number) => [`GET /v1/openapi.json?x=${"a".repeat(bytes - 200)} HTTP/1.1`];
    const withHeader = (bytes: number) => ["GET /health HTTP/1.1", `x-long: ${"a".repeat(bytes - 200)}`];
    const withFields = (count: number) => [
      "GET /health HTTP/1.1",
      ...Array.from({ length: count - 2 }, (_, at) => `x-${at}: a`),
    ];

    test(
      `are read up to ${taken} bytes and ${fieldsTaken} fields`,
      async () => {
        // An unknown parameter: refused by the route, not by the platform.
        expect(await statusOf(withUrl(taken))).toBe(422);
        expect(await statusOf(withHeader(taken))).toBe(200);
        expect(await statusOf(withFields(fieldsTaken))).toBe(200);
      },
      deadlineMs,
    );

    test(
      `are refused with ${status} beyond the platform's bounds, and the server goes on`,
      async () => {
        expect(await refusalOf(withUrl(beyond + 200))).toBe(status);
        expect(await refusalOf(withHeader(beyond + 200))).toBe(status);
        expect(await refusalOf(withFields(fieldsBeyond))).toBe(status);
        expect(await statusOf(withFields(fieldsTaken))).toBe(200);
        expect((await (await system()).end("SIGTERM")).code).toBe(0);
      },
      deadlineMs,
    );
  });
}
