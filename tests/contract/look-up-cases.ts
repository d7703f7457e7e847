/** What a decision asks a store of facts for that is not found by id. */
import { describe, expect, test } from "bun:test";
import type { Document } from "../../actors/resources/document.ts";
import { idOf } from "../../actors/resources/space-for-tests.ts";
import type { OpenedFactStore } from "./fact-store-cases.ts";
import { stepsOf } from "./fact-store-steps.ts";

export function lookUpCases(name: string, open: () => Promise<OpenedFactStore>): void {
  describe(`${name} as a store of documents`, () => {
    test("tells what refers to a resource, deleted or not, in its space alone", async () => {
      const { store, close } = await open();
      const [first] = stepsOf(6, 40).flatMap(({ documents }) => documents.filter(({ type }) => type === "task"));
      if (first === undefined) throw new Error("there is no task");
      const spaceId = first.spaceId;
      const task = (number: number, parentId: string | null, more: Partial<Document> = {}): Document => ({
        ...first,
        id: idOf(number),
        fields: { ...first.fields, parentId },
        ...more,
      });
      const [top, other] = [idOf(81), idOf(82)];
      await store.project(
        [
          task(81, null),
          task(82, null),
          task(83, top),
          task(84, top, { deletedBy: idOf(11) }),
          task(85, other),
          task(86, top, { spaceId: idOf(9) }),
          task(87, top),
        ],
        [],
      );
      await store.project([task(87, null, { version: first.version + 1, seq: first.seq + 1 })], []);
      const asked = [top, other, idOf(88)].map((id) => ({ type: "task", field: "parentId", id }));
      const found = (await store.referrers(spaceId, asked)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(found).toEqual([
        { id: idOf(83), to: top },
        { id: idOf(84), to: top },
        { id: idOf(85), to: other },
      ]);
      expect(await store.referrers(idOf(77), asked)).toEqual([]);
      expect(await store.referrers(spaceId, [])).toEqual([]);
      await close();
    });

    test("tells what is in a range of ranks, in its order, not deleted and in its space alone", async () => {
      const { store, close } = await open();
      const [first] = stepsOf(6, 40).flatMap(({ documents }) => documents.filter(({ type }) => type === "task"));
      if (first === undefined) throw new Error("there is no task");
      const { spaceId } = first;
      const task = (number: number, rank: string, more: Partial<Document> = {}): Document => ({
        ...first,
        id: idOf(number),
        fields: { ...first.fields, projectId: null, parentId: null, rank },
        ...more,
      });
      await store.project(
        [
          task(81, "0aV"),
          task(82, "0aV1V"),
          task(83, "0aV1U~2V"),
          task(84, "0aVzV", { deletedBy: idOf(11) }),
          task(85, "0aVzzV"),
          task(86, "0bV"),
          task(87, "0aV2V", { spaceId: idOf(9) }),
          task(88, "-zV"),
          // One that is hidden is in the order all the same.
          task(89, "0aV3V", { fields: { ...first.fields, projectId: null, parentId: idOf(84), rank: "0aV3V" } }),
        ],
        [],
      );
      await store.project([task(85, "0aV0V", { version: first.version + 1, seq: first.seq + 1 })], []);
      const range = { type: "task", field: "rank", above: "0aV", below: "0aV\u007f", isDescending: false, max: 10 };
      const inside = [
        { id: idOf(85), value: "0aV0V" },
        { id: idOf(83), value: "0aV1U~2V" },
        { id: idOf(82), value: "0aV1V" },
        { id: idOf(89), value: "0aV3V" },
      ];
      expect(await store.ranged(spaceId, range)).toEqual(inside);
      expect(await store.ranged(spaceId, { ...range, max: 2 })).toEqual(inside.slice(0, 2));
      const backwards = { ...range, isDescending: true };
      expect(await store.ranged(spaceId, backwards)).toEqual(inside.toReversed());
      expect(await store.ranged(spaceId, { ...backwards, above: "", below: "0aV1U~2V", max: 3 })).toEqual([
        { id: idOf(85), value: "0aV0V" },
        { id: idOf(81), value: "0aV" },
        { id: idOf(88), value: "-zV" },
      ]);
      expect(await store.ranged(idOf(77), range)).toEqual([]);
      await close();
    });
  });
}
