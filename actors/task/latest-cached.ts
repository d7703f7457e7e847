/**
 * Reads that are as new as what one has written, behind Kafka: the cache first, the read model where the cache has nothing or something older than
 * has been announced. Without a cache (none given, or away) one's own writes are known to this worker alone.
 */
import { partitionOf } from "../../runtime/partition.ts";
import { type Command, isCertain, type Outcome, type Position } from "../model/command.ts";
import { created, taskText } from "../model/created.ts";
import { Problem } from "../model/problem.ts";
import type { Entry } from "../redis/task-cache.ts";
import type { Announced } from "./announced.ts";
import { cacheCounts } from "./cache-counts.ts";
import { ownWrites } from "./own-writes.ts";
import type { Cache, Cached, Latest, Reader, StoredTask } from "./ports.ts";
import type { MongoReads } from "./reads-mongo.ts";

const waitMs = 1_000;

export type LatestOptions = {
  readonly announced: Announced;
  readonly reads: Pick<MongoReads, "task">;
  readonly cache: Cache | undefined;
  /** Undefined while the topics are not known: then nothing can be waited for. */
  readonly partitions: () => number | undefined;
  readonly now: () => number;
};

export function latestBehindCache({ announced, reads, cache, partitions, now }: LatestOptions): Latest {
  const own = ownWrites(announced);
  const counts = cache === undefined ? undefined : cacheCounts("redis");
  const underWay = new Map<string, { asOf: number; found: Promise<StoredTask | undefined> }>();

  /** Throws when a token's position is not reached in time; answers whether the reader's own positions are. */
  async function waited(token: Position | undefined, positions: readonly Position[]): Promise<boolean> {
    const deadlineMs = now() + waitMs;
    const reached = positions.map((position) => announced.reached(position, deadlineMs));
    if (token !== undefined && !(await announced.reached(token, deadlineMs))) throw new Problem("not-yet-visible");
    return (await Promise.all(reached)).every(Boolean);
  }

  /** From the read model, which has all that had been announced when it was asked. */
  function fromModel(id: string, partition: number): { asOf: number; found: Promise<StoredTask | undefined> } {
    const asOf = announced.offset(partition);
    const before = underWay.get(id);
    if (before !== undefined && before.asOf >= asOf) return before;
    const reading = { asOf, found: reads.task(id) };
    underWay.set(id, reading);
    const over = () => {
      if (underWay.get(id) === reading) underWay.delete(id);
    };
    reading.found.then(over, over);
    return reading;
  }

  async function read(
    reader: Reader,
    id: string,
    partition: number,
  ): Promise<{ task: StoredTask | undefined; stale: boolean }> {
    const { userId, token } = reader;
    const cached = await cache?.read(userId, id, partition).catch(() => {
      counts?.failed.add();
      return undefined;
    });
    const mine = own.task(id);
    const written = Math.max(own.of(userId).get(partition) ?? -1, cached?.own.get(partition) ?? -1);
    const elsewhere = token !== undefined && token.partition !== partition ? token : undefined;
    const least = Math.max(written, token !== undefined && elsewhere === undefined ? token.offset : -1);

    const entry = [mine, cached?.entry].filter((each) => each !== undefined).sort((a, b) => b.version - a.version)[0];
    const isCurrent = entry !== undefined && announced.isCurrent(id, partition, { ...entry, kept: cached?.kept ?? -1 });
    const isPast = (offset: number) => announced.offset(partition) >= offset;
    if (isCurrent && elsewhere === undefined && (entry.asOf >= least || isPast(least))) {
      if (cached !== undefined) counts?.hit.add();
      return { task: stored(entry), stale: false };
    }
    if (cached !== undefined) counts?.[entry === undefined ? "miss" : "stale"].add();

    const hasAll = await waited(token, written < 0 ? [] : [{ partition, offset: written }]);
    if (!hasAll && entry !== undefined) return { task: stored(entry), stale: true };
    // What was said while we waited may have made the entry the newest again.
    if (isCurrent && announced.isCurrent(id, partition, { ...entry, kept: cached?.kept ?? -1 }))
      return { task: stored(entry), stale: !hasAll };
    const { asOf, found } = fromModel(id, partition);
    const task = await found;
    if (task !== undefined) fill(id, partition, { ...task, json: task.deleted ? "" : task.json, asOf }, cached);
    return { task, stale: !hasAll };
  }

  /** Not waited for: the reader has what it wanted. */
  function fill(id: string, partition: number, entry: Entry, cached: Cached | undefined): void {
    // Before anything has been announced here, nobody knows up to where it is right.
    if (cache === undefined || cached?.lease === undefined || entry.asOf < 0) return;
    cache.fill(id, partition, entry, cached.lease).catch(() => undefined);
  }

  return {
    async task(reader, id) {
      const count = partitions();
      if (count !== undefined) return read(reader, id, partitionOf(id, count));
      if (reader.token !== undefined) throw new Problem("not-yet-visible");
      return { task: await reads.task(id), stale: false };
    },

    async isStale({ userId, token }, taskId) {
      const count = partitions();
      const positions = new Map(own.of(userId));
      const noted = await cache?.own(userId).catch(() => undefined);
      for (const [partition, offset] of noted ?? [])
        positions.set(partition, Math.max(offset, positions.get(partition) ?? -1));
      const only = taskId === undefined || count === undefined ? undefined : partitionOf(taskId, count);
      const wanted = [...positions].map(([partition, offset]) => ({ partition, offset }));
      return !(await waited(token, only === undefined ? wanted : wanted.filter(({ partition }) => partition === only)));
    },

    async wrote(command, { position, outcome }) {
      if (outcome?.verdict === "rejected") return;
      const { userId, taskId, operationId } = command;
      const pending = outcome === undefined && !isCertain(command);
      const entry = pending ? undefined : entryAfter(command, position, outcome);
      if (outcome === undefined) {
        own.note(userId, position);
        if (entry !== undefined) own.keep(taskId, position.partition, entry);
        if (pending) own.pend(operationId, userId, position);
      }
      await cache?.wrote({ userId, taskId, operationId, position, entry, pending }).catch(() => undefined);
    },

    async pending(operationId) {
      const owner = own.pending(operationId);
      if (owner !== undefined) return owner;
      return cache?.pending(operationId).catch(() => undefined);
    },
  };
}

/** The task as it is certain to be after a command; undefined when it may have changed since, or the command has changed nothing. */
function entryAfter(command: Command, position: Position, outcome: Outcome | undefined): Entry | undefined {
  const { userId: ownerId } = command;
  if (outcome === undefined)
    return { version: 1, asOf: position.offset, deleted: false, ownerId, json: taskText(created(command)) };
  if (outcome.verdict !== "applied" || outcome.version === undefined) return undefined;
  const deleted = outcome.deleted === true;
  // The command may be in the log twice: what the first of them has made is right up to that one, whatever came between the two.
  const asOf = outcome.position.offset;
  return { version: outcome.version, asOf, deleted, ownerId, json: deleted ? "" : (outcome.task ?? "") };
}

function stored({ ownerId, version, deleted, json }: Entry): StoredTask {
  return { ownerId, version, deleted, json };
}
