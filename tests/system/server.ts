/** The real system in a process of its own, as a user starts it: on free ports, in a temporary folder, stopped by process id. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../deploy/services/ports.ts";
import { poll } from "./poll.ts";
import { binaryOf, type Runtime } from "./runtimes.ts";

export type { Runtime } from "./runtimes.ts";

const root = join(import.meta.dir, "..", "..");

export type Exit = { readonly code: number | null; readonly signal: string | null };

export type System = {
  readonly url: string;
  readonly admin: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Milliseconds from the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  readonly exited: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** Sends the signal and waits for the end; after `deadlineMs` it is an error (and SIGKILL). */
  end(signal: "SIGTERM" | "SIGINT" | "SIGKILL", deadlineMs?: number): Promise<Exit>;
};

export type StartOptions = {
  runtime?: Runtime;
  /** A folder to go on with; a fresh temporary one unless given. */
  dataDir?: string;
  /** Public and admin port; free ones unless given. */
  ports?: readonly [number, number];
  env?: Readonly<Record<string, string>>;
};

/** Generous: a machine with much else to do is no fault of a test. What the system promises in time is told by benchmarks. */
export const startDeadlineMs = 120_000;
export const endDeadlineMs = 60_000;

const living = new Set<ChildProcess>();
const folders: string[] = [];

/** Ends what a failed test left running and removes every temporary folder: each file's last act. */
export async function cleanUp(): Promise<void> {
  const ends = [...living].map((child) => new Promise((resolve) => child.once("close", resolve)));
  for (const child of living) child.kill("SIGKILL");
  await Promise.all(ends);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A folder that `cleanUp` removes. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "task-tracker-test-"));
  folders.push(folder);
  return folder;
}

/** A port that nobody listens on now, nor will by chance before it is taken. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

function command(runtime: Runtime): [string, string[]] {
  const flags = runtime === "bun" ? [] : ["run", "-A", "--unstable-net"];
  return [binaryOf(runtime), [...flags, join(root, "actors", "main.ts")]];
}

/** Starts the program with exactly these variables (and what any process has) and does not wait for it. */
export function launch(
  env: Readonly<Record<string, string>>,
  more: { runtime?: Runtime; args?: readonly string[] } = {},
) {
  const [file, args] = command(more.runtime ?? "bun");
  const child = spawn(file, [...args, ...(more.args ?? [])], {
    cwd: root,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: homedir(), TMPDIR: tmpdir(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      texts[name] = (texts[name] + part).slice(-200_000);
    });
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      living.delete(child);
      resolve({ code, signal });
    });
  });
  return { child, texts, exited };
}

/** Runs the program to its own end. */
export async function run(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  deadlineMs = startDeadlineMs,
): Promise<Exit & { stdout: string; stderr: string }> {
  const { child, texts, exited } = launch(env, { args });
  const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  const exit = await exited;
  clearTimeout(timer);
  return { ...exit, ...texts };
}

/** Starts the system and waits until it is ready, at most `startDeadlineMs`. */
export async function start(options: StartOptions = {}): Promise<System> {
  const [port, adminPort] = options.ports ?? [await freePort(), await freePort()];
  const dataDir = options.dataDir ?? join(temporaryFolder(), "data");
  const began = performance.now();
  const { child, texts, exited } = launch(
    {
      HOST: "127.0.0.1",
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      DATA_DIR: dataDir,
      LOG_LEVEL: "warn",
      ...options.env,
    },
    options.runtime === undefined ? {} : { runtime: options.runtime },
  );
  const pid = child.pid;
  if (pid === undefined) throw new Error("Cannot start the system: no process");
  let ended: Exit | undefined;
  void exited.then((exit) => {
    ended = exit;
  });
  const admin = `http://127.0.0.1:${adminPort}`;
  await poll(
    "the system is ready",
    startDeadlineMs,
    async () => {
      if (ended !== undefined)
        throw new Error(`The system ended while starting (${JSON.stringify(ended)}): ${texts.stderr}${texts.stdout}`);
      const answer = await fetch(`${admin}/readyz`).catch(() => undefined);
      await answer?.text();
      return answer?.status === 200;
    },
    10,
  );
  return {
    url: `http://127.0.0.1:${port}`,
    admin,
    pid,
    dataDir,
    readyMs: performance.now() - began,
    exited,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    end: async (signal, deadlineMs = endDeadlineMs) => {
      if (ended !== undefined) return ended;
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill("SIGKILL");
      }, deadlineMs);
      child.kill(signal);
      const exit = await exited;
      clearTimeout(timer);
      if (late)
        throw new Error(`The system did not end within ${deadlineMs} ms of ${signal}: ${texts.stderr.slice(-2000)}`);
      return exit;
    },
  };
}
