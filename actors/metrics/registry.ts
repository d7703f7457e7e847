/**
 * The metrics of this thread. A module declares its own at its top and counts without asking anybody: one addition to an array.
 *
 * Names follow Prometheus: base units last (`_seconds`, `_bytes`), `_total` for counters. Label values come from closed sets (a route's template, a
 * status, a reason of a list), never from a request. The threads' numbers are added up, unless the metric is `perThread`.
 */
import { type Family, type FamilyType, overflowAt, Region, regionBytes, widthOf } from "./region.ts";

/** From half a millisecond to ten seconds. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export type MetricOptions<Label extends string> = {
  /** Names of labels; each combination of their values is a series of its own. */
  readonly labels?: readonly Label[];
  /** The combinations that are shown from the beginning, with 0: a rate needs a first value. */
  readonly known?: readonly (readonly string[])[];
  readonly perThread?: true;
};

/** Only what grows. */
export type Counter = { add(by?: number): void };
/** A state: begins anew with each incarnation of its thread. */
export type Gauge = { set(to: number): void; add(by?: number): void };
export type Histogram = { observe(value: number): void };
/** A metric with labels: one of its series, made when it is first asked for. Keep it where it is used often. */
export type Labelled<Kind> = { of(...values: readonly string[]): Kind };

type Options = MetricOptions<string>;
/** With labels a metric is asked for its series, without it is counted itself. */
type Of<Kind, O extends Options> = O extends { labels: readonly string[] } ? Labelled<Kind> : Kind;

export type Registry = {
  counter<const O extends Options>(name: string, help: string, options?: O): Of<Counter, O>;
  gauge<const O extends Options>(name: string, help: string, options?: O): Of<Gauge, O>;
  /** Values in base units (seconds, bytes). */
  histogram<const O extends Options & { buckets?: readonly number[] }>(
    name: string,
    help: string,
    options?: O,
  ): Of<Histogram, O>;
  /**
   * From now on counts in this region. What an earlier incarnation counted there goes on, what has been counted already is added; gauges are this
   * incarnation's.
   */
  countIn(region: Region): void;
};

/** The numbers that are counted in now: the registry's own until its region is known. */
type Memory = { numbers: Float64Array };

/** One series; `at` moves once, when the thread gets its region. */
class Place implements Counter, Gauge, Histogram {
  at = overflowAt;
  readonly family: Family;
  readonly values: readonly string[];
  readonly #memory: Memory;

  constructor(memory: Memory, family: Family, values: readonly string[]) {
    this.#memory = memory;
    this.family = family;
    this.values = values;
  }

  add(by = 1): void {
    const { numbers } = this.#memory;
    numbers[this.at] = (numbers[this.at] as number) + by;
  }

  set(to: number): void {
    this.#memory.numbers[this.at] = to;
  }

  observe(value: number): void {
    const { numbers } = this.#memory;
    const buckets = this.family.buckets as readonly number[];
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket += 1;
    numbers[this.at + bucket] = (numbers[this.at + bucket] as number) + 1;
    const sum = this.at + buckets.length + 1;
    numbers[sum] = (numbers[sum] as number) + value;
  }
}

const keyOf = (name: string, values: readonly string[]): string => JSON.stringify([name, ...values]);
const shape = ({ labels, perThread }: Options): Partial<Family> => ({
  ...(labels === undefined ? {} : { labels }),
  ...(perThread === undefined ? {} : { perThread }),
});

export function registry(): Registry {
  let region = new Region(new ArrayBuffer(regionBytes), 0);
  const memory: Memory = { numbers: region.numbers };
  let used = 0;
  const families = new Map<string, Family>();
  const places = new Map<string, Place>();

  function place(family: Family, values: readonly string[]): Place {
    if (values.length !== family.labels.length)
      throw new TypeError(`Cannot count ${family.name}: it has ${family.labels.length} labels, not ${values.length}`);
    const key = keyOf(family.name, values);
    const known = places.get(key);
    if (known !== undefined) return known;
    const made = new Place(memory, family, values);
    places.set(key, made);
    allocate(made);
    return made;
  }

  /** What finds no room goes on counting, unseen. */
  function allocate(made: Place): void {
    const { family, values } = made;
    const end = used + widthOf(family);
    const fits = region.add([["series", family.name, used, values]], end);
    made.at = fits ? used : overflowAt;
    if (fits) used = end;
  }

  function declare<Kind>(name: string, type: FamilyType, help: string, options: Options, more: Partial<Family> = {}) {
    if (families.has(name)) throw new TypeError(`Cannot declare ${name} twice`);
    const family: Family = { name, type, help, labels: [], ...shape(options), ...more };
    families.set(name, family);
    region.add([["family", family]], used);
    for (const values of options.known ?? []) place(family, values);
    const made =
      family.labels.length === 0 ? place(family, []) : { of: (...values: readonly string[]) => place(family, values) };
    return made as unknown as Kind;
  }

  function countIn(of: Region): void {
    const before = memory.numbers;
    const found = of.read();
    const known = new Map(found.series.map(({ family, values, at }) => [keyOf(family.name, values), at]));
    for (const { family, at } of found.series) if (family.type === "gauge") of.numbers[at] = 0;
    region = of;
    memory.numbers = of.numbers;
    used = found.used;
    for (const family of families.values())
      if (!found.families.has(family.name)) region.add([["family", family]], used);
    for (const [key, each] of places) {
      const from = each.at;
      const at = known.get(key);
      if (at === undefined) allocate(each);
      else each.at = at;
      for (let offset = 0; offset < widthOf(each.family); offset++)
        of.numbers[each.at + offset] = (of.numbers[each.at + offset] as number) + (before[from + offset] as number);
    }
  }

  return {
    countIn,
    counter: (name, help, options) => declare(name, "counter", help, options ?? {}),
    gauge: (name, help, options) => declare(name, "gauge", help, options ?? {}),
    histogram: (name, help, options) =>
      declare(name, "histogram", help, options ?? {}, { buckets: options?.buckets ?? latencyBuckets }),
  };
}

/** This thread's own. */
export const { counter, gauge, histogram, countIn } = registry();
