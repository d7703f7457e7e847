/**
 * The front door of docker-compose.yml: one published port for a role, however many containers run it. It knows TCP only: each connection goes to
 * the container with the fewest, the next one is tried when one does not take it, and while none does, connections wait for a moment instead of failing.
 */
import { Resolver } from "node:dns/promises";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import process from "node:process";
import { problems } from "../../actors/model/problem.ts";

/** One port that is listened on, and where its connections go. */
export type Route = { port: number; toPort: number; addresses: () => Promise<readonly string[]> };

export type Edge = {
  /** The ports in the order of the routes; useful when 0 was asked for. */
  readonly ports: readonly number[];
  /** No new connections; those at rest are closed at once, those with a request under way when it is answered, all after 10 s. */
  stop(): Promise<void>;
};

/** How long a connection may wait for a container that takes it: longer than the restart of a role. */
const WAIT_MS = 10_000;
const DIAL_MS = 1_000;
const PAUSE_MS = 100;
const DRAIN_MS = 10_000;
/** A connection is at rest when the last bytes were an answer's and nothing followed for this long. */
const REST_MS = 100;
const CONNECTIONS_MAX = 4_096;

type Pair = { client: Socket; answeredAtMs: number; asking: boolean };

export async function edge(host: string, routes: readonly Route[]): Promise<Edge> {
  const pairs = new Set<Pair>();
  const waiting = new Set<Socket>();
  let stopping = false;

  /** Connections to each address, those that are being made among them. */
  const loads = new Map<string, number>();
  const load = (address: string): number => loads.get(address) ?? 0;
  const count = (address: string, change: 1 | -1): void => {
    const now = load(address) + change;
    if (now > 0) loads.set(address, now);
    else loads.delete(address);
  };

  /** A connection to the least loaded address that takes one; it stays counted. */
  const reach = async (route: Route, client: Socket): Promise<{ server: Socket; address: string } | undefined> => {
    const deadlineMs = performance.now() + WAIT_MS;
    while (performance.now() < deadlineMs && !client.destroyed && !stopping) {
      const addresses = [...(await route.addresses().catch(() => []))];
      for (const address of addresses.sort((a, b) => load(a) - load(b))) {
        count(address, 1);
        const server = await dialed(address, route.toPort);
        if (server !== undefined) return { server, address };
        count(address, -1);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return undefined;
  };

  const take = async (route: Route, client: Socket): Promise<void> => {
    client.setNoDelay(true).on("error", () => client.destroy());
    if (pairs.size + waiting.size >= CONNECTIONS_MAX) return refuse(client);
    waiting.add(client);
    const reached = await reach(route, client);
    waiting.delete(client);
    if (reached === undefined) return refuse(client);
    const { server, address } = reached;
    const pair: Pair = { client, answeredAtMs: performance.now(), asking: false };
    pairs.add(pair);
    // Each side's end is passed on; the failure or close of one ends the other.
    const close = () => {
      if (pairs.delete(pair)) count(address, -1);
      client.destroy();
      server.destroy();
    };
    server.on("error", close).on("close", close);
    client.on("close", close);
    if (client.destroyed) return close();
    client.on("data", () => (pair.asking = true));
    server.on("data", () => {
      pair.asking = false;
      pair.answeredAtMs = performance.now();
      if (stopping) takeNoMore(pair);
    });
    client.pipe(server);
    server.pipe(client);
  };

  const servers: Server[] = [];
  for (const route of routes) {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void take(route, client));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen({ host, port: route.port, backlog: 1_024 }, resolve);
    });
    servers.push(server);
  }
  return {
    ports: servers.map((server) => (server.address() as { port: number }).port),
    stop: async () => {
      stopping = true;
      for (const server of servers) server.close();
      for (const pair of pairs) if (!pair.asking) takeNoMore(pair);
      const deadlineMs = performance.now() + DRAIN_MS;
      while (pairs.size + waiting.size > 0 && performance.now() < deadlineMs) {
        const nowMs = performance.now();
        for (const pair of pairs) if (!pair.asking && nowMs - pair.answeredAtMs >= REST_MS) pair.client.destroy();
        await new Promise((resolve) => setTimeout(resolve, REST_MS / 4));
      }
      for (const { client } of pairs) client.destroy();
    },
  };
}

/** What the client sends from now on stays unread: it was not taken, and may safely be sent again to whoever comes next. */
function takeNoMore({ client }: Pair): void {
  client.unpipe().pause();
}

/** A connection to that address, or nothing when it is not taken in time. */
function dialed(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = dial({ host, port, allowHalfOpen: true, noDelay: true });
    const settle = (connected: boolean) => {
      clearTimeout(late);
      socket.removeAllListeners("error").removeAllListeners("connect");
      if (!connected) socket.on("error", () => {}).destroy();
      resolve(connected ? socket : undefined);
    };
    const late = setTimeout(settle, DIAL_MS, false);
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}

/** Answers as the role itself would while it starts, and closes. */
function refuse(client: Socket): void {
  const { status, title } = problems.overloaded;
  const detail = "The server is starting; retry in a second.";
  const body = JSON.stringify({ type: "/problems/overloaded", title, status, detail, code: "overloaded" });
  const head = [
    `HTTP/1.1 ${status} Service Unavailable`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Retry-After: 1",
    "Connection: close",
  ];
  client.resume().end(`${head.join("\r\n")}\r\n\r\n${body}`, () => client.destroy());
}

/**
 * `3010=auth:3000`: connections to port 3010 go to port 3000 of whatever the name `auth` stands for at the time. A resolver is used once: it keeps
 * answers for as long as they say, 600 s with Docker's, and the address of a container that is gone may be that of another role by then.
 */
export function readRoute(text: string, resolver: () => Pick<Resolver, "resolve4"> = () => new Resolver()): Route {
  const [, port, name = "", toPort] = /^(\d+)=([a-z0-9.-]+):(\d+)$/.exec(text) ?? [];
  if (toPort === undefined)
    throw new Error(`Cannot read the route ${JSON.stringify(text)}: it is not like 3010=auth:3000`);
  let known: { addresses: Promise<string[]>; untilMs: number } | undefined;
  const addresses = () => {
    if (known === undefined || performance.now() > known.untilMs)
      known = { addresses: resolver().resolve4(name), untilMs: performance.now() + PAUSE_MS };
    return known.addresses;
  };
  return { port: Number(port), toPort: Number(toPort), addresses };
}

if (import.meta.main) {
  const running = await edge(
    "0.0.0.0",
    process.argv.slice(2).map((text) => readRoute(text)),
  );
  const stop = () => void running.stop().then(() => process.exit(0));
  process.once("SIGTERM", stop).once("SIGINT", stop);
}
