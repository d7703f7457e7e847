/** The order of a list, as both stores have it: by key, those without one last, then by id, then by space. */

import type { ListedResource, PageEnd } from "./ports.ts";
import type { ResourceQuery } from "./resource-query.ts";

/** The first items of several lists that each are in the query's order; one that is in two of them, because it moved meanwhile, once. */
export function firstOf(query: ResourceQuery, lists: readonly (readonly ListedResource[])[]): ListedResource[] {
  const max = query.limit + 1;
  const all = lists.flat();
  if (lists.length > 1) all.sort((a, b) => compareEnds(query, a.end, b.end));
  const unique = new Map(all.map((item) => [`${item.spaceId} ${item.end.id}`, item]));
  return [...unique.values()].slice(0, max);
}

/** Whether a space's items of the same key and id as the query's end are behind it. */
export function isBehindEnd(
  { after, descending }: Pick<ResourceQuery, "after" | "descending">,
  spaceId: string,
): boolean {
  if (after === undefined || spaceId === after.spaceId) return false;
  return spaceId > after.spaceId !== descending;
}

export function compareEnds({ descending }: Pick<ResourceQuery, "descending">, a: PageEnd, b: PageEnd): number {
  const sign = descending ? -1 : 1;
  if (a.key === null || b.key === null) {
    if (a.key !== b.key) return a.key === null ? 1 : -1;
  } else {
    const byKey = compareKeys(a.key, b.key);
    if (byKey !== 0) return sign * byKey;
  }
  return sign * (compareTexts(a.id, b.id) || compareTexts(a.spaceId, b.spaceId));
}

function compareKeys(a: string | number, b: string | number): number {
  return typeof a === "string" ? compareTexts(a, `${b}`) : a - Number(b);
}

/** By code points, as the bytes of UTF-8 compare. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) return weight(one) - weight(other);
  }
  return a.length - b.length;
}

/** Halves of surrogate pairs come behind all other units. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
