/** The steps of a tool that works with servers: whatever fails names its server and what was to be done. */
import { causeOf } from "../../cause.ts";
import { IndexError } from "../../mongo/indexes.ts";
import { StoredTextError } from "../../mongo/space-collections.ts";
import { unlessAborted } from "../../waiting.ts";
import { SupersededError } from "../space-memory.ts";
import { RebuildError } from "./rebuild.ts";

/** Waits for one step of a server; a failure of it names both. Interrupted, the step is left behind, unless it is to come to its own end. */
export type Step = <T>(step: string, work: Promise<T>, until?: "to the end") => Promise<T>;

export function serverSteps(
  server: string,
  signal: AbortSignal,
  why: (error: unknown) => unknown = (error) => error,
): Step {
  return async (step, work, until) => {
    try {
      return await (until === undefined ? unlessAborted(work, signal) : work);
    } catch (error) {
      if (isClear(error) || error === signal.reason) throw error;
      throw new StepError(`Cannot finish rebuild: ${server} failed to ${step} (${causeOf(why(error))})`, {
        cause: error,
      });
    }
  };
}

class StepError extends Error {
  override readonly name = "StepError";
}

/** Faults that are told as they are, and those that somebody else is to see. */
function isClear(error: unknown): boolean {
  return [RebuildError, StepError, IndexError, SupersededError, StoredTextError].some((kind) => error instanceof kind);
}
