import { describe, expect, test } from "bun:test";
import { type Due, dueAtInstant, dueFaults, instantOfDue, keptDue } from "./due.ts";
import type { Json } from "./field.ts";

const paths = (value: Json) => dueFaults(value).map(({ path }) => path);

describe("what a due may be", () => {
  test.each<Json>([
    null,
    { date: "2026-01-31" },
    { date: "2024-02-29", time: "00:00" },
    { date: "2026-01-31", time: "09:30:15.250", timeZone: "America/Argentina/Buenos_Aires" },
    { date: "2026-01-31", time: "23:59:59", timeZone: "UTC" },
  ])("%j", (value) => {
    expect(paths(value)).toEqual([]);
  });

  test.each<[Json, string[]]>([
    ["2026-01-31", [""]],
    [[], [""]],
    [{}, ["/date"]],
    [{ date: "2026-02-29" }, ["/date"]],
    [{ date: "2026-1-31" }, ["/date"]],
    [{ date: "2026-01-31", time: "24:00" }, ["/time"]],
    [{ date: "2026-01-31", time: "9:30" }, ["/time"]],
    [{ date: "2026-01-31", time: "09:30:15.5" }, ["/time"]],
    [{ date: "2026-01-31", timeZone: "Europe/Berlin" }, ["/timeZone"]],
    [{ date: "2026-01-31", time: "09:30", timeZone: "+02:00" }, ["/timeZone"]],
    [{ date: "2026-01-31", time: "09:30", timeZone: "Europe/Atlantis" }, ["/timeZone"]],
    [{ date: "2026-01-31", "a/b": 1 }, ["/a~1b"]],
    [{ date: 1, time: 2, timeZone: 3 }, ["/date", "/time", "/timeZone"]],
  ])("not %j", (value, faults) => {
    expect(paths(value)).toEqual(faults);
  });
});

test.each([
  ["09:30:00.000", "09:30"],
  ["09:30:00", "09:30"],
  ["09:30:15.000", "09:30:15"],
  ["09:30:00.250", "09:30:00.250"],
  ["00:00", "00:00"],
])("the time %s is kept as %s", (time, kept) => {
  expect(keptDue({ timeZone: "UTC", time, date: "2026-01-31" })).toEqual({
    date: "2026-01-31",
    time: kept,
    timeZone: "UTC",
  });
});

test.each<[Due | null, string | null]>([
  [null, null],
  [{ date: "2026-01-31" }, null],
  [{ date: "2026-01-31", time: "09:30" }, null],
  [{ date: "2026-01-31", time: "09:30", timeZone: "UTC" }, "2026-01-31T09:30:00.000Z"],
  [{ date: "2026-07-01", time: "09:30", timeZone: "Europe/Berlin" }, "2026-07-01T07:30:00.000Z"],
  // The clock goes from 02:00 to 03:00: moved on by the hour that is missing.
  [{ date: "2026-03-29", time: "02:30", timeZone: "Europe/Berlin" }, "2026-03-29T01:30:00.000Z"],
  // The hour from 02:00 to 03:00 comes twice: the first one.
  [{ date: "2026-10-25", time: "02:30", timeZone: "Europe/Berlin" }, "2026-10-25T00:30:00.000Z"],
  [{ date: "2026-01-31", time: "09:30", timeZone: "Europe/Atlantis" }, null],
])("%j is the instant %s", (due, at) => {
  expect(instantOfDue(due)).toBe(at);
});

test("an instant as a due is that instant again", () => {
  for (const at of ["2026-01-31T09:30:00.000Z", "0001-12-31T23:59:59.999Z", "2026-01-31T09:30:15.000Z"])
    expect(instantOfDue(dueAtInstant(at))).toBe(at);
});
