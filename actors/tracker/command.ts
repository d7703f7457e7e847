/** What one command of `tracker` is, and how it tells that it cannot go on. */
import type { ProgressReporter } from "./progress.ts";

export type CommandContext = {
  /** The result, one line at a time, on stdout. */
  readonly print: (line: string) => void;
  /** Reports how far a long command is, on stderr. `unit` is what is counted, in the plural. */
  readonly progress: (unit: string) => ProgressReporter;
  /** Aborted by the first Ctrl-C or SIGTERM: the command stops at its next safe point and throws the signal's reason. */
  readonly signal: AbortSignal;
};

export type Command = {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `tracker help NAME` prints: what it does, how it is called, what it leaves behind. Exit codes are told by `tracker` itself. */
  readonly help: string;
  /** Resolves when it is done. Throws a `UsageError` or another error with a clear line when it refuses, before anything was changed. */
  run(args: readonly string[], context: CommandContext): Promise<void>;
};

/** The arguments are wrong; the message is one clear line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Refuses every argument that is not one of the flags; the flags that were given. */
export function flagsIn(args: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const unknown = args.find((each) => !known.includes(each));
  if (unknown !== undefined) throw new UsageError(`Cannot take the argument ${JSON.stringify(unknown)}`);
  return new Set(args);
}
