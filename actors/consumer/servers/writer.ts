/** The writer of spaces behind Kafka: decides what comes from the log, tells it in `facts`, writes MongoDB behind that. Servers that are away are waited for, for ever. */
import type { Self } from "../../../runtime/actor.ts";
import { causeOf } from "../../cause.ts";
import { loggedProbe, reportHealth, Unhealthy } from "../../health/report-health.ts";
import { type Appender, appender, resentHeader } from "../../kafka/appender.ts";
import { kafkaClient } from "../../kafka/client.ts";
import { commandRecordOf, readCommandOf } from "../../kafka/command-record.ts";
import { factsText } from "../../kafka/facts-record.ts";
import { memberName } from "../../kafka/group.ts";
import { type GroupMembership, groupMembership, isOurFault } from "../../kafka/group-membership.ts";
import { type SpaceNames, spaceNamesIn } from "../../kafka/names.ts";
import { watchParked } from "../../kafka/parked.ts";
import { type PartitionQuestions, partitionQuestions } from "../../kafka/partition-questions.ts";
import { TopicsError } from "../../kafka/topic-settings.ts";
import { prepareSpaceTopics } from "../../kafka/topics.ts";
import { connectMongo } from "../../mongo/connect.ts";
import { IndexError } from "../../mongo/indexes.ts";
import { spaceCollections } from "../../mongo/space-collections.ts";
import { ensureSortIndexes, ensureSpaceIndexes } from "../../mongo/space-indexes.ts";
import { type Outage, outage } from "../../outage.ts";
import { registry } from "../../resources/registry.ts";
import type { KafkaServers, Server } from "../../servers.ts";
import type { Tracer } from "../../tracing/tracer.ts";
import { keepTrying, notedWork, settles } from "../../waiting.ts";
import { announcing } from "../announced-changes.ts";
import { partitionsAssigned, spacesChanged } from "../messages.ts";
import { parkedText } from "../parked-record.ts";
import { parkingReasonOf } from "../parking-reason.ts";
import { PartitionWriter } from "../partition-writer.ts";
import type { FactStore } from "../write-ports.ts";
import type { Writer } from "../writer.ts";
import { countedTake } from "../writer-counts.ts";
import { mongoErasures } from "./erasures.ts";
import { mongoFactStore } from "./fact-store.ts";
import { jointStore } from "./joint-store.ts";
import { partitionLog } from "./partition.ts";
import { type PartitionLoop, partitionLoop } from "./partition-loop.ts";
import { operationsSentAgain } from "./sent-again.ts";
import { type Commit, type SpaceSource, spaceSource } from "./source.ts";
import { takeTrace } from "./writer-trace.ts";

const appendMs = 10_000;
const closeMs = 1_000;
const pauses = { fromMs: 100, toMs: 3_000 };
/** A member that the group has not heard from for so long, while Kafka answers, will not come back by itself. */
const silenceMs = 60_000;
/** How often it is looked whether there are so many documents that their lists need more indexes. */
const growthLookMs = 60_000;
/** How often it is announced which partitions are this writer's. */
const assignedEveryMs = 1_000;
/** A record that was sent twice may arrive for so long behind its second sending. */
const lateMs = 30_000;
/** The clocks of its senders differ by less. */
const clocksMs = 30_000;

/** Each write that waits for the journal costs a flush of the disk; the last one of a projection, of the heads, waits for those before it too. */
const unjournaled = { writeConcern: { w: "majority" } } as const;

type Body = Pick<Self, "name" | "log" | "fail" | "publish" | "stopping">;
type Servers = { readonly kafka: KafkaServers; readonly mongo: Server; readonly tracer?: Tracer | undefined };

