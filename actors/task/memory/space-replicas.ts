/**
 * The replicas that a `task` worker keeps: of spaces whose lists are asked for again and again, as long as they are small. One that cannot follow any more,
 * since some of the facts was not received or not announced with its documents, is dropped, and read again where lists go on being asked for.
 */
import type { Document } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import type { Registry } from "../../resources/registry.ts";
import { withDeadline } from "../../waiting.ts";
import type { SpaceReplica } from "../ports.ts";
import type { SpaceAnnouncements } from "./announcements.ts";
import type { SpaceHeads } from "./heads.ts";
import { putLatest } from "./put-latest.ts";
import { type FollowedReplica, type ReplicaSource, replicaCharsMax, spaceReplica } from "./space-replica.ts";

export type SpaceReplicas = {
  /** Undefined where it is not remembered, or not of this store; then it counts as asked for. */
  get(partition: number, spaceId: string, epoch: string): SpaceReplica | undefined;
  /** The offset up to which lists were made of a space that has been forgotten since; -1: none were. Older ones would take back what readers have seen. */
  servedTo(spaceId: string): number;
  /** What was told, in its order. */
  take(partition: number, fact: Fact, documents: readonly Document[]): void;
  /** Something of the partition may not have been heard. */
  forget(partition: number): void;
};

export type SpaceReplicasParts = {
  readonly registry: Registry;
  readonly read: (spaceId: string) => Promise<ReplicaSource | "missing" | "too large">;
  readonly announcements: Pick<SpaceAnnouncements, "told" | "untilProjected">;
  readonly heads: Pick<SpaceHeads, "projectedSeq">;
  readonly now: () => number;
  readonly charsMax?: number;
};

/** Characters of all of them. */
const charsMaxDefault = 24_000_000;
/** One that was listed so recently does not make room for another. */
const usedMs = 60_000;
/** So many lists within `usedMs`, and the space is read. */
const asksMin = 3;
const readsAtOnce = 2;
const readMs = 5_000;
const projectedMs = 10_000;
/** Until a space is tried again that changed too fast, could not be read, or has no facts. */
const retryMs = 10_000;
/** The same for one for which there was no room. */
const fullMs = 60_000;
/** The same for one that was too large. */
const tooLargeMs = 600_000;
/** The share of all characters that must be free for one more to be read. */
const roomMin = 0.1;
/** Facts and documents that are told while a space is read, at most. */
const toldMax = 5_000;
const spacesMax = 10_000;

type Told = { readonly fact: Fact; readonly documents: readonly Document[] };
type Kept = { readonly partition: number; readonly epoch: string; readonly space: FollowedReplica; lastMs: number };
type Reading = { readonly partition: number; readonly told: Told[]; toldCount: number };
type Asked = { count: number; sinceMs: number; notBeforeMs: number };

