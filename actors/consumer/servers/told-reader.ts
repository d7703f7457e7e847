/** What writers have told of one partition, read from the topic of facts a stretch at a time, as far back as the topic goes; and what they have set aside. */
import { readFacts } from "../../kafka/facts-record.ts";
import type { SpaceNames } from "../../kafka/names.ts";
import { type PartitionQuestions, recordsBetween } from "../../kafka/partition-questions.ts";
import type { Told } from "../../resources/verdict.ts";
import { readParked } from "../parked-record.ts";

export type ToldReader = {
  /** Reads on until all that was told below `to` is known, or so much that memory is to hold no more: the position up to which it is. */
  readTo(from: number, to: number): Promise<number>;
  /** What was told first of each position of the stretch; `parkedFor`: why it was set aside, where the topic no longer says what became of it. */
  take(from: number, to: number, parkedFor: (position: number) => string | undefined): Told[];
};

type Asking = Pick<PartitionQuestions, "read" | "ends">;

const waitMs = 500;
/** The least that may be held of one partition. */
const usualCharsMax = 32_000_000;

export async function toldReader(
  questions: Asking,
  { topic, partition, charsMax = usualCharsMax }: { topic: string; partition: number; charsMax?: number },
): Promise<ToldReader> {
  const held = new Map<number, { readonly told: Told; readonly chars: number }>();
  let chars = 0;
  /** Behind the latest position that was told of. */
  let reached = 0;
  let { first: next, end } = await questions.ends(topic, partition);

  async function readMore(from: number): Promise<void> {
    const { records, next: behind } = await questions.read({ topic, partition, from: next }, waitMs);
    if (behind === next)
      throw new Error(`Cannot read partition ${partition} of ${topic} to its end: nothing comes at ${next}`);
    for (const { value } of records) {
      const told = readFacts(value);
      if (typeof told === "string" || told.kind === "projected") continue;
      reached = Math.max(reached, told.position + 1);
      if (told.position < from || held.has(told.position)) continue;
      const bare: Told = told.kind === "decided" ? { ...told, documents: [] } : told;
      held.set(told.position, { told: bare, chars: value?.length ?? 0 });
      chars += value?.length ?? 0;
    }
    next = behind;
  }

  return {
    async readTo(from, to) {
      // Every earlier verdict is told before one is.
      while (next < end && reached < to && (chars < charsMax || reached <= from)) await readMore(from);
      return next < end ? Math.min(to, Math.max(reached, from + 1)) : to;
    },
    take(from, to, parkedFor) {
      const all: Told[] = [];
      for (let position = from; position < to; position++) {
        const found = held.get(position);
        held.delete(position);
        chars -= found?.chars ?? 0;
        const reason = found === undefined ? parkedFor(position) : undefined;
        if (found !== undefined) all.push(found.told);
        else if (reason !== undefined) all.push({ position, kind: "parked", reason });
      }
      return all;
    },
  };
}

/** By `partition offset` of the log, why the record was set aside. */
export async function parkedPlaces(questions: Asking, { parked: topic }: SpaceNames): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { first, end } = await questions.ends(topic, 0);
  for await (const { value } of recordsBetween(questions, { topic, partition: 0, from: first, to: end }, waitMs)) {
    const parked = readParked(value);
    if (parked !== undefined) found.set(`${parked.partition} ${parked.offset}`, parked.reason);
  }
  return found;
}
