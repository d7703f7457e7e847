/** Puts the erasure of a user's tasks into the log of tasks: Kafka's where there is one, else the mailbox of the writer in this process. */
import type { Self } from "../../runtime/actor.ts";
import { consumer } from "../consumer/messages.ts";
import { appender } from "../kafka/appender.ts";
import { kafkaClient } from "../kafka/client.ts";
import { commandRecord } from "../kafka/log-record.ts";
import { namesIn, prepareTopics } from "../kafka/topics.ts";
import { erasure } from "../model/erasure.ts";
import type { KafkaServers } from "../servers.ts";
import type { AuthData } from "./main.ts";

export type ErasuresLog = {
  /** Resolves when the log has it for good; repeating it changes nothing. */
  erase(userId: string): Promise<void>;
  close(): Promise<void>;
};

const withinMs = 5_000;
const closeMs = 500;

/** Undefined where no log is reached: a process of this role alone that was not told where Kafka is. */
export function erasuresInLog(self: Pick<Self<never, AuthData>, "data" | "ref">): ErasuresLog | undefined {
  const { kafka, listen } = self.data;
  if (kafka !== undefined) return inKafka(kafka);
  if (listen !== undefined) return undefined;
  return {
    async erase(userId) {
      const command = erasure(userId, { partition: 0, partitions: 1 }, new Date().toISOString());
      await self.ref(consumer).ask("append", command, { withinMs });
    },
    close: async () => undefined,
  };
}

/** Connected when the first user is erased. */
function inKafka(servers: KafkaServers): ErasuresLog {
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
      const deadlineMs = Date.now() + withinMs;
      const at = new Date().toISOString();
      const all = Array.from({ length: partitions }, (_, partition) => erasure(userId, { partition, partitions }, at));
      await Promise.all(all.map((command) => commands.append(commandRecord(command, partitions), deadlineMs)));
    },
    close: () => commands.close(closeMs),
  };
}
