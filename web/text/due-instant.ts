/** The instant of a `due` that names a zone, found by `Intl` alone: not every browser has `Temporal`. */
import type { Due } from "../../actors/resources/due.ts";

const dayMs = 86_400_000;
/** To find one takes longer than to compare two cards, and lists of thousands are sorted by it. */
const found = new WeakMap<Due, number | undefined>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds since 1970. Undefined where it has no time or zone, or the browser does not know the zone. */
export function instantMsOf(due: Due): number | undefined {
  if (!found.has(due)) found.set(due, find(due));
  return found.get(due);
}

/** As the server finds it (`instantOfDue`): in a gap of the clock it is moved on by the gap's length, in a fold it is the first. */
function find({ date, time, timeZone }: Due): number | undefined {
  if (time === undefined || timeZone === undefined) return undefined;
  const localMs = Date.parse(`${date}T${time}Z`);
  try {
    // By the clock as it goes the day before, and as it goes the day after.
    const before = localMs - offsetMs(localMs - dayMs, timeZone);
    const after = localMs - offsetMs(localMs + dayMs, timeZone);
    const shows = (ms: number) => ms + offsetMs(ms, timeZone) === localMs;
    return !shows(before) && shows(after) ? after : before;
  } catch {
    return undefined;
  }
}

/** How far the zone's clock is ahead of UTC. */
function offsetMs(ms: number, timeZone: string): number {
  const wholeMs = Math.floor(ms / 1_000) * 1_000;
  const parts = formatOf(timeZone).formatToParts(wholeMs);
  const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.find(({ type }) => type === name)?.value);
  const shown = new Date(0);
  // Not by `Date.UTC`, for which the year 50 is 1950.
  shown.setUTCFullYear(part("year"), part("month") - 1, part("day"));
  return shown.setUTCHours(part("hour"), part("minute"), part("second")) - wholeMs;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  return format;
}
