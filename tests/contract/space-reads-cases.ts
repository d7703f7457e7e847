/** What every adapter of `SpaceReads` does, whatever is behind it, fed by the writers' own stores: one suite for all. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { FactStore } from "../../actors/consumer/write-ports.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import { statuses } from "../../actors/resources/project.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { ResourceType } from "../../actors/resources/resource-type.ts";
import { priorities } from "../../actors/resources/task.ts";
import { cursorAfter, type ListParameter, listParametersOf, resourceQuery } from "../../actors/task/resource-query.ts";
import type { ListedResource, SpaceReads } from "../../actors/task/space-ports.ts";
import { random } from "../system/random.ts";
import { type Documents, listedTexts, servedText } from "./space-reads-oracle.ts";
import {
  ann,
  type Batch,
  ben,
  columnIds,
  labels,
  nobody,
  other,
  projects,
  shared,
  titles,
  type World,
  worldOf,
} from "./space-reads-world.ts";

export type OpenedSpaceReads = {
  readonly store: FactStore;
  readonly reads: SpaceReads;
  close(): Promise<void>;
};

const steps = 1_500;
const choose = random(2026);
const zones = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Apia", "Asia/Kolkata"];
const bounds = [
  ...["2026-03-29", "2026-03-30", "2026-10-25", "2026-03-28", "0001-01-01"],
  ...[
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:30:00Z",
    "2026-03-29T00:30:00Z",
    "2026-03-29T02:00:00.001Z",
    "2026-10-25T00:30:00Z",
  ],
  ...[
    "2026-10-25T01:15:00Z",
    "2026-10-25T02:00:00Z",
    "2026-03-29T22:00:00Z",
    "2026-03-29T23:59:59.999Z",
    "1970-01-01T00:00:00Z",
  ],
];

export async function writeBatch(store: FactStore, { facts, documents, heads }: Batch): Promise<void> {
  await store.record(facts);
  await store.project(documents, heads);
}

function toQuery(given: Readonly<Record<string, string | readonly string[] | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given))
    for (const each of typeof value === "string" ? [value] : (value ?? [])) query.append(name, each);
  return query;
}

const maybe = <T>(probability: number, value: () => T): T | undefined =>
  choose.chance(probability) ? value() : undefined;

/** What people search for: parts of titles, whole ones, and signs that mean something to some store. */
function search(): string {
  const title = choose.pick(titles);
  const from = choose.int(title.length);
  const own = [title, title.slice(from), title.slice(0, 1 + from), title.toUpperCase()].filter((each) =>
    each.isWellFormed(),
  );
  return choose.pick([
    ...own,
    ".*",
    "^",
    "$",
    "\\",
    "(",
    "a|b",
    '"',
    "*",
    "zoo*",
    "NEAR(a b)",
    "!!",
    "",
    "テ",
    "👍",
    "+ c",
    "t",
    "ta",
  ]);
}

