import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf } from "./programs.ts";

const fixture = fileURLToPath(new URL("fixtures/hot", import.meta.url));
const runtime = fileURLToPath(new URL("../../runtime", import.meta.url));
const DEADLINE_MS = 180_000;

/** The program in a folder of its own, as it is changed. */
function copied(): { readonly folder: string; readonly main: string } {
  const folder = mkdtempSync(join(tmpdir(), "hot-"));
  cpSync(fixture, folder, { recursive: true });
  for (const name of ["main.ts", "counter.ts"]) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("../../../../runtime", runtime));
  }
  return { folder, main: join(folder, "main.ts") };
}

// Only Bun evaluates a program again in the process that runs it.
test(
  "Under bun --hot a changed program's system starts when the one before is down, each time",
  async () => {
    const { folder, main } = copied();
    const [bun] = await commandOf("bun");
    const child = Bun.spawn([bun, "--hot", "--no-clear-screen", main], {
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const late = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS - 20_000);
    const lines: string[] = [];
    try {
      let rest = "";
      let edition = 1;
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + chunk).split("\n");
        rest = parts.pop() ?? "";
        lines.push(...parts.filter((line) => /"up"|"gone"/.test(line)));
        if (lines.at(-1) !== JSON.stringify({ edition, up: 1 })) continue;
        if (edition === 3) break;
        const text = readFileSync(main, "utf8");
        writeFileSync(main, text.replace(`edition = ${edition}`, `edition = ${++edition}`));
      }
    } finally {
      clearTimeout(late);
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    }
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { edition: 1, up: 1 },
      { edition: 1, event: "gone" },
      { edition: 2, up: 1 },
      { edition: 2, event: "gone" },
      { edition: 3, up: 1 },
    ]);
  },
  DEADLINE_MS,
);
