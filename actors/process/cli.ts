/** The command line: it takes no arguments but `--help` and `--version`; everything is set by variables. */
import { type Variable, variableRows } from "../config.ts";

/** What the arguments ask for; `fault` is one clear line. */
export type Arguments = { run: true } | { print: string } | { fault: string };

export function readArguments(given: readonly string[], version: string): Arguments {
  const [first, ...rest] = given;
  if (first === undefined) return { run: true };
  if (rest.length === 0 && (first === "--help" || first === "-h")) return { print: helpText(variableRows()) };
  if (rest.length === 0 && first === "--version") return { print: version };
  const unknown = given.find((each) => each !== "--help" && each !== "-h" && each !== "--version") ?? rest[0] ?? first;
  return {
    fault: `Cannot take the argument ${JSON.stringify(unknown)}: only --help or --version, one at a time; everything else is set by variables`,
  };
}

function helpText(rows: readonly Variable[]): string {
  const wide = (of: (row: Variable) => string) => Math.max(...rows.map((row) => of(row).length));
  const [names, values, defaults] = [wide((row) => row.name), wide((row) => row.values), wide((row) => row.default)];
  return [
    "Task Tracker: tasks over HTTP that are never lost, duplicated or silently overwritten.",
    "",
    "Usage: [VARIABLE=value ...] bun actors/main.ts [--help | --version]",
    "",
    `${"Variable".padEnd(names)}  ${"Values".padEnd(values)}  ${"Default".padEnd(defaults)}  Meaning`,
    ...rows.map(
      (row) => `${row.name.padEnd(names)}  ${row.values.padEnd(values)}  ${row.default.padEnd(defaults)}  ${row.about}`,
    ),
    "",
    "Exit codes: 0 after a stop in order, 1 when it could not go on, 2 for a bad configuration (nothing was touched).",
  ].join("\n");
}
