/** One line per event on stderr: JSON for machines, short for people at a terminal. Written at once, so that the last line before an exit is not lost. */
import { writeSync } from "node:fs";
import process from "node:process";
import type { LogLevel } from "../runtime/actor.ts";
import type { Log } from "../runtime/system.ts";

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const secretName = /password|secret|authorization|cookie|token|private/i;

export type LogOptions = { level: LogLevel; terminal: boolean; write: (line: string) => void; now: () => Date };

export function logger({ level: least, terminal, write, now }: LogOptions): Log {
  return (level, event, fields) => {
    if (ranks[level] < ranks[least]) return;
    const time = now().toISOString();
    if (terminal) {
      const rest = Object.entries(fields).filter(([, value]) => value !== undefined);
      write(
        `${time.slice(11, 23)} ${level.padEnd(5)} ${event}${rest.map(([name, value]) => ` ${name}=${oneLine(hidden(name, value))}`).join("")}\n`,
      );
    } else
      write(`${JSON.stringify({ time, level, event, ...fields, ...names(fields, { time, level, event }) }, hidden)}\n`);
  };
}

/** A field may not pass for the line's own ones. */
function names(fields: Record<string, unknown>, own: Record<string, string>): Record<string, unknown> {
  const clashes = Object.keys(own).filter((name) => name in fields);
  return { ...own, ...Object.fromEntries(clashes.map((name) => [`${name}_`, fields[name]])) };
}

/** The last guard: whoever logs leaves secrets out in the first place. */
function hidden(name: string, value: unknown): unknown {
  return secretName.test(name) && value !== undefined ? "(hidden)" : value;
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
