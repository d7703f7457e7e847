/**
 * Reads that are as new as what one has written, behind Kafka: what the worker remembers first, then the cache, then the read model, each only where it is
 * known to have all that was told. Without a cache one's own writes that are not told yet are known to this process alone; one that is away leaves it open whether
 * there are others, and the answer says so.
 */
import { partitionOf } from "../../../runtime/partition.ts";
import type { Position } from "../../model/position.ts";
import { Problem } from "../../model/problem.ts";
import type { SpaceEntry } from "../../redis/space-cache.ts";
import type { Head } from "../../resources/document.ts";
import { cacheCounts } from "../cache-counts.ts";
import { type MaybePromise, then } from "../maybe-promise.ts";
import type { SpaceDocuments } from "../memory/documents.ts";
import type { SpaceFeed } from "../memory/feed.ts";
import type { SpaceHeads } from "../memory/heads.ts";
import { isListedByReplica } from "../memory/space-replica.ts";
import type { SpaceReplicas } from "../memory/space-replicas.ts";
import type { ConsistentReads, Reader, Seen, SpaceReads, StoredResource } from "../ports.ts";
import { entryOf, type OfResource, type SpaceCache, type SpaceCached } from "./cache.ts";
import { type RecentWritesParts, recentWrites } from "./recent-writes.ts";
import { shared } from "./shared-read.ts";

export type ConsistentReadsParts = RecentWritesParts & {
  readonly documents: SpaceDocuments;
  readonly heads: SpaceHeads;
  readonly replicas: Pick<SpaceReplicas, "get" | "servedTo">;
  readonly feed: Pick<SpaceFeed, "isCurrent" | "untilCurrent">;
  readonly reads: Pick<SpaceReads, "head" | "resources" | "epoch">;
  readonly cache: SpaceCache | undefined;
  /** Undefined while the topics are not known: then nothing can be waited for. */
  readonly partitions: () => number | undefined;
  readonly now: () => number;
};

type Found = { readonly resource: StoredResource | undefined; readonly isStale: boolean };

const waitMs = 1_000;

