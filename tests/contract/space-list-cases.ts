/** What lists are over every adapter of `SpaceReads`: what plain code finds over arrays. */
import { describe, expect, test } from "bun:test";
import { statuses } from "../../actors/resources/project.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { ResourceType } from "../../actors/resources/resource-type.ts";
import { priorities } from "../../actors/resources/task.ts";
import type { ListedResource } from "../../actors/task/ports.ts";
import { cursorAfter, type ListParameter, listParametersOf, resourceQuery } from "../../actors/task/resource-query.ts";
import { random } from "../system/random.ts";
import { type OpenReads, openedWorld, steps, writeBatch } from "./space-reads-opened.ts";
import { listedTexts } from "./space-reads-oracle.ts";
import { ann, ben, columnIds, labels, nobody, other, projects, shared, titles, worldOf } from "./space-reads-world.ts";

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

/** `open` answers an empty store each time. Of a store that is slow, `few` is asked. */
export function spaceListCases(name: string, open: OpenReads, { few = false }: { few?: boolean } = {}): void {
  describe(`${name} as lists of spaces`, () => {
    const { reads, documentsOf, ids } = openedWorld(open);

    type Of = { readonly type?: string; readonly spaceIds?: readonly string[]; readonly userId?: string };

    /** All pages of a query, following its cursors as a client does. */
    async function walked(parameters: URLSearchParams, of: Of = {}): Promise<string[]> {
      const { type = "task", spaceIds = [shared], userId = ann } = of;
      const found: string[] = [];
      for (let pages = 0; pages <= steps * 2; pages += 1) {
        const input = { userId, spaceIds, ...(spaceIds.length > 1 ? { isAcross: true as const } : {}) };
        const query = resourceQuery(typeNamed(type), input, parameters);
        const rows: readonly ListedResource[] = await reads().list(query);
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

    test.each([...registry.keys()])(
      "every sort of a %s, both ways, by pages of any size, is the contract's order",
      async (type) => {
        for (const sort of sortsOf(typeNamed(type)))
          for (const limit of few ? ["37"] : ["100", "7"]) await compared({ sort, limit }, { type });
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
      for (let round = 0; round < (few ? 120 : 400); round += 1) {
        const given = { ...someFilters(), sort: choose.pick(sorts), limit: choose.pick(["9", "50", "100"]) };
        const spaceIds = choose.pick([[shared], [shared], [other], [shared, other, ann, nobody]]);
        found += (await compared(given, { spaceIds, userId: choose.pick([ann, ben]) })).length;
      }
      expect(found).toBeGreaterThan(few ? 100 : 1_000);
    }, 240_000);

    test("a due is before or after a bound by the reader's zone, in hours that a clock skips and repeats too", async () => {
      for (const timeZone of few ? zones.slice(0, 3) : zones)
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
        const whole = await reads().list(query);
        const ends = [0, 1, 50].map((at) => whole[at]?.end).filter((end) => end !== undefined);
        for (const end of ends) {
          const behind = whole.slice(whole.findIndex((item) => item.end === end) + 1).map(({ text }) => text);
          const found = (await reads().list({ ...query, after: end })).map(({ text }) => text);
          expect(found.slice(0, behind.length)).toEqual(behind);
          const between = { ...end, id: `${end.id.slice(0, -1)}${end.id.endsWith("f") ? "e" : "f"}` };
          expect((await reads().list({ ...query, after: between })).length).toBeGreaterThan(0);
        }
      }
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
