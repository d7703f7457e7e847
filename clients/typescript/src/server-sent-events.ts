/** The events of a `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

export type ServerSentEvent = { readonly event: string; readonly data: string; readonly retryMs?: number };

/** Ends with the stream. `alive` is called for everything that arrives, comments too. */
export async function* serverSentEvents(
  stream: ReadableStream<Uint8Array>,
  alive: () => void,
): AsyncGenerator<ServerSentEvent> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) yield parsed(block);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parsed(block: string): ServerSentEvent {
  const fields = block.split("\n").map((line) => /^(\w*): ?(.*)$/.exec(line) ?? []);
  const valueOf = (name: string) => fields.filter((field) => field[1] === name).map((field) => field[2] ?? "");
  const [retry] = valueOf("retry");
  return {
    event: valueOf("event")[0] ?? "",
    data: valueOf("data").join("\n"),
    ...(retry === undefined ? {} : { retryMs: Number(retry) }),
  };
}
