/**
 * The runtime's figures beside raw `postMessage(object)` in the same run, on Bun, Deno and Node: `bun run bench:runtime`.
 *
 *   --rounds N             interleaved rounds, 9 unless told
 *   --runtime NAME         bun, deno or node only
 *   --quick                one short round: whether everything runs, not how fast
 *   --json                 one line per figure: {name, value, unit, reference, ratio}; a ratio above 1 is better than the reference
 *   --help                 this text
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { node } from "../deploy/check/tools.ts";
import { helpIfAsked } from "./http/options.ts";
import type { Rounds } from "./runtime/measure.ts";

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number;
  readonly ratio: number;
};
type Row = Figure & { readonly lowest: number; readonly highest: number };

const runtimes = ["bun", "deno", "node"] as const;
type Runtime = (typeof runtimes)[number];

helpIfAsked(import.meta.url);
const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    runtime: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const rounds = options.quick ? 1 : Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)
  refuse(`--rounds is a whole number from 1 to 1000, not ${options.rounds}`);
const chosen = runtimes.filter((runtime) => options.runtime === undefined || options.runtime === runtime);
if (chosen.length === 0) refuse(`--runtime is bun, deno or node, not ${options.runtime}`);

function refuse(why: string): never {
  process.stderr.write(`Cannot measure: ${why}\n`);
  process.exit(2);
}

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a script of this folder to its end and takes what it printed. */
async function run(runtime: Runtime, script: string, args: readonly string[]): Promise<string> {
  const installed = pathOf(`../node_modules/.bin/${runtime}`);
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-lock"] : [];
  const program =
    runtime === "node"
      ? await node((line) => process.stderr.write(`${line}\n`))
      : existsSync(installed)
        ? installed
        : runtime;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...flags, pathOf(`runtime/${script}`), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (data: Buffer) => {
      printed += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(printed)
        : reject(new Error(`Cannot measure ${script} on ${runtime}: it ended with ${code}`)),
    );
  });
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] ?? Number.NaN)
    : ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
};

/** The ratio is the median of the rounds' own ratios, so that a disturbance of the machine touches both sides. */
function rowOf(name: string, unit: string, values: readonly number[], references: readonly number[]): Row {
  const ratios = values.map((value, round) =>
    unit === "1/s" ? value / (references[round] ?? Number.NaN) : (references[round] ?? Number.NaN) / value,
  );
  return {
    name,
    value: median(values),
    unit,
    reference: median(references),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
  };
}

async function memoryRow(runtime: Runtime): Promise<Row> {
  const values: number[] = [];
  const references: number[] = [];
  for (let sample = 0; sample < (options.quick ? 1 : 3); sample++) {
    references.push(Number(await run(runtime, "memory.ts", ["raw"])));
    values.push(Number(await run(runtime, "memory.ts", ["actors"])));
  }
  return rowOf(`${runtime}/memory`, "MB", values, references);
}

async function measure(runtime: Runtime): Promise<Row[]> {
  const args = [String(rounds), options.quick ? "1" : "0"];
  const results: Rounds[] = [];
  for (const script of ["measure.ts", "many.ts"])
    results.push(...(JSON.parse(await run(runtime, script, args)) as Rounds[]));
  const rows = results.flatMap(({ name, unit, values: { raw = [], ...others } }) =>
    Object.entries(others).map(([contestant, values]) =>
      rowOf(contestant === "actors" ? `${runtime}/${name}` : `${runtime}/${contestant}/${name}`, unit, values, raw),
    ),
  );
  return [...rows, await memoryRow(runtime)];
}

const amount = (value: number, unit: string): string =>
  (unit === "1/s" ? Math.round(value).toLocaleString("en") : value.toFixed(value < 1 ? 3 : 1)).padStart(11);

if (!options.json)
  process.stdout.write(
    `${"figure".padEnd(24)}${"actors".padStart(11)}${"raw".padStart(11)}  unit  ratio  (lowest to highest of ${rounds} rounds; above 1 is better than raw)\n`,
  );
// In a quick run the figures are not the aim: then all are measured side by side.
const atOnce = options.quick ? chosen.map(measure) : [];
for (const rows of atOnce) rows.catch(() => undefined);
for (const [place, runtime] of chosen.entries()) {
  for (const { lowest, highest, ...figure } of await (atOnce[place] ?? measure(runtime))) {
    const { name, value, unit, reference, ratio } = figure;
    const line = options.json
      ? JSON.stringify(figure)
      : `${name.padEnd(24)}${amount(value, unit)}${amount(reference, unit)}  ${unit.padEnd(4)}  ${ratio.toFixed(2).padStart(5)}  (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
    process.stdout.write(`${line}\n`);
  }
}
