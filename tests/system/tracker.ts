/** The command `tracker` in a process of its own, with exactly these variables. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { binaryOf, type Runtime } from "./runtimes.ts";

const program = join(import.meta.dir, "..", "..", "actors", "tracker", "main.ts");

export type TrackerExit = { readonly code: number | null; readonly out: string; readonly err: string };
export type TrackerRun = { readonly child: ChildProcess; err(): string; readonly exited: Promise<TrackerExit> };

export function tracker(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  runtime: Runtime = "bun",
): TrackerRun {
  const flags = runtime === "bun" ? [] : ["run", "-A", "--unstable-net"];
  const child = spawn(binaryOf(runtime), [...flags, program, ...args], {
    env: { PATH: "/usr/bin:/bin", HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (part: string) => (out += part));
  child.stderr.setEncoding("utf8").on("data", (part: string) => (err += part));
  const exited = new Promise<TrackerExit>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
  return { child, err: () => err, exited };
}
