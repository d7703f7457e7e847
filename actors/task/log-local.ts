/** The log of one process: the writer's mailbox, answered after its commit. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ref } from "../../runtime/actor.ts";
import { isActorError } from "../../runtime/errors.ts";
import type { consumer } from "../consumer/messages.ts";
import { Problem } from "../model/problem.ts";
import type { Log } from "./ports.ts";

const retryPauseMs = 20;

/**
 * When the writer dies with a command in hand, nobody knows whether it was committed: the same command is sent again to its successor,
 * which recognises the operation and answers its first outcome. So a writer's restart is a pause for clients, not a failure.
 */
export function localLog(writer: Ref<typeof consumer.accepts>, timeoutMs: number): Log {
  return {
    async append(command) {
      const endMs = Date.now() + timeoutMs;
      let again = false;
      for (;;) {
        try {
          const outcome = await writer.ask("append", command, {
            timeoutMs: Math.max(1, endMs - Date.now()),
            key: command.taskId,
          });
          // An operation without a key cannot have been sent by anybody else: what is found was made by our own first try.
          const own = again && outcome.verdict === "replayed" && !command.keyed;
          const verdict = own ? (outcome.code === undefined ? "applied" : "rejected") : outcome.verdict;
          return { position: outcome.position, outcome: own ? { ...outcome, verdict } : outcome };
        } catch (failure) {
          if (isActorError(failure, "Busy")) throw new Problem("overloaded", undefined, { cause: failure });
          // Whatever else went wrong, the writer itself included, may have happened after the commit.
          if (isActorError(failure, "Expired") || Date.now() + retryPauseMs >= endMs)
            throw new Problem("log-unavailable", undefined, { cause: failure });
          again = true;
          await sleep(retryPauseMs);
        }
      }
    },
  };
}
