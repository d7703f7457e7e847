/**
 * Makes the read model in MongoDB again from the log in Kafka, beside the one that is read, and puts it in that one's place when it is whole. An
 * interrupted rebuild leaves everything as it was. The same to the byte, but for the ends of records that have one (operations without a key).
 *
 * Commands are taken in the order of their time over all partitions: an operation that was sent for two tasks belongs to the first, and only
 * time tells which. Where the old records still know, they decide.
 */
import type { Admin, Kafka, KafkaMessage } from "kafkajs";
import { type Db, MongoNetworkError, MongoServerError } from "mongodb";
import { kafkaClient, toolRequestMs } from "../kafka/client.ts";
import { readCommand } from "../kafka/log-record.ts";
import { type Names, namesIn } from "../kafka/names.ts";
import { readThrough } from "../kafka/read-through.ts";
import { connectMongo, toolBounds } from "../mongo/connect.ts";
import { collections, ensureIndexes, type ReadModel, readModelIn } from "../mongo/read-model.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { settles, unlessAborted, withDeadline } from "../waiting.ts";
import { apply, type Delivery, type Store, UndecidableError } from "./apply.ts";
import { inOrderOfTime, type Timed } from "./in-order-of-time.ts";
import { type RebuildControl, RebuildError } from "./rebuild.ts";
import { mongoStore, operation } from "./store-mongo.ts";

export type KafkaRebuildOptions = RebuildControl & { readonly kafka: KafkaServers; readonly mongo: Server };

/** Commands decided and written together. */
const batchSize = 500;
/** Commands that wait for those of other partitions, by partition. */
const aheadMax = 10_000;
const suffix = ".rebuilt";
const closeMs = 2_000;
const dropMs = 4_000;
const adminMs = 30_000;
/** MongoDB's code for a collection that is not there. */
const namespaceNotFound = 26;

type Stretch = { readonly partition: number; readonly from: number; readonly to: number };

/** Resolves to the number of commands. Throws a `RebuildError` when it may not be done now, else what the servers throw. */
export async function rebuildFromKafka(options: KafkaRebuildOptions): Promise<number> {
  const { progress, signal } = options;
  const kafka = kafkaClient(options.kafka, "task-tracker-rebuild", { requestMs: toolRequestMs });
  const names = namesIn(options.kafka);
  const admin = kafka.admin();
  const mongo = connectMongo(options.mongo, { retryWrites: true, bounds: toolBounds });
  try {
    await withDeadline(admin.connect(), adminMs, () => new RebuildError("Cannot rebuild: Kafka does not answer"));
    const { stretches, committed } = await placesOf(admin, names);
    signal.throwIfAborted();
    progress.stage("Making room for the new read model");
    const fresh = readModelIn(mongo.db, { suffix, writeConcern: { w: 1, journal: false } });
    try {
      await unlessAborted(makeEmpty(mongo.db, fresh), signal);
      const commands = await replay({ ...options, client: kafka, stretches, before: readModelIn(mongo.db), fresh });
      progress.stage("Writing the new read model to the disks");
      await unlessAborted(untilDurable(mongo.db), signal);
      if ((await placesOf(admin, names)).committed !== committed)
        throw new RebuildError(
          "Cannot rebuild: a writer was at work meanwhile; stop every consumer, then run it again",
        );
      signal.throwIfAborted();
      progress.stage("Putting the new read model in the old one's place");
      for (const name of collections) await replaceCollection(mongo.db, name);
      return commands;
    } catch (error) {
      // What is left would only take room; the next rebuild begins by dropping it.
      await settles(dropAll(fresh), dropMs);
      throw error;
    }
  } finally {
    await settles(admin.disconnect(), closeMs);
    await settles(mongo.close(), closeMs);
  }
}

async function makeEmpty(db: Db, fresh: ReadModel): Promise<void> {
  await dropAll(fresh);
  await ensureIndexes(fresh);
  // It has no index that would make it, and may stay empty.
  await db.createCollection(`erased${suffix}`);
}

/** Such a write is acknowledged when it and all before it are on a majority's disks; the replay's own writes did not wait for that. */
async function untilDurable(db: Db): Promise<void> {
  for (const name of collections) await db.collection<{ _id: string }>(name + suffix).deleteOne({ _id: "none" });
}

async function dropAll(model: ReadModel): Promise<void> {
  for (const name of collections) await model[name].drop();
}

/** Once more when its answer was lost, since it may have been done. */
async function replaceCollection(db: Db, name: string): Promise<void> {
  const rename = () => db.renameCollection(name + suffix, name, { dropTarget: true });
  try {
    await rename();
  } catch (error) {
    if (!(error instanceof MongoNetworkError)) throw error;
    await rename().catch((again: unknown) => {
      if (!(again instanceof MongoServerError && again.code === namespaceNotFound)) throw again;
    });
  }
}

