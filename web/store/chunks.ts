/** The cards of a column, or the rows of a list, in chunks that are the same objects as before where nothing in them has changed. */
import type { Task } from "./fields.ts";

/** All that is shown of a task. */
export type Item = { readonly task: Task };
/** The key stays with most of the cards when others come and go. */
export type Chunk<Shown extends Item> = { readonly key: number; readonly items: readonly Shown[] };

const newChunkSize = 40;
const chunkSizeMax = 80;
let lastKey = 0;

/** `isSame`: whether nothing that is shown of a task has changed. Chunks at both ends in which nothing has are left as they are, without another look. */
export function chunked<Shown extends Item>(
  items: readonly Shown[],
  before: readonly Chunk<Shown>[],
  isSame: (one: Shown, other: Shown) => boolean,
): Chunk<Shown>[] {
  let [first, from] = [0, 0];
  for (; first < before.length; first++) {
    const own = before[first]?.items ?? [];
    if (!stands(own, items, from, isSame)) break;
    from += own.length;
  }
  let [last, to] = [before.length, items.length];
  for (; last > first; last--) {
    const own = before[last - 1]?.items ?? [];
    if (to - own.length < from || !stands(own, items, to - own.length, isSame)) break;
    to -= own.length;
  }
  const between = chunkedBetween(items.slice(from, to), before.slice(first, last), {
    isSame,
    sizeMax: before.length === 0 ? newChunkSize : chunkSizeMax,
  });
  return [...before.slice(0, first), ...between, ...before.slice(last)];
}

/** Whether these items are among all from this place on. */
function stands<Shown>(
  own: readonly Shown[],
  items: readonly Shown[],
  from: number,
  isSame: (one: Shown, other: Shown) => boolean,
): boolean {
  if (from + own.length > items.length) return false;
  for (let place = 0; place < own.length; place++)
    if (!isSame(own[place] as Shown, items[from + place] as Shown)) return false;
  return true;
}

type Manner<Shown> = { readonly isSame: (one: Shown, other: Shown) => boolean; readonly sizeMax: number };

function chunkedBetween<Shown extends Item>(
  items: readonly Shown[],
  before: readonly Chunk<Shown>[],
  { isSame, sizeMax }: Manner<Shown>,
): Chunk<Shown>[] {
  const starts = startsOf(items, before);
  const made: { key: number | undefined; items: Shown[] }[] = [];
  let current = { key: undefined as number | undefined, items: [] as Shown[] };
  for (const item of items) {
    const key = starts.get(item.task.id);
    const isFull = current.items.length >= sizeMax;
    if (isFull || (key !== undefined && current.key !== undefined)) {
      made.push(current);
      current = { key, items: [item] };
    } else {
      current.key ??= key;
      current.items.push(item);
    }
  }
  if (current.items.length > 0) made.push(current);
  const known = new Map(before.map((chunk) => [chunk.key, chunk]));
  return made.map(({ key, items: own }) => {
    const old = key === undefined ? undefined : known.get(key);
    if (old !== undefined && old.items.length === own.length && stands(old.items, own, 0, isSame)) return old;
    lastKey += 1;
    return { key: key ?? lastKey, items: own };
  });
}

/**
 * Where each of the chunks begins now: at the first of its cards that has stayed where it was, and where none has, at the first that is still there. A card
 * alone in its chunk gets another rank when the server has decided on it: in another chunk it would be made anew, and lose the focus.
 */
function startsOf<Shown extends Item>(items: readonly Shown[], before: readonly Chunk<Shown>[]): Map<string, number> {
  const ranks = new Map(items.map(({ task }) => [task.id, task.fields.rank]));
  const starts = new Map<string, number>();
  for (const { key, items: old } of before) {
    const start =
      old.find(({ task }) => ranks.get(task.id) === task.fields.rank) ?? old.find(({ task }) => ranks.has(task.id));
    if (start !== undefined) starts.set(start.task.id, key);
  }
  return starts;
}
