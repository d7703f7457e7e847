/**
 * `npm test`: the gate of every change, then all other tests with real servers beside them. Servers that were not running before are stopped
 * again; one that cannot be had is said, and its tests are skipped by name (with CI=true that is a failure).
 */
import { statfsSync } from "node:fs";

// Where there is a roomy folder in memory, servers and tests keep their files there: nobody cuts the power, and disks of CI machines are slow.
const inMemory = "/dev/shm";
const roomBytes = 4 * 2 ** 30;
if (process.env.TMPDIR === undefined && freeBytes(inMemory) >= roomBytes) process.env.TMPDIR = inMemory;
const { down, status, up } = await import("../deploy/services/services.ts");

/**
 * Two at a time, since each waits most of its time: those on the shared servers one after the other, with two more that make both halves equally
 * long, and all others beside them.
 */
const first = [
  ...["./tests/contract", "./tests/stack", "./tests/flow.test.ts"],
  ...["./tests/outages/kafka-line.test.ts", "./tests/outages/kills.test.ts"],
];
const others = [
  "./tests",
  ...first.map((path) => `--path-ignore-patterns=${path.slice(2)}${path.endsWith(".ts") ? "" : "/**"}`),
];

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** Its exit code, and what it printed where that was not shown at once. */
async function bun(
  args: readonly string[],
  output: "inherit" | "pipe" = "inherit",
): Promise<{ code: number; text: string }> {
  const command = `exec "$0" "$@"${output === "pipe" ? " 2>&1" : ""}`;
  // Said, since Bun gives a child the environment that it was itself started with.
  const env = process.env;
  const child = Bun.spawn(["sh", "-c", command, process.execPath, ...args], {
    env,
    stdio: ["ignore", output, "inherit"],
  });
  const text = output === "pipe" ? await new Response(child.stdout).text() : "";
  return { code: await child.exited, text };
}

async function tests(): Promise<number> {
  const run = ["test", "--timeout", "30000"];
  const [shown, kept] = await Promise.all([bun([...run, ...first]), bun([...run, ...others], "pipe")]);
  process.stdout.write(kept.text);
  return shown.code || kept.code;
}

let { code } = await bun(["run", "--silent", "check"]);
if (code === 0) {
  const before = (await status({})).length;
  const { missing } = await up({ say: (line) => process.stderr.write(`${line}\n`) });
  for (const { service, reason } of missing) process.stderr.write(`${service} cannot be had: ${reason}\n`);
  code = missing.length > 0 && process.env.CI === "true" ? 1 : await tests();
  if (before === 0) await down({});
}
process.exitCode = code;
