/** What lies before or after a bound, for a `due` of each kind. */

/** Milliseconds from (inclusive) and to (exclusive). */
export type Span = { readonly from: number; readonly to: number };

/**
 * What a `due` must lie in. One with a time zone is an instant. All others are kept as if they were in UTC, a whole day as its end: in a zone whose clock
 * skips or repeats hours, what is before an instant may be two spans of them.
 */
export type DueSpans = { readonly instants: Span; readonly local: readonly Span[] };

const dayMs = 86_400_000;
const start = Number.NEGATIVE_INFINITY;
const end = Number.POSITIVE_INFINITY;

/** `bound`: a date, or an instant in whole milliseconds. */
export function dueSpans(side: "before" | "after", bound: string | number, timeZone: string): DueSpans {
  if (typeof bound === "string") return side === "before" ? beforeDay(bound, timeZone) : afterDay(bound, timeZone);
  if (side === "before") return { instants: { from: start, to: bound }, local: localBefore(bound, timeZone) };
  return { instants: { from: bound + 1, to: end }, local: complement(localBefore(bound + 1, timeZone)) };
}

/** Both, span by span. */
export function bothSpans(one: DueSpans, other: DueSpans): DueSpans {
  const local = one.local.flatMap((a) => other.local.map((b) => both(a, b))).filter(({ from, to }) => from < to);
  return { instants: both(one.instants, other.instants), local };
}

function both(a: Span, b: Span): Span {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

function beforeDay(date: string, timeZone: string): DueSpans {
  const localMs = Date.parse(`${date}T00:00:00.000Z`);
  return { instants: { from: start, to: startOfDay(localMs, timeZone) }, local: [{ from: start, to: localMs }] };
}

function afterDay(date: string, timeZone: string): DueSpans {
  const localMs = Date.parse(`${date}T00:00:00.000Z`) + dayMs;
  return { instants: { from: startOfDay(localMs, timeZone), to: end }, local: [{ from: localMs, to: end }] };
}

/** The first instant at which the clock of the zone shows this day. */
function startOfDay(localMs: number, timeZone: string): number {
  const day = Temporal.Instant.fromEpochMilliseconds(localMs).toZonedDateTimeISO("UTC").toPlainDate();
  return day.toZonedDateTime(timeZone).epochMilliseconds;
}

/**
 * The local times whose instant is before this one. Where the clock is put forward, a time that it skips is as late as one that it shows later; where it is
 * put back, a time that it shows twice is the first of the two.
 */
function localBefore(ms: number, timeZone: string): Span[] {
  const at = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
  const offset = offsetMs(at);
  const local = ms + offset;
  // The latest change of the clock at this instant or before it.
  const changed = at.add({ milliseconds: 1 }).getTimeZoneTransition("previous");
  if (changed === null) return [{ from: start, to: local }];
  const changedMs = changed.epochMilliseconds;
  const before = offsetMs(changed.subtract({ milliseconds: 1 }));
  if (ms - changedMs >= Math.abs(offset - before)) return [{ from: start, to: local }];
  if (before > offset) return [{ from: start, to: changedMs + before }];
  return [
    { from: start, to: ms + before },
    { from: changedMs + offset, to: local },
  ];
}

function offsetMs(at: Temporal.ZonedDateTime): number {
  return at.offsetNanoseconds / 1e6;
}

/** What is in none of the spans, which are in their order and begin with the first of all times. */
function complement(spans: readonly Span[]): Span[] {
  return spans
    .map(({ to }, index) => ({ from: to, to: spans[index + 1]?.from ?? end }))
    .filter(({ from, to }) => from < to);
}
