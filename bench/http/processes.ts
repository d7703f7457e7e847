/** The processes of a run: each on the runtime that was chosen, on 127.0.0.1, ended by its own id. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const runtimes = ["bun", "deno"] as const;
export type Runtime = (typeof runtimes)[number];

export type Running = {
  readonly pid: number;
  /** The first line that it printed. */
  readonly greeting: string;
  /** SIGTERM, and SIGKILL when that is not heard within 15 s; resolves when the process is gone. */
  end(): Promise<void>;
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const endMs = 15_000;
const pageBytes = 4_096;
const megabyte = 1_048_576;

const living = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

// A run that is broken off leaves nothing behind either.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** The binary itself and no wrapper around it, so that a signal reaches it and its start is not delayed. */
function command(runtime: Runtime): [string, string[]] {
  if (runtime === "bun") return [process.versions.bun === undefined ? "bun" : process.execPath, []];
  const platforms = `${root}node_modules/@deno`;
  const platform = existsSync(platforms) ? readdirSync(platforms)[0] : undefined;
  return [
    platform === undefined ? "deno" : `${platforms}/${platform}/deno`,
    ["run", "-A", "--unstable-net", "--no-lock"],
  ];
}

function launch(file: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  living.add(child);
  child.once("close", () => living.delete(child));
  return child;
}

/** Starts a script (its path from the project's root) and waits for the first line that it prints. */
export function start(
  runtime: Runtime,
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const [file, flags] = command(runtime);
  return startFile(file, [...flags, script, ...args], env);
}

/** Starts a program and waits for the first line that it prints. */
export function startFile(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = launch(file, args, env);
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const end = async (): Promise<void> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), endMs);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(timer);
  };
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout?.on("data", (data: Buffer) => {
      if (printed.includes("\n")) return;
      printed += data.toString();
      if (printed.includes("\n"))
        resolve({ pid: child.pid ?? 0, greeting: printed.slice(0, printed.indexOf("\n")), end });
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`Cannot start ${file} ${args.join(" ")}: it ended with ${code}`)));
  });
}

/** Runs a script to its end and takes what it printed. */
export function run(runtime: Runtime, script: string, args: readonly string[]): Promise<string> {
  const [file, flags] = command(runtime);
  return runFile(file, [...flags, script, ...args]);
}

/** Runs a program to its end and takes what it printed; an `Error` with `code: "ENOENT"` when there is no such program. */
export function runFile(file: string, args: readonly string[]): Promise<string> {
  const child = launch(file, args, {});
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout?.on("data", (data: Buffer) => {
      printed += data.toString();
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(printed) : reject(new Error(`Cannot run ${file}: it ended with ${code}`)),
    );
  });
}

/** Resident memory of a process in MB. */
export async function residentMb(pid: number): Promise<number> {
  const statm = `/proc/${pid}/statm`;
  if (existsSync(statm)) return (Number(readFileSync(statm, "utf8").split(" ")[1]) * pageBytes) / megabyte;
  return Number(await runFile("ps", ["-o", "rss=", "-p", String(pid)])) / 1_024;
}
