/** A listening HTTP server on either runtime. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Peer } from "./peer.ts";

export type Listener = {
  port: number;
  /**
   * Stops taking connections, closes the idle ones and resolves when the requests under way are answered, or cut off after `drainMs`:
   * a client that never ends its request keeps nobody waiting (on Deno its connection goes with its thread, because nothing else ends it).
   */
  stop(): Promise<void>;
};
export type Fetch = (request: Request, peer: Peer) => Response | Promise<Response>;

type BunServer = { requestIP(request: Request): { address: string } | null };
type DenoInfo = { remoteAddr: { hostname?: string }; completed: Promise<void> };

type DenoServer = { addr: { port: number }; shutdown(): Promise<void> };
type DenoApi = {
  /** There only with `--unstable-net`. */
  listenDatagram?: unknown;
  serve(
    options: { hostname: string; port: number; reusePort?: boolean; onListen: () => void },
    fetch: (request: Request, info: DenoInfo) => Response | Promise<Response>,
  ): DenoServer;
};

/** Longer than a write may wait for its verdict unless configured otherwise, and below the time that a stopping actor has. */
const drainMs = 2_200;

/** The server's own bound answers with nothing but a status: ours, which is far below, is to answer. What nobody reads it does not keep. */
const serverBodyBytesMax = 2 ** 40;

/** Asks only when somebody wants to know. */
class BunPeer implements Peer {
  readonly #server: BunServer;
  readonly #request: Request;
  constructor(server: BunServer, request: Request) {
    this.#server = server;
    this.#request = request;
  }
  get remoteAddress(): string | undefined {
    return this.#server.requestIP(this.#request)?.address;
  }
  /** Bun knows the address of a request until its answer is written or its connection is closed. */
  get isGone(): boolean {
    return this.remoteAddress === undefined;
  }
}

class DenoPeer implements Peer {
  readonly #info: DenoInfo;
  #isGone: boolean | undefined;
  constructor(info: DenoInfo) {
    this.#info = info;
  }
  get remoteAddress(): string | undefined {
    return this.#info.remoteAddr.hostname;
  }
  /** Looked for from the first time that it is asked. */
  get isGone(): boolean {
    if (this.#isGone === undefined) {
      this.#isGone = false;
      const over = () => {
        this.#isGone = true;
      };
      this.#info.completed.then(over, over);
    }
    return this.#isGone;
  }
}

/** Whether several listeners can share a port in this process: always on Bun, on Deno only with `--unstable-net` (which ends the process when it is missing). */
export function sharesPorts(): boolean {
  const deno = (globalThis as { Deno?: DenoApi }).Deno;
  return deno === undefined || deno.listenDatagram !== undefined;
}

/** Several listeners may share a port with `reusePort` (which is left out where `sharesPorts` is false). Throws what the runtime throws when the port is taken. */
export function listen(fetch: Fetch, options: { host: string; port: number; reusePort?: boolean }): Listener {
  const { host: hostname, port, reusePort = false } = options;
  const deno = (globalThis as { Deno?: DenoApi }).Deno;
  if (deno !== undefined) {
    const given = { hostname, port, reusePort: reusePort && sharesPorts(), onListen: () => {} };
    const server = deno.serve(given, (request, info) => fetch(request, new DenoPeer(info)));
    return { port: server.addr.port, stop: () => drained(server.shutdown(), () => undefined) };
  }
  const server = Bun.serve({
    hostname,
    port,
    reusePort,
    // A request without a usable Host (HTTP/1.0 has none) comes with nothing but its target.
    fetch: (request, self) =>
      fetch(
        request.url.startsWith("/") ? new Request(`http://localhost${request.url}`, request) : request,
        new BunPeer(self, request),
      ),
    development: false,
    maxRequestBodySize: serverBodyBytesMax,
    idleTimeout: 60,
  });
  return { port: server.port ?? port, stop: () => drained(server.stop(false), () => void server.stop(true)) };
}

async function drained(draining: Promise<void>, cut: () => void): Promise<void> {
  const deadline = new AbortController();
  const late = sleep(drainMs, "late", { signal: deadline.signal }).catch(() => "in time");
  if ((await Promise.race([draining, late])) === "late") cut();
  deadline.abort();
}
