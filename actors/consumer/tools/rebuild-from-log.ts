/**
 * Facts, documents and heads of spaces in MongoDB made again from the commands in the log, into collections beside those that are read: each partition by
 * its production writer, up to where the writers have been. What was told of a position is not decided again as long as the topic of facts has it, and what was
 * set aside stays so. Erased spaces are blanked again.
 *
 * A writer takes a stretch of its partition and is replaced: all that it remembers, and all that was told, is bounded by that.
 */
import type { Kafka } from "kafkajs";
import { resentHeader } from "../../kafka/appender.ts";
import { toolRequestMs } from "../../kafka/client.ts";
import { readCommandOf } from "../../kafka/command-record.ts";
import type { SpaceNames } from "../../kafka/names.ts";
import { type PartitionQuestions, type PartitionRecord, partitionQuestions } from "../../kafka/partition-questions.ts";
import type { SpaceCollections } from "../../mongo/space-collections.ts";
import { ensureReplayIndexes, ensureSpaceIndexes } from "../../mongo/space-indexes.ts";
import type { Registry } from "../../resources/registry.ts";
import type { Told } from "../../resources/verdict.ts";
import { parkingReasonOf } from "../parking-reason.ts";
import { PartitionWriter } from "../partition-writer.ts";
import { blankSpace, mongoErasures } from "../servers/erasures.ts";
import { parkedPlaces, toldReader } from "../servers/told-reader.ts";
import { SupersededError } from "../space-memory.ts";
import type { SpaceDelivery, UnreadableDelivery, VerdictTopic } from "../write-ports.ts";
import { type RebuildControl, RebuildError } from "./rebuild.ts";
import { replayStore } from "./replay-store.ts";
import type { Step } from "./server-steps.ts";

export type LogReplay = RebuildControl & {
  readonly client: Kafka;
  readonly names: SpaceNames;
  /** Of every partition of the log. */
  readonly ranges: readonly { readonly partition: number; readonly to: number }[];
  /** Those that are read. */
  readonly now: SpaceCollections;
  /** Empty ones. */
  readonly fresh: SpaceCollections;
  readonly registry: Registry;
  readonly inMongo: Step;
  readonly inKafka: Step;
  /** Positions that one writer takes. */
  readonly stretch?: number;
};

/** `passedOver`: records of the log that are no commands, or were set aside. */
export type Rebuilt = { readonly count: number; readonly passedOver: number };

const usualStretch = 10_000;
const partitionsAtOnce = 4;
const fetchWaitMs = 500;
/** A record that was sent twice may arrive for so long behind its second sending, and the clocks of two senders differ. */
const lateMs = 60_000;

export async function factsFromLog(options: LogReplay): Promise<Rebuilt> {
  const { client, ranges, now, fresh, signal, progress, inMongo } = options;
  const questions = partitionQuestions(client, { deadlineMs: toolRequestMs });
  const total = ranges.reduce((sum, { to }) => sum + to, 0);
  let count = 0;
  let passedOver = 0;
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  try {
    await inMongo("make the indexes", ensureReplayIndexes(fresh));
    const parked = await parkedPlaces(asking(questions, options), options.names);
    const replay = partitionReplay({ ...options, signal: ending }, asking(questions, options), parked, (taken) => {
      count += taken.length;
      passedOver += taken.filter(({ kind }) => kind === "parked").length;
      progress.update(count, total);
    });
    const left = [...ranges];
    const work = async () => {
      for (let range = left.shift(); range !== undefined; range = left.shift()) await replay(range.partition, range.to);
    };
    const works = Array.from({ length: partitionsAtOnce }, () =>
      work().catch((error: unknown) => {
        failing.abort(error);
        throw error;
      }),
    );
    // None is at work any more when this throws.
    await Promise.allSettled(works);
    await Promise.all(works);
    progress.stage("Erasing again what was erased");
    await inMongo("make the indexes", ensureSpaceIndexes({ ...fresh, store: now.store }));
    await inMongo("erase again what was erased", eraseAgain(now, fresh, signal), "to the end");
    return { count, passedOver };
  } finally {
    await questions.close();
  }
}

/** The same questions, whose failures name the server. */
function asking(questions: PartitionQuestions, { inKafka }: LogReplay): Pick<PartitionQuestions, "read" | "ends"> {
  return {
    ends: (topic, partition) => inKafka(`tell the ends of ${topic}`, questions.ends(topic, partition)),
    read: (at, waitMs) => inKafka(`give what ${at.topic} has`, questions.read(at, waitMs)),
  };
}

type Asking = ReturnType<typeof asking>;

