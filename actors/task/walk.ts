/**
 * A page of a walk over a list. A walk ends, however much is written meanwhile: what was made since it began is left out, and so is what moves on before it
 * again and again. What stays where it was is met once.
 */
import { instantMs } from "../model/instant.ts";
import { type MaybePromise, then } from "./maybe-promise.ts";
import type { ListedResource, PageEnd, SpaceReads } from "./ports.ts";
import type { ResourceQuery } from "./resource-query.ts";

export type WalkedPage = {
  readonly items: readonly ListedResource[];
  /** Where the next page begins; undefined after the last one. */
  readonly end: PageEnd | undefined;
};

/** The page of a walk that began at an instant of the spaces' own clocks, in epoch milliseconds. */
type Walking = ResourceQuery & { readonly after: PageEnd; readonly begunMs: number };
type Reads = Pick<SpaceReads, "list" | "changes">;

const itemsAtOnce = 100;
/** So often more is read for one page. Beyond that the page is shorter than it could be. */
const readsMax = 50;
const changesAtOnce = 50;
const newest = Number.MAX_SAFE_INTEGER;

export function walkedPage(reads: Reads, query: ResourceQuery): MaybePromise<WalkedPage> {
  return then(reads.list(query), (found) => {
    if (!isWalking(query) || found.every((item) => !isLater(query, item))) return pageOf(query, found);
    return pickedPage(reads, query, found);
  });
}

function isWalking(query: ResourceQuery): query is Walking {
  return query.after !== undefined && query.begunMs !== undefined;
}

/** What was found for one page: its items, and whether there are more. */
export function pageOf({ limit }: ResourceQuery, found: readonly ListedResource[]): WalkedPage {
  const items = found.slice(0, limit);
  return { items, end: found.length > limit ? items.at(-1)?.end : undefined };
}

/** Whether it may not be where it was. By descending instants of their own, changed ones are where the walk has been. */
function isLater({ sort, descending, begunMs }: Walking, { text, end: { key } }: ListedResource): boolean {
  if (isOfInstant(sort)) return !descending && Number(key) > begunMs;
  return updatedMs(text) > begunMs;
}

/** The last member of what is served: a text need not be parsed for it. */
function updatedMs(text: string): number {
  const name = '"updatedAt":"';
  const from = text.lastIndexOf(name) + name.length;
  return instantMs(text.slice(from, text.indexOf('"', from))) ?? 0;
}

/** More is read until the page is full again. */
async function pickedPage(reads: Reads, query: Walking, first: readonly ListedResource[]): Promise<WalkedPage> {
  const kept: ListedResource[] = [];
  let { limit } = query;
  let found = first;
  for (let read = 1; ; read += 1) {
    for (const item of found) {
      if (!isLater(query, item) || (await isOfWalk(reads, query, item))) kept.push(item);
      if (kept.length > query.limit) return pageOf(query, kept);
    }
    const last = found.length > limit ? found.at(-1)?.end : undefined;
    // Behind one that is later by its own instant all are.
    if (last === undefined || isOfInstant(query.sort)) return pageOf(query, kept);
    if (read >= readsMax) return { items: kept.slice(0, query.limit), end: last };
    limit = itemsAtOnce;
    found = await reads.list({ ...query, limit, after: last });
  }
}

/**
 * Whether one that has changed since the walk began was there then, and has moved once at most: it may then be met again, since nobody knows where the walk
 * was at that moment, but not for ever.
 */
async function isOfWalk(reads: Reads, query: Walking, { spaceId, end: { id } }: ListedResource): Promise<boolean> {
  const { sort, begunMs } = query;
  if (isOfInstant(sort)) return false;
  let moves = 0;
  for (let below = newest; ; ) {
    const changes = await reads.changes(spaceId, id, below, changesAtOnce);
    for (const { change, fact } of changes) {
      if ((instantMs(fact.at) ?? 0) <= begunMs) return true;
      if (change.fields[sort] !== undefined) moves += 1;
      if (change.kind === "created" || moves > 1) return false;
    }
    const last = changes.at(-1);
    if (last === undefined || changes.length < changesAtOnce) return true;
    below = last.change.version;
  }
}

function isOfInstant(sort: string): boolean {
  return sort === "createdAt" || sort === "updatedAt";
}
