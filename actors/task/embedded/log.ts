/** The log of spaces in one process: the writer's mailbox, answered after its commit. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ref } from "../../../runtime/actor.ts";
import { isActorError } from "../../../runtime/errors.ts";
import type { consumer } from "../../consumer/messages.ts";
import { Problem } from "../../model/problem.ts";
import { asSent } from "../../resources/verdict.ts";
import type { SpaceLog } from "../ports.ts";

const retryPauseMs = 20;

/**
 * When the writer dies with a command in hand, it is unknown whether the command was committed: the same command is sent again to the writer's successor,
 * which recognises the operation and answers its first outcome. So a writer's restart is a pause for clients, not a failure.
 */
export function localSpaceLog(writer: Ref<typeof consumer.accepts>, timeoutMs: number): SpaceLog {
  return {
    async append(command) {
      const endMs = Date.now() + timeoutMs;
      let isResent = false;
      for (;;) {
        try {
          const { position, verdict } = await writer.ask(
            "take",
            { command, isResent },
            { timeoutMs: Math.max(1, endMs - Date.now()), key: command.spaceId },
          );
          return { position, verdict: asSent(verdict, command.keyed) };
        } catch (failure) {
          if (isActorError(failure, "Busy")) throw new Problem("overloaded", undefined, { cause: failure });
          // Whatever else went wrong, the writer itself included, may have happened after the commit.
          if (isActorError(failure, "Expired") || Date.now() + retryPauseMs >= endMs)
            throw new Problem("log-unavailable", undefined, { cause: failure });
          isResent = true;
          await sleep(retryPauseMs);
        }
      }
    },
  };
}
