/** One line per event on stderr: JSON for machines, short for people at a terminal. Written at once, so that the last line before an exit is not lost. */
import { writeSync } from "node:fs";
import process from "node:process";
import type { LogLevel } from "../../runtime/actor.ts";
import type { Log } from "../../runtime/system.ts";
import { withoutCredentials } from "../cause.ts";

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const secretName = /password|secret|authorization|cookie|token|private/i;

export type LogOptions = { level: LogLevel; terminal: boolean; write: (line: string) => void; now: () => Date };

export function logger({ level: least, terminal, write, now }: LogOptions): Log {
  return (level, event, fields) => {
    if (ranks[level] < ranks[least]) return;
    const own = { time: now().toISOString(), level, event };
    const line = terminal ? short : machine;
    let text: string;
    try {
      text = line(own, fields);
    } catch {
      text = line(own, writable(fields));
    }
    write(`${text}\n`);
  };
}

type Own = { time: string; level: LogLevel; event: string };

function short({ time, level, event }: Own, fields: Record<string, unknown>): string {
  const rest = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${event}${rest.map(([name, value]) => ` ${name}=${oneLine(hidden(name, value))}`).join("")}`;
}

function machine(own: Own, fields: Record<string, unknown>): string {
  return JSON.stringify({ ...own, ...fields, ...names(fields, own) }, hidden);
}

/** The fields, without those that JSON refuses (a cycle, a `toJSON` that throws): they are no reason to lose the line. */
function writable(fields: Record<string, unknown>): Record<string, unknown> {
  const isWritable = (value: unknown): boolean => {
    try {
      JSON.stringify(value, hidden);
      return true;
    } catch {
      return false;
    }
  };
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isWritable(value) ? value : "(unwritable)"]),
  );
}

/** A field may not pass for the line's own ones. */
function names(fields: Record<string, unknown>, own: Own): Record<string, unknown> {
  const clashes = Object.keys(own).filter((name) => name in fields);
  return { ...own, ...Object.fromEntries(clashes.map((name) => [`${name}_`, fields[name]])) };
}

/** The last guard: whoever logs leaves secrets out in the first place. A BigInt, which JSON does not know, is written as text. */
function hidden(name: string, value: unknown): unknown {
  if (secretName.test(name) && value !== undefined) return "(hidden)";
  if (typeof value === "string") return withoutCredentials(value);
  return typeof value === "bigint" ? String(value) : value;
}

function oneLine(value: unknown): string {
  return typeof value === "string" && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value, hidden);
}

/** Writes all of a text to a descriptor now; a reader that has gone away is no reason to fail. */
export function writeNow(descriptor: 1 | 2, text: string): void {
  let rest = Buffer.from(text, "utf8");
  const deadlineMs = Date.now() + 1_000;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      // A full pipe of a slow reader is waited for, but not for ever.
      if ((error as { code?: unknown }).code !== "EAGAIN" || Date.now() > deadlineMs) return;
    }
  }
}

export const isTerminal = (descriptor: 1 | 2): boolean =>
  (descriptor === 1 ? process.stdout : process.stderr).isTTY === true;
