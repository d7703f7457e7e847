/** What every store of facts and documents does, whatever is behind it: one suite for all adapters of the writer's port. */
import { describe, expect, test } from "bun:test";
import { PartitionWriter } from "../../actors/consumer/partition-writer.ts";
import { emptyWorld, placeOver, storeOver, topicOver } from "../../actors/consumer/spaces-for-tests.ts";
import type { FactStore, Found, Reading, SpaceDelivery } from "../../actors/consumer/write-ports.ts";
import type { Document, Head } from "../../actors/resources/document.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import { registry } from "../../actors/resources/registry.ts";
import { idOf } from "../../actors/resources/space-for-tests.ts";
import { random } from "../system/random.ts";
import { type FactStep, stepsOf, users } from "./fact-store-steps.ts";

export type OpenedFactStore = {
  readonly store: FactStore;
  /** Another writer of the same data, as one that does not know that it was replaced. */
  another(): FactStore;
  close(): Promise<void>;
};

const nothing: Reading = { heads: [], documents: [], operations: [], seqs: [] };
const now = () => Promise.resolve();

/** All that a store has of these steps, as texts in one order: equal answers are equal to the byte. */
async function contents(store: FactStore, steps: readonly FactStep[]): Promise<Record<keyof Found, string[]>> {
  const facts = steps.map(({ fact }) => fact);
  return texts(
    await store.read({
      heads: unique(facts.map(({ spaceId }) => spaceId)),
      documents: uniqueKeys(
        steps.flatMap(({ documents }) => documents.map(({ spaceId, id }) => ({ spaceId, id }))),
        ({ spaceId, id }) => `${spaceId} ${id}`,
      ),
      operations: facts.map(({ spaceId, operationId }) => ({ spaceId, operationId })),
      seqs: [],
    }),
  );
}