export function kafkaSpaceWriter(self: Body, servers: Servers): Writer {
  const clientName = memberName("consumer");
  const kafka = kafkaClient(servers.kafka, clientName);
  const names = spaceNamesIn(servers.kafka);
  const mongo = connectMongo(servers.mongo);
  const collections = spaceCollections(mongo.db);
  const told = (server: "kafka" | "mongodb", step: string) =>
    outage(self.log, { server, urls: server === "kafka" ? servers.kafka.brokers : [servers.mongo.url], step });
  const appending = (topic: string): Appender => {
    const { failed, succeeded } = told("kafka", `append to ${topic}`);
    return appender({ kafka, topic, failing: failed, recovered: succeeded });
  };
  const facts = appending(names.facts);
  const parking = appending(names.parked);
  const commands = appending(names.commands);
  const questions = partitionQuestions(kafka);
  const { facts: factRecords, documents } = spaceCollections(mongo.db, unjournaled);
  const kept = { facts: factRecords, documents, heads: collections.heads };
  const store = announcing(mongoFactStore(kept, { now: Date.now, registry }), (changed) => {
    void self.publish(spacesChanged, changed);
  });
  const erasures = mongoErasures(jointStore(store), collections, {
    now: Date.now,
    onNote: () => erasing.wake(),
  });
  let partitionCount = 0;
  const erasing = notedWork({
    work: async () => {
      if (partitionCount === 0) return false;
      const hasErased = await erasures.work(async (command) => {
        await commands.append(commandRecordOf(command, partitionCount), Date.now() + appendMs);
      });
      if (hasErased) void self.publish(spacesChanged, { spaceIds: [], hasWebhooks: true });
      return hasErased;
    },
    outage: told("mongodb", "erase what has lost its last member"),
    until: self.stopping,
  });
  const open = opening({
    log: self.log,
    tracer: servers.tracer,
    names,
    store: erasures.store,
    why: mongo.why,
    questions,
    facts,
    parking,
  });
  let staying: GroupMembership<SpaceSource> | undefined;
  const source = () => staying?.now();
  const announceAssigned = (assigned: readonly number[] | null) =>
    void self.publish(partitionsAssigned, { assigned, partitions: partitionCount });
  let wellMs = Date.now();

  async function join(lost: (error: Error) => void): Promise<SpaceSource> {
    const { partitions, warnings } = await prepareSpaceTopics(kafka, servers.kafka);
    partitionCount = partitions;
    for (const warning of warnings) self.log("warn", "topics", { warning });
    const joining = spaceSource({
      kafka,
      clientName,
      names,
      partitions,
      open: (partition, commit) => open({ partition, partitions, commit, lost }),
      assigned: announceAssigned,
      lost,
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
    await keepTrying(() => ensureSpaceIndexes(collections), { ...pauses, until, failed: failed(indexing) });
    indexing.succeeded();
    const joined = () => {
      joining.succeeded();
      self.log("info", "joined", {});
    };
    staying = groupMembership({ join, until, failed: failed(joining), joined });
  }
  const beginning = begin().catch(() => undefined);

  const sorting = told("mongodb", "make the indexes of long lists");
  const growing = setInterval(() => {
    ensureSortIndexes(collections, registry).then(
      (areThere) => {
        sorting.succeeded();
        if (areThere) clearInterval(growing);
      },
      (error) => sorting.failed(mongo.why(error)),
    );
  }, growthLookMs);
  const watching = watchParked(kafka, names);
  const announcingAssigned = setInterval(() => announceAssigned(source()?.assigned() ?? null), assignedEveryMs);
  const endReports = reportHealth(self, {
    kafka: () => {
      const isWell = source()?.healthy() === true && facts.healthy();
      const nowMs = Date.now();
      if (isWell) wellMs = nowMs;
      else if (source() !== undefined && nowMs - wellMs > silenceMs && facts.healthy())
        self.fail(new Error("Cannot go on: the group of writers has not heard from this member"));
      if (!isWell) throw new Unhealthy(source() === undefined ? "not joined yet" : "no progress");
      return { lag: source()?.lag() ?? 0, parked: watching.count() };
    },
    mongodb: loggedProbe(
      self.log,
      { server: "mongodb", urls: [servers.mongo.url], step: "write the read model" },
      mongo.writable,
      mongo.why,
    ),
  });

  return {
    append: async (messages) => messages.map(() => new Error("Cannot append by message: the log is in Kafka")),
    isReady: () => source()?.healthy() === true,
    async stop() {
      endReports();
      clearInterval(growing);
      clearInterval(announcingAssigned);
      announceAssigned(null);
      await watching.close();
      await settles(beginning, closeMs);
      await staying?.stop();
      await Promise.all([facts, parking, commands].map((each) => each.close(closeMs)).concat(questions.close()));
      await mongo.close();
    },
  };
}

type Opening = {
  readonly log: Self["log"];
  readonly tracer: Tracer | undefined;
  readonly names: SpaceNames;
  readonly store: FactStore;
  readonly why: (failure: unknown) => unknown;
  readonly questions: PartitionQuestions;
  readonly facts: Appender;
  readonly parking: Appender;
};

type Opened = {
  readonly partition: number;
  readonly partitions: number;
  readonly commit: Commit;
  readonly lost: (error: Error) => void;
};

/** Begins the work on one partition after the other, as they are assigned. */
function opening(with_: Opening): (of: Opened) => PartitionLoop {
  const { log, names, questions, facts, parking } = with_;
  return ({ partition, partitions, commit, lost }) => {
    const openedMs = Date.now();
    /** Undefined where it is not known: then any command may have been sent before. */
    let sentAgain: ReadonlySet<string> | undefined;
    const mayBeLate = (operationId: string) =>
      Date.now() < openedMs + lateMs && (sentAgain === undefined || sentAgain.has(operationId));
    const unreadable = (offset: number, reason: string) =>
      log("error", "fact-unreadable", { topic: names.facts, partition, offset, reason });
    return partitionLoop({
      async takeOver(park) {
        const writer = await PartitionWriter.takeOver({
          ...partitionLog({
            questions,
            appender: facts,
            partition,
            topics: names,
            group: names.writers,
            commit,
            unreadable,
          }),
          store: with_.store,
          registry,
          parking: { park, reasonOf: parkingReasonOf },
        });
        const sinceMs = openedMs - lateMs - clocksMs;
        const of = { questions, topic: names.commands, partition, to: writer.next, sinceMs };
        sentAgain = await operationsSentAgain(of).catch(() => undefined);
        return writer;
      },
      deliveryOf(message) {
        const position = Number(message.offset);
        const command = readCommandOf(message.value, { partition, partitions });
        if (typeof command === "string") return { position, reason: command };
        // Its first sending may have been another writer's.
        const isResent = message.headers?.[resentHeader] !== undefined || mayBeLate(command.operationId);
        return { position, command, isResent };
      },
      async park(message, reason) {
        const value = parkedText({ partition, ...message }, reason);
        await parking.append({ partition: 0, key: message.key?.toString() ?? null, value }, Date.now() + appendMs);
        log("error", "command-parked", { partition, offset: Number(message.offset), reason });
      },
      async taking(deliveries, take) {
        const commands = deliveries.filter((each) => "command" in each);
        const trace = takeTrace(with_.tracer, partition, commands);
        const all = await countedTake(take);
        trace?.(all);
      },
      announce: async (position) => {
        const value = factsText({ position, kind: "projected" });
        await facts.append({ partition, key: null, value }, Date.now() + appendMs);
      },
      failing: (step, error) => log("error", "partition-waits", { partition, step, reason: causeOf(with_.why(error)) }),
      recovered: (step) => log("info", "partition-goes-on", { partition, step }),
      superseded: lost,
    });
  };
}
