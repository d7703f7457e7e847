import process from "node:process";
import type { LogLevel } from "./actor.ts";

export type Log = (level: LogLevel, event: string, fields: Record<string, unknown>) => void;

/** A log that never throws: a line that cannot be written must not end what it tells of, such as a restart, a stop, the main thread itself. */
export const safely =
  (log: Log = toStderr) =>
  (level: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
    try {
      log(level, event, fields);
    } catch {
      // The line is lost.
    }
  };

/** Where lines go unless told: what somebody should see. */
function toStderr(level: LogLevel, event: string, fields: Record<string, unknown>): void {
  if (level === "warn" || level === "error") process.stderr.write(`${JSON.stringify({ level, event, ...fields })}\n`);
}
