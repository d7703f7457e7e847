/** A partition of the log over Kafka, with the read model in MongoDB: writers that follow each other, or do not know that they were replaced. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { Admin, Kafka, OffsetsByTopicPartition } from "kafkajs";
import { PartitionWriter } from "../../actors/consumer/partition-writer.ts";
import { mongoFactStore } from "../../actors/consumer/servers/fact-store.ts";
import { partitionLog } from "../../actors/consumer/servers/partition.ts";
import { SupersededError } from "../../actors/consumer/space-memory.ts";
import { emptyWorld, placeOver, storeOver, topicOver } from "../../actors/consumer/spaces-for-tests.ts";
import type { FactStore, SpaceDelivery } from "../../actors/consumer/write-ports.ts";
import type { Appender } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { spaceNamesIn } from "../../actors/kafka/names.ts";
import { type PartitionQuestions, partitionQuestions } from "../../actors/kafka/partition-questions.ts";
import { TopicsError } from "../../actors/kafka/topic-settings.ts";
import { ensureSpaceTopics, recordBytesMax } from "../../actors/kafka/topics.ts";
import { connectMongo, type Mongo } from "../../actors/mongo/connect.ts";
import { documentIn, type SpaceCollections, spaceCollections } from "../../actors/mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../actors/mongo/space-indexes.ts";
import type { Command } from "../../actors/resources/command.ts";
import type { Document } from "../../actors/resources/document.ts";
import { type Registry, registry, registryOf, resourceTypes } from "../../actors/resources/registry.ts";
import { commandOf, idOf, undoOf } from "../../actors/resources/space-for-tests.ts";
import type { Told, Verdict } from "../../actors/resources/verdict.ts";
import { type KafkaPlace, kafkaPlace } from "../contract/kafka-place.ts";
import { poll } from "../system/poll.ts";
import { type Random, random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";

const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
const home = idOf(1);
const ann = idOf(11);
const own = { spaceId: home, userId: ann };
const partitions = 24;
const inMs = (ms: number): number => Date.now() + ms;

/** The same rules but that no task is made. */
const stricter = registryOf(
  resourceTypes.map((type) =>
    type.name === "task"
      ? { ...type, guard: (draft: { refuse(code: "conflict"): void }) => draft.refuse("conflict") }
      : type,
  ) as typeof resourceTypes,
);

