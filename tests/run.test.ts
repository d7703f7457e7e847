/** `npm test` itself: what it leaves behind when it is interrupted, and how it tells of one file. */
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "./system/poll.ts";

const deadlineMs = 120_000;
const runner = join(import.meta.dir, "run.ts");
const fixture = (name: string) => join(import.meta.dir, "run", "fixtures", name);

function start(file: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [runner, file], { env: { ...process.env, ...env } });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, exited, text: () => text };
}
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test(
  "Ctrl-C ends the tests under way with all that they have started, exit code 130",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "run-test-"));
    const file = join(folder, "pid");
    const run = start(fixture("leaves-a-child.ts"), { CHILD_FILE: file });
    await poll("the test has started its program", deadlineMs, () => existsSync(file) && readFileSync(file).length > 0);
    const pid = Number(readFileSync(file, "utf8"));
    expect(isAlive(pid)).toBe(true);
    run.child.kill("SIGINT");
    expect(await run.exited).toBe(130);
    await poll("its program has ended", deadlineMs, () => !isAlive(pid));
    rmSync(folder, { recursive: true });
  },
  deadlineMs * 2,
);

test(
  "a set-up that fails is told once in the summary, and the exit code is 1",
  async () => {
    const run = start(fixture("broken-hook.ts"));
    expect(await run.exited).toBe(1);
    const [, end = ""] = run.text().split("Failed:");
    expect(end).toContain("could not be set up, so its tests did not run: error: Cannot start the system");
    expect(end).toContain("\n 0 pass\n");
  },
  deadlineMs,
);
