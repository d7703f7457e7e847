import { expect, test } from "bun:test";
import fc from "fast-check";
import { rankAfter, rankBefore, rankLast } from "./rank.ts";
import { idOf } from "./space-for-tests.ts";

const move = fc.record({
  how: fc.constantFrom("last", "after", "before"),
  beside: fc.nat(),
  /** In the same operation as the one before it. */
  isTogether: fc.boolean(),
});

test("ranks stand in the order that people made, without two that are equal, whoever moves beside whom", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const order: string[] = [];
      let seq = 1;
      let place = 0;
      for (const { how, beside, isTogether } of moves) {
        if (isTogether) place += 1;
        else {
          seq += 1;
          place = 0;
        }
        const at = beside % Math.max(1, order.length);
        const neighbour = order[at];
        if (neighbour === undefined || how === "last") {
          order.push(rankLast({ at: new Date(1e12 + seq).toISOString(), place, operationId: idOf(seq) }));
        } else if (how === "after") order.splice(at + 1, 0, rankAfter(neighbour, { seq, place }));
        else order.splice(at, 0, rankBefore(neighbour, { seq, place }));
      }
      expect(order.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))).toEqual(order);
      expect(new Set(order).size).toBe(order.length);
    }),
    { numRuns: 2_000 },
  );
});

test("a rank has 15 characters, and 9 or 10 more for each neighbour in whose place it was put", () => {
  const first = rankLast({ at: "2026-01-01T00:00:00.000Z", place: 0, operationId: idOf(1) });
  expect(first).toMatch(/^[0-9A-Za-z]{14}V$/);
  expect(rankAfter(first, { seq: 5, place: 499 })).toHaveLength(24);
  expect(rankBefore(first, { seq: 5, place: 499 })).toHaveLength(25);
});
