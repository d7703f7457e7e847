/** The programs that run JavaScript, and how each runs a file. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { node } from "../../deploy/check/tools.ts";

export const platforms = ["bun", "deno", "node"] as const;
export type Platform = (typeof platforms)[number];

let nodeProgram: Promise<string> | undefined;

/** The command that runs a file on a platform, without the file. Node is installed when the machine has none that is new enough. */
export async function commandOf(platform: Platform): Promise<readonly [program: string, ...args: string[]]> {
  if (platform === "node") {
    nodeProgram ??= node((line) => process.stderr.write(`${line}\n`));
    return [await nodeProgram];
  }
  const installed = fileURLToPath(new URL(`../../node_modules/.bin/${platform}`, import.meta.url));
  const program = existsSync(installed) ? installed : platform;
  return platform === "deno" ? [program, "run", "--allow-all", "--no-lock"] : [program];
}

export type Result = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** What one command may take at most: tools that build take minutes on a machine that is busy with other work. */
const COMMAND_MS = 240_000;

/** Runs a command to its end, which is forced after four minutes (its code is null then). */
export async function runToEnd(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const late = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  clearTimeout(late);
  return { code: child.exitCode, stdout, stderr };
}
