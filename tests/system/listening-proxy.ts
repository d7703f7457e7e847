/** A TCP proxy in front of MongoDB or Redis that writes down each command sent to it: each is a round trip. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

export type ListeningProxy = {
  /** The server's URL by way of the proxy. */
  readonly url: string;
  /** Names of the commands since the last `forget`, in small letters; what drivers ask for themselves is left out. */
  heard(): readonly string[];
  forget(): void;
  /** Milliseconds since the last command. */
  quietMs(): number;
  close(): Promise<void>;
};

/** Takes the whole messages at the beginning of what has been received: their names, and how many bytes they are. */
type Reader = (received: Buffer) => { readonly names: readonly string[]; readonly bytes: number };

/** `OP_MSG`: header of 16 bytes, flags, the kind of the first section, its document, whose first field names the command. */
const mongo: Reader = (received) => {
  const names: string[] = [];
  let at = 0;
  while (received.length - at >= 4 && received.length - at >= received.readInt32LE(at)) {
    if (received.readInt32LE(at + 12) === 2013)
      names.push(received.toString("latin1", at + 26, received.indexOf(0, at + 26)));
    at += received.readInt32LE(at);
  }
  return { names, bytes: at };
};

/** An array of strings, each with its length before it; the first is the command. */
const redis: Reader = (received) => {
  // A character a byte.
  const text = received.toString("latin1");
  const names: string[] = [];
  let bytes = 0;
  let at = 0;
  const number = (form: RegExp): number => {
    form.lastIndex = at;
    const [whole = "", digits] = form.exec(text) ?? [];
    at += whole.length;
    return Number(digits);
  };
  for (;;) {
    let name: string | undefined;
    let parts = number(/\*(\d+)\r\n/y);
    for (; parts > 0; parts--) {
      const length = number(/\$(\d+)\r\n/y);
      name ??= text.slice(at, at + length);
      at += length + 2;
    }
    if (name === undefined || !(at <= text.length)) return { names, bytes };
    names.push(name);
    bytes = at;
  }
};

/** Health, handshakes and subscriptions: nothing that a request waits for. */
const ownAffairs = new Set([
  "hello",
  "ismaster",
  "ping",
  // The probe of Redis: requests write by scripts alone.
  "set",
  "endsessions",
  "info",
  "client",
  "subscribe",
  "select",
  "auth",
]);

export async function listeningProxy(url: string): Promise<ListeningProxy> {
  const server = new URL(url);
  const read = server.protocol.startsWith("mongodb") ? mongo : redis;
  const target = { host: server.hostname, port: Number(server.port || (read === mongo ? 27_017 : 6_379)) };
  let heard: string[] = [];
  let lastMs = performance.now();

  const listener = createServer((client) => {
    const upstream = connect(target);
    let held: Buffer = Buffer.alloc(0);
    client.on("data", (part: Buffer) => {
      held = Buffer.concat([held, part]);
      const { names, bytes } = read(held);
      held = held.subarray(bytes);
      const counted = names.map((name) => name.toLowerCase()).filter((name) => !ownAffairs.has(name));
      if (counted.length > 0) lastMs = performance.now();
      heard.push(...counted);
      upstream.write(part);
    });
    upstream.on("data", (part: Buffer) => client.write(part));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("error", () => undefined);
      from.on("close", () => to.destroy());
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("Cannot listen: no port");
  server.hostname = "127.0.0.1";
  server.port = String(address.port);
  // A replica set tells its own addresses, which lead around the proxy.
  if (read === mongo) server.searchParams.set("directConnection", "true");
  return {
    url: server.href,
    heard: () => heard,
    forget: () => {
      heard = [];
    },
    quietMs: () => performance.now() - lastMs,
    close: async () => void listener.close(),
  };
}
