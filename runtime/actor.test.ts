import { expect, test } from "bun:test";
import { actor, type Schema, type Self, tell, topic } from "./actor.ts";
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
