/**
 * Reads that are as new as what one has written, behind Kafka: what the worker remembers first, then the cache, then the read model, each only where it is
 * known to have all that was told. Without a cache one's own writes that are not told yet are known to this process alone; one that is away leaves it open whether
 * there are others, and the answer says so.
 */
import { partitionOf } from "../../../runtime/partition.ts";
import type { Position } from "../../model/position.ts";
import { Problem } from "../../model/problem.ts";
import type { SpaceEntry } from "../../redis/space-cache.ts";
import type { Document, Head } from "../../resources/document.ts";
import { registry } from "../../resources/registry.ts";
import { resourceText } from "../../resources/served.ts";
import { cacheCounts } from "../cache-counts.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import type { SpaceAnnouncements } from "../memory/announcements.ts";
import type { SpaceDocuments } from "../memory/documents.ts";
import type { SpaceFeed } from "../memory/feed.ts";
import type { SpaceHeads } from "../memory/heads.ts";
import { pendingWrites } from "../memory/pending-writes.ts";
import type { ProcessPositions } from "../memory/process-positions.ts";
import type { ConsistentReads, Reader, SpaceReads, StoredResource } from "../ports.ts";
import type { OfResource, SpaceCache, SpaceCached } from "./cache.ts";

export type ConsistentReadsParts = {
  readonly announcements: SpaceAnnouncements;
  readonly documents: SpaceDocuments;
  readonly heads: SpaceHeads;
  readonly feed: Pick<SpaceFeed, "isCurrent" | "untilCurrent">;
  readonly process: ProcessPositions;
  readonly reads: Pick<SpaceReads, "head" | "resources">;
  readonly cache: SpaceCache | undefined;
  /** Whether no other process can have answered anybody's write: then the cache need not be asked for these. */
  readonly isAlone: () => boolean;
  /** Undefined while the topics are not known: then nothing can be waited for. */
  readonly partitions: () => number | undefined;
  readonly now: () => number;
};

type Found = { readonly resource: StoredResource | undefined; readonly isStale: boolean };

const waitMs = 1_000;
const noOwn: ReadonlyMap<number, number> = new Map();

