/** The figures of a run: medians over its rounds, each beside its reference. */

import process from "node:process";

/** How a figure is read: a rate is better when it is higher, the others when they are lower. */
export type Kind = {
  readonly unit: "1/s" | "MB/s" | "ms" | "MB" | "KB";
  /** What is aimed at (as a ratio); without it there is no bound. */
  readonly aim?: { readonly ratio: number; readonly text: string };
};

/** A ratio above 1 is better than the reference. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: Kind["unit"];
  readonly reference: number;
  readonly ratio: number;
};

/** One round's result. `p50Ms` and `p99Ms` where there are requests to time. */
export type Sample = {
  readonly value: number;
  readonly reference: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
};

export type Row = Figure & {
  readonly lowest: number;
  readonly highest: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
};

/** NaN of no values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** The ratio is the median of the rounds' own ratios, so that a disturbance of the machine touches both sides. */
export function rowOf(name: string, { unit }: Kind, samples: readonly Sample[]): Row {
  const ratios = samples.map(({ value, reference }) => (unit.endsWith("/s") ? value / reference : reference / value));
  const over = (pick: (sample: Sample) => number | undefined): number | undefined => {
    const values = samples.flatMap((sample) => pick(sample) ?? []);
    return values.length === 0 ? undefined : median(values);
  };
  return {
    name,
    value: median(samples.map(({ value }) => value)),
    unit,
    reference: median(samples.map(({ reference }) => reference)),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    p50Ms: over(({ p50Ms }) => p50Ms),
    p99Ms: over(({ p99Ms }) => p99Ms),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return ((sorted[half] ?? Number.NaN) + (sorted[sorted.length % 2 === 1 ? half : half - 1] ?? Number.NaN)) / 2;
}

/** Prints all rows: as a table under what the run was, or one line of JSON each. */
export function print(about: string, kinds: Readonly<Record<string, Kind>>, rows: readonly Row[], json: boolean): void {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  const write = (text: string) => process.stdout.write(`${text}\n`);
  if (!json) write(`${about}; a ratio above 1 is better than the reference.\n${heading(width)}`);
  for (const row of rows) {
    const { name, value, unit, reference, ratio } = row;
    write(json ? JSON.stringify({ name, value, unit, reference, ratio }) : line(row, kinds[name]?.aim, width));
  }
}

const heading = (width: number): string =>
  `${"figure".padEnd(width)}${"value".padStart(9)}${"reference".padStart(11)}  unit  ratio  ${"(lowest to highest)".padEnd(21)}${"aim".padEnd(16)}p50 ms  p99 ms`;

function line(
  { name, value, unit, reference, ratio, lowest, highest, p50Ms, p99Ms }: Row,
  aim: Kind["aim"],
  width: number,
): string {
  const reached = aim === undefined ? "" : `${aim.text} ${ratio >= aim.ratio ? "yes" : "NO"}`;
  const times = [p50Ms, p99Ms].map((each) => (each === undefined ? "" : each.toFixed(2)).padStart(6)).join("  ");
  const range = `(${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
  return `${name.padEnd(width)}${amount(value).padStart(9)}${amount(reference).padStart(11)}  ${unit.padEnd(4)}  ${ratio.toFixed(2).padStart(5)}  ${range.padEnd(21)}${reached.padEnd(16)}${times}`.trimEnd();
}

function amount(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 50 ? 1 : 0 });
}
