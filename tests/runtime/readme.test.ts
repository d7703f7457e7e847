import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf } from "./programs.ts";
import { runtimes } from "./scenarios.ts";

const runtimeFolder = fileURLToPath(new URL("../../runtime", import.meta.url));
const examples = [
  ...readFileSync(join(runtimeFolder, "README.md"), "utf8").matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g),
];

for (const runtime of runtimes) {
  test(`The README's example runs as it is written on ${runtime}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "runtime-readme-"));
    try {
      symlinkSync(runtimeFolder, join(folder, "runtime"));
      for (const [, name = "", text = ""] of examples) writeFileSync(join(folder, name), text);
      const [program, ...flags] = await commandOf(runtime);
      const { status, stdout } = spawnSync(program, [...flags, "main.ts"], {
        cwd: folder,
        encoding: "utf8",
        timeout: 90_000,
      });
      expect({ status, stdout }).toEqual({ status: 0, stdout: "5050\n" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 120_000);
}

test("The README's example is twenty lines of code", () => {
  const lines = examples
    .flatMap(([, , text = ""]) => text.split("\n"))
    .filter((line) => line.trim() !== "" && !line.startsWith("import"));
  expect(examples.map(([, name]) => name)).toEqual(["counter.ts", "main.ts"]);
  expect(lines.length).toBeLessThanOrEqual(20);
});
