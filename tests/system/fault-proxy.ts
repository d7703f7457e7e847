/** A TCP proxy in front of a real server that can fail in the ways in which networks and servers do. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * `pass`: everything goes through.
 * `slow`: so does it, each part `delayMs` later, each way.
 * `refuse`: nobody listens, connections that were open are reset.
 * `cut`: connections that are open, and each new one, are reset.
 * `stall`: connections stay and can be made, and nothing that is sent on them ever arrives, either way: not even after the mode has changed.
 * `drop-replies`: what is sent arrives, the answer does not: in its place the connection is reset.
 */
export type Mode = "pass" | "slow" | "refuse" | "cut" | "stall" | "drop-replies";

export type FaultProxy = {
  readonly port: number;
  /** Holds from when the promise resolves on, for old connections and new ones. */
  mode(mode: Mode, options?: { delayMs: number }): Promise<void>;
  /** How many are open now. */
  connections(): number;
  close(): Promise<void>;
};

type Pair = {
  readonly client: Socket;
  readonly server: Socket;
  stalled: boolean;
};

/** Listens on a free port of 127.0.0.1, for the server on `targetPort` there. */
export async function faultProxy(targetPort: number): Promise<FaultProxy> {
  let mode: Mode = "pass";
  let delayMs = 0;
  const pairs = new Set<Pair>();

  const reset = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.destroy();
  };

  /** Carries what one side sends to the other, in order. */
  function carry(pair: Pair, from: Socket, to: Socket): void {
    let last = Promise.resolve();
    const inOrder = (step: () => void): void => {
      const dueMs = mode === "slow" ? performance.now() + delayMs : 0;
      last = last.then(async () => {
        const remainingMs = dueMs - performance.now();
        if (remainingMs > 0) await new Promise((resolve) => setTimeout(resolve, remainingMs));
        step();
      });
    };
    from.on("data", (bytes: Buffer) => {
      if (pair.stalled) return;
      if (mode === "drop-replies" && from === pair.server) return reset(pair);
      inOrder(() => {
        if (to.destroyed || pair.stalled || to.write(bytes)) return;
        from.pause();
        to.once("drain", () => from.resume());
      });
    });
    from.on("end", () => {
      if (!pair.stalled) inOrder(() => void to.end());
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      // The side that is left hears of it, unless the line is dead.
      if (pair.stalled && from === pair.server) return;
      inOrder(() => {
        pairs.delete(pair);
        to.destroy();
      });
    });
  }

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    if (mode === "cut" || mode === "refuse") return void client.resetAndDestroy();
    const server = connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair = { client, server, stalled: mode === "stall" };
    pairs.add(pair);
    carry(pair, client, server);
    carry(pair, server, client);
  });

  async function listen(port: number): Promise<number> {
    listener.listen(port, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("Cannot listen: no port");
    return address.port;
  }
  const stop = async (): Promise<void> => {
    if (!listener.listening) return;
    const closed = once(listener, "close");
    listener.close();
    for (const pair of [...pairs]) reset(pair);
    await closed;
  };

  const port = await listen(0);
  return {
    port,
    async mode(next, options) {
      mode = next;
      delayMs = options?.delayMs ?? 0;
      if (next === "refuse") return await stop();
      if (!listener.listening) await listen(port);
      if (next === "cut") for (const pair of [...pairs]) reset(pair);
      if (next === "stall") for (const pair of pairs) pair.stalled = true;
    },
    connections: () => pairs.size,
    close: stop,
  };
}
