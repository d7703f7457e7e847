/** Prometheus' text format (version 0.0.4) of what the threads have counted. */
import { type Family, type Region, type Series, widthOf } from "./region.ts";

export type Thread = { readonly actor: string; readonly index: number; readonly region: Region };

type Sum = { readonly labels: readonly string[]; readonly numbers: number[] };

export function exposition(threads: readonly Thread[]): string {
  const families = new Map<string, { family: Family; sums: Map<string, Sum> }>();
  for (const thread of threads) {
    const { families: found, series } = thread.region.read();
    for (const family of found.values())
      if (!families.has(family.name)) families.set(family.name, { family, sums: new Map() });
    for (const each of series) addUp(families.get(each.family.name)?.sums, each, thread);
  }
  const lines: string[] = [];
  for (const { family, sums } of [...families.values()].sort((a, b) => (a.family.name < b.family.name ? -1 : 1))) {
    lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`);
    for (const sum of sums.values()) lines.push(...samples(family, sum));
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function addUp(sums: Map<string, Sum> | undefined, { family, values, at }: Series, thread: Thread): void {
  const labels = [
    ...(family.perThread === true ? [label("actor", thread.actor), label("index", String(thread.index))] : []),
    ...family.labels.map((name, place) => label(name, values[place] ?? "")),
  ];
  const key = labels.join(",");
  const width = widthOf(family);
  const sum = sums?.get(key) ?? { labels, numbers: Array<number>(width).fill(0) };
  for (let offset = 0; offset < width; offset++)
    sum.numbers[offset] = (sum.numbers[offset] as number) + (thread.region.numbers[at + offset] as number);
  sums?.set(key, sum);
}

function samples({ name, buckets }: Family, { labels, numbers }: Sum): string[] {
  const of = (more?: string) => {
    const all = more === undefined ? labels : [...labels, more];
    return all.length === 0 ? "" : `{${all.join(",")}}`;
  };
  if (buckets === undefined) return [`${name}${of()} ${numbers[0]}`];
  let count = 0;
  const lines = [...buckets.map(String), "+Inf"].map((bound, bucket) => {
    count += numbers[bucket] as number;
    return `${name}_bucket${of(label("le", bound))} ${count}`;
  });
  return [...lines, `${name}_sum${of()} ${numbers[buckets.length + 1]}`, `${name}_count${of()} ${count}`];
}

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A whole family whose values are known when it is asked for; nothing when there are none. */
export function single(name: string, type: "counter" | "gauge", help: string, values: readonly Sample[]): string {
  if (values.length === 0) return "";
  const lines = values.map(([labels, value]) => {
    const text = Object.entries(labels).map(([key, each]) => label(key, each));
    return `${name}${text.length === 0 ? "" : `{${text.join(",")}}`} ${value}`;
  });
  return `${[`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join("\n")}\n`;
}

function label(name: string, value: string): string {
  return `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
