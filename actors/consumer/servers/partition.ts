/**
 * One partition of the log as its writer needs it, over Kafka: the topic on which verdicts are told, and the place up to which they are projected.
 *
 * The place is the group's offset in the commands. Its metadata says from which offset of the facts the verdicts of that position and of later ones are
 * found, so that a takeover reads the tail alone.
 */
import type { OffsetsByTopicPartition } from "kafkajs";
import type { Appender } from "../../kafka/appender.ts";
import { factsText, readFacts } from "../../kafka/facts-record.ts";
import type { PartitionQuestions, PartitionRecord } from "../../kafka/partition-questions.ts";
import { factsOffsetIn, projectedMetadata } from "../../kafka/projected-place.ts";
import type { Told } from "../../resources/verdict.ts";
import { withDeadline } from "../../waiting.ts";
import { SupersededError } from "../space-memory.ts";
import type { LogPlace, VerdictTopic } from "../write-ports.ts";

export type PartitionLogOptions = {
  readonly questions: PartitionQuestions;
  /** Of the topic of facts; others may use it too. */
  readonly appender: Appender;
  readonly partition: number;
  readonly topics: { readonly commands: string; readonly facts: string };
  readonly group: string;
  /** As the member of the group to which the partition is assigned. */
  readonly commit: (offsets: OffsetsByTopicPartition) => Promise<void>;
  /** A record of the facts is no verdict, and is passed over. */
  readonly unreadable: (offset: number, reason: string) => void;
  /** How long an append, a commit or the wait for what was told may take. */
  readonly deadlineMs?: number;
};

const servingDeadlineMs = 10_000;
const fetchWaitMs = 200;
/** A verdict of more letters is told alone, so that none stands behind one that Kafka refuses. */
const aloneLength = 150_000;
/** Verdicts of unprojected positions that are read and not committed: several times what a writer leaves unprojected. */
const heldMax = 50_000;
/** The group says that this member is not, or not yet, of its present generation. */
const fenced = ["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "FENCED_INSTANCE_ID"];

export function partitionLog(options: PartitionLogOptions): { topic: VerdictTopic; place: LogPlace } {
  const { questions, appender, partition, topics, group, commit, unreadable, deadlineMs = servingDeadlineMs } = options;
  /** What was told first of each position from `floor` on, with its offset in the facts, in the order of these. */
  const held = new Map<number, { readonly offset: number; readonly told: Told }>();
  let floor = 0;
  /** The offset in the facts from which the tail begins, where the place says so. */
  let tailFrom: number | undefined;
  /** The offset in the facts that is read next. */
  let next = 0;

  function hold({ offset, value }: PartitionRecord): void {
    const told = readFacts(value);
    if (typeof told === "string") return unreadable(offset, told);
    if (told.kind === "projected") return;
    if (told.position >= floor && !held.has(told.position)) held.set(told.position, { offset, told });
  }

  async function readMore(waitMs: number): Promise<void> {
    const { records, next: behind } = await questions.read({ topic: topics.facts, partition, from: next }, waitMs);
    for (const record of records) hold(record);
    next = behind;
  }

  /** Every earlier verdict is told before one is: where the last is there, so are those before it that there are at all. */
  async function untilTold(position: number): Promise<void> {
    const untilMs = Date.now() + deadlineMs;
    while (!held.has(position)) {
      if (held.size > heldMax)
        throw new SupersededError(`Another writer is far ahead of position ${position} in partition ${partition}`);
      if (Date.now() > untilMs)
        throw new Error(
          `Cannot find the verdict of position ${position} in partition ${partition} of ${topics.facts} in time`,
        );
      await readMore(fetchWaitMs);
    }
  }

  const topic: VerdictTopic = {
    async append(all) {
      const untilMs = Date.now() + deadlineMs;
      let underWay: Promise<number>[] = [];
      for (const told of all) {
        const record = { partition, key: told.kind === "parked" ? null : told.spaceId, value: factsText(told) };
        const isAlone = record.value.length > aloneLength;
        if (isAlone) await Promise.all(underWay);
        if (isAlone) underWay = [];
        underWay.push(appender.append(record, untilMs));
        if (isAlone) await Promise.all(underWay);
      }
      await Promise.all(underWay);
    },

    async tail(fromPosition) {
      const { first, end } = await questions.ends(topics.facts, partition);
      held.clear();
      floor = fromPosition;
      // What the topic has forgotten since is projected; where it is another topic than it was, all of it is read.
      next = tailFrom !== undefined && tailFrom >= first && tailFrom <= end ? tailFrom : first;
      const untilMs = () => Date.now() + deadlineMs;
      for (let lateMs = untilMs(), at = next; next < end; ) {
        if (next > at) {
          at = next;
          lateMs = untilMs();
        } else if (Date.now() > lateMs)
          throw new Error(`Cannot read partition ${partition} of ${topics.facts} to its end: nothing comes`);
        await readMore(fetchWaitMs);
      }
      return [...held.values()].map(({ told }) => told);
    },

    async first(from, to) {
      await untilTold(to);
      return [...held.values()]
        .map(({ told }) => told)
        .filter(({ position }) => position >= from && position <= to)
        .sort((a, b) => a.position - b.position);
    },
  };

  const place: LogPlace = {
    async committed() {
      const found = await questions.committed(group, topics.commands, partition);
      tailFrom = found === undefined ? undefined : factsOffsetIn(found.metadata);
      floor = found?.offset ?? 0;
      return floor;
    },

    end: async () => (await questions.ends(topics.commands, partition)).end,

    async commit(position) {
      if (position <= floor) return;
      for (const each of held.keys()) if (each < position) held.delete(each);
      floor = position;
      let from = next;
      for (const { offset } of held.values()) from = Math.min(from, offset);
      const offsets = [{ partition, offset: String(position), metadata: projectedMetadata(from) }];
      try {
        await withDeadline(commit({ topics: [{ topic: topics.commands, partitions: offsets }] }), deadlineMs);
      } catch (error) {
        const { type } = error as { type?: string };
        if (type !== undefined && fenced.includes(type))
          throw new SupersededError(`The group has given partition ${partition} anew`, { cause: error });
        throw error;
      }
    },
  };

  return { topic, place };
}
