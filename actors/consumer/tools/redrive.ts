/**
 * Puts parked commands back into the log: those that can be understood now (a newer program may understand more), each on its space's own partition.
 * What cannot is kept: it goes to the end of the topic of parked records once more, so that it is tried the next time. Nothing takes effect twice: what was
 * put back just before a crash is put back again, and the writer recognises it.
 */
import type { Kafka, KafkaMessage } from "kafkajs";
import { appender, type NewRecord } from "../../kafka/appender.ts";
import { kafkaClient, toolRequestMs } from "../../kafka/client.ts";
import { commandIn, commandRecordOf } from "../../kafka/command-record.ts";
import { membership } from "../../kafka/group.ts";
import { type SpaceNames, spaceNamesIn } from "../../kafka/names.ts";
import { readThrough } from "../../kafka/read-through.ts";
import { ensureSpaceTopics } from "../../kafka/topics.ts";
import { commandName } from "../../resources/command.ts";
import type { KafkaServers } from "../../servers.ts";
import { settles } from "../../waiting.ts";
import { readParked } from "../parked-record.ts";

export type Redriven = { readonly back: number; readonly kept: number };
export type RedriveOptions = {
  readonly servers: KafkaServers;
  /** Only tells what would be done. */
  readonly dryRun: boolean;
  /** Is told a line for each. */
  readonly say: (line: string) => void;
  readonly progress: { update(records: number, total: number): void };
  /** Looked at before each record; once aborted, its reason is thrown. */
  readonly signal: AbortSignal;
};

/** Of one record; somebody waits at the terminal, and a Kafka that is busy deserves the time. */
const appendMs = 60_000;
const sendMs = 30_000;
const closeMs = 2_000;

/** All that is parked when it begins. Throws when Kafka does not do its part; then some of it may be put back, and will be again. */
export async function redrive({ servers, dryRun, say, progress, signal }: RedriveOptions): Promise<Redriven> {
  const kafka = kafkaClient(servers, "task-tracker-redrive", { requestMs: toolRequestMs });
  const names = spaceNamesIn(servers);
  const admin = kafka.admin();
  const appending = (topic: string) =>
    appender({ kafka, topic, failing: () => undefined, recovered: () => undefined, sendMs });
  const commands = appending(names.commands);
  const parking = appending(names.parked);
  let back = 0;
  let kept = 0;

  await admin.connect();
  try {
    const { partitions } = await ensureSpaceTopics(admin, servers);
    const ends = await admin.fetchTopicOffsets(names.parked);
    const [places] = await admin.fetchOffsets({ groupId: names.redrive, topics: [names.parked] });
    const known = new Map((places?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));

    const stretches = ends.map(({ partition, low, high }) => ({
      partition,
      from: Math.max(Number(low), known.get(partition) ?? 0),
      to: Number(high),
    }));
    const total = stretches.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);

    const one = async (message: KafkaMessage): Promise<void> => {
      signal.throwIfAborted();
      const parked = readParked(message.value);
      const origin = parked === undefined ? "a record" : `${parked.partition}-${parked.offset}`;
      const command = commandIn(parked?.value == null ? null : Buffer.from(parked.value));
      const deadlineMs = Date.now() + appendMs;
      if (typeof command === "string") {
        kept += 1;
        say(`${origin}: kept, ${parked === undefined ? "not one of the writer's" : command}`);
        const record = { partition: 0, key: message.key?.toString() ?? null, value: message.value?.toString() ?? "" };
        if (!dryRun) await parking.append(record, deadlineMs);
        return;
      }
      back += 1;
      // A redrive that failed may have put it back before.
      const record: NewRecord = { ...commandRecordOf(command, partitions), isResent: true };
      const what = `${origin}: ${commandName(command)} in space ${command.spaceId}`;
      if (dryRun) return say(`${what}, to partition ${record.partition}`);
      say(`${what}, now ${record.partition}-${await commands.append(record, deadlineMs)}`);
    };

    await readThrough({
      kafka,
      topic: names.parked,
      group: names.redrive,
      stretches,
      signal,
      async take(partition, messages) {
        // One after the other: commands of one space keep the order in which they were parked.
        for (const message of messages) {
          await one(message);
          progress.update(back + kept, total);
        }
        const offset = String(Number(messages.at(-1)?.offset) + 1);
        if (!dryRun) await remember(kafka, names, { topic: names.parked, partition, offset });
      },
    });
    return { back, kept };
  } finally {
    await Promise.all([commands.close(closeMs), parking.close(closeMs)]);
    await admin.disconnect();
  }
}

/** As a member that commits and leaves: the admin's way to do it takes five seconds of waiting for nothing. */
async function remember(
  kafka: Kafka,
  { redrive: groupId, parked }: SpaceNames,
  place: { topic: string; partition: number; offset: string },
): Promise<void> {
  const consumer = kafka.consumer({ groupId, ...membership, maxWaitTimeInMs: 50 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [parked] });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined });
    consumer.pause([{ topic: parked }]);
    await consumer.commitOffsets([place]);
  } finally {
    await settles(consumer.disconnect(), closeMs);
  }
}
