/** A namespace of one's own on the shared Kafka, and looks into its topics. */
import type { Admin, KafkaMessage } from "kafkajs";
import { type Appender, appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { type SpaceNames, spaceNamesIn } from "../../actors/kafka/names.ts";
import { prepareSpaceTopics } from "../../actors/kafka/topics.ts";
import type { KafkaServers } from "../../actors/servers.ts";
import { keepTrying } from "../../actors/waiting.ts";
import { poll } from "../system/poll.ts";

export type KafkaPlace = {
  readonly servers: KafkaServers;
  readonly names: SpaceNames;
  /** The caller closes it. */
  appending(topic: string): Appender;
  /** All records of a topic by now, partition by partition. */
  records(topic: string): Promise<KafkaMessage[][]>;
  remove(): Promise<void>;
};

const pauses = { fromMs: 50, toMs: 1_000 };

/** With its topics made. */
export async function kafkaPlace(given: Pick<KafkaServers, "brokers"> & Partial<KafkaServers>): Promise<KafkaPlace> {
  const servers: KafkaServers = {
    partitions: 3,
    tls: false,
    namespace: `contract-${crypto.randomUUID().slice(0, 8)}.`,
    ...given,
  };
  const kafka = kafkaClient(servers, "task-tracker-contract");
  const names = spaceNamesIn(servers);
  await prepareSpaceTopics(kafka, servers);
  /** A connection for this alone: an older one may hang where the line was bad. */
  const asked = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    servers,
    names,
    appending: (topic) => appender({ kafka, topic, failing: () => {}, recovered: () => {} }),
    async records(topic) {
      // A broker that is busy with what it has just made may not know yet that it leads it.
      const ends = await keepTrying(() => asked((admin) => admin.fetchTopicOffsets(topic)), {
        ...pauses,
        until: AbortSignal.timeout(60_000),
      });
      ends.sort((a, b) => a.partition - b.partition);
      const found: KafkaMessage[][] = ends.map(() => []);
      const isWhole = () =>
        ends.every(({ partition, low, high }) => (found[partition]?.length ?? 0) >= Number(high) - Number(low));
      const consumer = kafka.consumer({
        groupId: `${names.followers}look-${crypto.randomUUID()}`,
        maxWaitTimeInMs: 100,
      });
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ partition, message }) => void found[partition]?.push(message) });
      await poll(`all of ${topic} is read`, 60_000, isWhole);
      await consumer.disconnect();
      return found;
    },
    async remove() {
      await asked(async (admin) => {
        const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(servers.namespace));
        if (topics.length > 0) await admin.deleteTopics({ topics });
        const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
        await admin.deleteGroups(groups.filter((each) => each.startsWith(servers.namespace))).catch(() => undefined);
      });
    },
  };
}
