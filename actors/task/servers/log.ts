/** The log of spaces in Kafka: the append is the commit, and the verdict is heard from the writer. */
import { AppendError, type Appender } from "../../kafka/appender.ts";
import { commandRecordOf } from "../../kafka/command-record.ts";
import { Problem } from "../../model/problem.ts";
import { asSent, type Told, type Verdict } from "../../resources/verdict.ts";
import type { SpaceAnnouncements } from "../memory/announcements.ts";
import type { SpaceLog } from "../ports.ts";

export type KafkaSpaceLogOptions = {
  readonly appender: Appender;
  /** Undefined while the topics are not known. */
  readonly partitions: () => number | undefined;
  readonly announcements: Pick<SpaceAnnouncements, "expect">;
  /** For the append and the verdict together. */
  readonly timeoutMs: number;
  readonly now: () => number;
};

export function kafkaSpaceLog(options: KafkaSpaceLogOptions): SpaceLog {
  const { appender, partitions, announcements, timeoutMs, now } = options;
  return {
    async append(command, wanted) {
      const count = partitions();
      if (count === undefined) throw new Problem("log-unavailable");
      const deadlineMs = now() + timeoutMs;
      const expectation = wanted.verdict ? announcements.expect(command.operationId) : undefined;
      const record = commandRecordOf(command, count);
      try {
        const position = { partition: record.partition, offset: await appender.append(record, deadlineMs) };
        const told = await expectation?.at(position, deadlineMs);
        return { position, verdict: told === undefined ? undefined : verdictOf(told, command.keyed) };
      } catch (cause) {
        if (!(cause instanceof AppendError)) throw cause;
        throw new Problem(cause.code === "full" ? "overloaded" : "log-unavailable", undefined, { cause });
      } finally {
        expectation?.end();
      }
    },
  };
}

function verdictOf(told: Told, keyed: boolean): Verdict {
  // It was taken by the log and is set aside: nobody can say what comes of it before it is put back.
  if (told.kind === "parked") throw new Problem("internal");
  return asSent(told, keyed);
}
