/** Attempts to deliver, on the runtime that runs this: prints what came of each as JSON, with the connections that a listener has counted. */
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { addressRules } from "../../actors/courier/addresses.ts";
import { type Sent, sender } from "../../actors/courier/send.ts";
import { namesOf, resolving } from "./private-names.ts";

const [folder = ""] = process.argv.slice(2);
const signal = new AbortController().signal;
const cert = readFileSync(`${folder}/cert.pem`, "utf8");

/** A port on which all that comes is counted, on both families. */
async function counting(): Promise<{ port: number; count: () => number; close: () => void }> {
  let connections = 0;
  const servers: Server[] = [];
  let port = 0;
  for (const host of ["0.0.0.0", "::"]) {
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const isListening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ port, host, ipv6Only: host === "::" }, () => resolve(true));
    });
    if (!isListening) continue;
    port = (server.address() as AddressInfo).port;
    servers.push(server);
  }
  const close = () => {
    for (const each of servers) each.close();
  };
  return { port, count: () => connections, close };
}

async function privateNames() {
  const listener = await counting();
  const send = sender({ rules: addressRules([]), resolve: resolving(), timeoutMs: 5_000 });
  const outcomes: [string, Sent][] = [];
  for (const name of namesOf())
    for (const scheme of ["https", "http"]) {
      const url = `${scheme}://${name}:${listener.port}/`;
      outcomes.push([url, await send({ url, headers: {}, body: "{}", signal })]);
    }
  // What the count is worth: the same listener, allowed.
  const connections = listener.count();
  const allowed = sender({ rules: addressRules(["127.0.0.1"]), timeoutMs: 5_000 });
  await allowed({ url: `http://127.0.0.1:${listener.port}/`, headers: {}, body: "{}", signal });
  const seen = listener.count();
  listener.close();
  return { outcomes, connections, seen };
}

async function pinned() {
  const server = createTlsServer({ cert, key: readFileSync(`${folder}/key.pem`, "utf8") }, (request, response) => {
    if (request.url === "/redirect") response.writeHead(302, { location: "/elsewhere" });
    response.end(request.headers.host);
  });
  const paths: string[] = [];
  server.on("request", ({ url }) => paths.push(url ?? ""));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let asked = 0;
  // Public when it is checked; whoever asks again is led astray.
  const resolve = async () => (asked++ % 2 === 0 ? ["127.0.0.1"] : ["127.0.0.99"]);
  const send = sender({ rules: addressRules(["127.0.0.1"]), resolve, timeoutMs: 5_000, ca: cert });
  const named = await send({ url: `https://hook.example:${port}/`, headers: {}, body: "{}", signal });
  const askedOnce = asked;
  asked = 0;
  const wrong = await send({ url: `https://other.example:${port}/`, headers: {}, body: "{}", signal });
  asked = 0;
  const redirected = await send({ url: `https://hook.example:${port}/redirect`, headers: {}, body: "{}", signal });
  server.closeAllConnections();
  server.close();
  return { named, askedOnce, wrong, redirected, paths };
}

/** What receivers answer that mean harm or are broken; all at once. */
async function strange() {
  const begun = "HTTP/1.1 200 OK\r\n";
  const endless = (socket: Socket, first: string, piece: string) => {
    socket.write(first);
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on("drain", more);
    more();
  };
  const trickling = (socket: Socket, first: string) => {
    socket.write(first);
    const timer = setInterval(() => socket.write("x"), 100);
    socket.on("close", () => clearInterval(timer));
  };
  const answers: Record<string, (socket: Socket) => void> = {
    "endless header": (socket) => endless(socket, `${begun}x: `, "x".repeat(65_536)),
    "endless headers": (socket) => endless(socket, begun, `x: ${"x".repeat(1_000)}\r\n`.repeat(50)),
    "endless body": (socket) =>
      endless(socket, `${begun}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${"x".repeat(65_536)}\r\n`),
    "compressed zeros": (socket) => {
      const zeros = gzipSync(Buffer.alloc(50_000_000));
      socket.write(`${begun}content-encoding: gzip\r\ncontent-length: ${zeros.length}\r\n\r\n`);
      socket.write(zeros);
    },
    "trickled header": (socket) => trickling(socket, begun),
    "trickled body": (socket) => trickling(socket, `${begun}content-length: 100000\r\n\r\n`),
    silence: () => undefined,
    reset: (socket) => void socket.resetAndDestroy(),
    "not HTTP": (socket) => void socket.end("220 mail.example ESMTP\r\n"),
  };
  const send = sender({ rules: addressRules(["127.0.0.1"]), resolve: async () => ["127.0.0.1"], timeoutMs: 6_000 });
  const outcomeOf = async (answer: (socket: Socket) => void): Promise<Sent> => {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket.on("error", () => undefined));
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const sent = await send({ url: `http://hook.example:${port}/`, headers: {}, body: "{}", signal });
    server.close();
    for (const socket of open) socket.destroy();
    return sent;
  };
  const outcomes = Object.entries(answers).map(async ([name, answer]) => [name, await outcomeOf(answer)]);
  return Object.fromEntries(await Promise.all(outcomes)) as Record<string, Sent>;
}

process.stdout.write(JSON.stringify({ ...(await privateNames()), ...(await pinned()), strange: await strange() }), () =>
  process.exit(0),
);
