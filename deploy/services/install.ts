/** Gets what the services need: Debian's packages, and what is made once and kept in the cache folder. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { underLock } from "./lock.ts";
import { cacheDir, environment, isRoot } from "./settings.ts";

/** Tells a person what takes so long. */
export type Say = (line: string) => void;

/** A service cannot be had here; the message is the reason, in one line. */
export class CannotBeHad extends Error {
  override readonly name = "CannotBeHad";
}

export const installDeadlineMs = 600_000;

/** What programs print, as lines for a person: without colours and blank ones. */
export function linesOf(text: string): string[] {
  return Bun.stripANSI(text)
    .split("\n")
    .map((line) => line.trim().slice(0, 300))
    .filter((line) => line !== "");
}

/** Whether a line is of those that say why something failed. */
export const isFault = (line: string): boolean => /\b(fatal|error)\b|^E: /i.test(line);

/** Runs a program to its end and returns what it printed. A failure's message ends with the line that says why. */
export function run(
  program: string,
  args: readonly string[],
  options: { deadlineMs: number; cwd?: string; env?: Readonly<Record<string, string>> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.deadlineMs,
      killSignal: "SIGKILL",
    });
    let printed = "";
    let errors = "";
    child.stdout.on("data", (part: Buffer) => {
      printed += part.toString();
    });
    child.stderr.on("data", (part: Buffer) => {
      errors = (errors + part.toString()).slice(-4_096);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(printed);
      const lines = linesOf(`${printed}\n${errors}`);
      reject(new Error(`${program} ended with ${signal ?? code}: ${lines.find(isFault) ?? lines.at(-1) ?? ""}`));
    });
  });
}

/** Installs Debian's packages. Their servers are not started with them where that can be helped. */
export async function debianPackages(packages: readonly string[], say: Say): Promise<void> {
  const wanted = packages.join(" ");
  if (Bun.which("apt-get") === null) throw new CannotBeHad(`${wanted} is not installed, and this is no Debian system`);
  if (!isRoot) throw new CannotBeHad(`not installed, and only root may: sudo apt-get install ${wanted}`);
  // Run level 1 makes invoke-rc.d start nothing.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = () =>
    run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], {
      deadlineMs: installDeadlineMs,
      env,
    });
  await underLock(
    "apt",
    installDeadlineMs,
    () => say("waiting for another installation"),
    async () => {
      say(`installing ${wanted} with apt-get`);
      try {
        // The lists may be missing or name versions that are gone.
        await install().catch(async () => {
          await run("apt-get", ["update", "-q"], { deadlineMs: installDeadlineMs, env });
          await install();
        });
      } catch (error) {
        throw new CannotBeHad(`cannot install ${wanted}: ${error instanceof Error ? error.message : "unknown"}`);
      }
    },
  );
}

/** Whether `cached` would find it. */
export const isCached = (name: string): boolean => existsSync(join(cacheDir, name));

/** The folder in the cache that `make` filled, once for all processes: a folder that is there is whole. */
export async function cached(name: string, say: Say, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheDir, name);
  if (existsSync(folder)) return folder;
  return await underLock(
    name,
    installDeadlineMs,
    () => say(`waiting for another process that makes ${name}`),
    async () => {
      if (existsSync(folder)) return folder;
      mkdirSync(cacheDir, { recursive: true });
      const draft = mkdtempSync(join(cacheDir, "draft-"));
      try {
        await make(draft);
        renameSync(draft, folder);
      } catch (error) {
        throw new CannotBeHad(`cannot make ${name}: ${error instanceof Error ? error.message : "unknown"}`);
      } finally {
        rmSync(draft, { recursive: true, force: true });
      }
      return folder;
    },
  );
}
