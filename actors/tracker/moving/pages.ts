/** What the server gives a page at a time, walked to its end. */

import type { FeedFact } from "../../resources/fact.ts";
import type { Resource } from "./moving-file.ts";
import type { ServerApi } from "./server-api.ts";

const factsAtOnce = 1_000;
const resourcesAtOnce = 100;

export type FactPage = {
  readonly items: readonly FeedFact[];
  /** The last `seq` given, or the one asked for. */
  readonly after: number;
  /** The latest of the space. */
  readonly seq: number;
  readonly epoch: string;
};

/** All that happened behind `after`, up to the latest fact that there is when the end is reached: one page at least. */
export async function* factPages(api: ServerApi, spaceId: string, after: number): AsyncGenerator<FactPage> {
  for (let from = after; ; ) {
    const page = (await api.get(`/v1/spaces/${spaceId}/facts?after=${from}&limit=${factsAtOnce}`)) as FactPage;
    yield page;
    if (page.after >= page.seq || page.items.length === 0) return;
    from = page.after;
  }
}

/** Each resource of a list; `filters` are parts of its query. */
export async function* listed(api: ServerApi, path: string, filters: readonly string[] = []): AsyncGenerator<Resource> {
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = [...filters, `limit=${resourcesAtOnce}`];
    if (cursor !== "") query.push(`cursor=${encodeURIComponent(cursor)}`);
    const page = (await api.get(`${path}?${query.join("&")}`)) as {
      items: readonly Resource[];
      nextCursor: string | null;
    };
    yield* page.items;
    cursor = page.nextCursor;
  }
}
