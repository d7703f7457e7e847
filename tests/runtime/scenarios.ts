import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandOf, platforms } from "./programs.ts";

export const runtimes = platforms;
export type Runtime = (typeof runtimes)[number];

export type Line = Record<string, unknown>;
export type Ended = { readonly code: number | null; readonly lines: readonly Line[] };

/** What a process of scenarios may take at most, also on a machine that is busy with other work; it is killed then (its code is null). */
const PROCESS_MS = 400_000;
/** Of a test that waits for such processes, of which several run one after another. */
export const DEADLINE_MS = 900_000;

/**
 * Runs a script in a process of its own, as `bun test` changes how workers end; takes the JSON lines that it prints. `seen` gets each line as it comes, with a
 * way to signal the process.
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
    const late = setTimeout(() => child.kill("SIGKILL"), PROCESS_MS);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(late);
      resolve({ code, lines });
    });
  });
}

/**
 * Plays scenarios of a script (see fixtures/play.ts) at once, and gives what each came to. A process plays those of a group one after another, and groups
 * follow each other; tests of several runtimes call this for each of them, so that these run side by side. What ends its process stands alone in its group, or last.
 */
export function played(
  runtime: Runtime,
  script: URL,
  groups: readonly (readonly string[])[],
): (name: string) => Promise<Ended> {
  let before: Promise<unknown> = Promise.resolve();
  const processes = groups.map((names) => {
    const ended = before.then(() => run(runtime, fileURLToPath(script), names));
    before = ended.catch(() => undefined);
    return { names, ended };
  });
  return async (name) => {
    const { ended } = processes.find(({ names }) => names.includes(name)) as (typeof processes)[number];
    const { code, lines } = await ended;
    const from = lines.findIndex((line) => line.scenario === name);
    if (from === -1) return { code: null, lines: [] };
    const end = lines.findIndex((line, at) => at > from && "scenario" in line);
    const own = lines.slice(from + 1, end === -1 ? undefined : end);
    if (lines[end]?.isOver === false) return { code: 1, lines: own };
    // A process that went on to the next one tells nothing of this one by its end.
    return { code: end !== -1 && end < lines.length - 1 ? 0 : code, lines: own };
  };
}

export const lineWith = (lines: readonly Line[], key: string): Line => lines.find((line) => key in line) ?? {};
export const event = (lines: readonly Line[], name: string): readonly Line[] =>
  lines.filter((line) => line.event === name);