export function consistentReads(parts: ConsistentReadsParts): ConsistentReads {
  const { announcements, documents, heads, feed, process, reads, cache, isAlone, partitions, now } = parts;
  const own = pendingWrites(announcements);
  const counts = { memory: cacheCounts("memory"), redis: cache === undefined ? undefined : cacheCounts("redis") };
  const underWay = new Map<string, { readonly upTo: number; readonly found: Promise<StoredResource | undefined> }>();
  const headsUnderWay = new Map<string, { readonly upTo: number; readonly found: Promise<Head | null> }>();

  /** Undefined: it cannot be known. */
  const ownElsewhere = (userId: string): Promise<ReadonlyMap<number, number> | undefined> =>
    cache === undefined || isAlone() ? Promise.resolve(noOwn) : cache.own(userId).catch(() => undefined);

  /** The position of the partition that must be told before something of the space is read for this user. */
  function leastTold({ userId, token }: Reader, spaceId: string, partition: number): number {
    const least = Math.max(process.answered(partition), own.of(userId).get(partition) ?? -1);
    const certain = spaceId === userId ? process.certain(partition, userId) : -1;
    return Math.max(least, certain, token?.partition === partition ? token.offset : -1);
  }

  /** Whether there is nothing to wait for, and nobody to ask for what there might be. */
  function isNow(reader: Reader, spaceId: string, partition: number): boolean {
    return (
      announcements.hasBegun() &&
      (reader.token === undefined || reader.token.partition === partition) &&
      (cache === undefined || isAlone()) &&
      announcements.told(partition) >= leastTold(reader, spaceId, partition)
    );
  }

  /** Whether a list can be read now: nothing is to be waited for, and nobody asked. */
  function isListable({ userId, token }: Reader, count: number): boolean {
    if (token !== undefined || !announcements.hasBegun() || (cache !== undefined && !isAlone())) return false;
    const isProjected = (partition: number, position: number) => announcements.projected(partition) > position;
    for (let partition = 0; partition < count; partition += 1)
      if (process.answered(partition) > announcements.told(partition)) return false;
    const home = partitionOf(userId, count);
    if (!isProjected(home, process.certain(home, userId))) return false;
    for (const positions of [heads.unprojectedOf(userId), own.of(userId)])
      for (const [partition, position] of positions) if (!isProjected(partition, position)) return false;
    return true;
  }

  /** Throws where the token's position is not told in time; answers whether the others are. */
  async function told(reader: Reader, positions: readonly Position[], deadlineMs: number): Promise<boolean> {
    const { token } = reader;
    const all = positions.map((each) => announcements.untilTold(each, deadlineMs));
    if (token !== undefined && !(await announcements.untilTold(token, deadlineMs)))
      throw new Problem("not-yet-visible");
    return (await Promise.all(all)).every(Boolean);
  }

  async function read(reader: Reader, spaceId: string, id: string, partition: number): Promise<Found> {
    const deadlineMs = now() + waitMs;
    const of: OfResource = { spaceId, id, partition };
    const cached = await cache?.read(reader.userId, of).catch(() => {
      counts.redis?.failed.add();
      return undefined;
    });
    const isOpen = cache !== undefined && cached === undefined && reader.token === undefined && !isAlone();
    const least = Math.max(leastTold(reader, spaceId, partition), cached?.own.get(partition) ?? -1);
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

    const isTold = (await told(reader, least < 0 ? [] : [{ partition, offset: least }], deadlineMs)) && !isOpen;
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
    const elsewhere = (await ownElsewhere(reader.userId))?.get(partition) ?? -1;
    const least = Math.max(leastTold(reader, spaceId, partition), elsewhere);
    await told(reader, least < 0 ? [] : [{ partition, offset: least }], now() + waitMs);
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

  /** By partition, what must be projected before a list is read for this user, and whether that is all of it. */
  async function ownPositions(userId: string): Promise<{ all: Map<number, number>; isKnown: boolean }> {
    const all = new Map<number, number>();
    const add = (some: ReadonlyMap<number, number>) => {
      for (const [partition, position] of some) all.set(partition, Math.max(position, all.get(partition) ?? -1));
    };
    add(heads.unprojectedOf(userId));
    add(own.of(userId));
    const elsewhere = await ownElsewhere(userId);
    add(elsewhere ?? noOwn);
    return { all, isKnown: elsewhere !== undefined };
  }

  /** Waits for what is to be in a list; answers whether that may be missing. */
  async function awaitListable({ userId, token }: Reader, count: number): Promise<boolean> {
    const deadlineMs = now() + waitMs;
    // What other workers of this process have answered is told here, too, in a moment.
    const answered = Array.from({ length: count }, (_, partition) => ({
      partition,
      offset: process.answered(partition),
    })).filter(({ partition, offset }) => offset > announcements.told(partition));
    const home = partitionOf(userId, count);
    const isTold = await told({ userId, token: undefined }, answered, deadlineMs);
    const { all: its, isKnown } = await ownPositions(userId);
    const positions = [...its].map(([partition, offset]) => ({ partition, offset }));
    const certain = { partition: home, offset: process.certain(home, userId) };
    const all = [certain, ...positions].map((each) => announcements.untilProjected(each, deadlineMs));
    if (token !== undefined && !(await announcements.untilProjected(token, deadlineMs)))
      throw new Problem("not-yet-visible");
    return !((await Promise.all(all)).every(Boolean) && isTold && (isKnown || token !== undefined));
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
      if (isNow(reader, spaceId, partition)) {
        const resource = documents.get(spaceId, id)?.resource();
        if (resource !== undefined) {
          counts.memory.hit.add();
          return { resource, isStale: false };
        }
        counts.memory.miss.add();
      }
      return read(reader, spaceId, id, partition);
    },

    isStale(reader) {
      const count = partitions();
      if (count !== undefined) return isListable(reader, count) ? false : awaitListable(reader, count);
      if (reader.token !== undefined) throw new Problem("not-yet-visible");
      return false;
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
      if (isTold) process.raiseAnswered(position.partition, position.offset);
      else {
        own.record(userId, position);
        if (isPending) own.recordPending(spaceId, operationId, { userId, position });
        else process.raiseCertain(position.partition, userId, position.offset);
      }
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

/** One read for all who ask at the same time, where it began with as much as they need. */
function shared<T>(
  underWay: Map<string, { readonly upTo: number; readonly found: Promise<T> }>,
  key: string,
  upTo: number,
  read: () => Promise<T>,
): Promise<T> {
  const before = underWay.get(key);
  if (before !== undefined && before.upTo >= upTo) return before.found;
  const reading = { upTo, found: read() };
  underWay.set(key, reading);
  const over = () => {
    if (underWay.get(key) === reading) underWay.delete(key);
  };
  reading.found.then(over, over);
  return reading.found;
}

function entryOf(document: Document, asOf: number): SpaceEntry {
  const { version, type, deletedBy } = document;
  const its = registry.get(type);
  const isShownByProject = type === "task" && document.fields.projectId !== null;
  const text = its === undefined || isShownByProject ? "" : resourceText(its, document);
  return { version, asOf, isDeleted: deletedBy !== undefined, type, text };
}
