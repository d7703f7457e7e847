/**
 * Positions that workers of one process have answered for, in the memory that they share: who reads on another worker than wrote waits until that one has
 * heard as much. Nobody waits long: what one has heard is in the others' mailboxes.
 */

/** Partitions have the first places; each has a part of the rest for its users, by a hash: two who share a place wait for each other's writes. */
const places = 65_536;
const partitionsMax = 4_096;

export type ProcessPositions = {
  /** The last position of the partition whose verdict somebody was answered; -1 when none is known. */
  answered(partition: number): number;
  raiseAnswered(partition: number, position: number): void;
  /** The last position in a user's own space that was answered before its verdict was told. */
  certain(partition: number, userId: string): number;
  raiseCertain(partition: number, userId: string, position: number): void;
};

/** The number of partitions never changes; nothing is asked before it is known. */
export function processPositions(shared: SharedArrayBuffer, partitions: () => number | undefined): ProcessPositions {
  // Kept as one more, since memory begins with zeros; modulo 2^32, of which differences are right.
  const table = new Int32Array(shared, 0, places);
  const read = (place: number): number => (Atomics.load(table, place) >>> 0) - 1;
  function raise(place: number, position: number): void {
    const wanted = (position + 1) | 0;
    for (let before = Atomics.load(table, place); ((wanted - before) | 0) > 0; ) {
      const found = Atomics.compareExchange(table, place, before, wanted);
      if (found === before) return;
      before = found;
    }
  }
  return {
    answered: (partition) => read(partition % partitionsMax),
    raiseAnswered: (partition, position) => raise(partition % partitionsMax, position),
    certain: (partition, userId) => read(placeOf(partition, userId)),
    raiseCertain: (partition, userId, position) => raise(placeOf(partition, userId), position),
  };

  function placeOf(partition: number, userId: string): number {
    const size = Math.max(1, Math.floor((places - partitionsMax) / (partitions() ?? 1)));
    const place = partition * size + (Number.parseInt(userId.slice(-8), 16) % size);
    return partitionsMax + (place % (places - partitionsMax));
  }
}
