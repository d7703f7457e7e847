/** What a reader has written that a read must have, and the waits for it. Without a cache, what is not told yet is known to this process alone. */
import { partitionOf } from "../../../runtime/partition.ts";
import type { Position } from "../../model/position.ts";
import { Problem } from "../../model/problem.ts";
import type { SpaceAnnouncements } from "../memory/announcements.ts";
import type { SpaceHeads } from "../memory/heads.ts";
import { type PendingWrites, pendingWrites } from "../memory/pending-writes.ts";
import type { ProcessPositions } from "../memory/process-positions.ts";
import { putLatest } from "../memory/put-latest.ts";
import type { Reader } from "../ports.ts";
import type { SpaceCache } from "./cache.ts";

export type RecentWrites = Pick<PendingWrites, "pending"> & {
  /** By partition, what the cache knows of the user's writes to other processes; undefined where it cannot be asked. */
  elsewhere(userId: string): Promise<ReadonlyMap<number, number> | undefined>;
  /** The position of the partition that must be told before something of the space is read for this user. */
  leastTold(reader: Reader, spaceId: string, partition: number): number;
  /** The same for one resource that is remembered as it was left here, or was not made here. */
  leastToldOfOne(reader: Reader, spaceId: string, partition: number): number;
  /** Whether that position is told, and the cache need not be asked for more. */
  isTold(reader: Reader, partition: number, least: number): boolean;
  /** Throws where the token's position is not told in time; answers whether the others are. */
  untilTold(reader: Reader, positions: readonly Position[], deadlineMs: number): Promise<boolean>;
  /** Whether all that the reader has written to the space is told by the deadline. */
  untilAllTold(reader: Reader, spaceId: string, partition: number, deadlineMs: number): Promise<boolean>;
  /** Whether the read model has all that the reader wrote, without a wait, and without asking the cache. */
  isProjected(reader: Reader, count: number): boolean;
  /** Waits for that and for other positions; answers whether something may be missing. Throws `not-yet-visible` where the token's position is. */
  untilProjected(reader: Reader, count: number, others: readonly Position[], deadlineMs: number): Promise<boolean>;
  /** A write that is not told; `operation` where it is not decided either. */
  record(userId: string, position: Position, operation: { spaceId: string; operationId: string } | undefined): void;
  /** Somebody was answered what was told of this position. */
  answered(position: Position): void;
};

export type RecentWritesParts = {
  readonly announcements: SpaceAnnouncements;
  readonly heads: Pick<SpaceHeads, "unprojectedOf">;
  readonly process: ProcessPositions;
  readonly cache: Pick<SpaceCache, "own"> | undefined;
  /** Whether no other process can have answered anybody's write: then the cache need not be asked for these. */
  readonly isAlone: () => boolean;
  /** Whether no other worker of this process can have. */
  readonly isOnlyWorker: boolean;
};

const usersMax = 20_000;
const none: ReadonlyMap<number, number> = new Map();

