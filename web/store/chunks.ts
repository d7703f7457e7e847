/** The cards of a column in chunks that are the same objects as before where nothing in them has changed. */
import type { Task } from "./tasks.ts";

export type Item = { readonly task: Task; readonly done: number; readonly all: number };
/** The key stays with most of the cards when others come and go. */
export type Chunk = { readonly key: number; readonly items: readonly Item[] };

const newChunkSize = 40;
const chunkSizeMax = 80;
let lastKey = 0;

export function chunked(items: readonly Item[], before: readonly Chunk[]): Chunk[] {
  const starts = startsOf(items, before);
  const made: { key: number | undefined; items: Item[] }[] = [];
  let current = { key: undefined as number | undefined, items: [] as Item[] };
  const sizeMax = before.length === 0 ? newChunkSize : chunkSizeMax;
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
    if (
      old !== undefined &&
      old.items.length === own.length &&
      old.items.every((each, at) => isSameItem(each, own[at]))
    )
      return old;
    lastKey += 1;
    return { key: key ?? lastKey, items: own };
  });
}

/**
 * Where each of the chunks begins now: at the first of its cards that has stayed where it was, and where none has, at the first that is still there. A card
 * alone in its chunk gets another rank when the server has decided on it: in another chunk it would be made anew, and lose the focus.
 */
function startsOf(items: readonly Item[], before: readonly Chunk[]): Map<string, number> {
  const ranks = new Map(items.map(({ task }) => [task.id, task.fields.rank]));
  const starts = new Map<string, number>();
  for (const { key, items: old } of before) {
    const start =
      old.find(({ task }) => ranks.get(task.id) === task.fields.rank) ?? old.find(({ task }) => ranks.has(task.id));
    if (start !== undefined) starts.set(start.task.id, key);
  }
  return starts;
}

function isSameItem(one: Item, other: Item | undefined): boolean {
  return one.task === other?.task && one.done === other.done && one.all === other.all;
}
