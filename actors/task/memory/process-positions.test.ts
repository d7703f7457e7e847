import { expect, test } from "bun:test";
import { processPositions } from "./process-positions.ts";

const user = "01890000-0000-7000-8000-0000000000aa";

test("positions are seen by all who share the memory, only grow, and are -1 at first", () => {
  const shared = new SharedArrayBuffer(4 * 65_536);
  const [one, other] = [processPositions(shared, () => 12), processPositions(shared, () => 12)];
  expect([other.answered(3), other.certain(3, user)]).toEqual([-1, -1]);
  one.raiseAnswered(3, 7);
  one.raiseAnswered(3, 5);
  one.raiseCertain(3, user, 0);
  expect([other.answered(3), other.answered(4), other.certain(3, user)]).toEqual([7, -1, 0]);
});

test("positions beyond the 31 bits of a number in that memory are told apart", () => {
  const positions = processPositions(new SharedArrayBuffer(4 * 65_536), () => 12);
  for (const position of [2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5]) {
    positions.raiseAnswered(0, position);
    expect(positions.answered(0)).toBe(position);
  }
});

test("users of different partitions share no place", () => {
  const positions = processPositions(new SharedArrayBuffer(4 * 65_536), () => 12);
  for (let partition = 0; partition < 12; partition++) positions.raiseCertain(partition, user, partition * 1_000);
  expect(Array.from({ length: 12 }, (_, partition) => positions.certain(partition, user))).toEqual(
    Array.from({ length: 12 }, (_, partition) => partition * 1_000),
  );
});