export function recentWrites(parts: RecentWritesParts): RecentWrites {
  const { announcements, heads, process, cache, isAlone, isOnlyWorker } = parts;
  const own = pendingWrites(announcements);
  /** By user, the last creation in the own space that was answered before this worker's first one: by one whose place it took. */
  const certainBefore = new Map<string, number>();

  const elsewhere = (userId: string): Promise<ReadonlyMap<number, number> | undefined> =>
    cache === undefined || isAlone() ? Promise.resolve(none) : cache.own(userId).catch(() => undefined);

  function leastTold({ userId, token }: Reader, spaceId: string, partition: number): number {
    const least = Math.max(process.answered(partition), own.of(userId).get(partition) ?? -1);
    const certain = spaceId === userId ? process.certain(partition, userId) : -1;
    return Math.max(least, certain, token?.partition === partition ? token.offset : -1);
  }

  /** A creation that was answered before it was decided changes no other resource, and is remembered where it was made. */
  function leastToldOfOne(reader: Reader, spaceId: string, partition: number): number {
    const inherited = spaceId === reader.userId ? certainBefore.get(reader.userId) : -1;
    if (!isOnlyWorker || inherited === undefined) return leastTold(reader, spaceId, partition);
    const undecided = own.undecided(reader.userId, partition);
    const asked = reader.token?.partition === partition ? reader.token.offset : -1;
    return Math.max(process.answered(partition), undecided, inherited, asked);
  }

  function isTold({ token }: Reader, partition: number, least: number): boolean {
    return (
      announcements.hasBegun() &&
      (token === undefined || token.partition === partition) &&
      (cache === undefined || isAlone()) &&
      announcements.told(partition) >= least
    );
  }

  function isProjected({ userId, token }: Reader, count: number): boolean {
    if (token !== undefined || !announcements.hasBegun() || (cache !== undefined && !isAlone())) return false;
    const has = (partition: number, position: number) => announcements.projected(partition) > position;
    for (let partition = 0; partition < count; partition += 1)
      if (process.answered(partition) > announcements.told(partition)) return false;
    const home = partitionOf(userId, count);
    if (!has(home, process.certain(home, userId))) return false;
    for (const positions of [heads.unprojectedOf(userId), own.of(userId)])
      for (const [partition, position] of positions) if (!has(partition, position)) return false;
    return true;
  }

  async function untilTold(reader: Reader, positions: readonly Position[], deadlineMs: number): Promise<boolean> {
    const { token } = reader;
    const all = positions.map((each) => announcements.untilTold(each, deadlineMs));
    if (token !== undefined && !(await announcements.untilTold(token, deadlineMs)))
      throw new Problem("not-yet-visible");
    return (await Promise.all(all)).every(Boolean);
  }

  async function untilAllTold(
    reader: Reader,
    spaceId: string,
    partition: number,
    deadlineMs: number,
  ): Promise<boolean> {
    const others = await elsewhere(reader.userId);
    const offset = Math.max(leastTold(reader, spaceId, partition), others?.get(partition) ?? -1);
    const areTold = await untilTold(reader, [{ partition, offset }], deadlineMs);
    return areTold && (others !== undefined || reader.token !== undefined);
  }

  /** By partition, what must be projected before a list is read for this user, and whether that is all of it. */
  async function ownPositions(userId: string): Promise<{ all: Map<number, number>; isKnown: boolean }> {
    const all = new Map<number, number>();
    const add = (some: ReadonlyMap<number, number>) => {
      for (const [partition, position] of some) all.set(partition, Math.max(position, all.get(partition) ?? -1));
    };
    add(heads.unprojectedOf(userId));
    add(own.of(userId));
    const others = await elsewhere(userId);
    add(others ?? none);
    return { all, isKnown: others !== undefined };
  }

  async function untilProjected(
    { userId, token }: Reader,
    count: number,
    others: readonly Position[],
    deadlineMs: number,
  ): Promise<boolean> {
    // What other workers of this process have answered is told here, too, in a moment.
    const answered = Array.from({ length: count }, (_, partition) => ({
      partition,
      offset: process.answered(partition),
    })).filter(({ partition, offset }) => offset > announcements.told(partition));
    const home = partitionOf(userId, count);
    const areTold = await untilTold({ userId, token: undefined }, answered, deadlineMs);
    const { all: its, isKnown } = await ownPositions(userId);
    const positions = [...its].map(([partition, offset]) => ({ partition, offset }));
    const certain = { partition: home, offset: process.certain(home, userId) };
    const all = [certain, ...others, ...positions].map((each) => announcements.untilProjected(each, deadlineMs));
    if (token !== undefined && !(await announcements.untilProjected(token, deadlineMs)))
      throw new Problem("not-yet-visible");
    return !((await Promise.all(all)).every(Boolean) && areTold && (isKnown || token !== undefined));
  }

  function raiseCertain(userId: string, { partition, offset }: Position): void {
    if (!certainBefore.has(userId)) putLatest(certainBefore, userId, process.certain(partition, userId), usersMax);
    process.raiseCertain(partition, userId, offset);
  }

  return {
    pending: own.pending,
    elsewhere,
    leastTold,
    leastToldOfOne,
    isTold,
    untilTold,
    untilAllTold,
    isProjected,
    untilProjected,
    record(userId, position, operation) {
      own.record(userId, position);
      if (operation === undefined) raiseCertain(userId, position);
      else own.recordPending(operation.spaceId, operation.operationId, { userId, position });
    },
    answered: ({ partition, offset }) => process.raiseAnswered(partition, offset),
  };
}
