/** The three topics: made at start where they are missing, and looked over where they are not. */
import { type Admin, ConfigResourceTypes, type ITopicConfig, type Kafka } from "kafkajs";

/** The log: one command a record, keyed by task id. */
export const commandsTopic = "task.commands";
/** What became of each command, on the partition of its number: positions of a task grow in both alike. */
export const eventsTopic = "task.events";
/** Commands that could not be understood. */
export const parkedTopic = "task.parked";
/** The group of all writers. */
export const writerGroup = "task.consumer";
/** The group of those who keep the cache. */
export const keeperGroup = "task.cache-keeper";

const eventsKeptMs = 7 * 86_400_000;
const replicasWanted = 3;

export type Topics = {
  /** Of `task.commands` and `task.events` alike. */
  readonly partitions: number;
  /** What an operator should know: it works, but less safely than it could. */
  readonly warnings: readonly string[];
};

/** The topics cannot be used as they are; trying again does not help. */
export class TopicsError extends Error {
  override readonly name = "TopicsError";
}

/** `ensureTopics` on a connection of its own. */
export async function prepareTopics(kafka: Kafka, partitions: number): Promise<Topics> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ensureTopics(admin, partitions);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * Makes what is missing (others may be doing the same) and checks the rest. Throws a `TopicsError` when commands and events differ in their
 * partitions, else what Kafka throws.
 */
export async function ensureTopics(admin: Admin, partitions: number): Promise<Topics> {
  const brokers = (await admin.describeCluster()).brokers.length;
  const replicas = Math.min(replicasWanted, brokers);
  const has = new Set(await admin.listTopics());
  const wanted = topicConfigs(partitions, replicas).filter(({ topic }) => !has.has(topic));
  // False: somebody else was quicker, with all or with some.
  if (wanted.length > 0 && !(await admin.createTopics({ topics: wanted, waitForLeaders: true, timeout: 5_000 })))
    for (const each of wanted) await admin.createTopics({ topics: [each], waitForLeaders: true, timeout: 5_000 });

  const { topics } = await admin.fetchTopicMetadata({ topics: [commandsTopic, eventsTopic, parkedTopic] });
  const partitionsOf = (name: string) => topics.find((each) => each.name === name)?.partitions ?? [];
  const made = partitionsOf(commandsTopic).length;
  if (made === 0) throw new Error("Cannot use the topics: their making is not known to all brokers yet");
  if (partitionsOf(eventsTopic).length !== made)
    throw new TopicsError(
      `Cannot use ${eventsTopic}: it has ${partitionsOf(eventsTopic).length} partitions and ${commandsTopic} has ${made}; they must have the same number`,
    );
  const warnings: string[] = [];
  if (made !== partitions)
    warnings.push(`${commandsTopic} has ${made} partitions, not the ${partitions} of TT_PARTITIONS: it stays so`);
  const copies = Math.min(...partitionsOf(commandsTopic).map((each) => each.replicas.length));
  if (copies < replicas) warnings.push(`${commandsTopic} has ${copies} replicas where ${replicas} are possible`);
  const retention = await settingOf(admin, commandsTopic, "retention.ms");
  if (retention !== "-1")
    warnings.push(
      `${commandsTopic} forgets commands after ${retention} ms: the read model cannot be made again from it; set retention.ms=-1`,
    );
  return { partitions: made, warnings };
}

function topicConfigs(partitions: number, replicas: number): ITopicConfig[] {
  const safe = replicas >= replicasWanted ? [{ name: "min.insync.replicas", value: "2" }] : [];
  const forEver = [
    { name: "retention.ms", value: "-1" },
    { name: "retention.bytes", value: "-1" },
  ];
  const topic = (name: string, numPartitions: number, configEntries: { name: string; value: string }[]) => ({
    topic: name,
    numPartitions,
    replicationFactor: replicas,
    configEntries: [{ name: "cleanup.policy", value: "delete" }, ...configEntries, ...safe],
  });
  return [
    topic(commandsTopic, partitions, forEver),
    topic(eventsTopic, partitions, [{ name: "retention.ms", value: String(eventsKeptMs) }]),
    topic(parkedTopic, 1, forEver),
  ];
}

async function settingOf(admin: Admin, topic: string, name: string): Promise<string | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
  });
  return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
}
