/** Puts the erasure of a user's tasks into the log in Kafka: one command for each partition. */
import { appender } from "../kafka/appender.ts";
import { kafkaClient } from "../kafka/client.ts";
import { commandRecord } from "../kafka/log-record.ts";
import { namesIn } from "../kafka/names.ts";
import { prepareTopics } from "../kafka/topics.ts";
import { erasure } from "../model/erasure.ts";
import type { KafkaServers } from "../servers.ts";
import type { ErasuresLog } from "./erasures-log.ts";

const timeoutMs = 5_000;
const closeMs = 500;

/** Connected when the first user is erased. */
export function erasuresInKafka(servers: KafkaServers): ErasuresLog {
  const kafka = kafkaClient(servers, "task-tracker-auth");
  const commands = appender({
    kafka,
    topic: namesIn(servers).commands,
    failing: () => undefined,
    recovered: () => undefined,
  });
  return {
    async erase(userId) {
      const { partitions } = await prepareTopics(kafka, servers);
      const deadlineMs = Date.now() + timeoutMs;
      const at = new Date().toISOString();
      const all = Array.from({ length: partitions }, (_, partition) => erasure(userId, { partition, partitions }, at));
      await Promise.all(all.map((command) => commands.append(commandRecord(command, partitions), deadlineMs)));
    },
    close: () => commands.close(closeMs),
  };
}
