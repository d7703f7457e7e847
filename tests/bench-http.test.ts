import { expect, test } from "bun:test";
import { expectFigures, quick } from "./system/figures.ts";

// Our own client is on every machine; wrk, where it is, is what a person's run uses.
test("The benchmark over HTTP prints every figure with a finite ratio, and every answer is a 2xx", async () => {
  const { code, figures } = await quick("http.ts", ["--client", "sockets"]);
  expect(code).toBe(0);
  expectFigures(figures, ["get", "list", "create", "patch", "mixed", "start", "memory"]);
}, 120_000);
