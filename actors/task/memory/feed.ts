/** Hands on what the follower hears of the writers to what a `task` worker remembers, each position once, and notices where something was missed. */
import type { FactsEnds, FactsHeard, KnownFacts } from "../../follower/messages.ts";
import { readFacts } from "../../kafka/facts-record.ts";
import type { Projected, Told } from "../../resources/verdict.ts";
import type { SpaceAnnouncements } from "./announcements.ts";
import type { SpaceDocuments } from "./documents.ts";
import type { SpaceHeads } from "./heads.ts";
import type { SpaceReplicas } from "./space-replicas.ts";

export type SpaceFeed = {
  heard(facts: FactsHeard): void;
  ends(ends: FactsEnds): void;
  /** What the follower knew when it was asked; what it has heard since was, or will be, `heard`. */
  begin(known: readonly KnownFacts[]): void;
  /** Whether all that was told of the partition until a second ago is known. */
  isCurrent(partition: number): boolean;
  /**
   * Resolves to whether it is, as soon as that is so. To false at the deadline (epoch milliseconds), and sooner where Kafka does not answer: a thread that was
   * kept from its turns has only to hear what was told meanwhile, while without Kafka there is nothing to wait for.
   */
  untilCurrent(partition: number, deadlineMs: number): Promise<boolean>;
};

export type SpaceFeedParts = {
  readonly announcements: SpaceAnnouncements;
  readonly documents: SpaceDocuments;
  readonly heads: SpaceHeads;
  readonly replicas: Pick<SpaceReplicas, "take" | "forget">;
  readonly now: () => number;
};

const currentMs = 1_000;
/** From one question that Kafka does not answer until the follower has told of the next one: 0.8 s each, and 0.25 s between. */
const silentMs = 2_500;
const earlyCharsMax = 8_000_000;

type Partition = {
  /** The offset of the facts that is heard next. */
  next: number;
  /** When Kafka was asked for the end of the facts up to which all has been heard. */
  currentMs: number;
  /** An end that has not been heard yet. */
  end: { readonly offset: number; readonly askedMs: number } | undefined;
};

export function spaceFeed({ announcements, documents, heads, replicas, now }: SpaceFeedParts): SpaceFeed {
  const partitions = new Map<number, Partition>();
  /** What came before it began. */
  let early: FactsHeard[] | undefined = [];
  let earlyChars = 0;
  /** When Kafka was asked last and did not answer; undefined where it did. */
  let unansweredMs: number | undefined;
  const waiting = new Set<() => void>();

  const isCurrent = (partition: number): boolean => early === undefined && now() - of(partition).currentMs <= currentMs;

  function lookAtWaiting(): void {
    for (const look of waiting) look();
  }

  function of(partition: number): Partition {
    const known = partitions.get(partition) ?? { next: 0, currentMs: 0, end: undefined };
    partitions.set(partition, known);
    return known;
  }

  function take(partition: number, values: readonly string[]): void {
    const records: (Told | Projected)[] = [];
    let told = announcements.told(partition);
    for (const value of values) {
      const record = readFacts(value);
      if (typeof record === "string") {
        // Who wrote it has told of it. It may have been of any space.
        replicas.forget(partition);
        continue;
      }
      records.push(record);
      if (record.kind === "projected") heads.projected(partition, record.position);
      // Of what was told of a position the first counts.
      if (record.kind === "projected" || record.position <= told) continue;
      told = record.position;
      if (record.kind !== "decided") continue;
      documents.take(partition, record);
      heads.take(partition, record.fact, record.documents);
      replicas.take(partition, record.fact, record.documents);
    }
    announcements.take(partition, records);
  }

  /** Something between was never heard: what is remembered may be older. */
  function missed(partition: number): void {
    // What was missed is told by now, and what is told from here on is heard.
    forget(partition, announcements.told(partition));
  }

  /** Nothing is remembered any more of what was told up to there. */
  function forget(partition: number, upTo: number): void {
    documents.forget(partition, upTo);
    heads.forget(partition, upTo);
    replicas.forget(partition);
  }

  function reached(its: Partition): void {
    if (its.end === undefined || its.next < its.end.offset) return;
    its.currentMs = its.end.askedMs;
    its.end = undefined;
    lookAtWaiting();
  }

  function heard(facts: FactsHeard): void {
    const { partition, from, next, values } = facts;
    const its = of(partition);
    const isMissing = from > its.next;
    take(partition, values);
    if (isMissing) missed(partition);
    its.next = Math.max(its.next, next);
    reached(its);
  }

  return {
    heard(facts) {
      if (early === undefined) heard(facts);
      else {
        early.push(facts);
        earlyChars += charsOf(facts);
        // What is dropped is in what the follower will know, or is missed and noticed as such.
        while (earlyChars > earlyCharsMax && early.length > 1) earlyChars -= charsOf(early.shift() as FactsHeard);
      }
    },

    ends({ askedMs, ends }) {
      unansweredMs = ends === null ? askedMs : undefined;
      if (ends === null) return lookAtWaiting();
      for (const [partition, offset] of ends.entries()) {
        if (offset === undefined) continue;
        const its = of(partition);
        if (its.end === undefined || its.next >= offset) its.end = { offset, askedMs };
        reached(its);
      }
    },

    begin(known) {
      if (early === undefined) return;
      for (const { partition, told, projected, next, from, values } of known) {
        // What was told below that and is not projected is in no memory here.
        forget(partition, from - 1);
        take(partition, values);
        announcements.begin([{ partition, told, projected, from }]);
        of(partition).next = next;
      }
      const heardEarly = early;
      early = undefined;
      for (const each of heardEarly) heard(each);
      lookAtWaiting();
    },

    isCurrent,

    untilCurrent(partition, deadlineMs) {
      const sinceMs = now();
      if (isCurrent(partition)) return Promise.resolve(true);
      if (unansweredMs !== undefined && sinceMs - unansweredMs <= silentMs) return Promise.resolve(false);
      return new Promise((resolve) => {
        const end = (is: boolean) => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(is);
        };
        const look = () => {
          if (isCurrent(partition)) end(true);
          // An answer that was missing before somebody waited says nothing of now.
          else if (unansweredMs !== undefined && unansweredMs >= sinceMs) end(false);
        };
        const timer = setTimeout(end, Math.max(0, deadlineMs - sinceMs), false);
        waiting.add(look);
      });
    },
  };
}

function charsOf({ values }: FactsHeard): number {
  return values.reduce((sum, { length }) => sum + length, 0);
}
