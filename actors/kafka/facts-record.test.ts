import { expect, test } from "bun:test";
import type { Document } from "../resources/document.ts";
import { commandOf, idOf, SpaceForTests } from "../resources/space-for-tests.ts";
import type { Projected, Told, Verdict } from "../resources/verdict.ts";
import { factsText, readFacts, verdictBytesMax } from "./facts-record.ts";

const ann = idOf(11);
const create = commandOf({ spaceId: ann, userId: ann }, [
  { type: "task", kind: "create", id: idOf(31), body: { title: "Çay 😀" } },
]);
const space = new SpaceForTests();
const { fact, documents } = space.take(create);
const refused = space.take(
  commandOf({ spaceId: ann, userId: ann }, [{ type: "task", kind: "patch", id: idOf(99), body: { title: "no" } }]),
).fact;
const common = { position: 0, operationId: fact.operationId, spaceId: ann };
const decided: Verdict = { ...common, kind: "decided", fact, documents };

function recordOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

test.each<[string, Told | Projected]>([
  ["decided", decided],
  [
    "refused",
    { ...common, position: 1, operationId: refused.operationId, kind: "decided", fact: refused, documents: [] },
  ],
  ["repeated", { ...common, position: 7, kind: "repeated", first: fact, isSame: false }],
  ["expired", { ...common, kind: "expired" }],
  ["parked", { position: 4, kind: "parked", reason: "not JSON" }],
  ["of the read model", { position: 5, kind: "projected" }],
])("a record that is %s is read as it was told", (_, verdict) => {
  expect(readFacts(Buffer.from(factsText(verdict)))).toEqual(verdict);
});

test("what a newer writer adds is let through", () => {
  const newer = { ...decided, fact: { ...fact, mood: "calm" }, more: 1 };
  expect(readFacts(recordOf(newer))).toMatchObject({ kind: "decided", position: 0 });
});

test.each<[string, Buffer | null]>([
  ["empty", null],
  ["not JSON", Buffer.from("{bad")],
  ["/kind is not known", recordOf(null)],
  ["/kind is not known", recordOf({ ...decided, kind: "told" })],
  ["/kind is not known", recordOf({ ...decided, kind: "toString" })],
  ["/reason is required", recordOf({ position: 1, kind: "parked" })],
  ["/position must be at least 0", recordOf({ position: -1, kind: "projected" })],
  ["/position is required", recordOf({ ...decided, position: undefined })],
  ["/fact/seq must be at least 1", recordOf({ ...decided, fact: { ...fact, seq: 0 } })],
  [
    "/fact/changes/0/version",
    recordOf({ ...decided, fact: { ...fact, changes: [{ ...fact.changes[0], version: "1" }] } }),
  ],
  ["/fact is of another position", recordOf({ ...decided, position: 4 })],
  ["/fact is of another position", recordOf({ ...decided, operationId: idOf(7) })],
  ["/documents/0/fields", recordOf({ ...decided, documents: [{ ...documents[0], fields: 1 }] })],
  ["too large", Buffer.alloc(verdictBytesMax + 1, " ")],
])("a record is no verdict and says why: %s", (reason, value) => {
  expect(readFacts(value)).toStartWith(reason);
});

test("documents that make a verdict too large are left out, and its fact is told", () => {
  const [first] = documents as [Document];
  const large = { ...first, fields: { ...first.fields, description: "語".repeat(3_000_000) } };
  expect(readFacts(Buffer.from(factsText({ ...decided, documents: [large] })))).toEqual({
    ...decided,
    documents: [],
  });
});

test("a fact that is too large is not told, and the error has nothing of it", () => {
  const large = { ...fact, answers: ["secret".repeat(2_000_000)] };
  expect(() => factsText({ ...decided, fact: large })).toThrow(
    `Cannot tell the verdict of position 0: it has more than ${verdictBytesMax} bytes`,
  );
});
