import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const NAMES = [
  "tell@1",
  "tell@8",
  "tell@64",
  "tell@1000",
  "ask@1",
  "ask@64",
  "local-tell@64",
  "local-ask@64",
  "fanout@64",
  "mesh@64",
  "spawn",
  "restart",
  "restart-warm",
  "died",
  "memory",
  "bytes-copied@1MB",
  "bytes-moved@1MB",
  "pool-burst",
  "long-handlers",
  "keyed-first",
  "keyed-restart",
  "keyed-memory",
];

function quick(): Promise<{ code: number | null; lines: string[] }> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("../bench/runtime.ts", import.meta.url)), "--quick", "--json"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let printed = "";
    child.stdout.on("data", (data: Buffer) => {
      printed += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, lines: printed.trim().split("\n") }));
  });
}

test("The runtime's benchmark prints every figure, on Bun, Deno and Node, with a finite ratio", async () => {
  const { code, lines } = await quick();
  expect(code).toBe(0);
  const figures = new Map(
    lines
      .map((line) => JSON.parse(line) as { name: string; ratio: number; value: number })
      .map((figure) => [figure.name, figure]),
  );
  const expected = ["bun", "deno", "node"].flatMap((runtime) =>
    [...NAMES, "piscina/tell@64", "comlink/ask@64", "xstate/local-ask@64"].map((name) => `${runtime}/${name}`),
  );
  expect(expected.filter((name) => !figures.has(name))).toEqual([]);
  expect(
    [...figures.values()].filter(({ ratio, value }) => !Number.isFinite(ratio) || !Number.isFinite(value)),
  ).toEqual([]);
}, 240_000);
