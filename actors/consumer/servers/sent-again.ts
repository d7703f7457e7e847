/**
 * Which operations were sent again shortly before a partition was taken over. The first sending of one may still arrive, without a word of that; the writer
 * before knew it from its log.
 */
import { resentHeader } from "../../kafka/appender.ts";
import { commandIn } from "../../kafka/command-record.ts";
import { type PartitionQuestions, recordsBetween } from "../../kafka/partition-questions.ts";

/** Records that are read at most: some ten MB. Where more came in the time, nothing is known. */
const readMax = 20_000;
/** Looked at first; then twice as many, and so on. */
const firstCount = 500;
const waitMs = 500;

export type SentAgain = {
  readonly questions: Pick<PartitionQuestions, "ends" | "read">;
  readonly topic: string;
  readonly partition: number;
  /** Where the writer begins: what is from there on it will see itself. */
  readonly to: number;
  /** By the clocks of the senders. */
  readonly sinceMs: number;
};

/** Undefined where there is too much to read; throws where Kafka does not answer. */
export async function operationsSentAgain({
  questions,
  topic,
  partition,
  to,
  sinceMs,
}: SentAgain): Promise<ReadonlySet<string> | undefined> {
  const { first } = await questions.ends(topic, partition);
  const found = new Set<string>();
  for (let end = to, count = firstCount; end > first; count *= 2) {
    const begin = Math.max(first, to - count);
    let oldestMs = Number.POSITIVE_INFINITY;
    const stretch = { topic, partition, from: begin, to: end };
    for await (const { value, headers, timeMs } of recordsBetween(questions, stretch, waitMs)) {
      oldestMs = Math.min(oldestMs, timeMs);
      if (headers[resentHeader] === undefined || timeMs < sinceMs) continue;
      const command = commandIn(value);
      if (typeof command !== "string") found.add(command.operationId);
    }
    if (begin === first || oldestMs < sinceMs) return found;
    if (count >= readMax) return undefined;
    end = begin;
  }
  return found;
}
