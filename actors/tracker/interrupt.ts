/** Ctrl-C and SIGTERM while a command runs: the first asks it to stop at a safe point, a second one, or a stop that takes too long, ends the process. */
import process from "node:process";

/** Exit codes as shells have them: 128 and the number of the signal. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const;
type Name = keyof typeof codes;

/** The reason of the aborted signal. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly exitCode: number;
  constructor(name: Name) {
    super("Interrupted");
    this.exitCode = codes[name];
  }
}

/** Below the 10 s that Docker gives unless told otherwise. */
const stopMs = 8_000;

/** Listens until `release` is called. */
export function interruption(say: (line: string) => void): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onSignal = (name: Name): void => {
    if (controller.signal.aborted) process.exit(codes[name]);
    say("Stopping; once more ends it at once");
    timer = setTimeout(() => process.exit(codes[name]), stopMs);
    controller.abort(new InterruptedError(name));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
