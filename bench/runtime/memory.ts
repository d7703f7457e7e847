/** Prints the resident memory that each of eight idle workers costs, in MB: `bun|deno memory.ts raw|actors`, in a fresh process each time. */

import process from "node:process";
import { system } from "../../runtime/system.ts";
import { child, supervise } from "../../runtime/tree.ts";
import { pool } from "./protocol.ts";
import { startRaw } from "./raw.ts";

const WORKERS = 8;
const MEGABYTE = 1_048_576;

const before = process.memoryUsage().rss;
if (process.argv[2] === "raw") {
  for (let each = 0; each < WORKERS; each++) await startRaw();
} else {
  await system({
    tree: supervise("one_for_one", { intensity: 1, periodMs: 5_000 }, [child(pool, { instances: WORKERS })]),
  }).start();
}
process.stdout.write(`${(process.memoryUsage().rss - before) / MEGABYTE / WORKERS}\n`);
process.exit(0);
