/** What this worker's own users have written and the writers have not told of yet, or not projected. It forgets what is projected, and the oldest beyond a bound. */
import type { Position } from "../../model/position.ts";
import type { SpaceAnnouncements } from "./announcements.ts";
import { putLatest } from "./put-latest.ts";

export type PendingWrites = {
  record(userId: string, position: Position): void;
  /** By partition, the position of the user's last such write. */
  of(userId: string): ReadonlyMap<number, number>;
  /** The position of the user's last such write that was answered undecided and is not told; -1: none. */
  undecided(userId: string, partition: number): number;
  recordPending(spaceId: string, operationId: string, of: { userId: string; position: Position }): void;
  /** The user of an operation that is not told. */
  pending(spaceId: string, operationId: string): string | undefined;
};

const writesMax = 20_000;
const none: ReadonlyMap<number, number> = new Map();

export function pendingWrites(announcements: Pick<SpaceAnnouncements, "told" | "projected">): PendingWrites {
  const positions = new Map<string, Map<number, number>>();
  const undecided = new Map<string, Map<number, number>>();
  const pending = new Map<string, { userId: string; position: Position }>();

  return {
    record: (userId, position) => raise(positions, userId, position),
    undecided(userId, partition) {
      const offset = undecided.get(userId)?.get(partition) ?? -1;
      return announcements.told(partition) >= offset ? -1 : offset;
    },
    of(userId) {
      const own = positions.get(userId);
      if (own === undefined) return none;
      for (const [partition, offset] of own) if (announcements.projected(partition) > offset) own.delete(partition);
      if (own.size === 0) positions.delete(userId);
      return own;
    },
    recordPending(spaceId, operationId, of) {
      putLatest(pending, `${spaceId} ${operationId}`, of, writesMax);
      raise(undecided, of.userId, of.position);
    },
    pending(spaceId, operationId) {
      const key = `${spaceId} ${operationId}`;
      const known = pending.get(key);
      if (known === undefined || announcements.told(known.position.partition) < known.position.offset)
        return known?.userId;
      // Until it is projected nobody finds it elsewhere.
      if (announcements.projected(known.position.partition) <= known.position.offset) return known.userId;
      pending.delete(key);
      return undefined;
    },
  };
}

function raise(positions: Map<string, Map<number, number>>, userId: string, { partition, offset }: Position): void {
  const own = positions.get(userId) ?? new Map<number, number>();
  own.set(partition, Math.max(offset, own.get(partition) ?? -1));
  putLatest(positions, userId, own, writesMax);
}