function texts({ heads, documents, facts }: Found): Record<keyof Found, string[]> {
  const sorted = (values: readonly unknown[]) => values.map((each) => JSON.stringify(each)).sort();
  return { heads: sorted(heads), documents: sorted(documents), facts: sorted(facts) };
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const uniqueKeys = <T>(values: readonly T[], keyOf: (value: T) => string): T[] => [
  ...new Map(values.map((value) => [keyOf(value), value])).values(),
];

/** As the writer hands them on: of each document and head the latest only. */
function projectionOf(steps: readonly FactStep[]): [Document[], Head[]] {
  const documents = uniqueKeys(
    steps.flatMap((step) => step.documents),
    ({ spaceId, id }) => `${spaceId} ${id}`,
  );
  const heads = uniqueKeys(
    steps.flatMap(({ head }) => head ?? []),
    ({ spaceId }) => spaceId,
  );
  return [documents, heads];
}

async function write(store: FactStore, steps: readonly FactStep[]): Promise<readonly Fact[]> {
  const inTheWay = await store.record(steps.map(({ fact }) => fact));
  await store.project(...projectionOf(steps));
  return inTheWay;
}

/** `open` answers an empty store each time. */
export function factStoreCases(name: string, open: () => Promise<OpenedFactStore>): void {
  const over = (use: (opened: OpenedFactStore) => Promise<void>) => async () => {
    const opened = await open();
    try {
      await use(opened);
    } finally {
      await opened.close();
    }
  };

  describe(`${name} as a store of facts`, () => {
    test(
      "finds nothing where nothing was written",
      over(async ({ store }) => {
        const spaceId = idOf(1);
        expect(await store.read(nothing)).toEqual({ heads: [], documents: [], facts: [] });
        const reading = {
          heads: [spaceId],
          documents: [{ spaceId, id: idOf(31) }],
          operations: [{ spaceId, operationId: idOf(41) }],
          seqs: [{ spaceId, seq: 1 }],
        };
        expect(await store.read(reading)).toEqual({ heads: [], documents: [], facts: [] });
        expect(await store.record([])).toEqual([]);
        await store.project([], []);
      }),
    );

    test(
      "answers what was written, equal to the byte, by each of its keys",
      over(async ({ store }) => {
        const steps = stepsOf(1, 60);
        expect(await write(store, steps)).toEqual([]);
        const [documents, heads] = projectionOf(steps);
        const facts = steps.map(({ fact }) => fact);
        expect(await contents(store, steps)).toEqual(texts({ heads, documents, facts }));
        const numbered = facts.filter(({ seq }) => seq !== undefined);
        const bySeq = await store.read({
          ...nothing,
          seqs: numbered.map(({ spaceId, seq }) => ({ spaceId, seq: seq as number })),
        });
        expect(texts(bySeq)).toEqual(texts({ heads: [], documents: [], facts: numbered }));
      }),
    );

    test(
      "keeps the facts of an operation or a number that its space has, and answers them",
      over(async ({ store }) => {
        const [first, second] = stepsOf(2, 40).filter(({ fact }) => fact.seq !== undefined && fact.spaceId === idOf(1));
        if (first === undefined || second === undefined) throw new Error("there are too few facts");
        expect(await store.record([first.fact])).toEqual([]);
        const sameOperation: Fact = { ...second.fact, operationId: first.fact.operationId };
        const sameSeq: Fact = { ...second.fact, operationId: idOf(70), seq: first.fact.seq as number };
        const refused = await store.record([sameOperation, second.fact, sameSeq]);
        expect(sortedTexts(refused)).toEqual(sortedTexts([first.fact, first.fact]));
        const elsewhere: Fact = { ...first.fact, spaceId: idOf(9) };
        expect(await store.record([elsewhere])).toEqual([]);
        const again = await store.record([second.fact, elsewhere]);
        expect(sortedTexts(again)).toEqual(sortedTexts([second.fact, elsewhere]));
      }),
    );

    test(
      "takes facts without a number, any number of them",
      over(async ({ store }) => {
        const [step] = stepsOf(3, 5);
        if (step === undefined) throw new Error("there is no fact");
        const { seq: _, ...unnumbered } = { ...step.fact, verdict: "unchanged" as const, changes: [] };
        const facts = [71, 72, 73].map((number) => ({ ...unnumbered, operationId: idOf(number) }));
        expect(await store.record(facts)).toEqual([]);
        const found = await store.read({
          ...nothing,
          operations: facts.map(({ spaceId, operationId }) => ({ spaceId, operationId })),
        });
        expect(texts(found).facts).toEqual(texts({ heads: [], documents: [], facts }).facts);
      }),
    );

    test(
      "writes a document over an older version only, and a head over an earlier position only",
      over(async ({ store, another }) => {
        const steps = stepsOf(4, 80);
        const before = steps.slice(0, 40);
        await write(store, steps);
        const after = await contents(store, steps);
        // A writer that was replaced, and goes on with what it had decided.
        const zombie = another();
        await zombie.project(...projectionOf(before));
        for (const step of before) await zombie.project(...projectionOf([step]));
        const [documents, heads] = projectionOf(steps);
        await zombie.project(
          documents.map((document) => ({ ...document, seq: document.seq + 1, creatorId: idOf(99) })),
          heads.map((head) => ({ ...head, seq: head.seq + 1 })),
        );
        expect(await contents(store, steps)).toEqual(after);
      }),
    );

    test(
      "is the same after everything has come again, in one batch or in many",
      over(async ({ store, another }) => {
        const steps = stepsOf(5, 50);
        for (const step of steps) await write(store, [step]);
        const once = await contents(store, steps);
        const inTheWay = await write(another(), steps);
        expect(texts({ heads: [], documents: [], facts: inTheWay })).toEqual(
          texts({ heads: [], documents: [], facts: steps.map(({ fact }) => fact) }),
        );
        expect(await contents(store, steps)).toEqual(once);
      }),
    );

    test(
      "keeps texts of any language and records of megabytes",
      over(async ({ store }) => {
        const [step] = stepsOf(6, 40).filter(({ documents }) => documents.length > 0);
        const [document] = step?.documents ?? [];
        if (step === undefined || document === undefined) throw new Error("there is no document");
        const text = '買い物 🍕 "\\ $set a.b \u2028'.repeat(60_000);
        const large: FactStep = {
          ...step,
          fact: { ...step.fact, fingerprint: text },
          documents: [{ ...document, fields: { ...document.fields, description: text, "": null } }],
        };
        await write(store, [large]);
        expect(await contents(store, [large])).toEqual(
          texts({ heads: [large.head as Head], documents: large.documents, facts: [large.fact] }),
        );
      }),
    );

    test(
      "reads thousands at once",
      over(async ({ store }) => {
        const [step] = stepsOf(7, 40).filter(({ documents }) => documents.length > 0);
        const [document] = step?.documents ?? [];
        if (document === undefined) throw new Error("there is no document");
        const documents = Array.from({ length: 3_000 }, (_, index) => ({ ...document, id: idOf(1_000 + index) }));
        await store.project(documents, []);
        const found = await store.read({
          ...nothing,
          documents: documents.map(({ spaceId, id }) => ({ spaceId, id })),
        });
        expect(texts(found).documents).toEqual(texts({ heads: [], documents, facts: [] }).documents);
      }),
    );

    test.each([11, 12, 13, 14])("does in random batches what a store in memory does (seed %d)", async (seed) => {
      await over(async ({ store, another }) => {
        const choose = random(seed);
        const steps = stepsOf(seed, 120);
        const memory = storeOver(emptyWorld(), now);
        const zombie = another();
        for (let round = 0; round < 60; round++) {
          const from = choose.int(Math.min(steps.length, 2 * round + 4));
          const batch = steps
            .slice(from, from + 1 + choose.int(8))
            .map((step) => (choose.chance(0.15) ? disputed(step, choose.int(1_000)) : step));
          const facts = batch.map(({ fact }) => fact);
          const one = choose.chance(0.3) ? zombie : store;
          expect(sortedTexts(await one.record(facts))).toEqual(sortedTexts(await memory.record(facts)));
          const projected = projectionOf(choose.chance(0.2) ? batch.slice(0, 1) : batch);
          await one.project(...projected);
          await memory.project(...projected);
          if (round % 10 === 9) expect(await contents(store, steps)).toEqual(await contents(memory, steps));
        }
        expect(await contents(store, steps)).toEqual(await contents(memory, steps));
      })();
    });

    test(
      "serves a writer that dies between any two batches, and the next one, as one that never died",
      over(async ({ store, another }) => {
        const steps = stepsOf(21, 80);
        const log = steps.map(
          ({ command }, position): SpaceDelivery => ({ position, command, isResent: position % 3 === 0 }),
        );
        const [quiet, troubled] = [emptyWorld(), emptyWorld()];
        quiet.log.push(...log);
        troubled.log.push(...log);
        const memory = storeOver(quiet, now);
        const portsOf = (world: typeof quiet, of: FactStore) => ({
          store: of,
          topic: topicOver(world, now),
          place: placeOver(world, now),
          registry,
        });
        const steady = await PartitionWriter.takeOver(portsOf(quiet, memory));
        await steady.take(log);
        while (await steady.project());

        const choose = random(22);
        while (troubled.committed < log.length) {
          const writer = await PartitionWriter.takeOver(portsOf(troubled, choose.chance(0.5) ? store : another()));
          for (let batches = 1 + choose.int(4); batches > 0 && writer.next < log.length; batches--) {
            await writer.take(log.slice(writer.next, writer.next + 1 + choose.int(6)));
            if (choose.chance(0.6)) await writer.project();
          }
          if (writer.next === log.length) while (await writer.project());
        }
        const placed = log.map(({ command }, index): FactStep => {
          const step = steps[index] as FactStep;
          return { ...step, fact: { ...step.fact, operationId: command.operationId } };
        });
        const found = await contents(store, placed);
        expect(found.facts.length).toBe(log.length);
        expect(found).toEqual(await contents(memory, placed));
      }),
    );
  });
}

function sortedTexts(facts: readonly Fact[]): string[] {
  return facts.map((fact) => JSON.stringify(fact)).sort();
}

/** A fact that another writer would have made of the same operation, or of the same number. */
function disputed(step: FactStep, number: number): FactStep {
  const { fact } = step;
  if (number % 2 === 0) return { ...step, fact: { ...fact, actorId: users[number % users.length] as string } };
  return { ...step, fact: { ...fact, operationId: idOf(500_000 + number) } };
}