export function consistentReads(parts: ConsistentReadsParts): ConsistentReads {
  const { announcements, documents, heads, replicas, feed, reads, cache, isAlone, partitions, now } = parts;
  const own = recentWrites(parts);
  const counts = { memory: cacheCounts("memory"), redis: cache === undefined ? undefined : cacheCounts("redis") };
  const underWay = new Map<string, { readonly upTo: number; readonly found: Promise<StoredResource | undefined> }>();
  const headsUnderWay = new Map<string, { readonly upTo: number; readonly found: Promise<Head | null> }>();

  const isNow = (reader: Reader, spaceId: string, partition: number): boolean =>
    own.isTold(reader, partition, own.leastTold(reader, spaceId, partition));

  async function read(reader: Reader, spaceId: string, id: string, partition: number): Promise<Found> {
    const deadlineMs = now() + waitMs;
    const of: OfResource = { spaceId, id, partition };
    const cached = await cache?.read(reader.userId, of).catch(() => {
      counts.redis?.failed.add();
      return undefined;
    });
    const isOpen = cache !== undefined && cached === undefined && reader.token === undefined && !isAlone();
    const least = Math.max(own.leastToldOfOne(reader, spaceId, partition), cached?.own.get(partition) ?? -1);
    const mine = documents.get(spaceId, id);
    // One's own resource, which nobody has told of yet, is as one has left it.
    if (reader.token === undefined && mine !== undefined && mine.position >= least) {
      const resource = mine.resource();
      if (resource !== undefined) return { resource, isStale: isOpen };
    }
    const entry = cached?.entry;
    if (
      reader.token === undefined &&
      entry !== undefined &&
      entry.text !== "" &&
      entry.asOf >= least &&
      isCurrent(cached)
    )
      return { resource: fromCache(of, entry), isStale: false };

    const isTold =
      (await own.untilTold(reader, least < 0 ? [] : [{ partition, offset: least }], deadlineMs)) && !isOpen;
    const known = await shownByProject(of);
    if (known !== undefined) {
      counts.memory.hit.add();
      return { resource: known, isStale: !isTold };
    }
    if (entry !== undefined && entry.text !== "" && isCurrent(cached)) {
      counts.redis?.hit.add();
      return { resource: fromCache(of, entry), isStale: !isTold };
    }
    if (cached !== undefined) counts.redis?.[entry === undefined ? "miss" : "stale"].add();
    return fromModel(of, { isTold, cached, deadlineMs });

    function isCurrent(copy: SpaceCached | undefined): boolean {
      const forgotten = documents.forgottenTo(partition);
      return announcements.hasBegun() && Math.max(copy?.entry?.asOf ?? -1, copy?.kept ?? -1) >= forgotten;
    }
  }

  function fromCache(of: OfResource, entry: SpaceEntry): StoredResource {
    const { version, type, isDeleted, text } = entry;
    const resource = { spaceId: of.spaceId, id: of.id, type, version, isDeleted, text };
    documents.fill(of.partition, resource, documents.forgottenTo(of.partition));
    return resource;
  }

  /** The read model, once it has what is remembered nowhere here. */
  async function fromModel(
    of: OfResource,
    { isTold, cached, deadlineMs }: { isTold: boolean; cached: SpaceCached | undefined; deadlineMs: number },
  ): Promise<Found> {
    const { spaceId, id, partition } = of;
    const bare = documents.get(spaceId, id);
    const needed = Math.max(bare?.position ?? -1, documents.forgottenTo(partition));
    const isProjected = await announcements.untilProjected({ partition, offset: needed }, deadlineMs);
    const upTo = announcements.projected(partition) - 1;
    const found = await modelRead(spaceId, id, upTo);
    // What was told while it was read may be newer.
    const told = documents.get(spaceId, id);
    if (told !== undefined && told.version > (found?.version ?? 0)) {
      const resource = await shownByProject(of);
      if (resource !== undefined) return { resource, isStale: !isTold };
    }
    if (found !== undefined && isProjected) {
      documents.fill(partition, found, upTo);
      const isShownByProject = found.type === "task" && !found.text.includes('"projectId":null');
      if (cached?.lease !== undefined && upTo >= 0 && !isShownByProject) {
        const { version, isDeleted, type, text } = found;
        // Not waited for: the reader has what it wanted.
        cache?.fill(of, { version, asOf: upTo, isDeleted, type, text }, cached.lease).catch(() => undefined);
      }
    }
    return { resource: found, isStale: !isTold || !isProjected };
  }

  const modelRead = (spaceId: string, id: string, upTo: number) =>
    shared(underWay, `${spaceId} ${id}`, upTo, async () => (await reads.resources(spaceId, [id]))[0]);
  const modelHead = (spaceId: string, upTo: number) =>
    shared(headsUnderWay, spaceId, upTo, async () => (await reads.head(spaceId)) ?? null);

  /** What is remembered; a task whose project is not is shown once that is read. */
  async function shownByProject({ spaceId, id, partition }: OfResource): Promise<StoredResource | undefined> {
    const entry = documents.get(spaceId, id);
    const known = entry?.resource();
    if (known !== undefined || entry?.shownBy === undefined) return known;
    const project = { spaceId, id: entry.shownBy, partition };
    await fromModel(project, { isTold: true, cached: undefined, deadlineMs: now() + waitMs });
    return documents.get(spaceId, id)?.resource();
  }

  async function readHead(reader: Reader, spaceId: string, partition: number | undefined): Promise<Head | undefined> {
    if (partition === undefined) {
      if (reader.token !== undefined) throw new Problem("not-yet-visible");
      return reads.head(spaceId);
    }
    const elsewhere = (await own.elsewhere(reader.userId))?.get(partition) ?? -1;
    const least = Math.max(own.leastTold(reader, spaceId, partition), elsewhere);
    await own.untilTold(reader, least < 0 ? [] : [{ partition, offset: least }], now() + waitMs);
    const isCurrent = await feed.untilCurrent(partition, now() + waitMs);
    const known = isCurrent ? heads.head(spaceId) : undefined;
    if (known !== undefined) return known ?? undefined;
    const deadlineMs = now() + waitMs;
    for (;;) {
      const missed = { partition, offset: heads.missedTo(partition) };
      if (!(await announcements.untilProjected(missed, deadlineMs))) throw new Problem("read-model-unavailable");
      const upTo = announcements.projected(partition) - 1;
      // What somebody else began to read may be from before a removal that is told nowhere here.
      const read = isCurrent ? await modelHead(spaceId, upTo) : ((await reads.head(spaceId)) ?? null);
      const head = heads.fill(partition, spaceId, read, upTo);
      if (head !== undefined) return head ?? undefined;
      if (now() > deadlineMs) throw new Problem("read-model-unavailable");
    }
  }

  /** Up to where readers of the space have seen it. */
  function positionOf({ spaceId, offset }: Seen, count: number): Position {
    return { partition: partitionOf(spaceId, count), offset: Math.max(offset, replicas.servedTo(spaceId)) };
  }

  return {
    head(reader, spaceId) {
      const count = partitions();
      const partition = count === undefined ? undefined : partitionOf(spaceId, count);
      if (partition !== undefined && feed.isCurrent(partition) && isNow(reader, spaceId, partition)) {
        const known = heads.head(spaceId);
        if (known !== undefined) return known ?? undefined;
      }
      return readHead(reader, spaceId, partition);
    },

    resource(reader, spaceId, id): MaybePromise<Found> {
      const count = partitions();
      if (count === undefined) {
        if (reader.token !== undefined) throw new Problem("not-yet-visible");
        return modelRead(spaceId, id, -1).then((resource) => ({ resource, isStale: false }));
      }
      const partition = partitionOf(spaceId, count);
      if (own.isTold(reader, partition, own.leastToldOfOne(reader, spaceId, partition))) {
        const resource = documents.get(spaceId, id)?.resource();
        if (resource !== undefined) {
          counts.memory.hit.add();
          return { resource, isStale: false };
        }
        counts.memory.miss.add();
      }
      return read(reader, spaceId, id, partition);
    },

    isStale(reader, seen) {
      const count = partitions();
      if (count !== undefined) {
        const others = seen === undefined ? [] : [positionOf(seen, count)];
        const isThere = others.every(({ partition, offset }) => announcements.projected(partition) > offset);
        if (isThere && own.isProjected(reader, count)) return false;
        return own.untilProjected(reader, count, others, now() + waitMs);
      }
      if (reader.token !== undefined) throw new Problem("not-yet-visible");
      return false;
    },

    replica(reader, query) {
      const [spaceId] = query.spaceIds;
      const count = partitions();
      if (spaceId === undefined || count === undefined || !isListedByReplica(query)) return undefined;
      const partition = partitionOf(spaceId, count);
      const { token } = reader;
      if (token !== undefined && token.partition !== partition) return undefined;
      return then(reads.epoch(), (epoch) => {
        const find = (isStale: boolean) => {
          const space = feed.isCurrent(partition) ? replicas.get(partition, spaceId, epoch) : undefined;
          // A later page is of what the first one was of.
          if (space === undefined || (query.after !== undefined && query.seenOffset !== space.position()))
            return undefined;
          return { space, epoch, isStale };
        };
        const found = find(false);
        if (found === undefined || isNow(reader, spaceId, partition)) return found;
        return own.untilAllTold(reader, spaceId, partition, now() + waitMs).then((isTold) => find(!isTold));
      });
    },

    projectedSeq(spaceId) {
      const known = heads.projectedSeq(spaceId);
      if (known !== undefined) return known;
      return Promise.resolve(reads.head(spaceId)).then((head) => {
        const count = partitions();
        if (count !== undefined) {
          const partition = partitionOf(spaceId, count);
          heads.fill(partition, spaceId, head ?? null, announcements.projected(partition) - 1);
        }
        return Math.max(head?.seq ?? 0, heads.projectedSeq(spaceId) ?? 0);
      });
    },

    async wrote({ command, position, documents: left, isPending }) {
      const { userId, spaceId, operationId } = command;
      const isTold = announcements.told(position.partition) >= position.offset;
      for (const document of left) documents.put(position.partition, position.offset, document);
      if (isTold) own.answered(position);
      else own.record(userId, position, isPending ? { spaceId, operationId } : undefined);
      if (cache === undefined || (isTold && isAlone())) return;
      const [first] = isTold ? [] : left;
      const resource = first === undefined ? undefined : { id: first.id, entry: entryOf(first, position.offset) };
      await cache.wrote({ userId, spaceId, operationId, position, resource, isPending }).catch(() => undefined);
    },

    pending(spaceId, operationId) {
      const known = own.pending(spaceId, operationId);
      if (known !== undefined || cache === undefined) return known;
      return cache.pending(spaceId, operationId).catch(() => undefined);
    },
  };
}
