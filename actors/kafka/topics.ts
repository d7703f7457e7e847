/** The three topics: made at start where they are missing, and looked over where they are not. */
import type { Admin, ITopicConfig, Kafka } from "kafkajs";
import type { KafkaServers } from "../servers.ts";
import { keepTrying } from "../waiting.ts";
import { type Names, namesIn } from "./names.ts";
import { settingWarnings, TopicsError } from "./topic-settings.ts";

export { TopicsError } from "./topic-settings.ts";

const eventsKeptMs = 7 * 86_400_000;
const replicasWanted = 3;
/** What the appender sends at once. */
const recordBytes = 1_000_000;
/** For their making, and then again for all brokers to know of it. */
const createMs = 5_000;
const knownPauses = { fromMs: 20, toMs: 200 };

export type Topics = {
  /** Of `task.commands` and `task.events` alike. */
  readonly partitions: number;
  /** What an operator should know: it works, but less safely than it could. */
  readonly warnings: readonly string[];
};

/** `ensureTopics` on a connection of its own. */
export async function prepareTopics(kafka: Kafka, servers: KafkaServers): Promise<Topics> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ensureTopics(admin, servers);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * Makes what is missing (others may be doing the same) and checks the rest. Throws a `TopicsError` when commands and events differ in their
 * partitions or their settings drop what is needed, else what Kafka throws.
 */
export async function ensureTopics(
  admin: Admin,
  servers: Pick<KafkaServers, "partitions" | "namespace">,
): Promise<Topics> {
  const { partitions } = servers;
  const names = namesIn(servers);
  const brokers = (await admin.describeCluster()).brokers.length;
  const replicas = Math.min(replicasWanted, brokers);
  const has = new Set(await admin.listTopics());
  const wanted = topicConfigs(names, partitions, replicas).filter(({ topic }) => !has.has(topic));
  const make = (some: ITopicConfig[]) => admin.createTopics({ topics: some, waitForLeaders: false, timeout: createMs });
  // False: somebody else was quicker, with all or with some.
  if (wanted.length > 0 && !(await make(wanted))) for (const each of wanted) await make([each]);

  // Not the driver's own wait for leaders: it gives up at once where a broker has not heard of a topic that another has just made.
  const topics = await keepTrying(
    async () => {
      const found = await admin.fetchTopicMetadata({ topics: [names.commands, names.events, names.parked] });
      if (found.topics.every(({ partitions }) => partitions.length > 0)) return found.topics;
      throw new Error("Cannot use the topics: their making is not known to all brokers yet");
    },
    { ...knownPauses, until: AbortSignal.timeout(createMs) },
  );
  const partitionsOf = (name: string) => topics.find((each) => each.name === name)?.partitions ?? [];
  const made = partitionsOf(names.commands).length;
  if (partitionsOf(names.events).length !== made)
    throw new TopicsError(
      `Cannot use ${names.events}: it has ${partitionsOf(names.events).length} partitions and ${names.commands} has ${made}; they must have the same number`,
    );
  const warnings: string[] = [];
  if (made !== partitions)
    warnings.push(`${names.commands} has ${made} partitions, not the ${partitions} of TT_PARTITIONS: it stays so`);
  const copies = Math.min(...partitionsOf(names.commands).map((each) => each.replicas.length));
  if (copies < replicas) warnings.push(`${names.commands} has ${copies} replicas where ${replicas} are possible`);
  const kept = [
    { topic: names.commands, keptMs: -1, recordBytes },
    { topic: names.events, keptMs: eventsKeptMs, recordBytes },
    { topic: names.parked, keptMs: -1, recordBytes },
  ];
  warnings.push(...(await settingWarnings(admin, kept)));
  return { partitions: made, warnings };
}

function topicConfigs(names: Names, partitions: number, replicas: number): ITopicConfig[] {
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
    topic(names.commands, partitions, forEver),
    topic(names.events, partitions, [{ name: "retention.ms", value: String(eventsKeptMs) }]),
    topic(names.parked, 1, forEver),
  ];
}
