/** The `keeper` actor. It waits for Kafka and Redis for ever; while Redis is away its place in the facts stays where it is. */
import type { EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import { behave, type Self } from "../../runtime/actor.ts";
import { loggedProbe, reportHealth, Unhealthy } from "../health/report-health.ts";
import { kafkaClient } from "../kafka/client.ts";
import { readFacts } from "../kafka/facts-record.ts";
import { evictPreviousMembers, memberName, membership } from "../kafka/group.ts";
import { groupMembership, isOurFault } from "../kafka/group-membership.ts";
import { holdBatch } from "../kafka/hold-batch.ts";
import { type SpaceNames, spaceNamesIn } from "../kafka/names.ts";
import { TopicsError } from "../kafka/topic-settings.ts";
import { prepareSpaceTopics } from "../kafka/topics.ts";
import { countThread } from "../metrics/threads.ts";
import { outage } from "../outage.ts";
import { connectRedis } from "../redis/connect.ts";
import type { Projected, Told } from "../resources/verdict.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { keepTrying, settles, withDeadline } from "../waiting.ts";
import { keptSpacesInRedis, ofSpaces } from "./cache-redis.ts";
import { type Keeping, keeping } from "./keep.ts";
import { keeper } from "./messages.ts";

export type KeeperData = {
  kafka: KafkaServers;
  redis: Server;
};

type State = { readonly stop: () => Promise<void> };

const startMs = 15_000 + membership.rebalanceTimeout;
const stopMs = 3_500;
const tickMs = 500;
const pauses = { fromMs: 100, toMs: 3_000 };

export default behave<typeof keeper.accepts, State, KeeperData>(keeper, {
  start(self: Self<typeof keeper.accepts, KeeperData>): State {
    countThread(self);
    const { kafka: servers } = self.args;
    const clientName = memberName("keeper");
    const kafka = kafkaClient(servers, clientName);
    const connection = connectRedis(self.args.redis);
    const keeps = keeping({
      cache: keptSpacesInRedis(connection.redis),
      ...ofSpaces,
      now: Date.now,
      emptied: (partition: number) =>
        self.log("warn", "cache-emptied", { partition, why: "it had forgotten what the keeper had written" }),
    });
    const joining = outage(self.log, { server: "kafka", urls: servers.brokers, step: "join the keepers of the cache" });
    const ofRedis = { server: "redis", urls: [self.args.redis.url], step: "keep the cache up to date" } as const;
    const keepsCache = outage(self.log, ofRedis);
    const staying = groupMembership({
      join: async (lost) => {
        await prepareSpaceTopics(kafka, servers);
        return await join(kafka, spaceNamesIn(servers), {
          keeps,
          clientName,
          told: {
            lost,
            failing: (error) => keepsCache.failed(connection.why(error)),
            recovered: keepsCache.succeeded,
          },
        });
      },
      until: self.stopping,
      failed: (error) => {
        if (error instanceof TopicsError || isOurFault(error)) self.fail(error);
        joining.failed(error);
      },
      joined: () => {
        joining.succeeded();
        self.log("info", "joined", {});
      },
    });
    const ticking = setInterval(() => void keeps.tick().catch(() => undefined), tickMs);
    const endReports = reportHealth(self, {
      redis: loggedProbe(self.log, { ...ofRedis, step: "reach it" }, connection.writable, connection.why),
      kafka: () => {
        if (staying.now() === undefined) throw new Unhealthy("not joined yet");
      },
    });

    return {
      stop: async () => {
        endReports();
        clearInterval(ticking);
        await staying.stop();
        connection.close();
      },
    };
  },
  on: {},
  stop: ({ stop }) => stop(),
});

type Callbacks = {
  readonly lost: (error: Error) => void;
  readonly failing: (error: Error) => void;
  readonly recovered: () => void;
};

function factsIn(messages: readonly KafkaMessage[]) {
  return messages.map(({ value }) => readFacts(value)).filter((each) => typeof each !== "string");
}

type Joining = {
  readonly keeps: Keeping<Told | Projected>;
  readonly clientName: string;
  readonly told: Callbacks;
};

/** Joins the keepers' group; rejects, leaving nothing behind, when Kafka does not let it in time. */
async function join(
  kafka: Kafka,
  { keepers: group, facts: topic }: SpaceNames,
  { keeps, clientName, told: { lost, failing, recovered } }: Joining,
): Promise<{ stop(): Promise<void> }> {
  await evictPreviousMembers(kafka, group, clientName);
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: group,
    ...membership,
  });
  const stopping = new AbortController();
  let assigning: Promise<void> = Promise.resolve();
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (!stopping.signal.aborted) lost(error);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const partitions = payload.memberAssignment[topic] ?? [];
    assigning = keepTrying(() => assign(partitions), { ...pauses, until: stopping.signal });
    assigning.catch(() => undefined);
  });

  /** The mark is remembered in Kafka, with the place in the facts to which it belongs. */
  async function assign(partitions: readonly number[]): Promise<void> {
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const known = new Map((found?.partitions ?? []).map(({ partition, metadata }) => [partition, markIn(metadata)]));
    keeps.assigned(new Map(partitions.map((partition) => [partition, known.get(partition)])));
  }

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { partition } = batch;
    let mark: number | undefined;
    const step = async () => {
      await assigning;
      mark = await keeps.take(partition, factsIn(batch.messages));
    };
    if (!(await holdBatch(payload, step, { failing, recovered }))) return;
    // By the batch's own commit: from the consumer's, what the group says of a rebalance would come as an error that ends it for good.
    const place = { partition, offset: String(Number(batch.lastOffset()) + 1), metadata: mark?.toString() ?? "" };
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [place] }] });
    payload.resolveOffset(batch.lastOffset());
    await payload.heartbeat();
  }

  async function start(): Promise<void> {
    await admin.connect();
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 2,
      eachBatch,
    });
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await settles(consumer.disconnect(), stopMs);
    await settles(admin.disconnect(), 500);
  }

  try {
    await withDeadline(start(), startMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function markIn(metadata: string | null | undefined): number | undefined {
  return metadata !== null && metadata !== undefined && /^\d{1,15}$/.test(metadata) ? Number(metadata) : undefined;
}
