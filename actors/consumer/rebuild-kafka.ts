/**
 * Makes the read model in MongoDB again from the log in Kafka, beside the one that is read, and puts it in that one's place when it is whole. An
 * interrupted rebuild leaves everything as it was. The same to the byte, but for the ends of records that have one (operations without a key).
 *
 * Commands are taken in the order of their time over all partitions: an operation that was sent for two tasks belongs to the first, and only
 * time tells which. Where the old records still know, they decide.
 */
import type { Admin, KafkaMessage } from "kafkajs";
import { kafkaClient } from "../kafka/client.ts";
import { readCommand } from "../kafka/log-record.ts";
import { type Names, namesIn } from "../kafka/names.ts";
import { readThrough } from "../kafka/read-through.ts";
import { connectMongo } from "../mongo/connect.ts";
import { collections, ensureIndexes, type ReadModel, readModelIn } from "../mongo/read-model.ts";
import type { KafkaServers, Server } from "../servers.ts";
import { settles, withDeadline } from "../waiting.ts";
import { apply, type Delivery, type Store, UndecidableError } from "./apply.ts";
import { inOrderOfTime, type Timed } from "./in-order-of-time.ts";
import { mongoStore, operation } from "./store-mongo.ts";

/** Nothing was changed; the message is one clear line. */
export class RebuildError extends Error {
  override readonly name = "RebuildError";
}

export type RebuildOptions = {
  readonly kafka: KafkaServers;
  readonly mongo: Server;
  /** Is told after each batch how many commands have been taken. */
  readonly progress: (commands: number) => void;
};

/** Commands decided and written together: as many as a writer takes, since the store has to answer in the time it has for one of those. */
const batchSize = 500;
/** Commands that wait for those of other partitions, by partition. */
const aheadMax = 10_000;
const suffix = ".rebuilt";
const closeMs = 2_000;
const adminMs = 15_000;

type Stretch = { readonly partition: number; readonly from: number; readonly to: number };

/** Resolves to the number of commands. Throws a `RebuildError` when it may not be done now, else what the servers throw. */
export async function rebuildFromKafka({ kafka: servers, mongo: server, progress }: RebuildOptions): Promise<number> {
  const kafka = kafkaClient(servers, "task-tracker-rebuild");
  const names = namesIn(servers);
  const admin = kafka.admin();
  const mongo = connectMongo(server, { retryWrites: true });
  try {
    await withDeadline(admin.connect(), adminMs, () => new RebuildError("Cannot rebuild: Kafka does not answer"));
    const { stretches, committed } = await placesOf(admin, names);
    const before = readModelIn(mongo.db);
    // Nothing reads it yet: that it is on the disk matters once, at the end.
    const fresh = readModelIn(mongo.db, { suffix, writeConcern: { w: 1, journal: false } });
    for (const name of collections) await fresh[name].drop();
    await ensureIndexes(fresh);
    // It has no index that would make it, and may stay empty.
    await mongo.db.createCollection(`erased${suffix}`);

    let commands = 0;
    let nowMs = 0;
    const store = replayStore(fresh, before, { partitions: stretches.length, now: () => nowMs });
    const merged = inOrderOfTime<Delivery>({
      partitions: stretches.filter(({ from, to }) => from < to).map(({ partition }) => partition),
      batchSize,
      async take(batch) {
        // Records without a key end a day after their commands, whenever they are made.
        nowMs = Math.max(nowMs, ...batch.map(({ timeMs }) => timeMs));
        await applyAll(
          store,
          batch.map(({ item }) => item),
        );
        commands += batch.length;
        progress(commands);
      },
    });
    const ends = new Map(stretches.map(({ partition, to }) => [partition, to]));
    await readThrough({
      kafka,
      topic: names.commands,
      group: `${names.commands}.rebuild`,
      stretches,
      hasEnough: (partition) => merged.waiting(partition) > aheadMax,
      take(partition, messages) {
        merged.add(partition, deliveriesIn(partition, messages, stretches.length));
        if (Number(messages.at(-1)?.offset) + 1 >= (ends.get(partition) ?? 0)) merged.end(partition);
      },
    });
    await merged.done();

    // Waits, as everybody's writes do, until this and all before it are on a majority's disks.
    for (const name of collections)
      await mongo.db.collection<{ _id: string }>(name + suffix).deleteOne({ _id: "none" });
    if ((await placesOf(admin, names)).committed !== committed)
      throw new RebuildError("Cannot rebuild: a writer was at work meanwhile; stop every consumer, then run it again");
    for (const name of collections) await mongo.db.renameCollection(name + suffix, name, { dropTarget: true });
    return commands;
  } finally {
    await settles(admin.disconnect(), closeMs);
    await settles(mongo.close(), closeMs);
  }
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
