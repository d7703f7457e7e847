import { expect, test } from "bun:test";
import { expectFigures, quick } from "./system/figures.ts";

test("The benchmark of a whole space prints every figure", async () => {
  const { code, figures } = await quick("spaces.ts", []);
  expect(code).toBe(0);
  expectFigures(figures, ["batch", "lag p99", "facts", "snapshot, first byte", "snapshot", "search p99", "other p99"]);
}, 90_000);
