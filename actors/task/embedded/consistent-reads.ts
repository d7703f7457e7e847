/**
 * The embedded read model is as new as what was answered: the writer commits before it answers, and every reader of the file sees each commit at once. What was
 * read is remembered until the writer counts it on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeCounters } from "../../model/change-counters.ts";
import type { Position } from "../../model/position.ts";
import { Problem } from "../../model/problem.ts";
import type { Head } from "../../resources/document.ts";
import { registry } from "../../resources/registry.ts";
import { cacheCounts } from "../cache-counts.ts";
import type { ConsistentReads, StoredResource } from "../ports.ts";
import type { SqliteSpaceReads } from "./reads.ts";

const waitMs = 1_000;
const pollMs = 5;
/** Characters of resources remembered at most; the oldest go first. */
const rememberedMax = 16_000_000;
/** Each has a whole roster. */
const headsMax = 2_000;

type Found = { readonly resource: StoredResource | undefined; readonly isStale: false };
type Remembered = {
  /** Ids are unique within their space alone. */
  readonly spaceId: string;
  readonly count: number;
  readonly found: Found;
  readonly shownBy: string | undefined;
  readonly shownCount: number;
};

export type LocalReadsParts = {
  readonly reads: Pick<SqliteSpaceReads, "head" | "resources" | "position">;
  readonly counters: ChangeCounters;
  readonly now: () => number;
};

export function localReads({ reads, counters, now }: LocalReadsParts): ConsistentReads {
  const counts = cacheCounts("memory");
  const remembered = new Map<string, Remembered>();
  const heads = new Map<string, { readonly count: number; readonly head: Head | undefined }>();
  let chars = 0;

  function head(spaceId: string): Head | undefined {
    // Before it is read: what changes meanwhile is then counted on after this.
    const count = counters.of(spaceId);
    const known = heads.get(spaceId);
    if (known?.count === count) return known.head;
    const found = reads.head(spaceId);
    if (heads.size >= headsMax) heads.clear();
    heads.set(spaceId, { count, head: found });
    return found;
  }

  function resource(spaceId: string, id: string): Found {
    const count = counters.of(id);
    const known = remembered.get(id);
    const isCurrent =
      known?.count === count &&
      known.spaceId === spaceId &&
      (known.shownBy === undefined || counters.of(known.shownBy) === known.shownCount);
    if (known !== undefined && isCurrent) {
      counts.hit.add();
      return known.found;
    }
    if (known === undefined) counts.miss.add();
    else {
      counts.stale.add();
      forget(id, known);
    }
    // A task is shown in a column of its project: what changes that may change what is shown.
    const [found] = reads.resources(spaceId, [id]);
    if (found === undefined) return { resource: undefined, isStale: false };
    const shownBy = shownByOf(found);
    const shownCount = shownBy === undefined ? 0 : counters.of(shownBy);
    const again = shownBy === undefined ? found : reads.resources(spaceId, [id])[0];
    const value: Remembered = {
      spaceId,
      count,
      found: { resource: again, isStale: false },
      shownBy,
      shownCount,
    };
    remembered.set(id, value);
    chars += again?.text.length ?? 0;
    for (const [oldest, each] of remembered) {
      if (chars <= rememberedMax) break;
      forget(oldest, each);
    }
    return value.found;
  }

  function forget(id: string, { found }: Remembered): void {
    remembered.delete(id);
    chars -= found.resource?.text.length ?? 0;
  }

  const has = ({ partition, offset }: Position): boolean => partition === 0 && reads.position() >= offset;
  async function reached(position: Position): Promise<void> {
    for (const endMs = now() + waitMs; !has(position); ) {
      if (now() >= endMs) throw new Problem("not-yet-visible");
      await sleep(pollMs);
    }
  }
  const after = <T>(token: Position | undefined, next: () => T): T | Promise<T> =>
    token === undefined || has(token) ? next() : reached(token).then(next);

  return {
    head: ({ token }, spaceId) => after(token, () => head(spaceId)),
    resource: ({ token }, spaceId, id) =>
      token === undefined ? resource(spaceId, id) : after(token, () => resource(spaceId, id)),
    isStale: ({ token }) => after(token, () => false),
    // SQLite is in this process: it has what was told.
    replica: () => undefined,
    projectedSeq: (spaceId) => head(spaceId)?.seq ?? 0,
    wrote: () => undefined,
    pending: () => undefined,
  };
}

/** The resource on which it depends how this one is shown: of a task, its project. */
function shownByOf({ type, text }: StoredResource): string | undefined {
  const by = registry.get(type)?.shown?.by;
  if (by === undefined || text.includes(`"${by}":null,`)) return undefined;
  return (JSON.parse(text) as Readonly<Record<string, string>>)[by];
}
