/**
 * The rebuild on servers, beside the read model that is read, in whose place the new one is put when it is whole: documents and heads from the facts, or, where
 * these are lost or damaged too, all of it from the log in Kafka. An interrupted rebuild leaves everything as it was.
 */
import type { Admin } from "kafkajs";
import { type Db, MongoNetworkError, MongoServerError } from "mongodb";
import { kafkaClient, toolRequestMs } from "../../kafka/client.ts";
import { type SpaceNames, spaceNamesIn } from "../../kafka/names.ts";
import { connectMongo, toolBounds } from "../../mongo/connect.ts";
import { emptyWrite } from "../../mongo/empty-write.ts";
import { type SpaceCollections, spaceCollections } from "../../mongo/space-collections.ts";
import { ensureSortIndexes, ensureSpaceIndexes } from "../../mongo/space-indexes.ts";
import { registry } from "../../resources/registry.ts";
import type { KafkaServers, Server } from "../../servers.ts";
import { settles, withDeadline } from "../../waiting.ts";
import { type RebuildControl, RebuildError } from "./rebuild.ts";
import { documentsFromFacts } from "./rebuild-from-facts.ts";
import { factsFromLog, type Rebuilt } from "./rebuild-from-log.ts";
import { serverSteps } from "./server-steps.ts";

export type MongoRebuildOptions = RebuildControl & {
  readonly kafka: KafkaServers;
  readonly mongo: Server;
  /** Makes the facts again too, from the commands. */
  readonly isFromLog: boolean;
};

type Made = Exclude<keyof SpaceCollections, "store">;
/** In the order in which they take the places of the earlier ones. */
const madeFromFacts: readonly Made[] = ["documents", "heads"];
const madeFromLog: readonly Made[] = ["erased", "facts", "documents", "heads"];

const suffix = ".rebuilt";
const closeMs = 2_000;
const dropMs = 4_000;
const adminMs = 30_000;
/** MongoDB's code for a collection that is not there. */
const namespaceNotFound = 26;

/** Throws a `RebuildError` where it may not be done now, else an error that names the server and the step. */
export async function rebuildMongo(options: MongoRebuildOptions): Promise<Rebuilt> {
  const { progress, signal, isFromLog } = options;
  const kafka = kafkaClient(options.kafka, "task-tracker-rebuild", { requestMs: toolRequestMs });
  const names = spaceNamesIn(options.kafka);
  const admin = kafka.admin();
  const mongo = connectMongo(options.mongo, { retryWrites: true, bounds: toolBounds });
  const inMongo = serverSteps("MongoDB", signal, mongo.why);
  const inKafka = serverSteps("Kafka", signal);
  const made = isFromLog ? madeFromLog : madeFromFacts;
  const now = spaceCollections(mongo.db);
  const fresh = spaceCollections(mongo.db, { writeConcern: { w: 1, journal: false } }, suffix);
  try {
    await inKafka("connect", withDeadline(admin.connect(), adminMs));
    const places = await inKafka("tell how far the writers are", writersPlaces(admin, names));
    const log = isFromLog ? await inKafka("tell what the log has", logRanges(admin, names, places)) : [];
    signal.throwIfAborted();
    progress.stage("Making room for the new read model");
    try {
      await inMongo("make room", makeEmpty(mongo.db, made));
      const common = { ...options, now, fresh, registry };
      const rebuilt = isFromLog
        ? await factsFromLog({ ...common, client: kafka, names, ranges: log, inMongo, inKafka })
        : {
            count: await inMongo("read facts and write documents", documentsFromFacts(common), "to the end"),
            passedOver: 0,
          };
      progress.stage("Making the indexes");
      await inMongo("make the indexes", makeIndexes({ ...now, ...named(fresh, made) }));
      progress.stage("Writing the new read model to the disks");
      await inMongo("write the new read model to the disks", untilDurable(mongo.db, made));
      const after = await inKafka("tell how far the writers are", writersPlaces(admin, names));
      if (JSON.stringify(after) !== JSON.stringify(places))
        throw new RebuildError(
          "Cannot rebuild: a writer was at work meanwhile; stop every consumer, then run it again",
        );
      signal.throwIfAborted();
      progress.stage("Putting the new read model in the old one's place");
      for (const name of made) await inMongo(`put ${name} in place`, replaceCollection(mongo.db, name), "to the end");
      if (isFromLog) await inMongo("give the store a new name", renameStore(now), "to the end");
      return rebuilt;
    } catch (error) {
      // What is left would only take room; the next rebuild begins by dropping it.
      await settles(dropAll(mongo.db, made), dropMs);
      throw error;
    }
  } finally {
    await settles(admin.disconnect(), closeMs);
    await settles(mongo.close(), closeMs);
  }
}

