/** Streams of events as a page follows them, with `fetch`. */
import type { Person } from "./client.ts";
import type { Fact } from "./spaces.ts";

export type Event = {
  event: string;
  id?: string;
  data: Fact & { spaceId: string; seq: number; epoch?: string; partial?: true };
};
export type Following = { events: Event[]; isOver: () => boolean; close: () => void; status: number };

export async function follow(
  who: Person,
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<Following> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${who.tokens.accessToken}`, ...headers },
    signal: abort.signal,
  });
  const events: Event[] = [];
  let isOver = false;
  void (async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const lines = Object.fromEntries(
          part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
        );
        if (lines.event === undefined) continue;
        events.push({
          event: lines.event,
          ...(lines.id === undefined ? {} : { id: lines.id }),
          data: JSON.parse(lines.data ?? "{}"),
        });
      }
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
    });
  return { events, isOver: () => isOver, close: () => abort.abort(), status: answer.status };
}

export const names = ({ events }: Following) => events.map(({ event }) => event);
export const seqs = ({ events }: Following) =>
  events.filter(({ event }) => event === "fact").map(({ data }) => data.seq);
