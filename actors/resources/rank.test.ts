import { expect, test } from "bun:test";
import fc from "fast-check";
import { groupsOf, rankAfter, rankBefore, rankBetween, rankInGroup, rankLast, stepOf } from "./rank.ts";
import { idOf } from "./space-for-tests.ts";

const move = fc.record({
  how: fc.constantFrom("last", "after", "before", "between", "anew"),
  beside: fc.nat(),
  group: fc.nat(),
  /** In the same operation as the one before it. */
  isTogether: fc.boolean(),
});

const inBytes = (ranks: readonly string[]) => ranks.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

test("ranks stand in the order that people made, without two that are equal, whoever moves beside whom and whatever is made anew", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
      let order: string[] = [];
      const all = new Set<string>();
      let seq = 1;
      let place = 0;
      const note = (...ranks: string[]) => {
        for (const rank of ranks) {
          expect(all).not.toContain(rank);
          all.add(rank);
        }
      };
      for (const { how, beside, group, isTogether } of moves) {
        if (isTogether) place += 1;
        else {
          seq += 1;
          place = 0;
        }
        const at = beside % Math.max(1, order.length);
        const neighbour = order[at];
        if (neighbour === undefined || how === "last") {
          order.push(rankLast({ at: new Date(1e12 + seq).toISOString(), place, operationId: idOf(seq) }));
          note(order.at(-1) as string);
        } else if (how === "after") order.splice(at + 1, 0, rankAfter(neighbour, { seq, place }));
        else if (how === "before") order.splice(at, 0, rankBefore(neighbour, { seq, place }));
        else if (how === "between" && order[at + 1] !== undefined)
          order.splice(at + 1, 0, rankBetween(neighbour, order[at + 1] as string, { seq, place }));
        else if (how === "anew") {
          const groups = groupsOf(neighbour);
          const chosen = groups[group % Math.max(1, groups.length)];
          if (chosen === undefined) continue;
          const members = order.filter((rank) => rank.startsWith(chosen.start));
          const places = members.map((_, index) => place + (chosen.isBefore ? index : members.length - 1 - index));
          const anew = places.map((each) => rankInGroup(chosen, { seq, place: each }));
          const byOld = new Map(members.map((rank, index) => [rank, anew[index] as string]));
          order = order.map((rank) => byOld.get(rank) ?? rank);
          place += members.length;
          note(...anew);
        }
        expect(inBytes(order)).toEqual(order);
        expect(new Set(order).size).toBe(order.length);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a rank tells by which step it was made and beside what, however large the numbers are", () => {
  const number = fc.nat({ max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), number, number), { maxLength: 12 }), (steps) => {
      let rank = rankLast({ at: "2026-01-01T00:00:00.000Z", place: 0, operationId: idOf(1) });
      expect(stepOf(rank)).toBeUndefined();
      const starts: string[] = [];
      for (const [isBefore, seq, place] of steps) {
        starts.push(isBefore ? `${rank.slice(0, -1)}U~` : rank);
        rank = (isBefore ? rankBefore : rankAfter)(rank, { seq, place });
        expect(stepOf(rank)).toEqual({ seq, place });
      }
      expect(groupsOf(rank).map(({ start }) => start)).toEqual(starts);
    }),
  );
});

test("a text that is no rank of these belongs to no group", () => {
  for (const text of [
    "",
    "0",
    "00000000000000V~",
    "00000000000000Vz",
    "00000000000000V~~~V",
    `00000000000000V${"0".repeat(30)}`,
  ])
    expect(groupsOf(text)).toEqual([]);
});

test("a rank has 15 characters, and a few more for each neighbour in whose place it was put", () => {
  const first = rankLast({ at: "2026-01-01T00:00:00.000Z", place: 0, operationId: idOf(1) });
  expect(first).toMatch(/^[0-9A-Za-z]{14}V$/);
  expect(rankAfter(first, { seq: 5, place: 0 })).toHaveLength(19);
  expect(rankAfter(first, { seq: 5, place: 499 })).toHaveLength(21);
  expect(rankAfter(first, { seq: 100_000, place: 0 })).toHaveLength(21);
  expect(rankBefore(first, { seq: 5, place: 499 })).toHaveLength(22);
});

test("what is put between two has the shorter of both places", () => {
  const first = rankLast({ at: "2026-01-01T00:00:00.000Z", place: 0, operationId: idOf(1) });
  const second = rankLast({ at: "2026-01-02T00:00:00.000Z", place: 0, operationId: idOf(2) });
  const long = rankAfter(rankAfter(first, { seq: 3, place: 0 }), { seq: 4, place: 0 });
  expect(rankBetween(long, second, { seq: 5, place: 0 })).toBe(rankBefore(second, { seq: 5, place: 0 }));
  expect(rankBetween(first, long, { seq: 5, place: 0 })).toBe(rankAfter(first, { seq: 5, place: 0 }));
});
