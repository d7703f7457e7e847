/** The log in Kafka, the read model in MongoDB, the cache in Redis where there is one. Servers that are away are waited for, for ever. */
import type { Self } from "../../runtime/actor.ts";
import { follower } from "../follower/messages.ts";
import { appender } from "../kafka/appender.ts";
import { kafkaClient } from "../kafka/client.ts";
import { namesIn } from "../kafka/names.ts";
import { prepareTopics, TopicsError } from "../kafka/topics.ts";
import type { Announcement } from "../model/command.ts";
import { connectMongo } from "../mongo/connect.ts";
import { readModelIn } from "../mongo/read-model.ts";
import { outage } from "../outage.ts";
import { connectRedis } from "../redis/connect.ts";
import { loggedProbe, NotWell, type Probes, reportHealth } from "../report-health.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { keepTrying, settles } from "../waiting.ts";
import { announced } from "./announced.ts";
import type { Back } from "./back.ts";
import { redisCache } from "./cache-redis.ts";
import { latestBehindCache } from "./latest-cached.ts";
import { kafkaLog } from "./log-kafka.ts";
import { mongoReads } from "./reads-mongo.ts";

export type KafkaBackOptions = { kafka: KafkaServers; mongo: Server; redis?: Server; verdictMs: number };
export type KafkaBack = Back & {
  /** Is told what the writers announce. */
  heard(said: readonly Announcement[]): void;
  /** Resolves when the log can be appended to and what has been announced is known, or after so long. */
  begun(timeoutMs: number): Promise<void>;
};

const closeMs = 2_500;
const askMs = 1_000;
const pauses = { fromMs: 50, toMs: 2_000 };

export function kafkaBack(
  self: Pick<Self, "name" | "ref" | "log" | "fail" | "publish" | "stopping">,
  options: KafkaBackOptions,
): KafkaBack {
  const kafka = kafkaClient(options.kafka, "task-tracker-task");
  const mongo = connectMongo(options.mongo);
  const redis = options.redis === undefined ? undefined : connectRedis(options.redis);
  const reads = mongoReads(readModelIn(mongo.db));
  const topic = namesIn(options.kafka).commands;
  const said = announced(Date.now);
  const brokers = { server: "kafka", urls: options.kafka.brokers } as const;
  const appends = outage(self.log, { ...brokers, step: `append to ${topic}` });
  const making = outage(self.log, { ...brokers, step: "find or make its topics" });
  const commands = appender({
    kafka,
    topic,
    failing: appends.failed,
    recovered: appends.fine,
  });
  let count: number | undefined;
  const partitions = () => count;

  const until = self.stopping;
  const failed = (error: Error) => {
    if (error instanceof TopicsError) self.fail(error);
    making.failed(error);
  };
  const topics = keepTrying(() => prepareTopics(kafka, options.kafka), {
    ...pauses,
    until,
    failed,
  }).then((found) => {
    making.fine();
    count = found.partitions;
  });
  const positions = keepTrying(
    async () => {
      const known = await self.ref(follower).ask("announced", null, { timeoutMs: askMs });
      if (known === null) throw new NotWell("catching up");
      said.begin(known);
    },
    { ...pauses, until },
  );
  const beginning = Promise.allSettled([topics, positions]);

  const ofMongo = { server: "mongodb", urls: [options.mongo.url], step: "read tasks" } as const;
  const ofRedis = { server: "redis", urls: [options.redis?.url ?? ""], step: "read and fill the cache" } as const;
  const probes: Probes = {
    mongodb: loggedProbe(self.log, ofMongo, mongo.ping, mongo.why),
    kafka: () => {
      if (count === undefined) throw new NotWell("not reached");
      if (!commands.healthy()) throw new NotWell("cannot append");
    },
    ...(redis === undefined ? {} : { redis: loggedProbe(self.log, ofRedis, redis.writable, redis.why) }),
  };
  const endReports = reportHealth(self, probes);

  return {
    log: kafkaLog({ appender: commands, partitions, announced: said, timeoutMs: options.verdictMs, now: Date.now }),
    reads,
    latest: latestBehindCache({
      announced: said,
      reads,
      cache: redis === undefined ? undefined : redisCache(redis.redis, Date.now),
      partitions,
      now: Date.now,
    }),
    heard: said.take,
    begun: async (timeoutMs) => void (await settles(beginning, timeoutMs)),
    async ready() {
      if (count === undefined || !commands.healthy()) throw new NotWell("cannot append");
    },
    async close() {
      endReports();
      await commands.close(closeMs);
      redis?.close();
      await settles(mongo.close(), closeMs);
    },
  };
}
