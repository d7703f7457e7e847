/** Kafka's topics whose settings would lose what is written to them: refused, or told with the remedy. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Admin, ConfigResourceTypes } from "kafkajs";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { spaceNamesIn } from "../../actors/kafka/names.ts";
import { TopicsError } from "../../actors/kafka/topic-settings.ts";
import { ensureSpaceTopics } from "../../actors/kafka/topics.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";

describeWith("settings of topics", [await service("KAFKA_BROKERS")], ({ url }) => {
  const kafka = kafkaClient({ brokers: url.split(","), partitions: 1, tls: false, namespace: "" }, "settings-test");
  let admin: Admin;
  const made: string[] = [];
  beforeAll(async () => {
    admin = kafka.admin();
    await admin.connect();
  }, 60_000);
  afterAll(async () => {
    const has = await admin.listTopics();
    await admin.deleteTopics({ topics: has.filter((topic) => made.some((namespace) => topic.startsWith(namespace))) });
    await admin.disconnect();
  }, 60_000);

  /** A namespace in which one topic is there already, with these settings. */
  async function having(topicOf: (namespace: string) => string, settings: Record<string, string>) {
    const namespace = `settings-${crypto.randomUUID().slice(0, 8)}.`;
    made.push(namespace);
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic: topicOf(namespace), numPartitions: 1, configEntries }] });
    return { namespace, partitions: 1 };
  }

  const all = (["commands", "facts", "parked"] as const).map(
    (topic) => (namespace: string) => spaceNamesIn({ namespace })[topic],
  );

  test("compaction drops what is needed, so no topic of ours may have it", async () => {
    for (const topicOf of all)
      for (const policy of ["compact", "compact,delete"]) {
        const place = await having(topicOf, { "cleanup.policy": policy });
        const failed = await ensureSpaceTopics(admin, place).catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(TopicsError);
        expect((failed as Error).message).toMatch(
          new RegExp(`^Cannot use ${topicOf(place.namespace)}: .*; set cleanup\\.policy=delete$`),
        );
      }
  }, 120_000);

  test("a topic that forgets too soon is told of, with the setting that mends it", async () => {
    for (const topicOf of all)
      for (const [name, value] of [
        ["retention.ms", "86400000"],
        ["retention.bytes", "1073741824"],
      ] as const) {
        const place = await having(topicOf, { [name]: value });
        const { warnings } = await ensureSpaceTopics(admin, place);
        expect(warnings).toContainEqual(
          expect.stringMatching(new RegExp(`^${topicOf(place.namespace)} forgets records .*${value} .*set ${name}=`)),
        );
      }
  }, 120_000);

  test("one that takes less than we send is made to take it, with its other settings as they were", async () => {
    for (const topicOf of all) {
      const place = await having(topicOf, { "max.message.bytes": "100000", "retention.ms": "-1" });
      expect((await ensureSpaceTopics(admin, place)).warnings).toEqual([]);
    }
  }, 60_000);

  test("the log forgets after the days that it is told, and not otherwise", async () => {
    const [commandsOf] = all;
    const place = await having(commandsOf as (namespace: string) => string, { "retention.ms": "-1" });
    const topic = spaceNamesIn(place).commands;
    const kept = async () => {
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ["retention.ms"] }];
      const found = await admin.describeConfigs({ includeSynonyms: false, resources });
      return found.resources[0]?.configEntries[0]?.configValue;
    };
    expect((await ensureSpaceTopics(admin, place)).warnings).toEqual([]);
    expect(await kept()).toBe("-1");
    expect((await ensureSpaceTopics(admin, { ...place, logRetentionDays: 30 })).warnings).toEqual([]);
    await poll("the brokers know it", 60_000, async () => (await kept()) === String(30 * 86_400_000));
  }, 60_000);
});
