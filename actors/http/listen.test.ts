import { afterAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryOf } from "../../tests/system/runtimes.ts";

const dir = mkdtempSync(join(tmpdir(), "listen-"));
const file = join(dir, "server.ts");
afterAll(() => rmSync(dir, { recursive: true }));
/** Serves until SIGTERM, then stops, says how long that took in milliseconds, and ends as a worker does: whatever is still open. */
writeFileSync(
  file,
  `
  import process from "node:process";
  import { listen } from ${JSON.stringify(new URL("./listen.ts", import.meta.url).href)};
  import { toResponse } from ${JSON.stringify(new URL("./answer.ts", import.meta.url).href)};
  const listener = listen(async ({ url }, peer) => {
    if (url.endsWith("/long")) {
      await new Promise((resolve) => setImmediate(resolve));
      return toResponse({ status: 200, json: JSON.stringify("ж".repeat(20_000)) }, { requestId: "long", hsts: undefined });
    }
    if (url.endsWith("/who")) return new Response(peer.remoteAddress);
    // Answered a moment after the stop has begun.
    if (url.endsWith("/slow")) await new Promise((resolve) => process.once("SIGTERM", () => setTimeout(resolve, 50)));
    return new Response("well");
  }, { host: "127.0.0.1", port: 0, idleTimeoutS: 4 });
  process.once("SIGTERM", async () => {
    const began = performance.now();
    await listener.stop();
    process.stdout.write("stopped " + Math.round(performance.now() - began) + "\\n");
    process.exit(0);
  });
  process.stdout.write("port " + listener.port + "\\n");
`,
);

async function serve(runtime: "bun" | "deno") {
  const child = spawn(binaryOf(runtime), runtime === "bun" ? [file] : ["run", "-A", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let told = "";
  const word = (pattern: RegExp): Promise<number> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = pattern.exec(told)?.[1];
        if (found === undefined) return;
        child.stdout.off("data", look);
        resolve(Number(found));
      };
      child.stdout.on("data", look);
      look();
    });
  child.stdout.on("data", (text) => (told += text));
  return {
    port: await word(/port (\d+)/),
    stop: () => child.kill("SIGTERM"),
    stoppedMs: () => word(/stopped (\d+)/),
    ended,
  };
}

/** A connection with everything that came over it, and its end. */
function client(port: number, text: string) {
  const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
  let got = "";
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(got)));
  const answered = new Promise<void>((resolve) =>
    socket.on("data", (data) => {
      got += data;
      resolve();
    }),
  );
  return { answered, closed };
}
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

for (const runtime of ["bun", "deno"] as const) {
  test(`on ${runtime}, stopping answers what is under way and closes idle connections at once`, async () => {
    const server = await serve(runtime);
    const idle = Array.from({ length: 10 }, () => client(server.port, get("/")));
    await Promise.all(idle.map(({ answered }) => answered));
    const slow = client(server.port, get("/slow"));
    // Another answer on a later connection proves that the slow request has arrived.
    await client(server.port, get("/")).answered;
    server.stop();
    expect(await server.stoppedMs()).toBeLessThan(1_000);
    expect(await slow.closed).toEndWith("well");
    await Promise.all(idle.map(({ closed }) => closed));
    expect(await server.ended).toBe(0);
  });

  test(`on ${runtime}, the other end of the connection is known, also of a request without a host`, async () => {
    const server = await serve(runtime);
    const { answered, closed } = client(server.port, get("/who"));
    await answered;
    const old = client(server.port, "GET /who HTTP/1.0\r\n\r\n");
    expect(await old.closed).toEndWith("127.0.0.1");
    server.stop();
    expect(await closed).toEndWith("127.0.0.1");
    expect(await server.ended).toBe(0);
  });

  test(`on ${runtime}, a request that never ends holds nobody for long`, async () => {
    const server = await serve(runtime);
    const endless = client(server.port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    const slowHeader = client(server.port, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    await client(server.port, get("/")).answered;
    server.stop();
    expect(await server.stoppedMs()).toBeLessThan(3_500);
    await Promise.all([endless.closed, slowHeader.closed]);
    expect(await server.ended).toBe(0);
  });
}

test("on bun, a connection on which nothing comes is closed, wherever its request has stopped", async () => {
  const server = await serve("bun");
  const stopped = ["", "GET / HTTP/1.1\r\nHost: a\r\nX-", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"];
  await Promise.all(stopped.map((sent) => client(server.port, sent).closed));
  server.stop();
  expect(await server.ended).toBe(0);
}, 60_000);

test.each(["bun", "deno"] as const)(
  "on %s, a long answer that comes late begins with all of its headers at once",
  async (runtime) => {
    const server = await serve(runtime);
    try {
      for (let each = 0; each < 20; each++) {
        const socket = connect(server.port, "127.0.0.1");
        socket.write("GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        const pieces: Buffer[] = [];
        for await (const piece of socket) pieces.push(piece as Buffer);
        expect(pieces[0]?.toString()).toContain("\r\n\r\n");
        expect(Buffer.concat(pieces).toString()).toContain("ж".repeat(5_000));
      }
    } finally {
      server.stop();
    }
    expect(await server.ended).toBe(0);
  },
);
