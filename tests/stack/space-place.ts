/** A place of one's own for the log of spaces on the shared Kafka, with a read model in MongoDB, and writers that work there. */
import { expect } from "bun:test";
import type { Admin } from "kafkajs";
import { PartitionWriter } from "../../actors/consumer/partition-writer.ts";
import { kafkaSpaceWriter } from "../../actors/consumer/servers/writer.ts";
import { emptyWorld, placeOver, storeOver, topicOver } from "../../actors/consumer/spaces-for-tests.ts";
import type { SpaceDelivery, UnreadableDelivery } from "../../actors/consumer/write-ports.ts";
import type { Writer } from "../../actors/consumer/writer.ts";
import { type Appender, appender, type NewRecord } from "../../actors/kafka/appender.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { commandRecordOf, readCommandOf } from "../../actors/kafka/command-record.ts";
import { readFacts } from "../../actors/kafka/facts-record.ts";
import { type SpaceNames, spaceNamesIn } from "../../actors/kafka/names.ts";
import { type PartitionQuestions, partitionQuestions } from "../../actors/kafka/partition-questions.ts";
import { prepareSpaceTopics } from "../../actors/kafka/topics.ts";
import { connectMongo, type Mongo } from "../../actors/mongo/connect.ts";
import { documentIn, type SpaceCollections, spaceCollections } from "../../actors/mongo/space-collections.ts";
import type { Command } from "../../actors/resources/command.ts";
import type { Document } from "../../actors/resources/document.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { Projected, Told } from "../../actors/resources/verdict.ts";
import type { KafkaServers } from "../../actors/servers.ts";

export type LogLine = { readonly level: string; readonly event: string } & Readonly<Record<string, unknown>>;

export type RunningWriter = Writer & { readonly lines: LogLine[]; readonly failures: unknown[]; end(): Promise<void> };

export type SpacePlace = {
  readonly servers: KafkaServers;
  readonly names: SpaceNames;
  readonly mongoUrl: string;
  readonly mongo: Mongo;
  readonly collections: SpaceCollections;
  readonly questions: PartitionQuestions;
  /** By its offset. */
  append(record: NewRecord): Promise<number>;
  /** All at once, in their order. */
  send(commands: readonly Command[]): Promise<void>;
  appenderOf(topic: string): Appender;
  /** Gives what is told of a partition, from the beginning on, until it is aborted. */
  follow(partition: number, take: (records: (Told | Projected)[]) => void): AbortController;
  /** Everything that a partition of a topic has. */
  records(topic: string, partition: number): Promise<{ offset: number; value: Buffer | null }[]>;
  /** What counts of each position of a partition, in their order. */
  told(partition: number): Promise<Told[]>;
  /** Up to where the read model is by what was told in this partition. */
  projected(partition: number): Promise<number>;
  /** Whether each record of the log has been told of, and is in the read model. */
  isDone(): Promise<boolean>;
  /** What was told and what is kept is what one writer that never fails makes of the log. */
  expectWhole(): Promise<void>;
  writer(over?: { mongoUrl?: string }): RunningWriter;
  remove(): Promise<void>;
};

const appendMs = 30_000;

