/** Long ranks are made short again, and nobody who did not move a task is told that they had. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Intent } from "./command.ts";
import type { Json } from "./field.ts";
import { documentAfter, type Past } from "./past.ts";
import { registry } from "./registry.ts";
import { commandOf, idOf, SpaceForTests, type Taken, undoOf } from "./space-for-tests.ts";
import { rankLengthAim, spacedAt } from "./spacing.ts";

const ann = idOf(11);
const at = { spaceId: ann, userId: ann };

function moving(id: string, position: Record<string, string>, body: Record<string, Json> = {}): Intent {
  return { type: "task", kind: "patch", id, body: { ...body, position } };
}

function creating(id: string, position?: Record<string, string>): Intent {
  return { type: "task", kind: "create", id, body: { title: "Milk", ...(position === undefined ? {} : { position }) } };
}

/** So many tasks in one order, as a person would see them. */
function column(count: number): { space: SpaceForTests; order: string[] } {
  const space = new SpaceForTests();
  const order = Array.from({ length: count }, (_, index) => idOf(1_000 + index));
  space.take(
    commandOf(
      at,
      order.map((id) => creating(id)),
    ),
  );
  return { space, order };
}

const rankOf = (space: SpaceForTests, id: string) => space.documents.get(id)?.fields.rank as string;

function shownOrder(space: SpaceForTests): string[] {
  const living = [...space.documents.values()].filter((each) => each.type === "task" && each.deletedBy === undefined);
  return living
    .toSorted((a, b) => ((a.fields.rank as string) < (b.fields.rank as string) ? -1 : 1))
    .map(({ id }) => id);
}

const longest = (space: SpaceForTests) =>
  Math.max(...[...space.documents.values()].map(({ fields }) => `${fields.rank ?? ""}`.length));
const spacings = ({ fact }: Taken) => fact.changes.filter(({ isSpacing }) => isSpacing === true);

/** Puts tasks into the middle of one gap, again and again, so that the ranks on both of its sides become long. */
function* intoOneGap(order: string[]): Generator<{ id: string; position: Record<string, string> }> {
  const [left = "", right = "", ...others] = order;
  const sides = { after: left, before: right };
  for (let index = 0; ; index++) {
    const side = index % 2 === 0 ? "after" : "before";
    const id = others.shift() as string;
    order.splice(order.indexOf(id), 1);
    order.splice(order.indexOf(sides[side]) + (side === "after" ? 1 : 0), 0, id);
    yield { id, position: { [side]: sides[side] } };
    others.push(sides[side]);
    sides[side] = id;
  }
}

function moveUntilSpaced({ space, order }: { space: SpaceForTests; order: string[] }): Taken {
  let moves = 0;
  for (const { id, position } of intoOneGap(order)) {
    const taken = space.take(commandOf(at, [moving(id, position)]));
    expect(shownOrder(space)).toEqual(order);
    if (spacings(taken).length > 0) return taken;
    if (++moves > 1_000) break;
  }
  throw new Error("no rank was made anew");
}

const move = fc.record({ moved: fc.nat(), beside: fc.nat(), how: fc.constantFrom("after", "before", "both") });

test("after any moves the order is the one that people made, and no rank is longer than 100 characters", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.array(move, { minLength: 200, maxLength: 600 }),
      fc.boolean(),
      (count, moves, isNarrow) => {
        const { space, order } = column(count);
        for (const { moved, beside, how } of moves) {
          // The narrower, the longer ranks become.
          const id = order.splice(moved % (isNarrow ? Math.min(4, count) : count), 1)[0] as string;
          const index = beside % (isNarrow ? Math.min(3, order.length) : order.length);
          const isAfter = how !== "before";
          const position =
            how === "both" && order[index + 1] !== undefined
              ? { after: order[index] as string, before: order[index + 1] as string }
              : { [isAfter ? "after" : "before"]: order[index] as string };
          order.splice(index + (isAfter ? 1 : 0), 0, id);
          const taken = space.take(commandOf(at, [moving(id, position)]));
          expect(taken.fact.changes[0]?.id).toBe(id);
          expect(taken.fact.answers).toEqual([id]);
        }
        expect(shownOrder(space)).toEqual(order);
        expect(new Set(order.map((id) => rankOf(space, id))).size).toBe(count);
        expect(longest(space)).toBeLessThanOrEqual(rankLengthAim);
        for (const document of space.documents.values()) {
          const past = space.facts.flatMap((fact): Past[] => {
            const { seq } = fact;
            return seq === undefined
              ? []
              : fact.changes.flatMap((change) => (change.id === document.id ? { change, fact: { ...fact, seq } } : []));
          });
          expect(past.map(({ change }) => change.version)).toEqual(past.map((_, index) => index + 1));
          const type = registry.get(document.type);
          if (type === undefined) throw new Error(`no type ${document.type}`);
          expect({ ...documentAfter(type, past), undoable: 0 } as object).toEqual({ ...document, undoable: 0 });
        }
      },
    ),
    { numRuns: 15 },
  );
});

for (const [name, side] of [
  ["after", "after"],
  ["before", "before"],
] as const)
  test(`of 3,000 tasks each made right ${name} the one before, no rank is longer than 100 characters, and none had to be made anew`, () => {
    for (const isLast of [true, false]) {
      const { space, order } = column(isLast ? 1 : 3);
      // In the middle, or at an end.
      const [first, behind] = isLast ? [order, []] : [order.slice(0, 2), order.slice(2)];
      const middle = [first.pop() as string];
      for (let index = 1; index < 1_500; index++) {
        const id = idOf(10_000 + index);
        const taken = space.take(commandOf(at, [creating(id, { [side]: middle.at(-1) as string })]));
        expect(taken.fact.changes).toHaveLength(1);
        middle.push(id);
      }
      expect(shownOrder(space)).toEqual([...first, ...(side === "after" ? middle : middle.toReversed()), ...behind]);
      expect(longest(space)).toBeLessThanOrEqual(rankLengthAim);
    }
  });

