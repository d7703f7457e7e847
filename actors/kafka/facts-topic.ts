/** The topic on which verdicts are told: on the partition of their commands' number, kept long enough for every writer and reader to come back. */
import { type Admin, ConfigResourceTypes } from "kafkajs";
import type { KafkaServers } from "../servers.ts";
import { keepTrying } from "../waiting.ts";
import { TopicsError } from "./topics.ts";

/** A record of the largest verdict, with what Kafka adds. */
export const recordBytesMax = 8 * 2 ** 20;

const keptMs = 14 * 86_400_000;
const replicasWanted = 3;
const createMs = 5_000;
const pauses = { fromMs: 20, toMs: 200 };
/** Of a setting that was made for this topic. */
const ownSetting = 1;

export function factsTopicOf({ namespace }: Pick<KafkaServers, "namespace">): string {
  return `${namespace}facts`;
}

/** Makes the topic, or lets an older one take large records. Throws a `TopicsError` where it has another number of partitions. */
export async function ensureFactsTopic(
  admin: Admin,
  servers: Pick<KafkaServers, "namespace" | "partitions">,
): Promise<void> {
  const topic = factsTopicOf(servers);
  if (!(await admin.listTopics()).includes(topic)) {
    const replicas = Math.min(replicasWanted, (await admin.describeCluster()).brokers.length);
    const configEntries = [
      { name: "cleanup.policy", value: "delete" },
      { name: "retention.ms", value: String(keptMs) },
      { name: "max.message.bytes", value: String(recordBytesMax) },
      ...(replicas >= replicasWanted ? [{ name: "min.insync.replicas", value: "2" }] : []),
    ];
    await admin.createTopics({
      topics: [{ topic, numPartitions: servers.partitions, replicationFactor: replicas, configEntries }],
      waitForLeaders: false,
      timeout: createMs,
    });
  }
  const partitions = await keepTrying(
    async () => {
      const [found] = (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
      if (found === undefined || found.partitions.length === 0)
        throw new Error(`Cannot use ${topic}: its making is not known to all brokers yet`);
      return found.partitions.length;
    },
    { ...pauses, until: AbortSignal.timeout(createMs) },
  );
  if (partitions !== servers.partitions)
    throw new TopicsError(
      `Cannot use ${topic}: it has ${partitions} partitions and its commands have ${servers.partitions}; they must have the same number`,
    );
  await takeLargeRecords(admin, topic);
}

/** Lets a topic take records of `recordBytesMax`, with its other settings as they are. */
export async function takeLargeRecords(admin: Admin, topic: string): Promise<void> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  const entries = resources[0]?.configEntries ?? [];
  const bytes = Number(entries.find(({ configName }) => configName === "max.message.bytes")?.configValue);
  if (bytes >= recordBytesMax) return;
  // Whatever is not named goes back to its default.
  const own = entries
    .filter(({ configSource, configName }) => configSource === ownSetting && configName !== "max.message.bytes")
    .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [...own, { name: "max.message.bytes", value: String(recordBytesMax) }] }],
  });
}
