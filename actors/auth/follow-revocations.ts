/** Several processes may share one PostgreSQL: what ended in another one is read from there, and told to the workers of this one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ended } from "./messages.ts";

/** With the time of a read this stays below the second in which an ended session must be refused everywhere. */
const everyMs = 400;

/** Reads again and again, for ever, and tells what is new. A read that fails is left out: whoever watches the store tells of it. */
export function followRevocations(parts: {
  read: () => Promise<Ended[]>;
  tell: (ended: Ended[]) => void;
  now: () => number;
}): { close(): void } {
  const { read, tell, now } = parts;
  const closed = new AbortController();
  const told = new Map<string, number>();

  async function round(): Promise<void> {
    const ended = await read();
    const news = ended.filter(({ hash }) => !told.has(hash));
    for (const { hash, untilMs } of news) told.set(hash, untilMs);
    if (news.length > 0) tell(news);
    for (const [hash, untilMs] of told) if (untilMs <= now()) told.delete(hash);
  }

  void (async () => {
    while (!closed.signal.aborted) {
      await round().catch(() => undefined);
      await sleep(everyMs, undefined, { signal: closed.signal }).catch(() => undefined);
    }
  })();
  return { close: () => closed.abort() };
}
