/** The writer behind Kafka: takes commands from the log, writes MongoDB, announces, commits. Servers that are away are waited for, for ever. */
import { MongoServerError } from "mongodb";
import type { Self } from "../../runtime/actor.ts";
import { causeOf } from "../cause.ts";
import { type Appender, appender } from "../kafka/appender.ts";
import { kafkaClient } from "../kafka/client.ts";
import { memberName } from "../kafka/group.ts";
import { namesIn } from "../kafka/names.ts";
import { watchParked } from "../kafka/parked.ts";
import { isOurFault, type Staying, stayJoined } from "../kafka/stay-joined.ts";
import { prepareTopics, TopicsError } from "../kafka/topics.ts";
import type { Announcement } from "../model/command.ts";
import { connectMongo } from "../mongo/connect.ts";
import { IndexError } from "../mongo/indexes.ts";
import { ensureIndexes, readModelIn } from "../mongo/read-model.ts";
import { type Outage, outage } from "../outage.ts";
import { loggedProbe, NotWell, reportHealth } from "../report-health.ts";
import type { KafkaServers, Server } from "../servers.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { keepTrying, settles, withDeadline } from "../waiting.ts";
import { apply, type Store, UndecidableError } from "./apply.ts";
import { batchMax, type KafkaSource, kafkaSource, type Parked, type Work } from "./source-kafka.ts";
import { mongoStore } from "./store-mongo.ts";
import { together } from "./together.ts";
import type { Writer } from "./writer.ts";
import { counted, parkedCommands } from "./writer-counts.ts";
import { batchTrace } from "./writer-trace.ts";

/** For a whole batch. Each request has a shorter time of its own; this is for what a driver forgets. What comes of a late one afterwards does no harm, as of any zombie's. */
const applyMs = 30_000;
const announceMs = 10_000;
const closeMs = 1_000;
const pauses = { fromMs: 100, toMs: 3_000 };
/** A member that the group has not heard from for so long, while Kafka answers, will not come back by itself. */
const silenceMs = 60_000;

/** A server that is away is away for all. */
const isOfOne = (error: unknown): boolean => error instanceof UndecidableError || error instanceof MongoServerError;

type Body = Pick<Self, "name" | "log" | "fail" | "publish" | "stopping">;

export function kafkaWriter(
  self: Body,
  servers: { kafka: KafkaServers; mongo: Server; tracer?: Tracer | undefined },
): Writer {
  const clientName = memberName("consumer");
  const kafka = kafkaClient(servers.kafka, clientName);
  const mongo = connectMongo(servers.mongo);
  const model = readModelIn(mongo.db);
  const told = (server: "kafka" | "mongodb", step: string) =>
    outage(self.log, { server, urls: server === "kafka" ? servers.kafka.brokers : [servers.mongo.url], step });
  const appending = (topic: string): Appender => {
    const { failed, fine } = told("kafka", `append to ${topic}`);
    return appender({ kafka, topic, failing: failed, recovered: fine });
  };
  const names = namesIn(servers.kafka);
  const events = appending(names.events);
  const parking = appending(names.parked);
  const parkedAlready = new WeakSet<Parked>();
  let staying: Staying<KafkaSource> | undefined;
  const source = () => staying?.now();
  let wellMs = Date.now();

  async function park(all: readonly Parked[]): Promise<void> {
    for (const each of all) {
      if (parkedAlready.has(each)) continue;
      const { partition, offset, key, reason } = each;
      await parking.append({ partition: 0, key, value: JSON.stringify(each) }, Date.now() + announceMs);
      parkedAlready.add(each);
      parkedCommands.add();
      self.log("error", "command-parked", { partition, offset, reason });
    }
  }

  async function take(store: Store, works: readonly Work[]): Promise<void> {
    const deliveries = works.flatMap((work) => work.deliveries);
    const parked = works.flatMap((work) => work.parked);
    const trace = batchTrace(servers.tracer, deliveries);
    const outcomes = await counted(() => withDeadline(apply(store, deliveries), applyMs));
    trace?.written(outcomes);
    await park(parked);
    const announcements = deliveries.map(({ position, command }, index) => {
      const outcome = outcomes[index];
      return {
        key: command.taskId as string | null,
        said: { taken: position, ...(outcome === undefined ? {} : { outcome }) } as Announcement,
      };
    });
    for (const { partition, offset, key } of parked)
      announcements.push({ key, said: { taken: { partition, offset } } });
    announcements.sort((a, b) => a.said.taken.offset - b.said.taken.offset);
    const deadlineMs = Date.now() + announceMs;
    await Promise.all(
      announcements.map(({ key, said }) =>
        events.append({ partition: said.taken.partition, key, value: JSON.stringify(said) }, deadlineMs),
      ),
    );
    trace?.announced();
  }

  async function join(lost: (error: Error) => void): Promise<KafkaSource> {
    const { partitions, warnings } = await prepareTopics(kafka, servers.kafka);
    for (const warning of warnings) self.log("warn", "topics", { warning });
    const store = mongoStore(model, { partitions, now: Date.now });
    const joining = kafkaSource({
      kafka,
      clientName,
      names,
      partitions,
      take: together({ take: (works) => take(store, works), isOfOne, commandsMax: batchMax }),
      lost,
      failing: (partition, error) =>
        self.log("error", "batch-failed", {
          partition,
          step: "write to MongoDB and announce",
          reason: causeOf(mongo.why(error)),
        }),
      recovered: (partition) => self.log("info", "batches-again", { partition }),
    });
    try {
      await joining.start();
    } catch (error) {
      await joining.stop();
      throw error;
    }
    return joining;
  }

  async function begin(): Promise<void> {
    const until = self.stopping;
    const failed = (of: Outage) => (error: Error) => {
      if (error instanceof TopicsError || error instanceof IndexError || isOurFault(error)) self.fail(error);
      of.failed(mongo.why(error));
    };
    const [indexing, joining] = [told("mongodb", "make its indexes"), told("kafka", "join the writers")];
    await keepTrying(() => ensureIndexes(model), { ...pauses, until, failed: failed(indexing) });
    indexing.fine();
    const joined = () => {
      joining.fine();
      self.log("info", "joined", {});
    };
    staying = stayJoined({ join, until, failed: failed(joining), joined });
  }
  const beginning = begin().catch(() => undefined);

  const watching = watchParked(kafka, names);
  const endReports = reportHealth(self, {
    kafka: () => {
      const isWell = source()?.healthy() === true && events.healthy();
      const nowMs = Date.now();
      if (isWell) wellMs = nowMs;
      else if (source() !== undefined && nowMs - wellMs > silenceMs && events.healthy())
        self.fail(new Error("Cannot go on: the group of the log's consumers has not heard from this one"));
      if (!isWell) throw new NotWell(source() === undefined ? "not joined yet" : "no progress");
      return { lag: source()?.lag() ?? 0, parked: watching.count() };
    },
    mongodb: loggedProbe(
      self.log,
      { server: "mongodb", urls: [servers.mongo.url], step: "write tasks" },
      mongo.writable,
      mongo.why,
    ),
  });

  return {
    append: async (messages) => messages.map(() => new Error("Cannot append by message: the log is in Kafka")),
    isReady: () => source()?.healthy() === true,
    async stop() {
      endReports();
      await watching.close();
      await settles(beginning, closeMs);
      await staying?.stop();
      await Promise.all([events.close(closeMs), parking.close(closeMs)]);
      await mongo.close();
    },
  };
}
