/** A benchmark as a person runs it, quickly: that it prints what it says, not how fast anything is. */
import { expect } from "bun:test";
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number;
  readonly ratio: number;
};

/** One quick round of a script in bench/, as JSON. */
export function quick(script: string, args: readonly string[]): Promise<{ code: number | null; figures: Figure[] }> {
  return new Promise((resolve, reject) => {
    const file = fileURLToPath(new URL(`../../bench/${script}`, import.meta.url));
    const child = spawn(process.execPath, [file, "--quick", "--json", ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (data: Buffer) => {
      printed += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const lines = printed === "" ? [] : printed.trim().split("\n");
      resolve({ code, figures: lines.map((line) => JSON.parse(line) as Figure) });
    });
  });
}

/** These and no others, in this order, each with numbers that mean something. */
export function expectFigures(figures: readonly Figure[], names: readonly string[]): void {
  expect(figures.map(({ name }) => name)).toEqual([...names]);
  for (const { name, value, reference, ratio } of figures)
    for (const number of [value, reference, ratio]) expect(Number.isFinite(number) && number > 0, name).toBe(true);
}
