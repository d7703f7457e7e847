import { expect, test } from "bun:test";
import fc from "fast-check";
import { creationOrder, type Placed } from "./creation-order.ts";

const one = (id: string, group: string, rank: string, parent?: string): Placed => ({ id, group, rank, parent });

test("in a column the order is that of ranks, whatever the order in the file", () => {
  const { ids } = creationOrder([one("c", "x", "3"), one("a", "x", "1"), one("b", "x", "2")]);
  expect(ids).toEqual(["a", "b", "c"]);
});

test("ranks compare by bytes: capital letters are before small ones, ~ behind all", () => {
  const { ids } = creationOrder([one("1", "x", "a"), one("2", "x", "~"), one("3", "x", "Z"), one("4", "x", "0")]);
  expect(ids).toEqual(["4", "3", "1", "2"]);
});

test("a parent in another column comes first", () => {
  const { ids, detached } = creationOrder([one("child", "x", "1", "parent"), one("parent", "y", "9")]);
  expect(ids).toEqual(["parent", "child"]);
  expect(detached.size).toBe(0);
});

test("what is before its parent in one column is made without it", () => {
  const { ids, detached } = creationOrder([one("parent", "x", "2"), one("child", "x", "1", "parent")]);
  expect(ids).toEqual(["child", "parent"]);
  expect([...detached]).toEqual(["child"]);
});

test("a parent that is not among them is taken to be there", () => {
  expect(creationOrder([one("a", "x", "1", "elsewhere")])).toEqual({ ids: ["a"], detached: new Set() });
});

test("parents that are their own children, as no server makes them, end as well", () => {
  const { ids, detached } = creationOrder([one("a", "x", "1", "b"), one("b", "y", "1", "a"), one("c", "z", "1", "c")]);
  expect(ids.toSorted()).toEqual(["a", "b", "c"]);
  expect(detached.size).toBe(2);
});

test("whatever there is: each once, each column in its order, each behind its parent unless it is detached", () => {
  const placed = fc.integer({ min: 1, max: 40 }).chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, n) =>
        fc.record({
          id: fc.constant(`t${n}`),
          group: fc.constantFrom("x", "y", "z"),
          rank: fc.integer({ min: 100, max: 999 }).map(String),
          parent: fc.option(
            fc.integer({ min: 0, max: count - 1 }).map((parent) => `t${parent}`),
            { nil: undefined },
          ),
        }),
      ),
    ),
  );
  fc.assert(
    fc.property(placed, (all) => {
      const { ids, detached } = creationOrder(all);
      expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
      const at = new Map(ids.map((id, place) => [id, place]));
      for (const each of all) {
        for (const other of all)
          if (each.group === other.group && each.rank < other.rank)
            expect(at.get(each.id)).toBeLessThan(at.get(other.id) as number);
        if (each.parent !== undefined && !detached.has(each.id))
          expect(at.get(each.parent)).toBeLessThan(at.get(each.id) as number);
      }
    }),
  );
});
