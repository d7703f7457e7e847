import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const NAMES = ["get", "list", "create", "patch", "mixed", "start", "memory"];

type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly reference: number;
  readonly ratio: number;
};

function quick(args: readonly string[]): Promise<{ code: number | null; figures: Figure[] }> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("../bench/http.ts", import.meta.url));
    const child = spawn(process.execPath, [script, "--quick", "--json", ...args], {
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

// Our own client is on every machine; wrk, where it is, is what a person's run uses.
test("The benchmark over HTTP prints every figure with a finite ratio, and every answer is a 2xx", async () => {
  const { code, figures } = await quick(["--client", "sockets"]);
  expect(code).toBe(0);
  expect(figures.map(({ name }) => name)).toEqual(NAMES);
  for (const { name, value, reference, ratio } of figures) {
    for (const number of [value, reference, ratio]) expect(Number.isFinite(number) && number > 0, name).toBe(true);
  }
}, 90_000);