export function spaceReadsCases(name: string, open: () => Promise<OpenedSpaceReads>): void {
  describe(`${name} as reads of spaces`, () => {
    let opened: OpenedSpaceReads;
    let world: World;
    beforeAll(async () => {
      opened = await open();
      world = worldOf(7, steps);
      for (const batch of world.batches) await writeBatch(opened.store, batch);
    }, 120_000);
    afterAll(() => opened.close());

    const documentsOf = (spaceId: string): Documents => world.spaces.get(spaceId)?.documents ?? new Map();
    const ids = (spaceId: string, type: string) =>
      [...documentsOf(spaceId).values()].filter((each) => each.type === type).map(({ id }) => id);

    type Of = { readonly type?: string; readonly spaceIds?: readonly string[]; readonly userId?: string };

    /** All pages of a query, following its cursors as a client does. */
    async function walked(parameters: URLSearchParams, of: Of = {}): Promise<string[]> {
      const { type = "task", spaceIds = [shared], userId = ann } = of;
      const found: string[] = [];
      for (let pages = 0; pages <= steps * 2; pages += 1) {
        const input = { userId, spaceIds, ...(spaceIds.length > 1 ? { isAcross: true as const } : {}) };
        const query = resourceQuery(typeNamed(type), input, parameters);
        const rows: readonly ListedResource[] = await opened.reads.list(query);
        expect(rows.length).toBeLessThanOrEqual(query.limit + 1);
        const page = rows.slice(0, query.limit);
        found.push(...page.map(({ text }) => text));
        const last = page.at(-1);
        if (rows.length <= query.limit || last === undefined) return found;
        parameters.set("cursor", cursorAfter(query, last.end));
      }
      throw new Error("The walk does not end");
    }

    async function compared(given: Parameters<typeof toQuery>[0], of: Of = {}): Promise<string[]> {
      const { type = "task", spaceIds = [shared], userId = ann } = of;
      const expected = listedTexts(spaceIds.map(documentsOf), type, toQuery(given), userId);
      const found = await walked(toQuery(given), of);
      expect(found, `${toQuery(given)}`).toEqual(expected);
      return found;
    }

    function someFilters() {
      const tasks = ids(shared, "task");
      return {
        id: choose.chance(0.05) ? choose.some(tasks, 0.03).slice(0, 100) : [],
        project: maybe(0.2, () => choose.pick([...projects, "none", nobody])),
        column: maybe(0.1, () => choose.pick(columnIds)),
        parent: maybe(0.15, () => choose.pick([...tasks, "none"])),
        assignee: choose.some([ann, ben, "me", "none"], 0.1),
        status: choose.some(statuses, 0.2),
        priority: choose.some(priorities, 0.15),
        label: choose.some(labels, 0.04),
        q: maybe(0.3, search),
        dueBefore: maybe(0.15, () => choose.pick(bounds)),
        dueAfter: maybe(0.15, () => choose.pick(bounds)),
        timeZone: maybe(0.3, () => choose.pick(zones)),
        updatedAfter: maybe(0.1, () => new Date(Date.UTC(2026, 0, 1) + choose.int(800) * 1_000).toISOString()),
        completedAfter: maybe(0.1, () => new Date(Date.UTC(2026, 0, 1) + choose.int(800) * 1_000).toISOString()),
        deleted: maybe(0.25, () => choose.pick(["true", "false"])),
      };
    }

    test("every resource is as it is served, deleted or not, and what is not there is nothing", async () => {
      for (const [spaceId, { documents }] of world.spaces) {
        const all = [...documents.values()];
        const found = await opened.reads.resources(spaceId, [...documents.keys(), nobody]);
        const byId = new Map(found.map((each) => [each.id, each]));
        expect(found.length).toBe(all.length);
        for (const document of all) {
          const { id, type, version, deletedBy } = document;
          const text = servedText(documents, document);
          expect(byId.get(id)).toEqual({ spaceId, id, type, version, isDeleted: deletedBy !== undefined, text });
        }
      }
      expect(await opened.reads.resources(nobody, [nobody])).toEqual([]);
      expect(await opened.reads.resources(other, [ids(shared, "task")[0] as string, ann])).toEqual([]);
    });

    test("what the writer kept is equal to the byte, whatever is shown in its place", async () => {
      const all = [...world.spaces.values()].flatMap(({ documents }) => [...documents.values()]);
      const keys = all.map(({ spaceId, id }) => ({ spaceId, id }));
      const found = await opened.store.read({ heads: [], documents: keys, operations: [], seqs: [] });
      const texts = (values: readonly unknown[]) => values.map((each) => JSON.stringify(each)).sort();
      expect(texts(found.documents)).toEqual(texts(all));
    });

    test.each([...registry.keys()])(
      "every sort of a %s, both ways, by pages of any size, is the contract's order",
      async (type) => {
        for (const sort of sortsOf(typeNamed(type)))
          for (const limit of ["100", "7"]) await compared({ sort, limit }, { type });
        await compared({}, { type, spaceIds: [other] });
        await compared({ deleted: "true" }, { type });
      },
    );

    test("tasks are hidden with their project or what is above them, and comments with their task", async () => {
      const documents = documentsOf(shared);
      const isGone = (id: string) => documents.get(id)?.deletedBy !== undefined;
      const hidden = projects.filter((id) => isGone(id) || documents.get(id)?.fields.archived === true);
      const tasks = [...documents.values()].filter(({ type }) => type === "task");
      const inHidden = tasks.filter(
        ({ fields, deletedBy }) => hidden.includes(`${fields.projectId}`) && deletedBy === undefined,
      );
      expect(inHidden.length).toBeGreaterThan(5);
      for (const project of projects) await compared({ project });
      await compared({ id: inHidden.slice(0, 100).map(({ id }) => id) });
      const parents = [
        ...new Set(tasks.flatMap(({ fields }) => (typeof fields.parentId === "string" ? fields.parentId : []))),
      ];
      expect(parents.filter(isGone).length).toBeGreaterThan(1);
      for (const parent of parents) await compared({ parent });
      for (const task of ids(shared, "task")) await compared({ task }, { type: "comment" });
    }, 120_000);

    test("any filters in any order find what a plain array finds", async () => {
      const sorts = sortsOf(typeNamed("task"));
      let found = 0;
      for (let round = 0; round < 400; round += 1) {
        const given = { ...someFilters(), sort: choose.pick(sorts), limit: choose.pick(["9", "50", "100"]) };
        const spaceIds = choose.pick([[shared], [shared], [other], [shared, other, ann, nobody]]);
        found += (await compared(given, { spaceIds, userId: choose.pick([ann, ben]) })).length;
      }
      expect(found).toBeGreaterThan(1_000);
    }, 240_000);

    test("a due is before or after a bound by the reader's zone, in hours that a clock skips and repeats too", async () => {
      for (const timeZone of zones)
        for (const bound of bounds)
          for (const name of ["dueBefore", "dueAfter"])
            await compared({ [name]: bound, timeZone, limit: "100", sort: "dueAt" });
    }, 240_000);

    test("a cursor begins anywhere in the order, also where nothing has that place", async () => {
      for (const sort of ["createdAt", "-dueAt", "priority", "-title"]) {
        const query = resourceQuery(
          typeNamed("task"),
          { userId: ann, spaceIds: [shared] },
          toQuery({ sort, limit: "100" }),
        );
        const whole = await opened.reads.list(query);
        const ends = [0, 1, 50].map((at) => whole[at]?.end).filter((end) => end !== undefined);
        for (const end of ends) {
          const behind = whole.slice(whole.findIndex((item) => item.end === end) + 1).map(({ text }) => text);
          const found = (await opened.reads.list({ ...query, after: end })).map(({ text }) => text);
          expect(found.slice(0, behind.length)).toEqual(behind);
          const between = { ...end, id: `${end.id.slice(0, -1)}${end.id.endsWith("f") ? "e" : "f"}` };
          expect((await opened.reads.list({ ...query, after: between })).length).toBeGreaterThan(0);
        }
      }
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
        expect([...(await opened.reads.labels(spaceId))]).toEqual(expected);
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
          expect([...(await opened.reads.changes(spaceId, id, Number.MAX_SAFE_INTEGER, 1_000))]).toEqual(expected);
          const below = await opened.reads.changes(spaceId, id, version, 1);
          expect([...below]).toEqual(expected.filter(({ change }) => change.version < version).slice(0, 1));
        }
      }
      expect([...(await opened.reads.changes(other, ids(shared, "task")[0] as string, 9, 9))]).toEqual([]);
    });

    test("facts come in their order, no more than asked for, and not many more than fit", async () => {
      for (const [spaceId, space] of world.spaces) {
        const numbered = space.facts.filter(({ seq }) => seq !== undefined);
        const found: Fact[] = [];
        for (let after = 0; ; after = found.at(-1)?.seq as number) {
          const page = await opened.reads.facts(spaceId, after, 100, 20_000);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(100);
          const rest = page.slice(0, -1).reduce((sum, fact) => sum + JSON.stringify(fact).length, 0);
          expect(rest).toBeLessThanOrEqual(20_000);
          found.push(...page);
        }
        expect(found).toEqual(numbered);
        expect([...(await opened.reads.facts(spaceId, 2, 5, 1))]).toEqual(numbered.slice(2, 3));
        for (const fact of choose.some(space.facts, 0.05))
          expect(await opened.reads.operation(spaceId, fact.operationId)).toEqual(fact);
        expect(await opened.reads.head(spaceId)).toMatchObject({ seq: numbered.length });
      }
      expect(await opened.reads.head(nobody)).toBeUndefined();
      expect([...(await opened.reads.facts(nobody, 0, 9, 9_999))]).toEqual([]);
      expect(
        await opened.reads.operation(other, world.spaces.get(shared)?.facts[0]?.operationId as string),
      ).toBeUndefined();
    });

    test("memberships are the spaces in which a user is a member now, and one's own once something happened there", async () => {
      const is = (spaceId: string) => ({ spaceId, isDeleted: false });
      expect([...(await opened.reads.memberships(ann))]).toEqual([shared, other, ann].sort().map(is));
      expect([...(await opened.reads.memberships(ben))]).toEqual([is(shared)]);
      expect([...(await opened.reads.memberships(nobody))]).toEqual([]);
    });

    test("a store has one name, and another store another", async () => {
      const epoch = await opened.reads.epoch();
      expect(epoch).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(await opened.reads.epoch()).toBe(epoch);
      const second = await open();
      expect(await second.reads.epoch()).not.toBe(epoch);
      await second.close();
    });

    test("one who walks while others write meets once each that stays as it was", async () => {
      const fresh = await open();
      const others = worldOf(9, 500);
      const half = Math.floor(others.batches.length / 2);
      for (const batch of others.batches.slice(0, half)) await writeBatch(fresh.store, batch);
      for (const sort of ["-createdAt", "title"]) {
        const parameters = toQuery({ sort, limit: "5" });
        const query = () => resourceQuery(typeNamed("task"), { userId: ann, spaceIds: [shared] }, parameters);
        const before = await fresh.reads.list({ ...query(), limit: 10_000 });
        const seen: string[] = [];
        for (let at = half; ; at += 1) {
          const rows = await fresh.reads.list(query());
          seen.push(...rows.slice(0, 5).map(({ end }) => end.id));
          const last = rows.slice(0, 5).at(-1);
          if (rows.length <= 5 || last === undefined) break;
          parameters.set("cursor", cursorAfter(query(), last.end));
          const batch = others.batches[at];
          if (sort === "-createdAt" && batch !== undefined) await writeBatch(fresh.store, batch);
        }
        parameters.delete("cursor");
        const after = await fresh.reads.list({ ...query(), limit: 10_000 });
        const keys = new Map(before.map(({ end }) => [end.id, end.key]));
        const stayed = after
          .filter(({ end }) => keys.has(end.id) && keys.get(end.id) === end.key)
          .map(({ end }) => end.id);
        expect(stayed.length).toBeGreaterThan(20);
        for (const id of stayed) expect(seen.filter((each) => each === id).length, id).toBe(1);
      }
      await fresh.close();
    }, 120_000);
  });
}

function sortsOf(type: ResourceType): string[] {
  const { sort } = listParametersOf(type);
  return (sort as ListParameter).schema.anyOf.map(({ const: name }: { const: string }) => name);
}

function typeNamed(name: string) {
  const type = registry.get(name);
  if (type === undefined) throw new Error(`there is no type ${name}`);
  return type;
}
