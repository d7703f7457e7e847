/** Attempts to deliver, on the runtime that runs this: prints what came of each as JSON, with the connections that a listener has counted. */
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import process from "node:process";
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

process.stdout.write(JSON.stringify({ ...(await privateNames()), ...(await pinned()) }), () => process.exit(0));
