/** The one table of commands. */

import { addUserCommand } from "./add-user-command.ts";
import type { Command } from "./command.ts";
import { exportCommand } from "./export-command.ts";
import { importCommand } from "./import-command.ts";
import { rebuildCommand } from "./rebuild-command.ts";
import { redriveCommand } from "./redrive-command.ts";
import { resetPasswordCommand } from "./reset-password-command.ts";

/** By name, in the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  rebuild: rebuildCommand,
  redrive: redriveCommand,
  "reset-password": resetPasswordCommand,
  "add-user": addUserCommand,
  export: exportCommand,
  import: importCommand,
};