function named(all: SpaceCollections, names: readonly Made[]): Partial<SpaceCollections> {
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

async function makeEmpty(db: Db, made: readonly Made[]): Promise<void> {
  await dropAll(db, made);
  // Each may stay empty.
  for (const name of made) await db.createCollection(name + suffix);
}

async function dropAll(db: Db, made: readonly Made[]): Promise<void> {
  for (const name of made) await db.collection(name + suffix).drop();
}

/** Behind the replay, when they cost the least. */
async function makeIndexes(collections: SpaceCollections): Promise<void> {
  await ensureSpaceIndexes(collections);
  await ensureSortIndexes(collections, registry);
}

/** The replay's own writes did not wait until they were on a majority's disks. */
async function untilDurable(db: Db, made: readonly Made[]): Promise<void> {
  const durable = { writeConcern: { w: "majority", journal: true } } as const;
  for (const name of made) await emptyWrite(db.collection<{ _id: string }>(name + suffix, durable));
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

/** A client that has read facts which were lost or damaged begins again. */
async function renameStore({ store }: SpaceCollections): Promise<void> {
  await store.updateOne({ _id: "store" }, { $set: { epoch: crypto.randomUUID() } }, { upsert: true });
}

type Place = { readonly partition: number; readonly offset: number };

/** Up to where the writers' work is in the read model; none where they have never said. Throws when one is at work. */
async function writersPlaces(admin: Admin, { writers, commands }: SpaceNames): Promise<readonly Place[]> {
  const { groups } = await admin.describeGroups([writers]);
  const count = groups.reduce((sum, { members }) => sum + members.length, 0);
  if (count > 0)
    throw new RebuildError(
      `Cannot rebuild: ${count} ${count === 1 ? "writer is" : "writers are"} at work; stop every consumer first (one that was killed counts for ten more seconds)`,
    );
  if (!(await admin.listTopics()).includes(commands)) return [];
  const [found] = await admin.fetchOffsets({ groupId: writers, topics: [commands] });
  return (found?.partitions ?? [])
    .map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
    .filter(({ offset }) => offset >= 0)
    .sort((one, other) => one.partition - other.partition);
}

/** What to take of each partition: what the writers had taken, or all where none has ever said how far it was. Throws where the log has forgotten. */
async function logRanges(
  admin: Admin,
  { commands }: SpaceNames,
  places: readonly Place[],
): Promise<{ partition: number; to: number }[]> {
  if (!(await admin.listTopics()).includes(commands))
    throw new RebuildError(`Cannot rebuild from the log: there is no topic ${commands}`);
  const ends = await admin.fetchTopicOffsets(commands);
  const known = new Map(places.map(({ partition, offset }) => [partition, offset]));
  return ends.map(({ partition, low, high }) => {
    if (Number(low) > 0)
      throw new RebuildError(
        `Cannot rebuild from the log: ${commands} has forgotten its beginning (see its retention); without --from-log it is made from the facts`,
      );
    return { partition, to: places.length > 0 ? (known.get(partition) ?? 0) : Number(high) };
  });
}
