/** All that has ended and may still be taken for good, as it is read from the stores: by everybody at once, but not more often than is of use. */
import { withDeadline } from "../waiting.ts";
import type { Ended } from "./messages.ts";

export type RevocationList = {
  /** Read now, or less than 100 ms ago. Rejects with what the store rejects with. */
  current(): Promise<Ended[]>;
  /** The same within half a second, and while the store is away what was read last: nothing ends while nothing can be written. Rejects only if nothing was ever read. */
  latest(): Promise<Ended[]>;
  /** Something has just ended here: the next look is a read. */
  outdated(): void;
};

const rememberedMs = 100;
const latestMs = 500;

export function revocationList(read: () => Promise<Ended[]>, now: () => number): RevocationList {
  let reading: { list: Promise<Ended[]>; begunMs: number } | undefined;
  let known: Ended[] | undefined;

  function current(): Promise<Ended[]> {
    const nowMs = now();
    if (reading !== undefined && nowMs >= reading.begunMs && nowMs - reading.begunMs < rememberedMs)
      return reading.list;
    const list = read().then((ended) => (known = ended));
    reading = { list, begunMs: nowMs };
    return list;
  }

  return {
    outdated: () => {
      reading = undefined;
    },
    current,
    async latest() {
      if (known === undefined) return await current();
      const before = known;
      const late = () => new Error("Cannot read what has ended: no answer in time");
      return await withDeadline(current(), latestMs, late).catch(() => before.filter(({ untilMs }) => untilMs > now()));
    },
  };
}
