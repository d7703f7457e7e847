/** What a person gives on the command line, checked: a fault is one line and exit code 2. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export function refuse(why: string): never {
  process.stderr.write(`Cannot measure: ${why}\n`);
  process.exit(2);
}

export function wholeNumber(name: string, given: string): number {
  const value = Number(given);
  return Number.isInteger(value) && value >= 1 && value <= 1_000
    ? value
    : refuse(`--${name} is a whole number from 1 to 1000, not ${given}`);
}

/** Asked with `--help`, prints the comment that a program begins with, and ends. */
export function helpIfAsked(programUrl: string): void {
  if (!process.argv.includes("--help")) return;
  const [, text = ""] = /^\/\*\*\n(.*?)\n \*\/$/ms.exec(readFileSync(fileURLToPath(programUrl), "utf8")) ?? [];
  process.stdout.write(`${text.replaceAll(/^ \* ?/gm, "")}\n`);
  process.exit(0);
}