export async function spacePlace(given: {
  broker: string;
  mongoUrl: string;
  partitions?: number;
}): Promise<SpacePlace> {
  const id = crypto.randomUUID().slice(0, 8);
  const servers: KafkaServers = {
    brokers: [given.broker],
    partitions: given.partitions ?? 3,
    tls: false,
    namespace: `spaces-${id}.`,
  };
  const url = new URL(given.mongoUrl);
  url.pathname = `/test_${process.pid}_${id}`;
  const mongoUrl = url.href;
  const mongo = connectMongo({ url: mongoUrl });
  const collections = spaceCollections(mongo.db);
  const kafka = kafkaClient(servers, "task-tracker-space-place");
  await prepareSpaceTopics(kafka, servers);
  const names = spaceNamesIn(servers);
  const questions = partitionQuestions(kafka);
  const appending = new Map<string, Appender>();
  const partitions = Array.from({ length: servers.partitions }, (_, partition) => partition);
  const writers: RunningWriter[] = [];

  function appenderOf(topic: string): Appender {
    const to = appending.get(topic) ?? appender({ kafka, topic, failing: () => {}, recovered: () => {} });
    appending.set(topic, to);
    return to;
  }
  const appendTo = (topic: string, record: NewRecord) => appenderOf(topic).append(record, Date.now() + appendMs);

  function follow(partition: number, take: (records: (Told | Projected)[]) => void): AbortController {
    const ending = new AbortController();
    void (async () => {
      const own = partitionQuestions(kafka);
      for (let from = 0; !ending.signal.aborted; ) {
        const read = await own.read({ topic: names.facts, partition, from }, 200);
        take(read.records.map(({ value }) => readFacts(value)).filter((each) => typeof each !== "string"));
        from = read.next;
      }
      await own.close();
    })();
    return ending;
  }

  async function records(topic: string, partition: number) {
    const { first, end } = await questions.ends(topic, partition);
    const found: { offset: number; value: Buffer | null }[] = [];
    for (let from = first; from < end; ) {
      const read = await questions.read({ topic, partition, from }, 500);
      found.push(...read.records);
      from = read.next;
    }
    return found;
  }

  async function facts(partition: number) {
    return (await records(names.facts, partition))
      .map(({ value }) => readFacts(value))
      .filter((each) => typeof each !== "string");
  }

  async function told(partition: number): Promise<Told[]> {
    const first = new Map<number, Told>();
    for (const each of await facts(partition))
      if (each.kind !== "projected" && !first.has(each.position)) first.set(each.position, each);
    return [...first.values()].sort((a, b) => a.position - b.position);
  }

  async function projected(partition: number): Promise<number> {
    return Math.max(0, ...(await facts(partition)).map((each) => (each.kind === "projected" ? each.position : 0)));
  }

  async function deliveries(partition: number): Promise<(SpaceDelivery | UnreadableDelivery)[]> {
    return (await records(names.commands, partition)).map(({ offset: position, value }) => {
      const command = readCommandOf(value, { partition, partitions: servers.partitions });
      return typeof command === "string" ? { position, reason: command } : { position, command, isResent: true };
    });
  }

  return {
    servers,
    names,
    mongoUrl,
    mongo,
    collections,
    questions,
    append: (record) => appendTo(names.commands, record),
    async send(commands) {
      await Promise.all(commands.map((each) => appendTo(names.commands, commandRecordOf(each, servers.partitions))));
    },
    appenderOf,
    follow,
    records,
    told,
    projected,
    async isDone() {
      for (const partition of partitions) {
        const { end } = await questions.ends(names.commands, partition);
        if (end > 0 && (await projected(partition)) < end) return false;
      }
      return true;
    },

    async expectWhole() {
      const world = emptyWorld();
      const turn = async () => {};
      const kept = (of: Iterable<unknown>) => [...of].map((each) => JSON.stringify(each)).sort();
      for (const partition of partitions) {
        const own = { ...world, told: [] as Told[], log: [], committed: 0 };
        const only = await PartitionWriter.takeOver({
          store: storeOver(own, turn),
          topic: topicOver(own, turn),
          place: placeOver(own, turn),
          registry,
          parking: { park: async () => {}, reasonOf: () => undefined },
        });
        await only.take(await deliveries(partition));
        while (await only.project());
        expect(kept(await told(partition))).toEqual(kept(own.told));
      }
      const texts = async (name: "facts" | "heads") =>
        (await mongo.db.collection(name).find().toArray()).map(({ json }) => json as string).sort();
      const documents = (await collections.documents.find().toArray()).map((each) => documentIn(registry, each).value);
      expect(await texts("facts")).toEqual(kept(world.facts.values()));
      expect(documents.sort(byPlace)).toEqual([...world.documents.values()].sort(byPlace));
      expect(await texts("heads")).toEqual(kept(world.heads.values()));
    },

    writer(over = {}) {
      const stopping = new AbortController();
      const lines: LogLine[] = [];
      const failures: unknown[] = [];
      const body = {
        name: "consumer",
        log: (level: string, event: string, fields?: object) => void lines.push({ level, event, ...fields }),
        fail: (error: unknown) => void failures.push(error),
        publish: () => undefined,
        stopping: stopping.signal,
      } as unknown as Parameters<typeof kafkaSpaceWriter>[0];
      const made = kafkaSpaceWriter(body, { kafka: servers, mongo: { url: over.mongoUrl ?? mongoUrl } });
      let ended: Promise<void> | undefined;
      const writer: RunningWriter = {
        ...made,
        lines,
        failures,
        async end() {
          stopping.abort();
          ended ??= Promise.resolve(made.stop());
          await ended;
        },
      };
      writers.push(writer);
      return writer;
    },

    async remove() {
      await Promise.all(writers.map((writer) => writer.end()));
      await Promise.all([...appending.values()].map((each) => each.close(1_000)));
      await asked(kafka.admin(), async (admin) => {
        const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(servers.namespace));
        if (topics.length > 0) await admin.deleteTopics({ topics });
      });
      await questions.close();
      await mongo.db.dropDatabase();
      await mongo.close();
    },
  };
}

async function asked(admin: Admin, work: (admin: Admin) => Promise<void>): Promise<void> {
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

function byPlace(one: Document, other: Document): number {
  return `${one.spaceId} ${one.id}` < `${other.spaceId} ${other.id}` ? -1 : 1;
}
