/** Kafka's murmur2 of a key, as its default partitioner has it, so that a pool and a topic agree where a key belongs. */
export function murmur2(key: string): number {
  const data = new TextEncoder().encode(key);
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ data.length;
  const words = data.length >> 2;
  for (let i = 0; i < words; i++) {
    const at = i << 2;
    let k =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const at = words << 2;
  const rest = data.length & 3;
  if (rest === 3) h ^= (data[at + 2] as number) << 16;
  if (rest >= 2) h ^= (data[at + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (data[at] as number), m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h | 0;
}

/** The member, from 0, of a pool (or topic) of `count` to which the key belongs. */
export function partitionOf(key: string, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}
