/**
 * `tracker COMMAND`: the tools of an operator, in one program for a checkout, a container and a cluster. It reads the same variables as the system.
 *
 *     bun run tracker help
 *     docker compose run --rm tracker rebuild
 */
import process from "node:process";
import { OperatorError } from "../auth/operator.ts";
import { causeOf } from "../cause.ts";
import { ConfigError } from "../config.ts";
import { RebuildError } from "../consumer/tools/rebuild.ts";
import { DataDirError } from "../process/data-dir.ts";
import { isTerminal, writeNow } from "../process/log.ts";
import { UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { helpText } from "./help.ts";
import { InterruptedError, interruption } from "./interrupt.ts";
import { IncompleteError, MovingError } from "./moving/moving-file.ts";
import { progressReporter } from "./progress.ts";

const complain = (line: string): void => writeNow(2, `${line}\n`);

/** What a failure is to whoever started the command: its exit code, and one clear line. */
function failure(name: string, error: unknown): { exitCode: number; line: string } {
  if (error instanceof InterruptedError)
    return { exitCode: error.exitCode, line: `Interrupted: ${name} was not finished` };
  const { message } = error as Error;
  if (error instanceof IncompleteError) return { exitCode: 3, line: message };
  const isRefusal = [UsageError, ConfigError, DataDirError, RebuildError, OperatorError, MovingError].some(
    (kind) => error instanceof kind,
  );
  if (isRefusal)
    return { exitCode: 2, line: error instanceof UsageError ? `${message}; see \`tracker help ${name}\`` : message };
  if (message.startsWith("Cannot ")) return { exitCode: 1, line: message };
  return { exitCode: 1, line: `Cannot finish ${name}: a server or the disk failed (${causeOf(error)})` };
}

async function run(name: string, args: readonly string[]): Promise<number> {
  const command = commands[name];
  if (command === undefined) {
    complain(`Cannot run ${JSON.stringify(name)}: there is no such command; see \`tracker help\``);
    return 2;
  }
  const stopping = interruption(complain);
  try {
    await command.run(args, {
      print: (line) => writeNow(1, `${line}\n`),
      progress: (unit) =>
        progressReporter({
          write: (text) => writeNow(2, text),
          terminal: isTerminal(2),
          // Some terminals say that they have none.
          width: process.stderr.columns || 80,
          unit,
          nowMs: () => performance.now(),
        }),
      signal: stopping.signal,
    });
    return 0;
  } catch (error) {
    const { exitCode, line } = failure(name, error);
    complain(line);
    return exitCode;
  } finally {
    stopping.release();
  }
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === undefined) {
    complain(helpText(commands));
    return 2;
  }
  const isHelp = (each: string | undefined) => each === "--help" || each === "-h";
  const asked = first === "help" || isHelp(first) ? rest[0] : rest.some(isHelp) ? first : undefined;
  if (asked === undefined && (first === "help" || isHelp(first))) {
    writeNow(1, `${helpText(commands)}\n`);
    return 0;
  }
  if (asked === undefined) return await run(first, rest);
  const command = commands[asked];
  if (command === undefined) return await run(asked, []);
  writeNow(1, `${helpText(commands, asked)}\n`);
  return 0;
}

// Drivers may keep the event loop alive after a failure: nothing is left to wait for.
process.exit(await main(process.argv.slice(2)));
