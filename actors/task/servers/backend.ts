/** The log of spaces in Kafka, the read model in MongoDB, the cache in Redis where there is one. Servers that are away are waited for, for ever. */
import type { Self } from "../../../runtime/actor.ts";
import { type FactsEnds, type FactsHeard, follower } from "../../follower/messages.ts";
import { loggedProbe, type Probes, reportHealth, Unhealthy } from "../../health/report-health.ts";
import { appender } from "../../kafka/appender.ts";
import { kafkaClient } from "../../kafka/client.ts";
import { spaceNamesIn } from "../../kafka/names.ts";
import { TopicsError } from "../../kafka/topic-settings.ts";
import { prepareSpaceTopics } from "../../kafka/topics.ts";
import { connectMongo } from "../../mongo/connect.ts";
import { spaceCollections } from "../../mongo/space-collections.ts";
import { outage } from "../../outage.ts";
import { connectRedis } from "../../redis/connect.ts";
import { instances } from "../../redis/instances.ts";
import { registry } from "../../resources/registry.ts";
import type { KafkaServers, Server } from "../../servers.ts";
import { keepTrying, settles } from "../../waiting.ts";
import type { SpaceBackend } from "../backend.ts";
import { spaceAnnouncements } from "../memory/announcements.ts";
import { spaceDocuments } from "../memory/documents.ts";
import { spaceFeed } from "../memory/feed.ts";
import { spaceHeads } from "../memory/heads.ts";
import { processPositions } from "../memory/process-positions.ts";
import { spaceReplicas } from "../memory/space-replicas.ts";
import type { Deliverer } from "../webhooks.ts";
import { redisSpaceCache } from "./cache.ts";
import { consistentReads } from "./consistent-reads.ts";
import { kafkaSpaceLog } from "./log.ts";
import { mongoSpaceReads } from "./reads.ts";
import { replicaReader } from "./replica-source.ts";
import { mongoDeliverer } from "./webhooks.ts";

export type KafkaSpaceBackendOptions = {
  readonly kafka: KafkaServers;
  readonly mongo: Server;
  readonly redis?: Server;
  /** Names this process, with all its workers. */
  readonly instance: string;
  /** There is no other worker in it. */
  readonly isOnlyWorker: boolean;
  readonly verdictMs: number;
};

export type KafkaSpaceBackend = SpaceBackend & {
  /** Are told what the follower publishes. */
  heard(facts: FactsHeard): void;
  ends(ends: FactsEnds): void;
  readonly deliverer: Deliverer;
  /** Resolves when all that had been told when it was called is known, or does not come within a second. */
  caughtUp(): Promise<void>;
  /** Resolves when the log can be appended to and what has been told is known, or after so long. */
  begun(timeoutMs: number): Promise<void>;
};

const closeMs = 2_500;
/** A thread that is kept from its turns for a while has not lost its cache. */
const cacheMs = 800;
const askMs = 1_000;
const catchUpMs = 1_000;
const pauses = { fromMs: 50, toMs: 2_000 };

type Body = Pick<Self, "name" | "ref" | "log" | "fail" | "publish" | "stopping" | "shared">;

export function kafkaSpaceBackend(self: Body, options: KafkaSpaceBackendOptions): KafkaSpaceBackend {
  const kafka = kafkaClient(options.kafka, "task-tracker-task");
  const mongo = connectMongo(options.mongo);
  const redis = options.redis === undefined ? undefined : connectRedis(options.redis, { commandMs: cacheMs });
  const others = redis === undefined ? undefined : instances(redis.redis, { id: options.instance, now: Date.now });
  const topic = spaceNamesIn(options.kafka).commands;
  const brokers = { server: "kafka", urls: options.kafka.brokers } as const;
  const appends = outage(self.log, { ...brokers, step: `append to ${topic}` });
  const making = outage(self.log, { ...brokers, step: "find or make its topics" });
  const commands = appender({ kafka, topic, failing: appends.failed, recovered: appends.succeeded });
  let count: number | undefined;
  const partitions = () => count;

  const announcements = spaceAnnouncements(Date.now);
  const documents = spaceDocuments(registry);
  const heads = spaceHeads();
  const collections = spaceCollections(mongo.db);
  const reads = mongoSpaceReads(collections, registry);
  const read = replicaReader(collections, registry);
  const replicas = spaceReplicas({ registry, read, announcements, heads, now: Date.now });
  const feed = spaceFeed({ announcements, documents, heads, replicas, now: Date.now });
  const consistent = consistentReads({
    announcements,
    documents,
    heads,
    replicas,
    feed,
    reads,
    process: processPositions(self.shared, partitions),
    cache: redis === undefined ? undefined : redisSpaceCache(redis.redis, Date.now),
    isAlone: () => others?.isAlone() ?? true,
    isOnlyWorker: options.isOnlyWorker,
    partitions,
    now: Date.now,
  });

  const until = self.stopping;
  const topics = keepTrying(() => prepareSpaceTopics(kafka, options.kafka), {
    ...pauses,
    until,
    failed(error) {
      if (error instanceof TopicsError) self.fail(error);
      making.failed(error);
    },
  }).then((found) => {
    making.succeeded();
    count = found.partitions;
  });
  const known = keepTrying(
    async () => {
      const found = await self.ref(follower).ask("spaces", null, { timeoutMs: askMs });
      if (found === null) throw new Unhealthy("catching up");
      feed.begin(found);
    },
    { ...pauses, until },
  );
  const beginning = Promise.allSettled([topics, known, others?.entered()]);

  const ofMongo = { server: "mongodb", urls: [options.mongo.url], step: "read the read model" } as const;
  const ofRedis = { server: "redis", urls: [options.redis?.url ?? ""], step: "read and fill the cache" } as const;
  const probes: Probes = {
    mongodb: loggedProbe(self.log, ofMongo, mongo.ping, mongo.why),
    kafka: () => {
      if (count === undefined) throw new Unhealthy("not reached");
      if (!commands.healthy()) throw new Unhealthy("cannot append");
    },
    ...(redis === undefined ? {} : { redis: loggedProbe(self.log, ofRedis, redis.ping, redis.why) }),
  };
  const endReports = reportHealth(self, probes);

  return {
    log: kafkaSpaceLog({ appender: commands, partitions, announcements, timeoutMs: options.verdictMs, now: Date.now }),
    reads,
    consistent,
    feed: {
      mark: heads.mark,
      head: (spaceId) => consistent.head({ userId: spaceId, token: undefined }, spaceId),
      facts: reads.facts,
      memberships: reads.memberships,
      epoch: reads.epoch,
    },
    deliverer: mongoDeliverer({ db: mongo.db, reads, partitions, now: Date.now }),
    heard: feed.heard,
    ends: feed.ends,
    async caughtUp() {
      const deadlineMs = Date.now() + catchUpMs;
      await Promise.all(Array.from({ length: count ?? 0 }, (_, at) => feed.untilCurrent(at, deadlineMs)));
    },
    begun: async (timeoutMs) => void (await settles(beginning, timeoutMs)),
    async ready() {
      if (count === undefined || !commands.healthy()) throw new Unhealthy("cannot append");
    },
    async close() {
      endReports();
      await commands.close(closeMs);
      await others?.close();
      redis?.close();
      await settles(mongo.close(), closeMs);
    },
  };
}
