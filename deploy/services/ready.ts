/** The wait for a server that was just started. */
import { answers, type ProgramName, protocolOf } from "./protocol-probe.ts";

const readyDeadlineMs = 120_000;
const restartTries = 10;

/** It was started and is gone again, which another try may mend. */
class EndedAtStart extends Error {
  override readonly name = "EndedAtStart";
}

/** Waits until it serves. Throws with what `why` says when it is gone or the deadline has passed; then it may still run. */
export async function untilServes(
  { program, ports }: { readonly program: ProgramName; readonly ports: readonly number[] },
  isAlive: () => Promise<boolean> | boolean,
  why: () => string,
  whileNotReady?: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs;
  while (!(await answers(protocolOf[program], "127.0.0.1", ports[0] ?? 0, 1_000))) {
    if (!(await isAlive())) throw new EndedAtStart(`it ended at its start: ${why()}`);
    if (performance.now() > deadline) throw new Error(`it does not answer after ${readyDeadlineMs} ms: ${why()}`);
    await whileNotReady?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** For a restart after a crash: Kafka ends at once as long as ZooKeeper keeps the name of the broker that was killed. */
export async function withTries(start: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof EndedAtStart) || tries === restartTries) throw error;
    }
  }
}
