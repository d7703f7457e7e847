/** How many records are set aside and wait for a redrive. */
import type { Admin, Kafka } from "kafkajs";
import { gauge } from "../metrics/registry.ts";
import { settles, withDeadline } from "../waiting.ts";
import type { SpaceNames } from "./names.ts";

const waiting = gauge(
  "log_parked_records",
  "Records of the log that were set aside and wait for a redrive, as each consumer sees them.",
);

type ParkedNames = Pick<SpaceNames, "parked" | "redrive">;

/** Throws when Kafka does not answer. The admin is connected. */
async function countParked(admin: Admin, { parked, redrive }: ParkedNames): Promise<number> {
  const [ends, [places]] = await Promise.all([
    admin.fetchTopicOffsets(parked),
    admin.fetchOffsets({ groupId: redrive, topics: [parked] }),
  ]);
  const known = new Map((places?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.reduce(
    (sum, { partition, low, high }) =>
      sum + Math.max(0, Number(high) - Math.max(Number(low), known.get(partition) ?? 0)),
    0,
  );
}

const everyMs = 10_000;
const countMs = 5_000;

/** Counts now and then, on a connection of its own, until it is closed; while Kafka is away the last count stands. */
export function watchParked(
  kafka: Kafka,
  names: ParkedNames,
): {
  /** As counted last; 0 before that. */
  count(): number;
  close(): Promise<void>;
} {
  let admin: Admin | undefined;
  let count = 0;
  let closed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function connected(): Promise<Admin> {
    if (admin !== undefined) return admin;
    const made = kafka.admin();
    await made.connect();
    admin = made;
    return made;
  }

  async function look(): Promise<void> {
    try {
      count = await withDeadline(
        connected().then((to) => countParked(to, names)),
        countMs,
      );
      waiting.set(count);
    } catch {
      // What is wrong with Kafka is told by those who work with it.
      await leave();
    }
    if (!closed) timer = setTimeout(() => void look(), everyMs);
  }

  async function leave(): Promise<void> {
    const old = admin;
    admin = undefined;
    if (old !== undefined) await settles(old.disconnect(), 500);
  }

  void look();
  return {
    count: () => count,
    async close() {
      closed = true;
      clearTimeout(timer);
      await leave();
    },
  };
}