function partitionReplay(
  { names, ranges, fresh, registry, inMongo, signal, stretch = usualStretch }: LogReplay,
  questions: Asking,
  parked: ReadonlyMap<string, string>,
  took: (all: readonly Told[]) => void,
) {
  const partitions = ranges.length;

  async function replayStretch(partition: number, store: WriterStore, given: Stretch): Promise<void> {
    const { from, to, told } = given;
    const writer = await PartitionWriter.takeOver({
      store,
      topic: topicOf(told),
      place: { committed: async () => from, end: async () => from, commit: async () => undefined },
      registry,
      parking: { park: async () => undefined, reasonOf: parkingReasonOf },
    });
    let knownUntilMs = 0;
    for (let next = from; next < to; ) {
      signal.throwIfAborted();
      const { records, next: behind } = await questions.read(
        { topic: names.commands, partition, from: next },
        fetchWaitMs,
      );
      if (behind === next)
        throw new RebuildError(
          `Cannot rebuild from the log: partition ${partition} of ${names.commands} gives nothing at ${next}`,
        );
      knownUntilMs ||= (records[0]?.timeMs ?? 0) + lateMs;
      const some = records.filter(({ offset }) => offset < to);
      took(await writer.take(some.map((record) => deliveryOf(record, { partition, partitions, knownUntilMs }))));
      while (await writer.project());
      next = behind;
    }
  }

  return async (partition: number, to: number): Promise<void> => {
    const store = replayStore(fresh, registry);
    const erasures = mongoErasures(store, fresh, { now: Date.now, onNote: () => undefined });
    const reader = await toldReader(questions, { topic: names.facts, partition });
    for (let from = 0; from < to; ) {
      const end = await reader.readTo(from, Math.min(to, from + stretch));
      const told = reader.take(from, end, (position) => parked.get(`${partition} ${position}`));
      try {
        await replayStretch(partition, inSteps(erasures.store, inMongo), { from, to: end, told });
        await inMongo("write documents", store.flush(), "to the end");
      } catch (error) {
        if (!(error instanceof SupersededError)) throw error;
        throw new RebuildError(
          `Cannot rebuild from the log: what this program decides in partition ${partition} does not fit what was told behind it (${error.message})`,
          { cause: error },
        );
      }
      from = end;
    }
  };
}

type Stretch = { readonly from: number; readonly to: number; readonly told: readonly Told[] };
type WriterStore = Parameters<typeof PartitionWriter.takeOver>[0]["store"];

/** The same store, whose failures name the server. */
function inSteps(store: WriterStore, inMongo: Step): WriterStore {
  return {
    read: (reading) => inMongo("read what was written", store.read(reading), "to the end"),
    referrers: (spaceId, references) =>
      inMongo("read what was written", store.referrers(spaceId, references), "to the end"),
    ranged: (spaceId, range) => inMongo("read what was written", store.ranged(spaceId, range), "to the end"),
    record: (facts) => inMongo("write facts", store.record(facts), "to the end"),
    project: (documents, heads) => inMongo("write documents", store.project(documents, heads), "to the end"),
  };
}

function deliveryOf(
  { offset: position, value, timeMs, headers }: PartitionRecord,
  { knownUntilMs, ...at }: { readonly partition: number; readonly partitions: number; readonly knownUntilMs: number },
): SpaceDelivery | UnreadableDelivery {
  const command = readCommandOf(value, at);
  if (typeof command === "string") return { position, reason: command };
  // A first sending that comes behind its second one may have that in the stretch before.
  return { position, command, isResent: headers[resentHeader] !== undefined || timeMs < knownUntilMs };
}

/** No other process listens: what was told before stands, and what is told now is kept until it is projected. */
function topicOf(before: readonly Told[]): VerdictTopic {
  const first = new Map(before.map((told) => [told.position, told]));
  return {
    tail: async () => before,
    async append(all) {
      for (const told of all) if (!first.has(told.position)) first.set(told.position, told);
    },
    async first(from, to) {
      const found: Told[] = [];
      for (let position = from; position <= to; position++) {
        const told = first.get(position);
        if (told !== undefined) found.push(told);
        first.delete(position);
      }
      return found;
    },
  };
}

/** By the notes that there are, and those that the log makes again: the writers do with these what is left to do. */
async function eraseAgain(now: SpaceCollections, fresh: SpaceCollections, signal: AbortSignal): Promise<void> {
  for await (const note of now.erased.find()) await fresh.erased.replaceOne({ _id: note._id }, note, { upsert: true });
  for await (const { _id: space } of fresh.erased.find()) {
    signal.throwIfAborted();
    await blankSpace(fresh, space);
  }
}
