import { expect, test } from "bun:test";
import { expectFigures, quick } from "./system/figures.ts";

test("The benchmark of streams prints every figure, and each stream gets every fact once and in order", async () => {
  const { code, figures } = await quick("live.ts", []);
  expect(code).toBe(0);
  expectFigures(figures, ["reaches all p95", "memory a stream, at rest", "memory a stream, facts flowing"]);
}, 90_000);
