/**
 * Puts parked commands back into the log: those that can be understood now (a newer program may understand more), each on its task's own partition.
 * What cannot is kept: it goes to the end of `task.parked` once more, so that it is tried the next time. Nothing takes effect twice: what was
 * put back just before a crash is put back again, and the writer recognises it.
 *
 *     bun run redrive [--dry-run]
 */
import process from "node:process";
import type { Kafka, KafkaMessage } from "kafkajs";
import { ConfigError, readConfig } from "../config.ts";
import { appender } from "../kafka/appender.ts";
import { kafkaClient, reasonOf } from "../kafka/client.ts";
import { membership } from "../kafka/group.ts";
import { commandIn, commandRecord } from "../kafka/log-record.ts";
import { type Names, namesIn } from "../kafka/names.ts";
import { readThrough } from "../kafka/read-through.ts";
import { ensureTopics } from "../kafka/topics.ts";
import type { KafkaServers } from "../servers.ts";
import { settles } from "../waiting.ts";
import type { Parked } from "./source-kafka.ts";

export type Redriven = { readonly back: number; readonly kept: number };
export type RedriveOptions = {
  readonly servers: KafkaServers;
  /** Only tells what would be done. */
  readonly dryRun: boolean;
  /** Is told a line for each. */
  readonly say: (line: string) => void;
};

const appendMs = 10_000;
const closeMs = 2_000;

/** All that is parked when it begins. Throws when Kafka does not do its part; then some of it may be put back, and will be again. */
export async function redrive({ servers, dryRun, say }: RedriveOptions): Promise<Redriven> {
  const kafka = kafkaClient(servers, "task-tracker-redrive");
  const names = namesIn(servers);
  const admin = kafka.admin();
  const appending = (topic: string) => appender({ kafka, topic, failing: () => undefined, recovered: () => undefined });
  const commands = appending(names.commands);
  const parking = appending(names.parked);
  let back = 0;
  let kept = 0;

  await admin.connect();
  try {
    const { partitions } = await ensureTopics(admin, servers);
    const ends = await admin.fetchTopicOffsets(names.parked);
    const [places] = await admin.fetchOffsets({ groupId: names.redrive, topics: [names.parked] });
    const known = new Map((places?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));

    const one = async (message: KafkaMessage): Promise<void> => {
      const parked = parkedIn(message);
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
      const record = commandRecord(command, partitions);
      const what = `${origin}: ${command.kind} of ${command.taskId}`;
      if (dryRun) return say(`${what}, to partition ${record.partition}`);
      say(`${what}, now ${record.partition}-${await commands.append(record, deadlineMs)}`);
    };

    await readThrough({
      kafka,
      topic: names.parked,
      group: names.redrive,
      stretches: ends.map(({ partition, low, high }) => ({
        partition,
        from: Math.max(Number(low), known.get(partition) ?? 0),
        to: Number(high),
      })),
      async take(partition, messages) {
        // One after the other: commands of one task keep the order in which they were parked.
        for (const message of messages) await one(message);
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
  { redrive: groupId, parked }: Names,
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

function parkedIn({ value }: KafkaMessage): Parked | undefined {
  try {
    const parked = JSON.parse(value?.toString() ?? "") as Parked;
    const isOne = Number.isSafeInteger(parked.partition) && Number.isSafeInteger(parked.offset);
    return isOne && (parked.value === null || typeof parked.value === "string") ? parked : undefined;
  } catch {
    return undefined;
  }
}

const help = `Puts parked commands back into the log, where the writers take them again.

Usage: [VARIABLE=value ...] bun run redrive [--dry-run | --help]

--dry-run tells what would be done and does nothing. The variables are those of the system; KAFKA_BROKERS must be among them.
What still cannot be understood stays parked. Exit codes: 0 done, 1 when Kafka did not do its part (run it again), 2 for a bad argument or variable.
`;

async function main(given: readonly string[]): Promise<number> {
  const unknown = given.find((each) => each !== "--dry-run" && each !== "--help" && each !== "-h");
  if (unknown !== undefined) throw new ConfigError([`Cannot take the argument ${JSON.stringify(unknown)}; see --help`]);
  if (given.includes("--help") || given.includes("-h")) {
    process.stdout.write(help);
    return 0;
  }
  const { kafka } = readConfig();
  if (kafka === undefined) throw new ConfigError(["redrive needs KAFKA_BROKERS: commands are parked in Kafka only"]);
  const dryRun = given.includes("--dry-run");
  const { back, kept } = await redrive({ servers: kafka, dryRun, say: (line) => process.stdout.write(`${line}\n`) });
  process.stdout.write(
    `${dryRun ? "Would put" : "Put"} back ${back}, ${dryRun ? "and keep" : "kept"} ${kept} that cannot be understood\n`,
  );
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const isBad = error instanceof ConfigError;
    const { message } = error as Error;
    // Kafka's own words name hosts.
    const isOurs = isBad || message.startsWith("Cannot ");
    process.stderr.write(`${isOurs ? message : `Cannot go on: Kafka does not do its part (${reasonOf(error)})`}\n`);
    process.exitCode = isBad ? 2 : 1;
  }
}
