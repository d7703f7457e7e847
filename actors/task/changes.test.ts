/** Answers of changes that are read back from the read model: a first try whose answer was lost, or what is too large to be told. */
import { expect, test } from "bun:test";
import { Problem } from "../model/problem.ts";
import { commandOf, idOf, SpaceForTests } from "../resources/space-for-tests.ts";
import { spaceChanges } from "./changes.ts";
import type { StoredChange } from "./ports.ts";

const [userId, id] = [idOf(1), idOf(31)];
const of = { spaceId: userId, userId };
const position = { partition: 0, offset: 1 };

/** A task that was made, and renamed by the command whose answer is read back; `reach` waits for the read model to have the latter. */
function renamed(reach: (model: { has: number }) => Promise<boolean>) {
  const space = new SpaceForTests();
  const made = space.take(commandOf(of, [{ type: "task", id, kind: "create", body: { title: "before" } }]));
  const command = commandOf(of, [{ type: "task", id, kind: "patch", body: { title: "after" } }]);
  const { fact } = space.take(command);
  const model = { has: 1 };
  const stored = [made.fact, fact].map((each): StoredChange => {
    const [change] = each.changes;
    if (change === undefined || each.seq === undefined) throw new Error("It changed nothing");
    return { fact: { ...each, seq: each.seq }, change };
  });
  const changes = spaceChanges({
    log: {
      append: async () => ({
        position,
        verdict: {
          kind: "decided",
          position: 1,
          operationId: command.operationId,
          spaceId: userId,
          fact,
          documents: [],
        },
      }),
    } as never,
    reads: { changes: () => stored.slice(0, model.has).toReversed() },
    consistent: { isStale: () => reach(model), wrote: () => undefined } as never,
  });
  return { outcome: changes.change(command), command };
}

test("are made once the read model has the change", async () => {
  const { outcome } = renamed(async (model) => {
    model.has = 2;
    return false;
  });
  const settled = await outcome;
  expect(settled.kind).toBe("settled");
  const documents = settled.kind === "settled" ? settled.documents : new Map();
  expect(documents.get(id)).toMatchObject({ version: 2, fields: { title: "after" } });
});

test("are not made of what was there before: the change is told as pending where the read model is late", async () => {
  const { outcome, command } = renamed(() => Promise.reject(new Problem("not-yet-visible")));
  expect(await outcome).toEqual({ kind: "pending", operationId: command.operationId, position });
});
