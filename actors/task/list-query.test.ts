import { expect, test } from "bun:test";
import fc from "fast-check";
import { problemOf } from "../http/problem-of-for-tests.ts";
import { checker } from "../http/validate.ts";
import { sealCursor } from "./cursor.ts";
import {
  cursorAfter,
  type ListQuery,
  listParameters,
  listQuery,
  type PageEnd,
  type SortField,
  sortFields,
} from "./list-query.ts";

const userA = "00000000-0000-4000-8000-00000000000a";
const userB = "00000000-0000-4000-8000-00000000000b";
const id = "019b0000-0000-7000-8000-000000000001";

function read(query: string, userId = userA): ListQuery {
  return listQuery(userId, new URLSearchParams(query));
}
function continued(query: string, cursor: string, userId = userA): Promise<unknown> {
  return problemOf(() => read(`${query}&cursor=${encodeURIComponent(cursor)}`, userId));
}
const endOf = (sort: SortField): PageEnd => ({
  key: sort === "title" ? "çay — 茶 😀" : sort === "priority" ? 3 : 1_767_225_600_000,
  id,
});

test("without parameters it is the first 50 of all living tasks, the newest first", () => {
  expect(read("")).toEqual({
    ownerId: userA,
    deleted: false,
    statuses: [],
    priority: undefined,
    labels: [],
    words: [],
    dueBeforeMs: undefined,
    dueAfterMs: undefined,
    updatedAfterMs: undefined,
    sort: "createdAt",
    descending: true,
    limit: 50,
    after: undefined,
  });
});

test("a cursor goes on where the page ended, in every sort and with another limit", () => {
  for (const sort of sortFields) {
    for (const sign of ["", "-"]) {
      const query = `sort=${sign}${sort}`;
      const cursor = cursorAfter(read(`${query}&limit=3`), endOf(sort));
      expect(read(`${query}&limit=100&cursor=${encodeURIComponent(cursor)}`).after).toEqual(endOf(sort));
    }
  }
  const keyless = cursorAfter(read("sort=dueAt"), { key: null, id });
  expect(read(`sort=dueAt&cursor=${keyless}`).after).toEqual({ key: null, id });
});

test("the same filters said in another way take the same cursor", async () => {
  const cursor = cursorAfter(
    read("status=todo&status=done&label=a&label=b&q=Çay+AL&dueBefore=2026-01-01T00:00:00Z"),
    endOf("createdAt"),
  );
  expect(
    await continued(
      "q=al+cay+AL&label=b&label=a&label=b&status=done&status=todo&dueBefore=2026-01-01T02:00:00.0%2B02:00&deleted=false&sort=-createdAt",
      cursor,
    ),
  ).toBeUndefined();
});

test("another user, filter or sort refuses the cursor", async () => {
  const cursor = cursorAfter(read("status=todo&q=a"), endOf("createdAt"));
  expect(await continued("status=todo&q=a", cursor)).toBeUndefined();
  expect(await continued("status=todo&q=a", cursor, userB)).toBe("invalid-cursor");
  const others = [
    "status=done&q=a",
    "q=a",
    "status=todo",
    "status=todo&q=ab",
    "status=todo&q=a&deleted=true",
    "status=todo&q=a&sort=createdAt",
    "status=todo&q=a&sort=-updatedAt",
    "status=todo&q=a&priority=low",
    "status=todo&q=a&label=x",
    "status=todo&q=a&dueBefore=2026-01-01T00:00:00Z",
    "status=todo&q=a&dueAfter=2026-01-01T00:00:00Z",
    "status=todo&q=a&updatedAfter=2026-01-01T00:00:00Z",
  ];
  for (const other of others) expect(await continued(other, cursor), other).toBe("invalid-cursor");
});

test("any change of a cursor's text refuses it, and any text at all is taken or refused", async () => {
  const cursors = [
    cursorAfter(read("sort=title"), endOf("title")),
    cursorAfter(read("sort=title"), { key: "長".repeat(500), id }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...cursors),
      fc.nat(),
      fc.constantFrom("A", "b", "-", "_", ".", "=", "", "é"),
      async (cursor, place, other) => {
        const at = place % cursor.length;
        const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
        if (changed !== cursor) expect(await continued("sort=title", changed)).toBe("invalid-cursor");
      },
    ),
    { numRuns: 500 },
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      if (text.isWellFormed()) expect(await continued("sort=title", text)).toBe("invalid-cursor");
    }),
  );
  for (const odd of [`${cursors[0]}.x`, `${cursors[0]}=`, ` ${cursors[0]}`, ""])
    expect(await continued("sort=title", odd)).toBe("invalid-cursor");
});

test("a cursor sealed by somebody else's hand with values of another kind is refused", async () => {
  const { limit: _limit, after: _after, ...filters } = read("sort=-createdAt");
  const ends: unknown[][] = [
    [],
    [1],
    ["1", id],
    [null, id],
    [1.5, id],
    [1, id, 2],
    [1, 7],
    [1, "no id"],
    [{}, id],
    [1, id.toUpperCase()],
    [[1], [id]],
  ];
  for (const end of ends)
    expect(await continued("sort=-createdAt", sealCursor(end, filters)), JSON.stringify(end)).toBe("invalid-cursor");
  expect(await continued("sort=-createdAt", sealCursor([1, id], filters))).toBeUndefined();
});

test("the longest title's cursor fits in a URL", () => {
  const longest = "\ufdfa".repeat(500).normalize("NFKD");
  const query = read("sort=title");
  const cursor = cursorAfter(query, { key: longest, id });
  expect(cursor.length).toBeLessThan(4_000);
  expect(read(`sort=title&cursor=${cursor}`).after).toEqual({ key: longest, id });
});

test.each([
  ["limit", ["1", "9", "10", "99", "100"], ["0", "101", "-1", "1.5", "", "01", "1e1", " 1", "٣"]],
  ["sort", ["createdAt", "-title", "dueAt"], ["", "+title", "--title", "Title", "id", "createdat"]],
  ["status", ["todo", "in_progress", "done"], ["", "TODO", "todo,done"]],
  ["deleted", ["true", "false"], ["", "1", "TRUE", "yes"]],
  [
    "dueBefore",
    ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.5+02:00"],
    ["", "2026-01-31", "2026-01-31T09:30:00 02:00", "now"],
  ],
  ["label", ["a", "😀".repeat(50)], ["", "😀".repeat(51), "\ud800", "a\0"]],
  ["q", ["", "a b", "é".repeat(500)], ["é".repeat(501), "\0"]],
] as const)("%s has its bounds", (name, good, bad) => {
  const check = checker(listParameters[name].schema);
  for (const value of good) expect(check(value), value).toEqual([]);
  for (const value of bad) expect(check(value).length, value).toBeGreaterThan(0);
});

test("what is due before an instant finer than a millisecond is due in its millisecond too", () => {
  const before = (instant: string) => read(`dueBefore=${instant}`).dueBeforeMs;
  const ms = Date.parse("2026-01-01T00:00:03.001Z");
  expect(
    ["00:00:03.001Z", "00:00:03.001000Z", "00:00:03.0010001Z"].map((time) => before(`2026-01-01T${time}`)),
  ).toEqual([ms, ms, ms + 1]);
  expect(read("dueAfter=2026-01-01T00:00:03.0019Z&updatedAfter=2026-01-01T00:00:03.0019Z")).toMatchObject({
    dueAfterMs: ms,
    updatedAfterMs: ms,
  });
});
