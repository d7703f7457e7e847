/** The one table of commands. */
import type { Command } from "./command.ts";
import { rebuildCommand } from "./rebuild-command.ts";
import { redriveCommand } from "./redrive-command.ts";

/** By name, in the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  rebuild: rebuildCommand,
  redrive: redriveCommand,
};