describeWith(
  "a partition of the log over Kafka",
  [await service("KAFKA_BROKERS"), await service("MONGO_URL")],
  (...had) => {
    const [{ url: broker }, { url: mongoUrl }] = had;
    let place: KafkaPlace;
    let kafka: Kafka;
    let admin: Admin;
    let questions: PartitionQuestions;
    let commands: Appender;
    let facts: Appender;
    let mongo: Mongo;
    let kept: SpaceCollections;
    let store: FactStore;
    let factsTopic: string;
    /** Each test has one of its own. */
    let partition = -1;
    const unreadable: string[] = [];

    beforeAll(async () => {
      place = await kafkaPlace({ brokers: [broker], partitions });
      kafka = kafkaClient(place.servers, "task-tracker-partition-log");
      admin = kafka.admin();
      await admin.connect();
      await ensureSpaceTopics(admin, place.servers);
      factsTopic = spaceNamesIn(place.servers).facts;
      questions = partitionQuestions(kafka);
      commands = place.appending(place.names.commands);
      facts = place.appending(factsTopic);
      const url = new URL(mongoUrl);
      url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
      mongo = connectMongo({ url: url.href });
      kept = spaceCollections(mongo.db);
      store = mongoFactStore(kept, { now: Date.now, registry });
    }, 120_000);
    beforeEach(async () => {
      partition += 1;
      unreadable.length = 0;
      await mongo.db.dropDatabase();
      await ensureSpaceIndexes(kept);
    });
    afterAll(async () => {
      await Promise.all([commands?.close(1_000), facts?.close(1_000), questions?.close()]);
      await admin?.disconnect();
      await place?.remove();
      await mongo?.db.dropDatabase();
      await mongo?.close();
    }, 120_000);

    /** As nobody's member, which Kafka takes while the group has none. */
    async function commit(offsets: OffsetsByTopicPartition): Promise<void> {
      const make = Object.getOwnPropertySymbols(kafka).find(({ description }) =>
        /createCluster/.test(description ?? ""),
      );
      const cluster = (kafka as never as Record<symbol, (of: object) => never>)[make as symbol]?.({}) as unknown as {
        connect(): Promise<void>;
        disconnect(): Promise<void>;
        findGroupCoordinator(of: object): Promise<{ offsetCommit(of: object): Promise<unknown> }>;
      };
      await cluster.connect();
      try {
        const groupId = place.names.writers;
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: "", topics: offsets.topics });
      } finally {
        await cluster.disconnect();
      }
    }

    function open(more: { deadlineMs?: number } = {}) {
      return partitionLog({
        questions,
        appender: facts,
        partition,
        topics: { commands: place.names.commands, facts: factsTopic },
        group: place.names.writers,
        commit,
        unreadable: (offset, reason) => unreadable.push(`${offset} ${reason}`),
        ...more,
      });
    }

    const writer = (types: Registry = registry, over: FactStore = store) =>
      PartitionWriter.takeOver({ ...open(), store: over, registry: types });

    async function send(all: readonly Command[]): Promise<SpaceDelivery[]> {
      const sent = all.map((command) =>
        commands.append({ partition, key: command.spaceId, value: JSON.stringify(command) }, inMs(20_000)),
      );
      const positions = await Promise.all(sent);
      return all.map((command, index) => ({ command, position: positions[index] as number, isResent: false }));
    }

    async function told(): Promise<Told[]> {
      const found = await open().topic.tail(0);
      return [...found].sort((a, b) => a.position - b.position);
    }

    /** What is kept is what one writer that never fails makes of the log, in memory. */
    async function expectWhole(log: readonly SpaceDelivery[]): Promise<void> {
      const world = emptyWorld();
      world.log.push(...log);
      const turn = async () => {};
      const ports = { store: storeOver(world, turn), topic: topicOver(world, turn), place: placeOver(world, turn) };
      const only = await PartitionWriter.takeOver({ ...ports, registry });
      await only.take(log);
      while (await only.project());
      const plain = (of: Iterable<unknown>) => [...of].map((each) => JSON.stringify(each)).sort();
      const texts = async (name: "facts" | "heads") =>
        (await mongo.db.collection(name).find().toArray()).map(({ json }) => json as string).sort();
      const stored = (await spaceCollections(mongo.db).documents.find().toArray()).map(
        (each) => documentIn(registry, each).value,
      );
      expect(await texts("facts")).toEqual(plain(world.facts.values()));
      expect(stored.sort(byPlace)).toEqual([...world.documents.values()].sort(byPlace));
      expect(await texts("heads")).toEqual(plain(world.heads.values()));
      // Of a repeat, too, each verdict is what was told.
      expect(plain(await told())).toEqual(plain(world.told));
    }

    test("what is told is read back in its order, of each position what was told first", async () => {
      const { topic } = open();
      const expired = (position: number, operationId = idOf(position)): Verdict => ({
        kind: "expired",
        position,
        operationId,
        spaceId: home,
      });
      const many = Array.from({ length: 2_500 }, (_, position) => expired(position));
      await topic.append(many);
      await topic.append([expired(7, idOf(9_999)), expired(2_500)]);
      expect(await open().topic.tail(0)).toEqual([...many, expired(2_500)]);
      expect(await open().topic.tail(2_400)).toEqual([...many.slice(2_400), expired(2_500)]);
      const later = open();
      await later.topic.tail(0);
      expect(await later.topic.first(6, 8)).toEqual([expired(6), expired(7), expired(8)]);
      await topic.append([expired(2_501), expired(2_501, idOf(9_999))]);
      expect(await later.topic.first(2_500, 2_501)).toEqual([expired(2_500), expired(2_501)]);
    }, 60_000);

    test("verdicts of megabytes are told among small ones, in order", async () => {
      const space = { kind: "expired", spaceId: home } as const;
      const large = (position: number) => largeVerdict(position);
      const all: Verdict[] = [0, 1, 2, 3, 4, 5].map((position) =>
        position % 2 === 1 ? large(position) : { ...space, position, operationId: idOf(position) },
      );
      await open().topic.append(all);
      expect(await open().topic.tail(0)).toEqual(all);
      expect(unreadable).toEqual([]);
    }, 60_000);

    test("a record that is no verdict is passed over and told", async () => {
      await facts.append({ partition, key: null, value: "{bad" }, inMs(10_000));
      const log = await send(commandsOf(random(1), 4));
      const one = await writer();
      await one.take(log);
      while (await one.project());
      expect(unreadable).toEqual(["0 not JSON"]);
      await expectWhole(log);
    }, 60_000);

    test("a verdict that is never told is waited for until the deadline", async () => {
      const { topic } = open({ deadlineMs: 300 });
      await expect(topic.first(0, 3)).rejects.toThrow(
        `Cannot find the verdict of position 3 in partition ${partition}`,
      );
    }, 60_000);

    test("where Kafka is away, each question ends with an error", async () => {
      const away = partitionQuestions(kafkaClient({ ...place.servers, brokers: ["127.0.0.1:1"] }, "away"), {
        deadlineMs: 500,
      });
      const answers = await Promise.allSettled([
        away.ends(factsTopic, 0),
        away.read({ topic: factsTopic, partition: 0, from: 0 }, 100),
        away.committed(place.names.writers, place.names.commands, 0),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      await away.close();
    }, 60_000);

    test("a takeover adopts the tail, though its rules are others by now", async () => {
      const log = await send(commandsOf(random(2), 12));
      const first = await writer();
      await first.take(log.slice(0, 9));
      // It ends here: nothing is projected.
      const second = await writer(stricter);
      const verdicts = await second.take(log.slice(0, 9));
      expect(verdicts.filter(({ kind }) => kind === "decided").length).toBeGreaterThan(4);
      while (await second.project());
      await expectWhole(log.slice(0, 9));
      const third = await writer(stricter);
      expect(third.next).toBe(9);
    }, 60_000);

    test("a restart in the middle reads the facts from the first that is not projected", async () => {
      const log = await send(commandsOf(random(3), 40));
      // The first ends before it projects anything; its successor has read all that the first told when it commits the half of it.
      await (await writer()).take(log.slice(0, 25));
      const successor = await writer();
      await successor.take(log.slice(0, 10));
      while (await successor.project());
      const at = (await admin.fetchOffsets({ groupId: place.names.writers, topics: [place.names.commands] }))[0];
      expect(at?.partitions.find((each) => each.partition === partition)).toEqual({
        partition,
        offset: "10",
        metadata: "facts=10",
      });
      const { topic, place: ownPlace } = open();
      expect(await ownPlace.committed()).toBe(10);
      expect(await ownPlace.end()).toBe(40);
      expect((await topic.tail(10)).map(({ position }) => position)).toEqual(
        log.slice(10, 25).map(({ position }) => position),
      );
      const second = await writer();
      expect(second.next).toBe(10);
      await second.take(log.slice(10, 30));
      while (await second.project());
      await second.take(log.slice(30));
      while (await second.project());
      await expectWhole(log);
    }, 60_000);

    test("a writer that dies between any two of its steps leaves one history to those that come", async () => {
      const choose = random(seed);
      const log = await send(commandsOf(choose, 60));
      for (let lives = 0; ; lives += 1) {
        let left = choose.int(6);
        const dying = (name: string) => {
          if (left-- === 0) throw new Error(`It died at ${name}`);
        };
        const mortal: FactStore = {
          read: store.read,
          referrers: store.referrers,
          ranged: store.ranged,
          async record(given) {
            dying("record");
            const known = await store.record(given);
            dying("recorded");
            return known;
          },
          async project(documents, heads) {
            await store.project(documents, []);
            dying("heads");
            await store.project([], heads);
            dying("commit");
          },
        };
        const one = await writer(registry, lives < 12 ? mortal : store);
        try {
          while (one.next < log.length) {
            await one.take(log.slice(one.next, one.next + 1 + choose.int(8)));
            if (choose.chance(0.6)) await one.project();
          }
          while (await one.project());
          break;
        } catch (error) {
          expect(String(error)).toContain("It died");
        }
      }
      await expectWhole(log);
    }, 120_000);

    test("a writer that was replaced and its successor, both at work, come to one history", async () => {
      const choose = random(seed);
      const log = await send(commandsOf(choose, 80));
      let superseded = 0;
      const work = async (): Promise<void> => {
        for (;;) {
          const one = await writer();
          try {
            while (one.next < log.length) {
              await one.take(log.slice(one.next, one.next + 1 + choose.int(6)));
              if (choose.chance(0.5)) await one.project();
            }
            while (await one.project());
            return;
          } catch (error) {
            if (!(error instanceof SupersededError)) throw error;
            superseded += 1;
            // One that stops joins again.
            if (superseded > 50) throw error;
          }
        }
      };
      await Promise.all([work(), work()]);
      await expectWhole(log);
    }, 120_000);

    test("what a replaced writer of other rules tells too late counts for nothing, and it stops", async () => {
      const log = await send(commandsOf(random(4), 10));
      const old = await writer(stricter);
      const successor = await writer();
      await successor.take(log);
      await old.take(log);
      await expect(old.project()).rejects.toThrow(SupersededError);
      while (await successor.project());
      await expectWhole(log);
    }, 60_000);

    test("whom the group does not know as a member cannot commit, and stops", async () => {
      const log = await send(commandsOf(random(5), 4));
      const one = await writer();
      await one.take(log);
      const member = kafka.consumer({ groupId: place.names.writers, sessionTimeout: 10_000 });
      let isJoined = false;
      member.on(member.events.GROUP_JOIN, () => {
        isJoined = true;
      });
      await member.connect();
      try {
        await member.subscribe({ topics: [place.names.commands] });
        await member.run({ autoCommit: false, eachMessage: async () => {} });
        await poll("another one is the group's member", 60_000, () => isJoined);
        await expect(one.project()).rejects.toThrow(SupersededError);
      } finally {
        await member.disconnect();
      }
      // What it has projected does no harm: its successor adopts it.
      const next = await writer();
      expect(next.next).toBe(0);
      await next.take(log);
      while (await next.project());
      await expectWhole(log);
    }, 120_000);

    test("an older topic takes large records from then on, and keeps its other settings", async () => {
      const namespace = `${place.servers.namespace}old.`;
      const topic = spaceNamesIn({ namespace }).facts;
      const configEntries = [{ name: "retention.ms", value: "86400000" }];
      await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] });
      await ensureSpaceTopics(admin, { namespace, partitions: 2 });
      await ensureSpaceTopics(admin, { namespace, partitions: 2 });
      const settings = async () => {
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: 2, name: topic }],
        });
        const of = (name: string) =>
          resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
        return [of("max.message.bytes"), of("retention.ms")];
      };
      await poll("the broker has the settings", 20_000, async () => (await settings())[0] === `${recordBytesMax}`);
      expect(await settings()).toEqual([`${recordBytesMax}`, "86400000"]);
      await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
      await expect(ensureSpaceTopics(admin, { namespace, partitions: 2 })).rejects.toThrow(TopicsError);
    }, 60_000);
  },
);

