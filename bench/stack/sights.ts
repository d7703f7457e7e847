/** When a document can be seen in MongoDB: one question at a time for all that are looked for, so that looking costs the server little. */

import type { Collection } from "mongodb";

export type Sights = {
  /** When it was seen (on `performance`'s clock), the time of the answer that tells it included. Rejects after ten seconds. */
  seen(id: string): Promise<number>;
};

const pauseMs = 2;
const patienceMs = 10_000;

type Wanted = { readonly untilMs: number; readonly see: (atMs: number) => void; readonly miss: (why: Error) => void };

export function sights<Document extends { _id: string }>(collection: Collection<Document>): Sights {
  const documents = collection as unknown as Collection<{ _id: string }>;
  const wanted = new Map<string, Wanted>();
  let looking = false;

  async function look(): Promise<void> {
    looking = true;
    while (wanted.size > 0) {
      const found = await documents.find({ _id: { $in: [...wanted.keys()] } }, { projection: { _id: 1 } }).toArray();
      const nowMs = performance.now();
      for (const { _id } of found) {
        wanted.get(_id)?.see(nowMs);
        wanted.delete(_id);
      }
      for (const [id, { untilMs, miss }] of wanted) {
        if (nowMs < untilMs) continue;
        wanted.delete(id);
        miss(new Error(`Cannot measure: what was acknowledged is not in MongoDB after ${patienceMs} ms`));
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    looking = false;
  }

  return {
    seen: (id) =>
      new Promise((see, miss) => {
        wanted.set(id, { untilMs: performance.now() + patienceMs, see, miss });
        if (!looking) look().catch((why: Error) => wanted.forEach((each) => void each.miss(why)));
      }),
  };
}
