/**
 * Runs tests with real servers beside them. Servers that were not running before are stopped again, after Ctrl-C too; one that cannot be had is named, and
 * its tests are skipped by name (with CI=true that is a failure). `npm test -- --help` tells how.
 */
import { statfsSync } from "node:fs";
import { relative } from "node:path";
import { endAll, runBun } from "./run/children.ts";
import { type FileResult, readOutput, summary } from "./run/output.ts";
import { chosen, type Job, lanesOf, simulations } from "./run/plan.ts";

// Where there is a roomy folder in memory, servers and tests keep their files there: nobody cuts the power, and disks of CI machines are slow.
const inMemory = "/dev/shm";
const roomBytes = 4 * 2 ** 30;
if (process.env.TMPDIR === undefined && freeBytes(inMemory) >= roomBytes) process.env.TMPDIR = inMemory;
const { down, status, up, wouldInstall } = await import("../deploy/services/services.ts");
const { toolsToInstall } = await import("../deploy/check/tools.ts");

/** Of one test that names none: generous, since a loaded machine is no fault of a test. */
const testDeadlineMs = 120_000;
/** Simulations play so many times what they play in the gate. */
const simulationTimes = "20";

const root = new URL("..", import.meta.url).pathname;
const startedMs = performance.now();
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

const glob = (pattern: string): string[] => [...new Bun.Glob(pattern).scanSync(root)].sort();
const alone = (file: string): Job => ({ name: file, files: [`./${file}`], env: {} });

function jobsOf(which: { isLong: boolean }): Job[] {
  const files = glob("{actors,runtime}/**/*.simulation.test.ts").map((file) => `./${file}`);
  const longer: Job = { name: simulations, files, env: { SIMULATION_TIMES: simulationTimes } };
  return chosen([longer, ...glob("tests/**/*.test.ts").map(alone)], which);
}

/** Runs all jobs in the lanes of the plan; tells of each when it has ended. */
async function runAll(jobs: readonly Job[]): Promise<FileResult[]> {
  const results: FileResult[] = [];
  async function lane(queues: readonly Job[][]): Promise<void> {
    for (;;) {
      const job = queues.find((queue) => queue.length > 0)?.shift();
      if (job === undefined || stopping !== undefined) return;
      const begunMs = performance.now();
      const run = await runBun(["test", "--timeout", String(testDeadlineMs), ...job.files], { env: job.env });
      const outcome = readOutput(run.text);
      if (stopping !== undefined) return;
      results.push({ name: job.name, code: run.code, outcome });
      const seconds = `${Math.round((performance.now() - begunMs) / 1_000)} s`;
      const numbers = `${outcome.pass} passed${outcome.fail > 0 ? `, ${outcome.fail} FAILED` : ""}${outcome.skip > 0 ? `, ${outcome.skip} skipped` : ""}`;
      if (run.code !== 0) say(`\n${outcome.text}\n`);
      say(`[${String(results.length).padStart(3)}/${jobs.length}] ${job.name}: ${numbers}, ${seconds}`);
    }
  }
  await Promise.all(lanesOf(jobs).map(lane));
  return results;
}

/** The exit code of the signal that ends it. */
let stopping: number | undefined;
let isOurs = false;
let starting: Promise<unknown> = Promise.resolve();
for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(name, () => {
    if (stopping !== undefined) process.exit(code);
    stopping = code;
    say("\nStopping the tests and the servers that were started for them; once more ends at once");
    void stop(code);
  });

async function stop(code: number): Promise<void> {
  await endAll();
  await starting.catch(() => undefined);
  if (isOurs) await down({});
  process.exit(code);
}

function announce(files: number, { isLong }: { isLong: boolean }): void {
  const installs = [...wouldInstall(), ...toolsToInstall()];
  const run = isLong
    ? `npm run test:long: ${files} files of long tests`
    : `npm test: the gate (format, lint, types, unit tests), then ${files} files of tests`;
  say(`${run} beside PostgreSQL, MongoDB, Redis and Kafka, which listen on 127.0.0.1`);
  say(`and are stopped at the end. About ${isLong ? "20" : "10"} minutes on two quiet cores.`);
  if (!isLong) say("Tests of half a minute and more are run by npm run test:long.");
  if (installs.length > 0) say(`It will install: ${installs.join("; ")}. Downloads are kept in ~/.cache/task-tracker.`);
}

const usage = `npm test                             the gate of every change, then all but the long tests
npm run test:long                    the long ones
npm test -- tests/start.test.ts      these files only, without the gate`;

async function main(given: readonly string[]): Promise<number> {
  const isLong = given.length === 1 && given[0] === "--long";
  if (!isLong && given.some((each) => each.startsWith("-"))) {
    const isAsked = given.includes("--help");
    (isAsked ? process.stdout : process.stderr).write(`${usage}\n`);
    return isAsked ? 0 : 2;
  }
  const isWhole = given.length === 0 || isLong;
  const jobs = isWhole ? jobsOf({ isLong }) : given.map((path) => alone(relative(root, path)));
  if (isWhole) announce(jobs.length, { isLong });
  isOurs = status({}).length === 0;
  // The servers start while the gate is busy with what needs none.
  const upped = up({ say });
  starting = upped;
  upped.catch(() => undefined);
  const gate = isWhole && !isLong ? await runBun(["run", "--silent", "check"], { shown: true }) : undefined;
  if (stopping !== undefined) return await new Promise<never>(() => undefined);
  const { missing } = await upped;
  for (const { service, reason } of missing) say(`${service} cannot be had: ${reason}`);
  const isRefused = (gate !== undefined && gate.code !== 0) || (missing.length > 0 && process.env.CI === "true");
  const results = isRefused || stopping !== undefined ? [] : await runAll(jobs);
  if (stopping !== undefined) return await new Promise<never>(() => undefined);
  if (isOurs) await down({});
  if (isRefused) return gate?.code || 1;
  process.stdout.write(summary(results, performance.now() - startedMs));
  return results.every(({ code }) => code === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
