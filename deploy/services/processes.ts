/** Processes that outlive the one that started them: started, watched and stopped by id. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { platform } from "node:os";
import process from "node:process";
import { environment } from "./settings.ts";

/** A process by its number and its begin: numbers are used again, so the number alone could name somebody else's. */
export type ProcessId = { readonly pid: number; readonly began: string };

export type Command = {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** Parent and begin of a living process; nothing when there is none, or only what its parent has not yet asked for. */
function look(pid: number): { parent: number; began: string } | undefined {
  if (platform() !== "linux") {
    const [state = "Z", parent = "0", ...began] = spawnSync("ps", ["-o", "stat=,ppid=,lstart=", "-p", String(pid)])
      .stdout.toString()
      .trim()
      .split(/\s+/);
    return state === "" || state.startsWith("Z") ? undefined : { parent: Number(parent), began: began.join(" ") };
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in brackets, may hold spaces and brackets itself. See proc_pid_stat(5).
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : { parent: Number(parent), began: rest[17] ?? "" };
  } catch {
    return undefined;
  }
}

function allPids(): number[] {
  const names =
    platform() === "linux" ? readdirSync("/proc") : spawnSync("ps", ["-A", "-o", "pid="]).stdout.toString().split("\n");
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
}

export function isAlive({ pid, began }: ProcessId): boolean {
  return look(pid)?.began === began;
}

/** This process as others may look for it. */
export function thisProcess(): ProcessId {
  return { pid: process.pid, began: look(process.pid)?.began ?? "" };
}

/** All below a process: PostgreSQL's backends are in process groups of their own, so the group does not reach them. */
function descendants(root: number): ProcessId[] {
  const seen = allPids().flatMap((pid) => {
    const found = look(pid);
    return found === undefined ? [] : [{ pid, ...found }];
  });
  const below = (parent: number): ProcessId[] =>
    seen.filter((each) => each.parent === parent).flatMap(({ pid, began }) => [{ pid, began }, ...below(pid)]);
  return below(root);
}

function send(to: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(to)) return;
  try {
    process.kill(to.pid, signal);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ESRCH") throw error;
  }
}

/** Halts a process and all below it; a halted parent makes no further child while they are looked for. */
export function pause(root: ProcessId): ProcessId[] {
  send(root, "SIGSTOP");
  const all = isAlive(root) ? [root, ...descendants(root.pid)] : [];
  for (const each of all) send(each, "SIGSTOP");
  return all;
}

/** Undoes `pause`. */
export function resume(root: ProcessId): void {
  if (!isAlive(root)) return;
  for (const each of [...descendants(root.pid), root]) send(each, "SIGCONT");
}

/** Ends a process and all below it, as a crash would, and waits until they are gone. */
export async function crash(root: ProcessId): Promise<void> {
  const all = pause(root);
  for (const each of all) send(each, "SIGKILL");
  if (!(await areGone(all, 10_000))) throw new Error(`Cannot end process ${root.pid}: it outlives SIGKILL`);
}

/** Asks a process to end; what is left of it after the deadline is crashed. */
export async function end(root: ProcessId, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
  if (!isAlive(root)) return;
  const all = [root, ...descendants(root.pid)];
  send(root, signal);
  resume(root);
  if (await areGone(all, deadlineMs)) return;
  for (const each of all) await crash(each);
}

async function areGone(all: readonly ProcessId[], deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  while (all.some(isAlive)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

/**
 * Starts a program that goes on when this process ends, its output in `log`. It has a session of its own (Ctrl-C does not reach it) and a
 * parent that is gone at once (Bun's test runner ends the children of a test that took too long).
 */
export async function launch({ program, args, env }: Command, cwd: string, log: string): Promise<ProcessId> {
  const shell = spawn("/bin/sh", ["-c", '"$@" >>"$0" 2>&1 & echo $!', log, program, ...args], {
    cwd,
    env: environment(env),
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  shell.stdout.on("data", (part: Buffer) => {
    printed += part.toString();
  });
  await new Promise<void>((resolve, reject) => {
    shell.once("error", reject);
    shell.once("close", () => resolve());
  });
  const pid = Number(printed);
  if (!(pid > 0)) throw new Error(`Cannot start ${program}: the shell named no process`);
  return { pid, began: look(pid)?.began ?? "gone" };
}
