import { expect, test } from "bun:test";
import type { Document } from "../../actors/resources/document.ts";
import { type Chunk, chunked as chunkedBy } from "../../web/store/chunks.ts";
import type { CardItem } from "../../web/store/shown-board.ts";

const itemOf = (id: number, rank = id): CardItem => ({
  task: { id: `task ${id}`, fields: { rank: String(rank).padStart(6, "0") } } as unknown as Document,
  done: 0,
  all: 0,
});
const chunked = (items: readonly CardItem[], before: readonly Chunk<CardItem>[]) =>
  chunkedBy(items, before, (one, other) => one.task === other.task && one.done === other.done && one.all === other.all);
const itemsOf = (count: number) => Array.from({ length: count }, (_, id) => itemOf(id));
const shown = (chunks: readonly Chunk<CardItem>[]) => chunks.flatMap(({ items }) => items);
const kept = (chunks: readonly Chunk<CardItem>[], before: readonly Chunk<CardItem>[]) =>
  chunks.filter((chunk) => before.includes(chunk)).length;

test("a card that comes, goes, moves or changes alters one chunk or two, and all are shown in their order", () => {
  const items = itemsOf(1_000);
  const before = chunked(items, []);
  const moved = items.filter((_, place) => place !== 500).toSpliced(2, 0, itemOf(500, 1.5));
  const changes: Record<string, CardItem[]> = {
    "the first goes": items.slice(1),
    "the last goes": items.slice(0, -1),
    "one comes first": [itemOf(-1), ...items],
    "one comes last": [...items, itemOf(1_000)],
    "one in the middle moves up": moved,
    "the first of a chunk goes": items.filter((item) => item !== before[7]?.items[0]),
    "one is another version": items.with(333, itemOf(333)),
  };
  for (const [what, now] of Object.entries(changes)) {
    const after = chunked(now, before);
    expect(shown(after), what).toEqual(now);
    expect(kept(after, before), what).toBeGreaterThanOrEqual(before.length - 2);
    expect(new Set(after.map(({ key }) => key)).size, what).toBe(after.length);
  }
  expect(chunked(items, before)).toEqual(before);
});

test("a card alone in its chunk stays in it when it gets another rank, as it does once the server has decided", () => {
  const before = chunked([itemOf(1, 1)], []);
  const [after] = chunked([itemOf(1, 2)], before);
  expect(after?.key).toBe(before[0]?.key as number);
  expect(chunked([itemOf(2)], before)[0]?.key).not.toBe(before[0]?.key as number);
});

test("chunks stay small and their keys stay different, whatever comes and goes", () => {
  let chunks: Chunk<CardItem>[] = [];
  let items: CardItem[] = [];
  let state = 7;
  const below = (max: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
  for (let step = 0; step < 3_000; step++) {
    const place = below(items.length + 1);
    items = step % 4 === 3 ? items.toSpliced(place, 1) : items.toSpliced(place, 0, itemOf(step));
    chunks = chunked(items, chunks);
    expect(shown(chunks)).toEqual(items);
    expect(Math.max(0, ...chunks.map(({ items: own }) => own.length))).toBeLessThanOrEqual(80);
    expect(new Set(chunks.map(({ key }) => key)).size).toBe(chunks.length);
  }
});
