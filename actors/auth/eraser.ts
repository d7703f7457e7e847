/** Has what erased users have in spaces erased, by the writers: asked again until it is done, whatever is away meanwhile. */
import { onceEach } from "../outage.ts";
import { type NotedWork, notedWork } from "../waiting.ts";
import type { Erasures } from "./ports.ts";

export type Eraser = NotedWork & { close(): void };

type EraserParts = {
  erasures: Erasures;
  /** Resolves when the writers' side has taken it for good; may be asked again for the same user. */
  deliver: (userId: string) => Promise<void>;
  began: (reason: string) => void;
  over: () => void;
};

export function eraser({ erasures, deliver, began, over }: EraserParts): Eraser {
  const closing = new AbortController();
  const { wake } = notedWork({
    async work() {
      for (const userId of await erasures.waiting()) {
        await deliver(userId);
        await erasures.done(userId);
      }
      return false;
    },
    outage: onceEach({ began, over }),
    until: closing.signal,
  });
  return { wake, close: () => closing.abort() };
}
