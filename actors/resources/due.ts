/** When a task is due: a whole day, a local time of any reader, or a time in a zone. */
import type { Json } from "./field.ts";

export type Due = { readonly date: string; readonly time?: string; readonly timeZone?: string };

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/;
const timePattern = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{3}))?)?$/;
/** A name of the IANA database, never an offset: https://www.iana.org/time-zones. */
const zonePattern = /^(?=.{1,64}$)[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

export type DueFault = { readonly path: string; readonly message: string };

/** Every fault of a value that should be a `due`; paths are JSON pointers from it on. */
export function dueFaults(value: Json): DueFault[] {
  if (value === null) return [];
  if (typeof value !== "object" || Array.isArray(value)) return [{ path: "", message: "must be an object or null" }];
  const given = value as Record<string, Json>;
  const faults: DueFault[] = Object.keys(given)
    .filter((name) => name !== "date" && name !== "time" && name !== "timeZone")
    .map((name) => ({ path: `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, message: "is not a known field" }));
  const { date, time, timeZone } = given;
  if (date === undefined) faults.push({ path: "/date", message: "is required" });
  else if (typeof date !== "string" || !isDate(date))
    faults.push({ path: "/date", message: "must be a day of the calendar as YYYY-MM-DD" });
  if (time !== undefined && (typeof time !== "string" || !timePattern.test(time)))
    faults.push({ path: "/time", message: "must be HH:MM, HH:MM:SS or HH:MM:SS.mmm" });
  if (timeZone === undefined) return faults;
  if (typeof timeZone !== "string" || !isTimeZone(timeZone))
    faults.push({ path: "/timeZone", message: "must be a name of the IANA time zone database, such as Europe/Berlin" });
  else if (time === undefined) faults.push({ path: "/timeZone", message: "needs a time" });
  return faults;
}

export function isDate(text: string): boolean {
  const [, year, month, day] = datePattern.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return false;
  const parsed = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.getUTCDate() === Number(day);
}

export function isTimeZone(name: string): boolean {
  if (!zonePattern.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The one form in which a valid `due` is kept: members in one order, the time without zeros at its end. */
export function keptDue(due: Due): Due {
  const { date, time, timeZone } = due;
  return {
    date,
    ...(time === undefined ? {} : { time: shortestTime(time) }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

function shortestTime(time: string): string {
  return time.replace(/\.000$/, "").replace(/^(..:..):00$/, "$1");
}

/** An instant in kept form as a `due` in UTC. */
export function dueAtInstant(instant: string): Due {
  return { date: instant.slice(0, 10), time: shortestTime(instant.slice(11, 23)), timeZone: "UTC" };
}

/**
 * The instant of a `due` with time and zone in kept form, else null. In a gap of the clock it is moved on by the gap's length, in a fold it is the first
 * ("compatible" disambiguation, RFC 5545 §3.3.5). Null also where this machine does not know the zone or the instant is out of range.
 */
export function instantOfDue(due: Due | null): string | null {
  if (due?.time === undefined || due.timeZone === undefined) return null;
  try {
    const local = Temporal.PlainDateTime.from(`${due.date}T${due.time}`);
    const ms = local.toZonedDateTime(due.timeZone, { disambiguation: "compatible" }).epochMilliseconds;
    const text = new Date(ms).toISOString();
    return text.length === 24 ? text : null;
  } catch {
    return null;
  }
}
