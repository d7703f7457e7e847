import { expect, test } from "bun:test";
import { Queue } from "./queue.ts";

test("A queue gives back in order what was put in, however far it has wandered", () => {
  const queue = new Queue<number>();
  const taken: number[] = [];
  let next = 0;
  for (let round = 0; round < 500; round++) {
    for (let i = 0; i < 13; i++) queue.push(next++);
    for (let i = 0; i < 11; i++) taken.push(queue.shift() as number);
  }
  expect(queue.size).toBe(1_000);
  expect(queue.peek()).toBe(5_500);
  while (queue.size > 0) taken.push(queue.shift() as number);
  expect(taken).toEqual(Array.from({ length: next }, (_, i) => i));
  expect(queue.shift()).toBeUndefined();
});
