import { expect, test } from "bun:test";
import { expectFigures, quick } from "./system/figures.ts";

test("The benchmark of overload prints every figure, and each request is answered or refused as it should be", async () => {
  const { code, figures } = await quick("overload.ts", []);
  expect(code).toBe(0);
  expectFigures(figures, ["admitted p99", "other p99", "memory growth", "recovery"]);
}, 90_000);
