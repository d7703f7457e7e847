/** What every adapter of `SpaceReads` does, whatever is behind it, fed by the writers' own stores: one suite for all. */
import { describe, expect, test } from "bun:test";
import type { Fact } from "../../actors/resources/fact.ts";
import type { StoredResource } from "../../actors/task/ports.ts";
import { random } from "../system/random.ts";
import { type OpenReads, openedWorld } from "./space-reads-opened.ts";
import { listedTexts, servedText } from "./space-reads-oracle.ts";
import { ann, ben, nobody, other, shared } from "./space-reads-world.ts";

const choose = random(2027);

/** `open` answers an empty store each time. */
export function spaceReadsCases(name: string, open: OpenReads): void {
  describe(`${name} as reads of spaces`, () => {
    const { world, store, reads, documentsOf, ids } = openedWorld(open);

    test("every resource is as it is served, deleted or not, and what is not there is nothing", async () => {
      for (const [spaceId, { documents }] of world.spaces) {
        const all = [...documents.values()];
        const found = await reads().resources(spaceId, [...documents.keys(), nobody]);
        const byId = new Map(found.map((each) => [each.id, each]));
        expect(found.length).toBe(all.length);
        for (const document of all) {
          const { id, type, version, deletedBy } = document;
          const text = servedText(documents, document);
          expect(byId.get(id)).toEqual({ spaceId, id, type, version, isDeleted: deletedBy !== undefined, text });
        }
      }
      expect(await reads().resources(nobody, [nobody])).toEqual([]);
      expect(await reads().resources(other, [ids(shared, "task")[0] as string, ann])).toEqual([]);
    });

    test("all that is not deleted is walked by id, hidden from lists or not", async () => {
      const types = ["task", "project", "member"];
      for (const [spaceId, { documents }] of world.spaces) {
        const expected = [...documents.values()]
          .filter(({ type, deletedBy }) => types.includes(type) && deletedBy === undefined)
          .map((document) => servedText(documents, document))
          .sort();
        const found: string[] = [];
        for (let after: string | undefined; ; ) {
          const page: readonly StoredResource[] = await reads().living(spaceId, types, after, 60);
          found.push(...page.map(({ text }) => text));
          if (page.length === 0) break;
          after = page.at(-1)?.id;
        }
        expect(found.toSorted()).toEqual(expected);
      }
      expect([...(await reads().living(nobody, types, undefined, 9))]).toEqual([]);
    });

    test("what the writer kept is equal to the byte, whatever is shown in its place", async () => {
      const all = [...world.spaces.values()].flatMap(({ documents }) => [...documents.values()]);
      const keys = all.map(({ spaceId, id }) => ({ spaceId, id }));
      const found = await store().read({ heads: [], documents: keys, operations: [], seqs: [] });
      const texts = (values: readonly unknown[]) => values.map((each) => JSON.stringify(each)).sort();
      expect(texts(found.documents)).toEqual(texts(all));
    });

    test("labels are those of tasks that lists show, each with their number, in their order", async () => {
      for (const spaceId of [shared, other, ann, nobody]) {
        const texts = listedTexts([documentsOf(spaceId)], "task", new URLSearchParams(), ann);
        const counts = new Map<string, number>();
        for (const text of texts)
          for (const label of (JSON.parse(text) as { labels: string[] }).labels)
            counts.set(label, (counts.get(label) ?? 0) + 1);
        const expected = [...counts].map(([label, tasks]) => ({ label, tasks }));
        expected.sort((a, b) => Buffer.compare(Buffer.from(a.label), Buffer.from(b.label)));
        expect([...(await reads().labels(spaceId))]).toEqual(expected);
      }
    });

    test("the changes of a resource come newest first, below a version, each with what its fact tells", async () => {
      for (const [spaceId, { documents, facts }] of world.spaces) {
        const changes = facts.flatMap((fact) => fact.changes.map((change) => ({ fact, change })));
        for (const { id, version } of choose.some([...documents.values()], 0.3)) {
          const expected = changes
            .filter(({ change }) => change.id === id)
            .map(({ fact: { seq, at, actorId, operationId }, change }) => ({
              fact: { spaceId, at, actorId, operationId, seq: seq as number },
              change,
            }))
            .reverse();
          expect([...(await reads().changes(spaceId, id, Number.MAX_SAFE_INTEGER, 1_000))]).toEqual(expected);
          const below = await reads().changes(spaceId, id, version, 1);
          expect([...below]).toEqual(expected.filter(({ change }) => change.version < version).slice(0, 1));
        }
      }
      expect([...(await reads().changes(other, ids(shared, "task")[0] as string, 9, 9))]).toEqual([]);
    });

    test("facts come in their order, no more than asked for, and not many more than fit", async () => {
      for (const [spaceId, space] of world.spaces) {
        const numbered = space.facts.filter(({ seq }) => seq !== undefined);
        const found: Fact[] = [];
        for (let after = 0; ; after = found.at(-1)?.seq as number) {
          const page = await reads().facts(spaceId, after, 100, 20_000);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(100);
          const bytes = page.reduce((sum, fact) => sum + Buffer.byteLength(JSON.stringify(fact)), 0);
          expect(page.length === 1 || bytes <= 20_000).toBe(true);
          found.push(...page);
        }
        expect(found).toEqual(numbered);
        expect([...(await reads().facts(spaceId, 2, 5, 1))]).toEqual(numbered.slice(2, 3));
        for (const fact of choose.some(space.facts, 0.05))
          expect(await reads().operation(spaceId, fact.operationId)).toEqual(fact);
        expect(await reads().head(spaceId)).toMatchObject({ seq: numbered.length });
      }
      expect(await reads().head(nobody)).toBeUndefined();
      expect([...(await reads().facts(nobody, 0, 9, 9_999))]).toEqual([]);
      expect(await reads().operation(other, world.spaces.get(shared)?.facts[0]?.operationId as string)).toBeUndefined();
    });

    test("memberships are the spaces in which a user is a member now, and one's own once something happened there", async () => {
      const is = (spaceId: string) => ({ spaceId, isDeleted: false });
      expect([...(await reads().memberships(ann))]).toEqual([shared, other, ann].sort().map(is));
      expect([...(await reads().memberships(ben))]).toEqual([is(shared)]);
      expect([...(await reads().memberships(nobody))]).toEqual([]);
    });

    test("a store has one name, and another store another", async () => {
      const epoch = await reads().epoch();
      expect(epoch).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(await reads().epoch()).toBe(epoch);
      const second = await open();
      expect(await second.reads.epoch()).not.toBe(epoch);
      await second.close();
    });
  });
}
