/** Kafka's topics whose settings would lose what is written to them: refused, or told with the remedy. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Admin } from "kafkajs";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { namesIn, spaceNamesIn } from "../../actors/kafka/names.ts";
import { ensureSpaceTopics } from "../../actors/kafka/space-topics.ts";
import { ensureTopics, TopicsError } from "../../actors/kafka/topics.ts";
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

  const topicsOf = {
    commands: (namespace: string) => namesIn({ namespace }).commands,
    parked: (namespace: string) => namesIn({ namespace }).parked,
    events: (namespace: string) => namesIn({ namespace }).events,
  };
  const spacesOf = {
    commands: (namespace: string) => spaceNamesIn({ namespace }).commands,
    facts: (namespace: string) => spaceNamesIn({ namespace }).facts,
    parked: (namespace: string) => spaceNamesIn({ namespace }).parked,
  };
  const all = [
    ...Object.values(topicsOf).map((topicOf) => ({ topicOf, ensure: ensureTopics })),
    ...Object.values(spacesOf).map((topicOf) => ({ topicOf, ensure: ensureSpaceTopics })),
  ];

  test("compaction drops what is needed, so no topic of ours may have it", async () => {
    for (const { topicOf, ensure } of all)
      for (const policy of ["compact", "compact,delete"]) {
        const place = await having(topicOf, { "cleanup.policy": policy });
        const failed = await ensure(admin, place).catch((error: unknown) => error);
        expect(failed).toBeInstanceOf(TopicsError);
        expect((failed as Error).message).toMatch(
          new RegExp(`^Cannot use ${topicOf(place.namespace)}: .*; set cleanup\\.policy=delete$`),
        );
      }
  }, 120_000);

  test("a topic that forgets too soon is told of, with the setting that mends it", async () => {
    for (const { topicOf, ensure } of all)
      for (const [name, value] of [
        ["retention.ms", "86400000"],
        ["retention.bytes", "1073741824"],
      ] as const) {
        const place = await having(topicOf, { [name]: value });
        const { warnings } = await ensure(admin, place);
        expect(warnings).toContainEqual(
          expect.stringMatching(new RegExp(`^${topicOf(place.namespace)} forgets records .*${value} .*set ${name}=`)),
        );
      }
  }, 120_000);

  test("one that takes less than we send is told of, one as we make it is not", async () => {
    const place = await having(topicsOf.commands, { "max.message.bytes": "100000", "retention.ms": "-1" });
    expect((await ensureTopics(admin, place)).warnings).toEqual([
      `${topicsOf.commands(place.namespace)} takes no records above 100000 bytes, so larger changes fail: set max.message.bytes=1000000`,
    ]);
    const fresh = `settings-${crypto.randomUUID().slice(0, 8)}.`;
    made.push(fresh);
    for (const ensure of [ensureTopics, ensureSpaceTopics])
      expect((await ensure(admin, { namespace: fresh, partitions: 1 })).warnings).toEqual([]);
  }, 60_000);
});