type ReplayOptions = KafkaRebuildOptions & {
  readonly client: Kafka;
  readonly stretches: readonly Stretch[];
  readonly before: ReadModel;
  readonly fresh: ReadModel;
};

/** Applies the commands of all partitions to the new read model; resolves to their number. */
async function replay({ kafka, client, stretches, before, fresh, progress, signal }: ReplayOptions): Promise<number> {
  const names = namesIn(kafka);
  const total = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  let commands = 0;
  let nowMs = 0;
  const store = replayStore(fresh, before, { partitions: stretches.length, now: () => nowMs });
  const merged = inOrderOfTime<Delivery>({
    partitions: stretches.filter(({ from, to }) => from < to).map(({ partition }) => partition),
    batchSize,
    async take(batch) {
      signal.throwIfAborted();
      // Records without a key end a day after their commands, whenever they are made.
      nowMs = Math.max(nowMs, ...batch.map(({ timeMs }) => timeMs));
      await applyAll(
        store,
        batch.map(({ item }) => item),
      );
      commands += batch.length;
      progress.update(commands, total);
    },
  });
  const ends = new Map(stretches.map(({ partition, to }) => [partition, to]));
  await readThrough({
    kafka: client,
    topic: names.commands,
    group: `${names.commands}.rebuild`,
    stretches,
    signal,
    hasEnough: (partition) => merged.waiting(partition) > aheadMax,
    take(partition, messages) {
      merged.add(partition, deliveriesIn(partition, messages, stretches.length));
      if (Number(messages.at(-1)?.offset) + 1 >= (ends.get(partition) ?? 0)) merged.end(partition);
    },
  });
  await merged.done();
  return commands;
}

/** What to read of each partition: what the writers had taken, or all where none has ever said how far it was. Throws when one is at work, or the log has forgotten. */
async function placesOf(admin: Admin, names: Names): Promise<{ stretches: Stretch[]; committed: string }> {
  const { groups } = await admin.describeGroups([names.writers]);
  const writers = groups.reduce((sum, { members }) => sum + members.length, 0);
  if (writers > 0)
    throw new RebuildError(
      `Cannot rebuild: ${writers} ${writers === 1 ? "writer is" : "writers are"} at work; stop every consumer first (one that was killed counts for ten more seconds)`,
    );
  if (!(await admin.listTopics()).includes(names.commands))
    throw new RebuildError(`Cannot rebuild: there is no topic ${names.commands}`);
  const ends = await admin.fetchTopicOffsets(names.commands);
  const [found] = await admin.fetchOffsets({ groupId: names.writers, topics: [names.commands] });
  const known = new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  const hasCommitted = [...known.values()].some((offset) => offset >= 0);
  const stretches = ends.map(({ partition, low, high }) => {
    if (Number(low) > 0)
      throw new RebuildError(`Cannot rebuild: ${names.commands} has forgotten its beginning (see its retention)`);
    return { partition, from: 0, to: hasCommitted ? Math.max(0, known.get(partition) ?? 0) : Number(high) };
  });
  return { stretches, committed: JSON.stringify([...known].sort(([a], [b]) => a - b)) };
}

/** What is no command was parked by the writer, and takes no effect. */
function deliveriesIn(partition: number, messages: readonly KafkaMessage[], partitions: number): Timed<Delivery>[] {
  return messages.flatMap(({ value, offset, timestamp }) => {
    const command = readCommand(value, { partition, partitions });
    if (typeof command === "string") return [];
    return [{ timeMs: Number(timestamp), item: { position: { partition, offset: Number(offset) }, command } }];
  });
}

async function applyAll(store: Store, deliveries: readonly Delivery[]): Promise<void> {
  for (let rest = deliveries; ; ) {
    try {
      return void (await apply(store, rest));
    } catch (error) {
      if (!(error instanceof UndecidableError)) throw error;
      rest = rest.filter((each) => each !== error.delivery);
    }
  }
}

/** The store under the new names; of an operation that belongs to another task by the old records, this one is a repeat. */
function replayStore(fresh: ReadModel, before: ReadModel, options: Parameters<typeof mongoStore>[1]): Store {
  const store = mongoStore(fresh, options);
  return {
    ...store,
    async load(commands) {
      const loaded = await store.load(commands);
      const tasksOf = Map.groupBy(
        commands.filter(({ keyed, operationId }) => keyed && !loaded.operations.has(operationId)),
        ({ operationId }) => operationId,
      );
      if (tasksOf.size === 0) return loaded;
      for (const each of await before.operations.find({ _id: { $in: [...tasksOf.keys()] } }).toArray())
        if (tasksOf.get(each._id)?.some(({ taskId }) => taskId !== each.task))
          loaded.operations.set(each._id, operation(each));
      return loaded;
    },
  };
}
