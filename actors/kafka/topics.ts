/** The topics of spaces: made at start where they are missing, and looked over where they are not. */
import { type Admin, ConfigResourceTypes, type ITopicConfig, type Kafka } from "kafkajs";
import type { KafkaServers } from "../servers.ts";
import { keepTrying } from "../waiting.ts";
import { spaceNamesIn } from "./names.ts";
import { settingWarnings, TopicsError } from "./topic-settings.ts";

export type Topics = {
  /** Of `commands` and `facts` alike. */
  readonly partitions: number;
  /** What an operator should know: it works, but less safely than it could. */
  readonly warnings: readonly string[];
};

/** A record of the largest verdict, with what Kafka adds. */
export const recordBytesMax = 8 * 2 ** 20;

const dayMs = 86_400_000;
/** Long enough for every writer and reader to come back. */
const factsKeptMs = 14 * dayMs;
const replicasWanted = 3;
const createMs = 5_000;
/** For all brokers to know of what was made: one that has just started, and is to make hundreds of partitions, takes its time. */
const knownMs = 30_000;
const pauses = { fromMs: 20, toMs: 200 };
/** Of a setting that was made for this topic. */
const ownSetting = 1;

type Wanted = Pick<KafkaServers, "namespace" | "partitions" | "logRetentionDays">;

/** `ensureSpaceTopics` on a connection of its own. */
export async function prepareSpaceTopics(kafka: Kafka, servers: Wanted): Promise<Topics> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ensureSpaceTopics(admin, servers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * Makes what is missing (others may be doing the same), lets older ones take large records and forget when they are told to, and checks the rest. Throws a `TopicsError` where commands and
 * facts differ in their partitions or the settings of one drop what is needed, else what Kafka throws.
 */
export async function ensureSpaceTopics(admin: Admin, servers: Wanted): Promise<Topics> {
  const { commands, facts, parked } = spaceNamesIn(servers);
  const { brokers } = await admin.describeCluster();
  const replicas = Math.min(replicasWanted, brokers.length);
  const has = new Set(await admin.listTopics());
  const missing = topicConfigs(servers, replicas).filter(({ topic }) => !has.has(topic));
  const make = (topics: ITopicConfig[]) => admin.createTopics({ topics, waitForLeaders: false, timeout: createMs });
  // False: somebody else was quicker, with all or with some.
  if (missing.length > 0 && !(await make(missing))) for (const each of missing) await make([each]);

  // Not the driver's own wait for leaders: it gives up at once where a broker has not heard of a topic that another has just made.
  const topics = await keepTrying(
    async () => {
      const found = await admin.fetchTopicMetadata({ topics: [commands, facts, parked] });
      if (found.topics.length === 3 && found.topics.every(({ partitions }) => partitions.length > 0))
        return found.topics;
      throw new Error("Cannot use the topics: their making is not known to all brokers yet");
    },
    { ...pauses, until: AbortSignal.timeout(knownMs) },
  );
  const partitionsOf = (name: string) => topics.find((each) => each.name === name)?.partitions ?? [];
  const partitions = partitionsOf(commands).length;
  if (partitionsOf(facts).length !== partitions)
    throw new TopicsError(
      `Cannot use ${facts}: it has ${partitionsOf(facts).length} partitions and ${commands} has ${partitions}; they must have the same number`,
    );
  for (const topic of [commands, facts, parked])
    await set(admin, topic, "max.message.bytes", (bytes) => Math.max(bytes, recordBytesMax));
  const logKeptMs = logKeptMsOf(servers);
  if (logKeptMs >= 0) await set(admin, commands, "retention.ms", () => logKeptMs);
  const warnings: string[] = [];
  if (partitions !== servers.partitions)
    warnings.push(
      `${commands} has ${partitions} partitions, not the ${servers.partitions} of TT_PARTITIONS: it stays so`,
    );
  const copies = Math.min(...partitionsOf(commands).map((each) => each.replicas.length));
  if (copies < replicas) warnings.push(`${commands} has ${copies} replicas where ${replicas} are possible`);
  // That they take large records was seen to; the brokers may tell of it a moment later.
  const kept = [
    { topic: commands, keptMs: logKeptMs, recordBytes: 0 },
    { topic: facts, keptMs: factsKeptMs, recordBytes: 0 },
    { topic: parked, keptMs: -1, recordBytes: 0 },
  ];
  warnings.push(...(await settingWarnings(admin, kept)));
  return { partitions, warnings };
}

function topicConfigs(servers: Wanted, replicas: number): ITopicConfig[] {
  const { commands, facts, parked } = spaceNamesIn(servers);
  const safe = replicas >= replicasWanted ? [{ name: "min.insync.replicas", value: "2" }] : [];
  const topic = (name: string, numPartitions: number, keptMs: number) => ({
    topic: name,
    numPartitions,
    replicationFactor: replicas,
    configEntries: [
      { name: "cleanup.policy", value: "delete" },
      { name: "retention.ms", value: String(keptMs) },
      { name: "retention.bytes", value: "-1" },
      { name: "max.message.bytes", value: String(recordBytesMax) },
      ...safe,
    ],
  });
  return [
    topic(commands, servers.partitions, logKeptMsOf(servers)),
    topic(facts, servers.partitions, factsKeptMs),
    topic(parked, 1, -1),
  ];
}

function logKeptMsOf({ logRetentionDays }: Wanted): number {
  return logRetentionDays === undefined ? -1 : logRetentionDays * dayMs;
}

/** Gives a setting of a topic the value that is wanted, where it has another one, and leaves its others as they are. */
async function set(admin: Admin, topic: string, name: string, wanted: (value: number) => number): Promise<void> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  const entries = resources[0]?.configEntries ?? [];
  const before = Number(entries.find(({ configName }) => configName === name)?.configValue);
  const value = wanted(before);
  if (value === before) return;
  // Whatever is not named goes back to its default.
  const own = entries
    .filter(({ configSource, configName }) => configSource === ownSetting && configName !== name)
    .map((each) => ({ name: each.configName, value: each.configValue }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [...own, { name, value: String(value) }] }],
  });
}