test("1,500 tasks all put into the middle of one gap have no rank longer than 100 characters, for a bounded number of new ones", () => {
  const { space, order } = column(2);
  const sides = { after: order[0] as string, before: order[1] as string };
  let made = 0;
  let largest = 0;
  for (let index = 0; index < 1_500; index++) {
    const side = index % 2 === 0 ? "after" : "before";
    const id = idOf(10_000 + index);
    const taken = space.take(commandOf(at, [creating(id, { [side]: sides[side] })]));
    order.splice(order.indexOf(sides[side]) + (side === "after" ? 1 : 0), 0, id);
    sides[side] = id;
    made += spacings(taken).length;
    largest = Math.max(largest, JSON.stringify(taken.fact).length);
  }
  expect(shownOrder(space)).toEqual(order);
  expect(longest(space)).toBeLessThanOrEqual(rankLengthAim);
  expect(made).toBeGreaterThan(0);
  expect(made / 1_500).toBeLessThan(10);
  expect(largest).toBeLessThan(128 * 1_024);
});

test("a batch of 500 moves has its order, too, and tasks that it made anew go on from there", () => {
  const { space, order } = column(12);
  const intents: Intent[] = [];
  for (let index = 0; index < 500; index++) {
    const id = order.splice(index % 5, 1)[0] as string;
    const beside = (index * 7) % 4;
    intents.push(moving(id, { after: order[beside] as string }));
    order.splice(beside + 1, 0, id);
  }
  const taken = space.take(commandOf(at, intents));
  expect(taken.fact.verdict).toBe("applied");
  expect(spacings(taken).length).toBeGreaterThan(0);
  expect(shownOrder(space)).toEqual(order);
  expect(longest(space)).toBeLessThanOrEqual(rankLengthAim);
});

test("a new rank is a new version that no undo counts: the move before it is taken back as if it were not there", () => {
  const all = column(9);
  const { space, order } = all;
  const [first, second] = [order[0] as string, order[1] as string];
  const before = rankOf(space, second);
  const moved = space.take(commandOf(at, [moving(second, { after: first })]));
  const spaced = moveUntilSpaced(all);
  const anew = spacings(spaced).map(({ id }) => id);
  expect(anew.length).toBeGreaterThan(2);
  // Which of the moves was the last one of a task that has a new rank since.
  const [own] = space.facts
    .filter(
      ({ changes, position }) => position < spaced.fact.position && changes[0]?.id === anew[0] && changes.length === 1,
    )
    .slice(-1);
  const document = space.documents.get(anew[0] as string);
  expect(document?.undoable).toBe(own?.seq as number);
  expect(spacedAt(document?.fields.rank)).toBe(spaced.fact.seq as number);
  const undone = space.take(undoOf(at, own?.operationId as string));
  expect(undone.fact.refusal).toBeUndefined();
  expect(rankOf(space, anew[0] as string)).toBe(own?.changes[0]?.fields.rank?.from as string);
  // And of one resource.
  const other = anew[1] as string;
  const latest = space.facts.findLast(
    ({ changes, seq }) => changes[0]?.id === other && seq === space.documents.get(other)?.undoable,
  );
  space.take(commandOf(at, [{ type: "task", kind: "undo", id: other, body: {} }]));
  expect(rankOf(space, other)).toBe(latest?.changes[0]?.fields.rank?.from as string);
  // What somebody moved since is still a conflict.
  space.take(commandOf(at, [moving(second, { before: first })]));
  expect(space.take(undoOf(at, moved.fact.operationId)).fact.refusal?.code).toBe("conflict");
  expect(before).not.toBe(rankOf(space, second));
});

test("taking back the move that made ranks anew takes back the move alone", () => {
  const all = column(9);
  const spaced = moveUntilSpaced(all);
  const { space } = all;
  const [own] = spaced.fact.changes;
  const others = spacings(spaced).map(({ id }) => ({ id, rank: rankOf(space, id) }));
  const { fact } = space.take(undoOf(at, spaced.fact.operationId));
  expect(fact.changes.map(({ id }) => id)).toEqual([own?.id as string]);
  expect(rankOf(space, own?.id as string)).toBe(own?.fields.rank?.from as string);
  for (const { id, rank } of others) expect(rankOf(space, id)).toBe(rank);
  expect(spacedAt(own?.fields.rank?.to)).toBeUndefined();
});

test("tasks that are deleted keep their ranks", () => {
  const all = column(9);
  const { space, order } = all;
  const gone = order[3] as string;
  let moves = 0;
  for (const { id, position } of intoOneGap(order)) {
    space.take(commandOf(at, [moving(id, position)]));
    if (++moves === 12) break;
  }
  space.take(commandOf(at, [{ type: "task", kind: "delete", id: gone, body: {} }]));
  const { version } = space.documents.get(gone) ?? {};
  order.splice(order.indexOf(gone), 1);
  expect(spacings(moveUntilSpaced(all)).map(({ id }) => id)).not.toContain(gone);
  expect(space.documents.get(gone)?.version).toBe(version as number);
});
