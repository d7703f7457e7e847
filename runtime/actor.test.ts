import { expect, test } from "bun:test";
import { actor, ask, behave, type Schema, type Self, tell, topic } from "./actor.ts";
import { bytes } from "./bytes.ts";
import type { System } from "./system.ts";

const of = <T>(): Schema<T> => ({}) as Schema<T>;
const store = actor("store", new URL("file:///store.ts"), {
  count: tell(of<number>()),
  place: tell(of<{ x: number; y?: number }>()),
});
const numbers = topic("numbers", of<number>());
const places = topic("places", of<{ x: number; name: string }>());

/** Checked by the compiler alone. */
function compiled(self: Self<typeof store.accepts>, app: System): void {
  void self.publish(places, { x: 1, name: "here" });
  const nameless = { x: 1 };
  // @ts-expect-error a field is missing
  void self.publish(places, nameless);
  // @ts-expect-error a field is missing
  void app.publish(places, nameless);
  // @ts-expect-error text is no number
  void app.publish(numbers, "1");
  self.subscribe(numbers, "count");
  // What carries more than the kind takes may arrive as it.
  self.subscribe(places, "place");
  // @ts-expect-error a number does not arrive as a kind that takes a place
  self.subscribe(numbers, "place");
  // @ts-expect-error there is no such kind
  self.subscribe(numbers, "sum");
}

test("What is published and as what it arrives is bound to the topic's type", () => {
  expect(compiled).toBeFunction();
});

class Money {
  readonly cents = 1;
  add(): void {}
}
type Tree = { readonly name: string; readonly children: readonly Tree[] };

/** Checked by the compiler alone. */
function compiledBodies(): unknown[] {
  const here = new URL("file:///bodies.ts");
  return [
    actor("good", here, {
      plain: tell<{ at: string; tags: readonly string[]; more?: { n: number | null } }>(),
      tree: ask<Tree, Tree[]>(),
      anything: ask<unknown, Record<string, unknown>>(),
    }),
    actor("bytes", here, {
      put: tell(bytes()),
      get: ask(of<{ at: number }>(), bytes()),
      hash: ask(bytes(), of<string>()),
    }),
    // @ts-expect-error bytes have a schema of their own
    actor("bad", here, { kind: tell<Uint8Array>() }),
    // @ts-expect-error and are never a part of a body
    actor("bad", here, { kind: ask<null, { data: Uint8Array }>() }),
    // @ts-expect-error a Date would arrive as text
    actor("bad", here, { kind: tell<{ at: Date }>() }),
    // @ts-expect-error a Map would arrive empty
    actor("bad", here, { kind: ask<null, Map<string, number>>() }),
    // @ts-expect-error a bigint cannot be written
    actor("bad", here, { kind: tell<{ deep: [{ n: bigint }] }>() }),
    // @ts-expect-error a function is lost
    actor("bad", here, { kind: tell<{ then: () => void }>() }),
    // @ts-expect-error and so are methods
    actor("bad", here, { kind: tell<Money>() }),
  ];
}

const both = actor("both", new URL("file:///both.ts"), {
  total: ask(of<null>(), of<number>()),
  note: tell(of<number>()),
});
const start = () => ({ sum: 0 });

/** Checked by the compiler alone. */
function compiledHandlers(): unknown[] {
  const on = { total: ({ sum }: { sum: number }) => sum, note: () => undefined };
  return [
    behave(both, { start, on }),
    behave(both, { start, on: { total: ({ sum }) => sum }, batch: { kinds: ["note"], max: 2, on: () => [] } }),
    behave(both, { start, batch: { kinds: ["note", "total"], max: 2, on: () => [] } }),
    // @ts-expect-error total has no handler
    behave(both, { start, on: { note: () => undefined } }),
    // @ts-expect-error note has none, neither alone nor in a batch
    behave(both, { start, on: { total: ({ sum }) => sum }, batch: { kinds: ["total"], max: 2, on: () => [] } }),
    // @ts-expect-error an ask that is answered by a number must be
    behave(both, { start, on: { note: () => undefined, total: () => undefined } }),
    // @ts-expect-error there is no such kind
    behave(both, { start, on: { ...on, other: () => undefined } }),
  ];
}

test("Bodies that are not JSON, and kinds without a handler or its answer, do not compile", () => {
  expect(compiledBodies()).toHaveLength(9);
  expect(compiledHandlers()).toHaveLength(7);
});
