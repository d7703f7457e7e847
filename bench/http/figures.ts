/** The figures of a run: medians over its rounds, each beside its reference. */

export const figureNames = ["get", "list", "create", "patch", "mixed", "start", "memory"] as const;
export type FigureName = (typeof figureNames)[number];

/** A ratio above 1 is better than the reference. */
export type Figure = {
  readonly name: FigureName;
  readonly value: number;
  readonly unit: "1/s" | "ms" | "MB";
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

/** What is aimed at (as a ratio); the others have no bound of their own. */
export const aims: Partial<Record<FigureName, { readonly ratio: number; readonly text: string }>> = {
  get: { ratio: 0.6, text: ">= 0.6" },
  create: { ratio: 0.6, text: ">= 0.6" },
  start: { ratio: 1, text: "<= 600 ms" },
  memory: { ratio: 1, text: "<= 150 MB" },
};

/** The references of what has no contestant. */
export const startMsAim = 600;
export const memoryMbAim = 150;

const units: Partial<Record<FigureName, "ms" | "MB">> = { start: "ms", memory: "MB" };

/** The ratio is the median of the rounds' own ratios, so that a disturbance of the machine touches both sides. */
export function rowOf(name: FigureName, samples: readonly Sample[]): Row {
  const unit = units[name] ?? "1/s";
  const ratios = samples.map(({ value, reference }) => (unit === "1/s" ? value / reference : reference / value));
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

export const heading = `${"figure".padEnd(8)}${"value".padStart(9)}${"reference".padStart(11)}  unit  ratio  ${"(lowest to highest)".padEnd(21)}${"aim".padEnd(16)}p50 ms  p99 ms`;

export function line({ name, value, unit, reference, ratio, lowest, highest, p50Ms, p99Ms }: Row): string {
  const aim = aims[name];
  const reached = aim === undefined ? "" : `${aim.text} ${ratio >= aim.ratio ? "yes" : "NO"}`;
  const times = [p50Ms, p99Ms].map((each) => (each === undefined ? "" : each.toFixed(2)).padStart(6)).join("  ");
  const range = `(${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
  return `${name.padEnd(8)}${amount(value).padStart(9)}${amount(reference).padStart(11)}  ${unit.padEnd(4)}  ${ratio.toFixed(2).padStart(5)}  ${range.padEnd(21)}${reached.padEnd(16)}${times}`.trimEnd();
}

function amount(value: number): string {
  return Math.round(value).toLocaleString("en");
}
