import { expect, test } from "bun:test";
import { exposition } from "./exposition.ts";
import { overflowAt, Region, regionBytes } from "./region.ts";
import { registry } from "./registry.ts";

const region = () => new Region(new SharedArrayBuffer(regionBytes), 0);
const shown = (...regions: Region[]) =>
  exposition(regions.map((each, index) => ({ actor: "task", index, region: each })));
/** The lines of one metric. */
const linesOf = (name: string, text: string) => text.split("\n").filter((line) => line.includes(name));

const { countIn, counter, gauge, histogram } = registry();
const plain = counter("plain_total", "Counted before there is a region.");
const refused = counter("refused_total", "By reason.", { labels: ["reason"], known: [["full"]] });
const inFlight = gauge("in_flight", "Now.");
const took = histogram("took_seconds", "How long.", { buckets: [0.01, 0.1] });
const late = counter("late_total", "Of each thread.", { perThread: true });

test("what was counted before the region is known is in it", () => {
  plain.add();
  const of = region();
  countIn(of);
  plain.add(2);
  expect(shown(of)).toContain(
    "# HELP plain_total Counted before there is a region.\n# TYPE plain_total counter\nplain_total 3\n",
  );
});

test("label values that are known beforehand are shown with 0, others from their first count", () => {
  const of = region();
  countIn(of);
  expect(linesOf("refused_total{", shown(of))).toEqual(['refused_total{reason="full"} 0']);
  refused.of("late").add();
  expect(linesOf("refused_total{", shown(of))).toEqual([
    'refused_total{reason="full"} 0',
    'refused_total{reason="late"} 1',
  ]);
});

test("a histogram's buckets add up, and a value on a bound is within it", () => {
  const of = region();
  countIn(of);
  for (const value of [0.005, 0.01, 0.05, 5]) took.observe(value);
  expect(linesOf("took_seconds", shown(of)).slice(2)).toEqual([
    'took_seconds_bucket{le="0.01"} 2',
    'took_seconds_bucket{le="0.1"} 3',
    'took_seconds_bucket{le="+Inf"} 4',
    "took_seconds_sum 5.065",
    "took_seconds_count 4",
  ]);
});

test("the next incarnation counts on where the last one ended, and its gauges begin at 0", () => {
  const last = region();
  countIn(last);
  plain.add(4);
  inFlight.set(7);
  took.observe(0.05);
  const before = Number(linesOf("plain_total ", shown(last)).at(-1)?.split(" ")[1]);
  // Another region in between stands for the own memory of a thread that has just begun.
  countIn(region());
  inFlight.set(0);
  const begun = shown(last);
  expect(linesOf("in_flight ", begun).at(-1)).toBe("in_flight 7");
  countIn(last);
  plain.add();
  const after = shown(last);
  expect(Number(linesOf("plain_total ", after).at(-1)?.split(" ")[1])).toBeGreaterThan(before);
  expect(linesOf("in_flight ", after).at(-1)).toBe("in_flight 0");
  expect(after.match(/# TYPE plain_total/g)).toHaveLength(1);
});

test("threads are added up, but for what is of each", () => {
  const [one, other] = [region(), region()];
  const valueOf = (...regions: Region[]) =>
    Number(
      linesOf("plain_total ", shown(...regions))
        .at(-1)
        ?.split(" ")[1],
    );
  countIn(one);
  plain.add();
  late.add();
  countIn(other);
  plain.add(2);
  expect(valueOf(one)).toBeGreaterThan(0);
  expect(valueOf(one, other)).toBe(valueOf(one) + valueOf(other));
  expect(linesOf("late_total{", shown(one, other)).map((line) => line.split("} ")[0])).toEqual([
    'late_total{actor="task",index="0"',
    'late_total{actor="task",index="1"',
  ]);
});

test("label values are written as Prometheus reads them", () => {
  const of = region();
  countIn(of);
  refused.of('a "b"\\\n').add();
  expect(shown(of)).toContain(String.raw`refused_total{reason="a \"b\"\\\n"} 1`);
});

test("a full region goes on counting what it has, and shows no more", () => {
  const of = region();
  countIn(of);
  for (let each = 0; each < overflowAt + 10; each++) refused.of(String(each)).add();
  plain.add();
  const text = shown(of);
  expect(linesOf("refused_total{", text).length).toBeLessThanOrEqual(overflowAt);
  expect(linesOf("refused_total{", text).length).toBeGreaterThan(1_000);
  expect(linesOf("plain_total ", text).at(-1)).not.toEndWith(" 0");
});

test("one name is declared once, with as many values as it has labels", () => {
  expect(() => counter("plain_total", "Again.")).toThrow("twice");
  expect(() => refused.of("a", "b")).toThrow("labels");
});
