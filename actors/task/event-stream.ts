/** One stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) with a bounded backlog. */

/** A reader that is behind by so many bytes is cut off. */
const backlogBytesMax = 2 ** 20;

const encoder = new TextEncoder();

/** As bytes, so that one text serves all streams. `json`: in the place of `data`. */
export function eventBytes({ event, id, json }: { event: string; id?: string; json: string }): Uint8Array {
  return encoder.encode(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${json}\n\n`);
}

export type EventStream = {
  readonly body: ReadableStream<Uint8Array>;
  /** False where the reader has not kept up, or has gone: the stream is over. */
  send(bytes: Uint8Array): boolean;
  /** Resolves when the reader has taken what was sent, or has gone. */
  room(): Promise<void> | undefined;
  /** Sends the last bytes and ends. */
  end(last: Uint8Array): void;
  readonly isOver: boolean;
  /** Bytes that the reader has not taken. */
  readonly backlog: number;
};

/** `over` is told once, whoever ends it. */
export function eventStream(over: (reason: "gone" | "slow" | "ended") => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let isOver = false;
  /** Of all that wait for room: a stream may catch up in several spaces. */
  let waiting: PromiseWithResolvers<void> | undefined;
  /** Of the chunks that the reader has not taken, oldest first, and of those that it has taken since the last count. */
  const sizes: number[] = [];
  let bytes = 0;

  function finish(reason: "gone" | "slow" | "ended"): void {
    if (isOver) return;
    isOver = true;
    makeRoom();
    over(reason);
  }

  function makeRoom(): void {
    waiting?.resolve();
    waiting = undefined;
  }

  // Its default strategy counts chunks: one that measures them costs 8 KB a stream on Bun.
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    pull: makeRoom,
    cancel: () => finish("gone"),
  });

  function backlog(): number {
    if (isOver) return 0;
    const chunks = 1 - (controller?.desiredSize ?? 1);
    while (sizes.length > chunks) bytes -= sizes.shift() ?? 0;
    return bytes;
  }

  return {
    body,
    get isOver() {
      return isOver;
    },
    get backlog() {
      return backlog();
    },
    send(chunk) {
      if (isOver) return false;
      if (backlog() >= backlogBytesMax) {
        finish("slow");
        controller?.error(new Error("The reader did not keep up"));
        return false;
      }
      try {
        controller?.enqueue(chunk);
      } catch {
        // Closed by the runtime, which has not said so: one stream less, and the others are served.
        finish("gone");
        return false;
      }
      sizes.push(chunk.byteLength);
      bytes += chunk.byteLength;
      return true;
    },
    room() {
      if (isOver || backlog() === 0) return undefined;
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    end(last) {
      if (isOver) return;
      finish("ended");
      try {
        controller?.enqueue(last);
        controller?.close();
      } catch {
        // As above: nobody reads it.
      }
    },
  };
}
