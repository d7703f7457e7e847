/** What this worker's own users have written and the writers have not announced yet. It forgets what has been announced, and the oldest beyond a bound. */
import type { Position } from "../model/command.ts";
import type { Entry } from "../redis/task-cache.ts";
import type { Announced } from "./announced.ts";
import type { Positions } from "./ports.ts";

export type OwnWrites = {
  note(userId: string, position: Position): void;
  /** The user's writes that are not announced. */
  of(userId: string): Positions;
  keep(taskId: string, partition: number, entry: Entry): void;
  /** The task as it is certain to be after a write that is not announced. */
  task(taskId: string): Entry | undefined;
  pend(operationId: string, userId: string, position: Position): void;
  /** The user of an operation whose outcome is not announced. */
  pending(operationId: string): string | undefined;
};

const most = 20_000;
const none: Positions = new Map();

export function ownWrites(announced: Announced): OwnWrites {
  const positions = new Map<string, Map<number, number>>();
  const tasks = new Map<string, { partition: number; entry: Entry }>();
  const pending = new Map<string, { userId: string; position: Position }>();
  const isAnnounced = (partition: number, offset: number) => announced.offset(partition) >= offset;

  return {
    note(userId, { partition, offset }) {
      const own = positions.get(userId) ?? new Map<number, number>();
      own.set(partition, Math.max(offset, own.get(partition) ?? -1));
      put(positions, userId, own);
    },
    of(userId) {
      const own = positions.get(userId);
      if (own === undefined) return none;
      for (const [partition, offset] of own) if (isAnnounced(partition, offset)) own.delete(partition);
      if (own.size === 0) positions.delete(userId);
      return own;
    },
    keep: (taskId, partition, entry) => put(tasks, taskId, { partition, entry }),
    task(taskId) {
      const kept = tasks.get(taskId);
      if (kept === undefined || !isAnnounced(kept.partition, kept.entry.asOf)) return kept?.entry;
      tasks.delete(taskId);
      return undefined;
    },
    pend: (operationId, userId, position) => put(pending, operationId, { userId, position }),
    pending(operationId) {
      const known = pending.get(operationId);
      if (known === undefined || !isAnnounced(known.position.partition, known.position.offset)) return known?.userId;
      pending.delete(operationId);
      return undefined;
    },
  };
}

/** Puts at the end; the oldest goes when there are too many. */
function put<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
