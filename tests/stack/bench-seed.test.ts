import { expect, test } from "bun:test";
import { servers } from "../system/deployments.ts";
import { expectFigures, quick } from "../system/figures.ts";
import { describeWith } from "../system/services.ts";

const loads = ["get", "list", "list-new", "create", "patch", "mixed"];
const names = ["servers", "embedded"].flatMap((system) => loads.map((load) => `${system}/${load}`));

const python = Bun.spawnSync(["sh", "-c", "python3 -c 'import ensurepip, venv'"]).success
  ? { found: true }
  : { missing: "python3 that makes venvs" };
const given = await servers();
describeWith("The benchmark beside FastAPI", [given, python], (_servers, _python) => {
  test("prints every figure with a finite ratio, and the answers are 2xx", async () => {
    const { code, figures } = await quick("seed.ts", ["--client", "sockets"]);
    expectFigures(figures, names);
    expect(code).toBe(0);
  }, 600_000);
});
