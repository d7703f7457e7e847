import { expect, test } from "bun:test";
import { servers } from "../system/deployments.ts";
import { expectFigures, quick } from "../system/figures.ts";
import { describeWith } from "../system/services.ts";

const names = [
  ...["create", "get", "get-miss", "list", "patch", "mixed"],
  ...["patch-p99", "lag-p50", "lag-p99", "consumer"],
].map((name) => `stack/${name}`);

const given = await servers();
describeWith("The benchmark on four servers", [given], (_urls) => {
  test("prints every figure with a finite ratio, and the answers are 2xx", async () => {
    const { code, figures } = await quick("stack.ts", ["--client", "sockets"]);
    expectFigures(figures, names);
    expect(code).toBe(0);
  }, 180_000);
});
