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

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function run(...command: string[]): number {
  return Bun.spawnSync(command, { stdio: ["inherit", "inherit", "inherit"] }).exitCode;
}

let code = run(process.execPath, "run", "--silent", "check");
if (code === 0) {
  const before = (await status({})).length;
  const { missing } = await up({ say: (line) => process.stderr.write(`${line}\n`) });
  for (const { service, reason } of missing) process.stderr.write(`${service} cannot be had: ${reason}\n`);
  code =
    missing.length > 0 && process.env.CI === "true"
      ? 1
      : // Two files at a time: most of the time each waits for its servers.
        run(process.execPath, "test", "--parallel=2", "--timeout", "30000", "./tests");
  if (before === 0) await down({});
}
process.exitCode = code;
