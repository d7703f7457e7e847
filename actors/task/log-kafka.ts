/** The log in Kafka: the append is the commit, and the verdict is heard from the writer. */
import { AppendError, type Appender } from "../kafka/appender.ts";
import { commandRecord } from "../kafka/log-record.ts";
import type { Outcome } from "../model/command.ts";
import { Problem } from "../model/problem.ts";
import type { Announced } from "./announced.ts";
import type { Log } from "./ports.ts";

export type KafkaLogOptions = {
  readonly appender: Appender;
  /** Undefined while the topics are not known. */
  readonly partitions: () => number | undefined;
  readonly announced: Announced;
  /** For the append and the verdict together. */
  readonly timeoutMs: number;
  readonly now: () => number;
};

export function kafkaLog({ appender, partitions, announced, timeoutMs, now }: KafkaLogOptions): Log {
  return {
    async append(command, wanted) {
      const count = partitions();
      if (count === undefined) throw new Problem("log-unavailable");
      const deadlineMs = now() + timeoutMs;
      const expectation = wanted.verdict ? announced.expect(command.operationId) : undefined;
      const record = commandRecord(command, count);
      try {
        const position = { partition: record.partition, offset: await appender.append(record, deadlineMs) };
        const outcome = await expectation?.at(position, deadlineMs);
        return { position, outcome: outcome === undefined ? undefined : firstOf(outcome, command.keyed) };
      } catch (cause) {
        if (!(cause instanceof AppendError)) throw cause;
        throw new Problem(cause.code === "full" ? "overloaded" : "log-unavailable", undefined, { cause });
      } finally {
        expectation?.end();
      }
    },
  };
}

/** An operation without a key cannot have been sent by anybody else: what it repeats is our own first try, whose answer was lost. */
function firstOf(outcome: Outcome, keyed: boolean): Outcome {
  if (keyed || outcome.verdict !== "replayed") return outcome;
  return { ...outcome, verdict: outcome.code === undefined ? "applied" : "rejected" };
}
