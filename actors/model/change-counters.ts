/**
 * Counters in the memory that all actors of a process share, by which an edge knows whether what it remembers of a task is what the read model has.
 * The writer counts a task on after its commit and before its answer: whoever has seen an answer finds the counter moved.
 */

/** One for each value of an id's last four digits; two tasks may share one, which only forgets too much. */
const buckets = 65_536;

export const changeCountersBytes = 4 * (buckets + 1);

export type ChangeCounters = {
  /** To be compared with an earlier one of the same task: another number means that the task may have changed in between. */
  of(taskId: string): number;
  changed(taskId: string): void;
  /** All tasks may have changed. */
  changedAll(): void;
};

export function changeCounters(shared: SharedArrayBuffer): ChangeCounters {
  const counters = new Int32Array(shared, 0, buckets + 1);
  return {
    of: (taskId) => Atomics.load(counters, buckets) * 2 ** 32 + (Atomics.load(counters, bucketOf(taskId)) >>> 0),
    changed: (taskId) => void Atomics.add(counters, bucketOf(taskId), 1),
    changedAll: () => void Atomics.add(counters, buckets, 1),
  };
}

function bucketOf(taskId: string): number {
  return (digit(taskId, 32) << 12) | (digit(taskId, 33) << 8) | (digit(taskId, 34) << 4) | digit(taskId, 35);
}

/** Of a lower-case hexadecimal digit. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return (code < 0x3a ? code - 0x30 : code - 0x57) & 15;
}
