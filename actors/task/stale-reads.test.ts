/** Reads that gave up waiting for what their reader wrote last. */
import { expect, test } from "bun:test";
import type { Call, Route } from "../http/route.ts";
import { Problem } from "../model/problem.ts";
import type { Head } from "../resources/document.ts";
import { idOf } from "../resources/space-for-tests.ts";
import { spaceAccess } from "./access.ts";
import { lists } from "./lists.ts";
import type { SpaceReads } from "./ports.ts";
import { spaceQueries } from "./queries.ts";
import type { SpaceParts } from "./request.ts";
import { feedRoutes } from "./routes/feed.ts";
import { spaceRoutes } from "./routes/spaces.ts";

const [spaceId, userId, id] = [idOf(1), idOf(11), idOf(31)] as [string, string, string];
const reader = { userId, token: undefined };

/** An empty read model; the writer has told of as many facts as `told`. */
function world({ isStale, told = 0 }: { isStale: boolean; told?: number }) {
  const reads = {
    changes: () => [],
    operation: () => undefined,
    facts: () => [],
    epoch: () => "e",
  } as unknown as SpaceReads;
  const consistent = {
    isStale: () => isStale,
    resource: () => ({ resource: undefined, isStale }),
    pending: () => undefined,
  } as never;
  const queries = spaceQueries({ reads, consistent, documentsOf: () => new Map(), site: { url: "" } });
  const head = { seq: told } as Head;
  const parts = {
    reads,
    queries,
    lists: { isStale: () => isStale, seqOf: () => 0 },
    access: { spaceIdOf: () => spaceId, of: () => ({ spaceId, role: "owner", head }) },
  } as unknown as SpaceParts;
  const get = async (path: string, seq = "1") => {
    const route = feedRoutes(parts).find((each) => each.path.endsWith(path.split("?")[0] as string)) as Route;
    const { searchParams: query } = new URL(path, "http://localhost.local");
    const request = new Request("http://localhost.local/");
    return route.handle({ request, query, params: { spaceId, seq }, caller: { userId } } as unknown as Call);
  };
  return { queries, get };
}

async function headersOf(read: () => unknown): Promise<unknown> {
  try {
    await read();
  } catch (thrown) {
    return thrown instanceof Problem ? [thrown.code, thrown.headers] : thrown;
  }
  return undefined;
}

test.each([
  [true, { consistency: "stale" }],
  [false, {}],
])("what is not found while one's own writes may be missing (%p) says so", async (isStale, headers) => {
  const { queries, get } = world({ isStale });
  for (const read of [
    () => queries.get(reader, spaceId, "task", id),
    () => queries.past(reader, spaceId, "task", id, { version: 1 }),
    () => queries.history(reader, { spaceId, type: "task", id }, { limit: 1, cursor: null }),
    () => queries.operation(reader, spaceId, id),
    () => get("/facts/:seq"),
  ])
    expect(await headersOf(read)).toEqual(["not-found", headers]);
});

test("who was told of a fact that the read model lacks is not ahead of the space", async () => {
  const { get } = world({ isStale: false, told: 3 });
  expect(await get("/facts?after=3")).toMatchObject({ json: '{"items":[],"after":3,"seq":3,"epoch":"e"}' });
  expect(await headersOf(() => get("/facts?after=4"))).toEqual(["resync", {}]);
  expect(await headersOf(() => get("/facts?after=1&epoch=other"))).toEqual(["resync", {}]);
  expect(await world({ isStale: true }).get("/facts?after=4")).toMatchObject({ headers: { consistency: "stale" } });
});

/** The texts of lists over all of the reader's spaces; pages of tasks are the ids of the spaces that were asked. */
function listing(consistent: object, memberships: () => readonly { spaceId: string; isDeleted: boolean }[]) {
  const reads = { epoch: () => "e", memberships } as never;
  const parts = {
    reads,
    lists: lists({ reads, consistent: { projectedSeq: () => 1, ...consistent } as never }),
    access: spaceAccess(consistent as never),
    queries: {
      page: (_: unknown, { spaceIds }: { spaceIds: readonly string[] }) => JSON.stringify(spaceIds),
      get: (_: unknown, of: string) => ({ json: JSON.stringify(of) }),
    },
  } as unknown as SpaceParts;
  return async (path: string) => {
    const route = spaceRoutes(parts).find((each) => each.method === "GET" && each.path === path) as Route;
    const request = new Request(`http://localhost.local${path}`);
    const call = { request, query: new URLSearchParams(), caller: { userId } } as unknown as Call;
    return ((await route.handle(call)) as { json: string }).json;
  };
}
const memberOf = { id: idOf(21), userId, role: "member", since: "" };

test.each([true, false])(
  "a space that was left is in no list, although the read model still has it among the reader's (%p)",
  async (hasLeft) => {
    const members = hasLeft ? [] : [memberOf];
    const head = (_: unknown, of: string) =>
      of === spaceId ? { spaceId, seq: 2, isDeleted: false, members } : undefined;
    const list = listing({ isStale: () => false, head }, () => [{ spaceId, isDeleted: false }]);
    expect(JSON.parse(await list("/v1/me/tasks"))).toEqual(hasLeft ? [userId] : [spaceId, userId]);
    expect((await list("/v1/spaces")).includes(spaceId)).toBe(!hasLeft);
  },
);

test("a space that was joined just now is in every list, which waits for what its reader wrote", async () => {
  let isProjected = false;
  const isStale = async () => {
    isProjected = true;
    return false;
  };
  const head = (_: unknown, of: string) =>
    of === spaceId ? { spaceId, seq: 2, isDeleted: false, members: [memberOf] } : undefined;
  for (const path of ["/v1/me/tasks", "/v1/spaces"]) {
    isProjected = false;
    const list = listing({ isStale, head }, () => (isProjected ? [{ spaceId, isDeleted: false }] : []));
    expect(await list(path)).toContain(spaceId);
  }
});
