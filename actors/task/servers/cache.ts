/** The cache of resources in Redis: each method one round trip, or none while Redis is known to be away. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Position } from "../../model/position.ts";
import { readSpaceEntry, type SpaceEntry, spaceEntryText, spaceKeys } from "../../redis/space-cache.ts";
import { lifeMs, withSpaceCache } from "../../redis/space-cache-scripts.ts";
import type { Document } from "../../resources/document.ts";
import { registry } from "../../resources/registry.ts";
import { resourceText } from "../../resources/served.ts";

export type SpaceCached = {
  /** By partition, the position of the user's last acknowledged write. */
  readonly own: ReadonlyMap<number, number>;
  readonly entry: SpaceEntry | undefined;
  /** The position in the space's partition up to which the cache has been kept; -1 when that is not known. */
  readonly kept: number;
  /** On a miss, for one of those who ask: the right to fill it. */
  readonly lease: string | undefined;
};

export type OfResource = { readonly spaceId: string; readonly id: string; readonly partition: number };

/** What all `task` workers of all processes remember together. It may forget everything at any moment. Every method throws when it cannot be asked now. */
export type SpaceCache = {
  read(userId: string, of: OfResource): Promise<SpaceCached>;
  own(userId: string): Promise<ReadonlyMap<number, number>>;
  /** Notes a write that the log has, with a resource as it is certain to be after it, and whether its verdict is still pending. */
  wrote(write: {
    readonly userId: string;
    readonly spaceId: string;
    readonly operationId: string;
    readonly position: Position;
    readonly resource: { readonly id: string; readonly entry: SpaceEntry } | undefined;
    readonly isPending: boolean;
  }): Promise<void>;
  /** Has no effect once the lease is over, or anything newer was written. */
  fill(of: OfResource, entry: SpaceEntry, lease: string): Promise<void>;
  /** The user of an operation noted as pending. */
  pending(spaceId: string, operationId: string): Promise<string | undefined>;
};

/** After a fault Redis is left alone for this long, then asked once. */
const cooldownMs = 500;
/** A server that answered so lately is taken to be there: what others must know is told once more. */
const latelyMs = 3_000;
/** Room for a first try that is not answered in the cache's 800 ms, the rest after it, and a second one. */
const againMs = 2_500;

/** Takes a connection that answers or refuses in time (redis/connect.ts). */
export function redisSpaceCache(connection: Redis, now: () => number): SpaceCache {
  const redis = withSpaceCache(connection);
  let restUntilMs = 0;
  let answeredMs = Number.NEGATIVE_INFINITY;

  /** Whoever waits for a server that is away waits in vain, one after the other. */
  async function unlessAway<T>(ask: () => Promise<T>): Promise<T> {
    const nowMs = now();
    if (nowMs < restUntilMs) throw new Error("Cannot ask Redis: it did not answer a moment ago");
    // Of those who come after the rest one asks; if it is answered, so are the next.
    if (restUntilMs > 0) restUntilMs = nowMs + cooldownMs;
    try {
      const answer = await ask();
      restUntilMs = 0;
      answeredMs = now();
      return answer;
    } catch (error) {
      restUntilMs = now() + cooldownMs;
      throw error;
    }
  }

  /** Another instance that is not told of a write cannot even say that it may miss one. */
  async function onceMore(tell: () => Promise<void>): Promise<void> {
    const untilMs = now() + againMs;
    const isThere = now() - answeredMs < latelyMs;
    for (;;) {
      try {
        return await unlessAway(tell);
      } catch (error) {
        const pauseMs = Math.max(0, restUntilMs - now()) + 1;
        if (!isThere || now() + pauseMs > untilMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  return {
    read: (userId, { spaceId, id, partition }) =>
      unlessAway(async () => {
        const token = randomUUID();
        const [own, entry, kept, leased] = await redis.ttRead(
          spaceKeys.own(userId),
          spaceKeys.resource(spaceId, id),
          spaceKeys.lease(spaceId, id),
          spaceKeys.kept,
          partition,
          token,
        );
        return {
          own: positionsIn(own),
          entry: readSpaceEntry(entry),
          kept: kept === "" ? -1 : Number(kept),
          lease: leased === 1 ? token : undefined,
        };
      }),

    own: (userId) =>
      unlessAway(async () => {
        const found = Object.entries(await redis.hgetall(spaceKeys.own(userId)));
        return new Map(found.map(([partition, position]) => [Number(partition), Number(position)]));
      }),

    wrote: ({ userId, spaceId, operationId, position, resource, isPending }) =>
      onceMore(async () => {
        // Without a resource its keys are not touched.
        const id = resource?.id ?? spaceId;
        await redis.ttWrote(
          spaceKeys.own(userId),
          spaceKeys.resource(spaceId, id),
          spaceKeys.lease(spaceId, id),
          spaceKeys.kept,
          spaceKeys.operation(spaceId, operationId),
          position.partition,
          position.offset,
          resource?.entry.version ?? 0,
          resource?.entry.asOf ?? 0,
          lifeMs(),
          resource === undefined ? "" : spaceEntryText(resource.entry),
          isPending ? userId : "",
        );
      }),

    fill: ({ spaceId, id, partition }, entry, lease) =>
      unlessAway(async () => {
        await redis.ttFill(
          spaceKeys.resource(spaceId, id),
          spaceKeys.lease(spaceId, id),
          spaceKeys.kept,
          lease,
          partition,
          entry.version,
          entry.asOf,
          lifeMs(),
          spaceEntryText(entry),
        );
      }),

    pending: (spaceId, operationId) =>
      unlessAway(async () => (await redis.get(spaceKeys.operation(spaceId, operationId))) ?? undefined),
  };
}

function positionsIn(pairs: readonly string[]): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < pairs.length; at += 2) found.set(Number(pairs[at]), Number(pairs[at + 1]));
  return found;
}

/** As an operation at this position left it; without a text where that depends on its project. */
export function entryOf(document: Document, asOf: number): SpaceEntry {
  const { version, type, deletedBy } = document;
  const its = registry.get(type);
  const isShownByProject = type === "task" && document.fields.projectId !== null;
  const text = its === undefined || isShownByProject ? "" : resourceText(its, document);
  return { version, asOf, isDeleted: deletedBy !== undefined, type, text };
}
