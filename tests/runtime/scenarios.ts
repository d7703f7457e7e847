import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandOf, platforms } from "./programs.ts";

export const runtimes = platforms;
export type Runtime = (typeof runtimes)[number];

export type Line = Record<string, unknown>;
export type Ended = { readonly code: number | null; readonly lines: readonly Line[] };

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/**
 * Runs a script in a process of its own, as `bun test` changes how workers end; takes the JSON lines that it prints. `seen` gets each line as it comes, with a
 * way to signal the process. A scenario that does not end within two minutes is killed (its code is null).
 */
export async function run(
  runtime: Runtime,
  script: string,
  args: readonly string[] = [],
  seen?: (line: Line, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Ended> {
  const [program, ...flags] = await commandOf(runtime);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...flags, script, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: Line[] = [];
    let rest = "";
    child.stdout.on("data", (data: Buffer) => {
      const parts = (rest + data.toString()).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts.filter((each) => each.startsWith("{"))) {
        const line = JSON.parse(part) as Line;
        lines.push(line);
        // The line names the process: the package's launcher may stand between it and us.
        seen?.(line, (signal) => process.kill(Number(line.pid ?? child.pid), signal));
      }
    });
    const late = setTimeout(() => child.kill("SIGKILL"), 120_000);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(late);
      resolve({ code, lines });
    });
  });
}

export const lineWith = (lines: readonly Line[], key: string): Line => lines.find((line) => key in line) ?? {};
export const event = (lines: readonly Line[], name: string): readonly Line[] =>
  lines.filter((line) => line.event === name);

export const runScenario = (
  runtime: Runtime,
  name: string,
  args: readonly string[] = [],
  seen?: Parameters<typeof run>[3],
): Promise<Ended> => run(runtime, pathOf("fixtures/scenario.ts"), [name, ...args], seen);
