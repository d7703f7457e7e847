/** Every way of framing a request, over raw sockets: what takes effect is answered while the client keeps its side open. */
import { afterAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { poll } from "../../tests/system/poll.ts";
import { binaryOf } from "../../tests/system/runtimes.ts";

const file = new URL("../../tests/system/framing-server.ts", import.meta.url).pathname;
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

async function serve(runtime: "bun" | "deno", files?: number) {
  const command = [binaryOf(runtime), ...(runtime === "bun" ? [] : ["run", "-A", "--no-check"]), file];
  const child =
    files === undefined
      ? spawn(command[0] as string, command.slice(1), { stdio: ["ignore", "pipe", "inherit"] })
      : spawn("sh", ["-c", `ulimit -n ${files}; exec "$@"`, "sh", ...command], {
          stdio: ["ignore", "pipe", "inherit"],
        });
  children.push(child);
  let told = "";
  child.stdout?.on("data", (text) => (told += text));
  await poll("the server listens", 60_000, () => /port \d+\n/.test(told));
  const port = /port (\d+)/.exec(told)?.[1];
  return {
    child,
    port: Number(port),
    told: () => told,
    effects: async () => Number(await (await fetch(`http://127.0.0.1:${port}/effects`)).text()),
  };
}

/** Sends the parts, each in a packet of its own, perhaps says that there is no more, and reads until all is answered or the server closes. */
function exchange(port: number, parts: readonly string[], of: { halfClose: boolean; answers: number }) {
  return new Promise<number[]>((resolve) => {
    let got = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }, async () => {
      for (const part of parts) {
        socket.write(part);
        await new Promise((next) => setTimeout(next, parts.length > 1 ? 3 : 0));
      }
      if (of.halfClose) socket.end();
    });
    const statuses = (): number[] => [...got.matchAll(/HTTP\/1\.[01] (\d+)/g)].map(([, status]) => Number(status));
    const finish = (): void => {
      socket.destroy();
      resolve(statuses());
    };
    socket.on("error", finish).on("end", finish);
    socket.on("data", (data) => {
      got += data;
      if (statuses().length >= of.answers) finish();
    });
    socket.setTimeout(20_000, finish);
  });
}

const json = '{"a":1}';
const fixed = `content-type: application/json\r\ncontent-length: ${json.length}\r\n`;
const chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
const chunks = (last = "0\r\n\r\n", extension = ""): string =>
  `3${extension}\r\n${json.slice(0, 3)}\r\n4\r\n${json.slice(3)}\r\n${last}`;
const post = (headers: string, body: string, path = "/with", version = "1.1"): string =>
  `POST ${path} HTTP/${version}\r\nhost: x\r\n${headers}\r\n${body}`;
const messages: Readonly<Record<string, string>> = {
  "a length": post(fixed, json),
  "a length, Connection: close": post(`connection: close\r\n${fixed}`, json),
  "a length, HTTP/1.0": post(fixed, json, "/with", "1.0"),
  "no body": post("", "", "/without"),
  chunks: post(chunked, chunks()),
  "chunks, Connection: close": post(`connection: close\r\n${chunked}`, chunks()),
  "chunks with an extension": post(chunked, chunks("0;b=c\r\n\r\n", ";a=b")),
};
/** What `Bun.serve` refuses while the handler waits: without effect, and a trailer with 400. */
const refusedByBun: Readonly<Record<string, string>> = {
  "a trailer": post(chunked, chunks("0\r\nx-sum: 1\r\n\r\n")),
  "two requests with a body in a packet": post(fixed, json) + post(fixed, json),
  "two requests without a body in a packet": post("", "", "/without") + post("", "", "/without"),
};
const ways: readonly [string, (message: string) => string[], boolean][] = [
  ["at once", (message) => [message], false],
  ["at once, half-closed", (message) => [message], true],
  ["byte by byte", (message) => [...message], false],
  ["byte by byte, half-closed", (message) => [...message], true],
];

for (const runtime of ["bun", "deno"] as const) {
  test(`on ${runtime}, every request that takes effect is answered while its client keeps its side open`, async () => {
    const server = await serve(runtime);
    let effects = 0;
    for (const [name, message] of Object.entries({ ...messages, ...refusedByBun })) {
      const requests = name.startsWith("two") ? 2 : 1;
      for (const [way, cut, halfClose] of ways) {
        const statuses = await exchange(server.port, cut(message), { halfClose, answers: requests });
        const now = await server.effects();
        const good = statuses.filter((status) => status === 200).length;
        // Both runtimes hang up on a client that has closed its side: its request may have taken effect (docs/guarantees.md).
        expect(now - effects).toBeGreaterThanOrEqual(good);
        expect(now - effects).toBeLessThanOrEqual(requests);
        // Bun's parser refuses a trailer that comes in a later packet than the last chunk when the effect has begun.
        const isLate = runtime === "bun" && name === "a trailer" && way.startsWith("byte by byte");
        if (!halfClose && !isLate) {
          const promised = runtime === "bun" && name in refusedByBun ? good : requests;
          expect({ name, way, effects: now - effects, good }).toEqual({ name, way, effects: good, good: promised });
        }
        effects = now;
      }
    }
  }, 120_000);

  test(`on ${runtime}, running out of file descriptors ends nothing, and the server answers afterwards`, async () => {
    const server = await serve(runtime, 128);
    const sockets = Array.from({ length: 300 }, () => {
      const socket = connect(server.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nhost: x\r\nx-"));
      return socket.on("error", () => undefined);
    });
    await poll("all are in place or refused", 60_000, () => sockets.every(({ connecting }) => !connecting));
    if (runtime === "deno") await poll("the shortage is told", 60_000, () => /accept-failed/.test(server.told()));
    for (const socket of sockets) socket.destroy();
    await poll("it answers", 60_000, () =>
      server.effects().then(
        (count) => count === 0,
        () => false,
      ),
    );
    expect(server.child.exitCode).toBeNull();
    expect(server.told().match(/accept-failed/g)?.length ?? 0).toBe(runtime === "deno" ? 1 : 0);
  }, 150_000);
}
