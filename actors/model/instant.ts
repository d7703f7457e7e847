/** Instants: RFC 3339 in, UTC milliseconds out (`2026-01-31T09:30:00.000Z`). */

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const earliestMs = new Date("0000-01-01T00:00:00.000Z").getTime();
const latestMs = new Date("9999-12-31T23:59:59.999Z").getTime();

/** Any RFC 3339 date-time as epoch milliseconds (finer digits are cut off), or undefined when it is none. A leap second, which only ends a month (RFC 3339 §5.7), is the instant after it. */
export function instantMs(value: string): number | undefined {
  const parts = rfc3339.exec(value);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] =
    parts as unknown as string[];
  const leap = second === "60";
  if (Number(hour) > 23 || Number(minute) > 59 || (Number(second) > 59 && !leap)) return undefined;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const millis = (fraction ?? "").slice(0, 3).padEnd(3, "0");
  const local = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${leap ? "59" : second}.${leap ? "999" : millis}Z`,
  );
  if (Number.isNaN(local) || new Date(local).getUTCDate() !== Number(day)) return undefined;
  const offsetMs = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * 60_000 * (sign === "-" ? -1 : 1);
  const ms = local - offsetMs + (leap ? 1 : 0);
  if (leap && !(ms % 86_400_000 === 0 && new Date(ms).getUTCDate() === 1)) return undefined;
  return ms < earliestMs || ms > latestMs ? undefined : ms;
}

/** The one form in which instants are kept and answered. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
