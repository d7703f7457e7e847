/** What `tracker help` and `tracker help NAME` print. */
import type { Command } from "./command.ts";

const exitCodes = `Exit codes: 0 done; 1 a server or the disk failed, run it again; 2 refused, nothing was changed (one line tells why);
3 done but for what was named; 130 ended by Ctrl-C, 143 by SIGTERM.`;

/** Of all commands, or of the one that is named. */
export function helpText(commands: Readonly<Record<string, Command>>, name?: string): string {
  const one = name === undefined ? undefined : commands[name];
  if (one !== undefined) return `${one.help}\n\n${exitCodes}`;
  const wide = Math.max(...Object.keys(commands).map((each) => each.length));
  return [
    "Tools for whoever runs Task Tracker. They take the same variables as the system itself.",
    "",
    "Usage: [VARIABLE=value ...] tracker COMMAND [ARGUMENT ...]",
    "       tracker help [COMMAND]",
    "",
    ...Object.entries(commands).map(([each, { summary }]) => `  ${each.padEnd(wide)}  ${summary}`),
    "",
    exitCodes,
  ].join("\n");
}
