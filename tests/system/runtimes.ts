/** The binaries of both runtimes. Deno's npm package has a launcher in front of its own that does not hand signals on. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export type Runtime = "bun" | "deno";

const platforms = join(import.meta.dir, "..", "..", "node_modules", "@deno");

export function binaryOf(runtime: Runtime): string {
  if (runtime === "bun") return process.execPath;
  const [platform] = readdirSync(platforms);
  if (platform === undefined) throw new Error("Cannot find deno's binary: the packages are not installed");
  return join(platforms, platform, "deno");
}
