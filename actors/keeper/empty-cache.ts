/** Forgets what a cache in Redis may hold wrongly: the marks of some partitions, and all its entries. */
import type { Redis } from "ioredis";

const scanned = 500;

/** Marks of other partitions stay: these are for their own keepers to judge. */
export async function emptyOf(
  redis: Redis,
  { kept, pattern }: { readonly kept: string; readonly pattern: string },
  partitions: readonly number[],
): Promise<void> {
  const forgetMarks = async () => {
    if (partitions.length > 0) await redis.hdel(kept, ...partitions.map(String));
  };
  await forgetMarks();
  // Patterns and what is found by them are whole names, which ioredis leaves as they are.
  const namespace = redis.options.keyPrefix ?? "";
  let cursor = "0";
  do {
    const [next, found] = await redis.scan(cursor, "MATCH", namespace + pattern, "COUNT", scanned);
    if (found.length > 0) await redis.unlink(...found.map((key) => key.slice(namespace.length)));
    cursor = next;
  } while (cursor !== "0");
  // One made in between stands for what was forgotten after it.
  await forgetMarks();
}