export function spaceReplicas(parts: SpaceReplicasParts): SpaceReplicas {
  const { registry, read, announcements, heads, now, charsMax = charsMaxDefault } = parts;
  /** In the order of their last use. */
  const kept = new Map<string, Kept>();
  const readings = new Map<string, Reading>();
  const asked = new Map<string, Asked>();
  const served = new Map<string, number>();
  let reads = 0;
  let chars = 0;

  function drop(spaceId: string): void {
    const found = kept.get(spaceId);
    if (found === undefined) return;
    chars -= found.space.chars();
    kept.delete(spaceId);
    putLatest(served, spaceId, found.space.position(), spacesMax);
  }

  function notFor(spaceId: string, ms: number): void {
    const notBeforeMs = now() + ms;
    putLatest(asked, spaceId, { count: 0, sinceMs: notBeforeMs, notBeforeMs }, spacesMax);
  }

  /** Whether it is time to read it. */
  function ask(spaceId: string): boolean {
    const nowMs = now();
    const known = asked.get(spaceId) ?? { count: 0, sinceMs: nowMs, notBeforeMs: 0 };
    if (nowMs - known.sinceMs > usedMs) Object.assign(known, { count: 0, sinceMs: nowMs });
    known.count += 1;
    putLatest(asked, spaceId, known, spacesMax);
    return known.count >= asksMin && nowMs >= known.notBeforeMs;
  }

  /** Answers after how long it may be tried again; undefined where it is remembered now. */
  async function readReplica(partition: number, spaceId: string, epoch: string): Promise<number | undefined> {
    if (!hasRoom(charsMax * roomMin)) return fullMs;
    const reading: Reading = { partition, told: [], toldCount: 0 };
    readings.set(spaceId, reading);
    try {
      // What was told before is read then, and what is told from now on is heard here.
      const upTo = { partition, offset: announcements.told(partition) };
      if (!(await announcements.untilProjected(upTo, now() + projectedMs))) return retryMs;
      const found = await withDeadline(read(spaceId), readMs);
      if (readings.get(spaceId) !== reading || found === "missing") return retryMs;
      if (found === "too large") return tooLargeMs;
      // A server that is behind the others, or behind itself, has not what was said to be there.
      if (found.head.seq < (heads.projectedSeq(spaceId) ?? 0)) return retryMs;
      const space = spaceReplica(registry, found);
      if (!reading.told.every(({ fact, documents }) => space.take(fact, documents))) return retryMs;
      if (space.chars() > replicaCharsMax) return tooLargeMs;
      if (!hasRoom(space.chars())) return fullMs;
      chars += space.chars();
      kept.set(spaceId, { partition, epoch, space, lastMs: now() });
      asked.delete(spaceId);
      served.delete(spaceId);
      return undefined;
    } catch {
      // The read model tells why to those who ask it for the list.
      return retryMs;
    } finally {
      if (readings.get(spaceId) === reading) readings.delete(spaceId);
    }
  }

  async function begin(partition: number, spaceId: string, epoch: string): Promise<void> {
    reads += 1;
    const againMs = await readReplica(partition, spaceId, epoch);
    reads -= 1;
    if (againMs !== undefined) notFor(spaceId, againMs);
  }

  /** Makes room where others have not been listed for long. */
  function hasRoom(needed: number): boolean {
    for (const [oldest, { lastMs }] of kept) {
      if (chars + needed < charsMax) return true;
      if (now() - lastMs < usedMs) return false;
      drop(oldest);
    }
    return chars + needed < charsMax;
  }

  return {
    get(partition, spaceId, epoch) {
      const found = kept.get(spaceId);
      if (found?.epoch === epoch && found.space.seq() >= (heads.projectedSeq(spaceId) ?? 0)) {
        kept.delete(spaceId);
        kept.set(spaceId, found);
        found.lastMs = now();
        return found.space;
      }
      drop(spaceId);
      // Positions of another store say nothing of this one.
      if (found !== undefined && found.epoch !== epoch) served.delete(spaceId);
      if (!readings.has(spaceId) && ask(spaceId) && reads < readsAtOnce) void begin(partition, spaceId, epoch);
      return undefined;
    },

    servedTo: (spaceId) => served.get(spaceId) ?? -1,

    take(partition, fact, documents) {
      const { spaceId } = fact;
      const reading = readings.get(spaceId);
      if (reading !== undefined) {
        reading.told.push({ fact, documents });
        reading.toldCount += 1 + documents.length;
        if (reading.toldCount > toldMax) readings.delete(spaceId);
      }
      const found = kept.get(spaceId);
      if (found?.partition !== partition) return;
      const before = found.space.chars();
      const isFollowed = found.space.take(fact, documents);
      chars += found.space.chars() - before;
      if (!isFollowed) drop(spaceId);
      for (const oldest of kept.keys()) {
        if (chars <= charsMax) break;
        drop(oldest);
      }
    },

    forget(partition) {
      for (const [spaceId, each] of kept) if (each.partition === partition) drop(spaceId);
      for (const [spaceId, each] of readings) if (each.partition === partition) readings.delete(spaceId);
    },
  };
}
