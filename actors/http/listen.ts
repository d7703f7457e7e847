/** A listening HTTP server on either runtime. */
import { setTimeout as sleep } from "node:timers/promises";
import { longTextOf } from "./answer.ts";
import { acceptErrors as acceptFailures } from "./listener-counts.ts";
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

type DenoServer = { addr: { port: number }; finished: Promise<void>; shutdown(): Promise<void> };
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

/** Proxies and balancers keep idle connections for 60 s: who closes first loses the request that is on its way. In seconds, at most 255 (Bun's bound). */
const idleTimeoutS = 75;

/** From a listener that cannot accept to the next: connections end meanwhile and give their descriptors back. */
const pauseMs = 100;

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

export type ListenOptions = {
  host: string;
  port: number;
  /** Several listeners may share the port (left out where `sharesPorts` is false). */
  reusePort?: boolean;
  /** A connection on which nothing comes for so long is closed, in the middle of headers or a body too (Bun only). In seconds; 75 unless told. */
  idleTimeoutS?: number;
  /** Accepting failed for the first time in a row, or goes on after so many failures: for the log. */
  onAcceptError?: (state: "failing" | "recovered", fields: { failures: number; reason: string }) => void;
};

/** Throws what the runtime throws when the port is taken. */
export function listen(fetch: Fetch, options: ListenOptions): Listener {
  const { host: hostname, port, reusePort = false } = options;
  const deno = (globalThis as { Deno?: DenoApi }).Deno;
  if (deno !== undefined) return new DenoListener(deno, fetch, options);
  const server = Bun.serve({
    hostname,
    port,
    reusePort,
    // A request without a usable Host (HTTP/1.0 has none) comes with nothing but its target.
    fetch(request, self) {
      const whole = request.url.startsWith("/") ? new Request(`http://localhost${request.url}`, request) : request;
      const answer = fetch(whole, new BunPeer(self, request));
      return answer instanceof Promise && request.method !== "HEAD" ? answer.then(inFewSends) : answer;
    },
    development: false,
    maxRequestBodySize: serverBodyBytesMax,
    idleTimeout: options.idleTimeoutS ?? idleTimeoutS,
  });
  return { port: server.port ?? port, stop: () => drained(server.stop(false), () => void server.stop(true)) };
}

/** Bun's buffer for what is sent at once, less room for the headers. */
const atOnceBytesMax = 15_000;
const encoder = new TextEncoder();

/**
 * An answer that comes later than in its request's own turn and does not fit into Bun's buffer is sent name by name and value by value, some 40 sends for
 * one answer (docs/runtime-reports.md). As a stream its headers are one send and its body another.
 */
function inFewSends(response: Response): Response {
  const text = longTextOf(response);
  const bytes = text === undefined ? undefined : encoder.encode(text);
  if (bytes === undefined || bytes.byteLength < atOnceBytesMax) return response;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

/**
 * `Deno.serve` gives up for good at the first connection that it cannot accept. Its idle connections are closed then, which frees descriptors, what is
 * under way is answered, and a new server listens on the same port. What comes in between is refused.
 */
class DenoListener implements Listener {
  readonly port: number;
  readonly #serve: () => DenoServer;
  readonly #options: ListenOptions;
  #server: DenoServer;
  /** Servers that gave up and still answer what is under way. */
  readonly #ending = new Set<Promise<void>>();
  #failures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(deno: DenoApi, fetch: Fetch, options: ListenOptions) {
    this.#options = options;
    let port = options.port;
    const reusePort = options.reusePort === true && sharesPorts();
    this.#serve = () =>
      deno.serve({ hostname: options.host, port, reusePort, onListen: () => {} }, (request, info) =>
        fetch(request, new DenoPeer(info)),
      );
    this.#server = this.#serve();
    port = this.#server.addr.port;
    this.port = port;
    this.#watch();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    return drained(Promise.all([...this.#ending, quietly(this.#server.shutdown())]), () => undefined);
  }

  #watch(): void {
    const server = this.#server;
    server.finished.catch((error: unknown) => {
      if (this.#stopped) return;
      const ending = quietly(server.shutdown()).finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
      this.#failed(error);
    });
  }

  #failed(error: unknown): void {
    acceptFailures.add();
    this.#failures++;
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failures === 1) this.#options.onAcceptError?.("failing", { failures: 1, reason });
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#listenAgain(reason), pauseMs);
  }

  #listenAgain(reason: string): void {
    try {
      this.#server = this.#serve();
    } catch (error) {
      return this.#failed(error);
    }
    this.#watch();
    // A listener that fails again at once is the same shortage.
    this.#again = setTimeout(() => {
      this.#options.onAcceptError?.("recovered", { failures: this.#failures, reason });
      this.#failures = 0;
    }, 50 * pauseMs);
  }
}

/** Tells an actor's log of a shortage once, and of its end with how often accepting failed meanwhile. */
export function acceptErrors(log: (level: "warn" | "info", event: string, fields: Record<string, unknown>) => void) {
  return (state: "failing" | "recovered", fields: { failures: number; reason: string }): void =>
    state === "failing" ? log("warn", "accept-failed", fields) : log("info", "accept-recovered", fields);
}

/** A server that gave up may be gone before it is told to shut down. */
function quietly(ending: Promise<void>): Promise<void> {
  return ending.catch(() => undefined);
}

async function drained(draining: Promise<unknown>, cut: () => void): Promise<void> {
  const deadline = new AbortController();
  const late = sleep(drainMs, "late", { signal: deadline.signal }).catch(() => "in time");
  if ((await Promise.race([draining, late])) === "late") cut();
  deadline.abort();
}
