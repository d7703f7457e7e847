/** Whether topics keep what is written to them, whoever made them and whatever their cluster's defaults are. */
import { type Admin, ConfigResourceTypes } from "kafkajs";

/** The topics cannot be used as they are; trying again does not help. */
export class TopicsError extends Error {
  override readonly name = "TopicsError";
}

export type KeptTopic = {
  readonly topic: string;
  /** How long its records must be there, in milliseconds; -1: for ever. */
  readonly keptMs: number;
  /** The largest record that is sent. */
  readonly recordBytes: number;
};

/**
 * What an operator should know, with the remedy, a sentence each. Throws a `TopicsError` where Kafka would drop records that are still the newest of what
 * they say: compaction keeps one record of each key, and a key of ours has many.
 */
export async function settingWarnings(admin: Admin, topics: readonly KeptTopic[]): Promise<string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ topic }) => ({
      type: ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: ["cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes"],
    })),
  });
  return topics.flatMap(({ topic, keptMs, recordBytes }) => {
    const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
    const setting = (name: string) => entries.find(({ configName }) => configName === name)?.configValue;
    const policy = setting("cleanup.policy") ?? "delete";
    if (policy !== "delete")
      throw new TopicsError(
        `Cannot use ${topic}: with cleanup.policy=${policy} Kafka drops records that are needed; set cleanup.policy=delete`,
      );
    const warnings: string[] = [];
    const ms = Number(setting("retention.ms") ?? -1);
    if (ms >= 0 && (keptMs < 0 || ms < keptMs))
      warnings.push(`${topic} forgets records after ${ms} ms: set retention.ms=${keptMs}${consequence(keptMs)}`);
    const bytes = Number(setting("retention.bytes") ?? -1);
    if (bytes >= 0)
      warnings.push(
        `${topic} forgets records beyond ${bytes} bytes a partition: set retention.bytes=-1${consequence(keptMs)}`,
      );
    const largest = Number(setting("max.message.bytes") ?? recordBytes);
    if (largest < recordBytes)
      warnings.push(
        `${topic} takes no records above ${largest} bytes, so larger changes fail: set max.message.bytes=${recordBytes}`,
      );
    return warnings;
  });
}

function consequence(keptMs: number): string {
  return keptMs < 0
    ? ", or what is made from it cannot be made again"
    : ", or a process that was away for longer misses some";
}