function largeVerdict(position: number): Verdict {
  const fact = {
    spaceId: home,
    operationId: idOf(position),
    fingerprint: "語".repeat(1_300_000),
    position,
    verdict: "unchanged",
    at: "2026-01-01T00:00:00.000Z",
    actorId: ann,
    keyed: true,
    changes: [],
    answers: [],
  } as const;
  return { kind: "decided", position, operationId: idOf(position), spaceId: home, fact, documents: [] };
}

/** Changes of few tasks in a shared space and in one's own, repeats and undos among them. */
function commandsOf(choose: Random, count: number): Command[] {
  const all = [commandOf(own, [{ type: "space", kind: "create", id: home, body: { name: "Home" } }])];
  while (all.length < count) {
    if (choose.chance(0.15)) {
      const first = choose.pick(all);
      all.push(choose.chance(0.3) ? { ...first, fingerprint: "another" } : first);
      continue;
    }
    const of = {
      spaceId: choose.pick([home, ann]),
      userId: ann,
      keyed: choose.chance(0.5),
      fingerprint: `${all.length}`,
    };
    const id = choose.pick([31, 32, 33].map(idOf));
    const body = { title: `Title ${choose.int(9)}` };
    if (choose.chance(0.1)) all.push(undoOf(of, choose.pick(all).operationId));
    else if (choose.chance(0.4)) all.push(commandOf(of, [{ type: "task", kind: "create", id, body }]));
    else if (choose.chance(0.8)) all.push(commandOf(of, [{ type: "task", kind: "patch", id, body }]));
    else all.push(commandOf(of, [{ type: "task", kind: "delete", id, body: {} }]));
  }
  return all;
}

function byPlace(one: Document, other: Document): number {
  return `${one.spaceId} ${one.id}` < `${other.spaceId} ${other.id}` ? -1 : 1;
}
