/** Puts the erasure of a user into the log in Kafka: the user leaves the personal space, and what follows from that the writers see to. */
import { v5 as uuidv5 } from "uuid";
import { appender } from "../kafka/appender.ts";
import { kafkaClient } from "../kafka/client.ts";
import { commandRecordOf } from "../kafka/command-record.ts";
import { spaceNamesIn } from "../kafka/names.ts";
import { prepareSpaceTopics } from "../kafka/topics.ts";
import type { Command } from "../resources/command.ts";
import type { KafkaServers } from "../servers.ts";
import type { ErasuresLog } from "./erasures-log.ts";

const timeoutMs = 5_000;
const closeMs = 500;

/** Connected when the first user is erased. */
export function erasuresInKafka(servers: KafkaServers): ErasuresLog {
  const kafka = kafkaClient(servers, "task-tracker-auth");
  const commands = appender({
    kafka,
    topic: spaceNamesIn(servers).commands,
    failing: () => undefined,
    recovered: () => undefined,
  });
  return {
    async erase(userId) {
      const { partitions } = await prepareSpaceTopics(kafka, servers);
      const command: Command = {
        kind: "leave",
        spaceId: userId,
        userId,
        operationId: uuidv5("leave", userId),
        keyed: true,
        fingerprint: "",
        at: new Date().toISOString(),
      };
      await commands.append(commandRecordOf(command, partitions), Date.now() + timeoutMs);
    },
    close: () => commands.close(closeMs),
  };
}
