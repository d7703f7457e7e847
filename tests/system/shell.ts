/** Commands of the docs, run as a reader would: one after the other in a shell that stops at the first that fails. */
import { spawn } from "node:child_process";
import process from "node:process";

/** `API` is `url` there. */
export async function runSession(script: string, url: string): Promise<{ code: unknown; out: string; err: string }> {
  const shell = spawn("bash", ["-euo", "pipefail"], {
    env: { PATH: process.env.PATH, API: url },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const text = { out: "", err: "" };
  shell.stdout.on("data", (part) => (text.out += String(part)));
  shell.stderr.on("data", (part) => (text.err += String(part)));
  shell.stdin.end(script);
  const code = await new Promise((resolve) => shell.once("close", resolve));
  return { code, ...text };
}

/** The lines that are a status. */
export function statusesIn(out: string): string[] {
  return out.split("\n").filter((line) => /^\d{3}$/.test(line));
}
