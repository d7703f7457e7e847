/** What a resource was at an instant. */
import { expect, test } from "bun:test";
import { commandOf, idOf, SpaceForTests } from "../resources/space-for-tests.ts";
import { documentAt } from "./past.ts";
import type { SpaceReads } from "./ports.ts";

const [ann, milk, bread] = [11, 31, 32].map(idOf) as [string, string, string];

test("a task is there at the instant at which it says that it was made, though its fact is later", async () => {
  const space = new SpaceForTests();
  const make = (id: string, at: string) => {
    const intent = { type: "task", kind: "create", id, body: { title: "Buy" } } as const;
    return space.take(commandOf({ spaceId: ann, userId: ann, at }, [intent]));
  };
  make(milk, "2026-01-01T00:00:02.000Z");
  const { fact, documents } = make(bread, "2026-01-01T00:00:01.000Z");
  expect(fact.at).toBe("2026-01-01T00:00:02.000Z");
  const reads: Pick<SpaceReads, "changes"> = {
    changes: () => fact.changes.map((change) => ({ change, fact: { ...fact, seq: fact.seq ?? 0 } })),
  };
  const [{ createdAt } = { createdAt: "" }] = documents;
  const asOfMs = Date.parse(createdAt);
  expect(await documentAt(reads, ann, bread, { asOfMs })).toMatchObject({ id: bread, version: 1 });
  expect(await documentAt(reads, ann, bread, { asOfMs: asOfMs - 1 })).toBeUndefined();
});
