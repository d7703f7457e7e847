/** Places in a topic's partitions, committed in the background: one request at a time, with the newest place of each partition that has one. */
import type { OffsetsByTopicPartition } from "kafkajs";
import { settles } from "../waiting.ts";

/** Where to begin in a partition when it is read anew. */
export type PlaceToCommit = { readonly partition: number; readonly offset: string; readonly metadata?: string };

export type Commits = {
  /** Not waited for. What fails is committed again with what comes, and after a pause. */
  note(place: PlaceToCommit): void;
  /** What is not committed yet never will be: the partitions may be another's. */
  forget(): void;
  /** Commits what is left, for at most this long. */
  end(withinMs: number): Promise<void>;
};

const againMs = 500;

/** `commit`: of the batch's payload, not the consumer's, from which what the group says of a rebalance comes as an error that ends it for good. */
export function committing(topic: string, commit: (places: OffsetsByTopicPartition) => Promise<void>): Commits {
  let noted = new Map<number, PlaceToCommit>();
  /** What was noted before the last `forget` is not noted again. */
  let era = 0;
  let busy = false;
  let ended = false;
  let underWay = Promise.resolve();
  let later: ReturnType<typeof setTimeout> | undefined;

  async function all(): Promise<void> {
    while (noted.size > 0) {
      const places = noted;
      const its = era;
      noted = new Map();
      try {
        await commit({ topics: [{ topic, partitions: [...places.values()] }] });
      } catch {
        if (its !== era) continue;
        noted = new Map([...places, ...noted]);
        if (!ended) later = setTimeout(begin, againMs);
        break;
      }
    }
    busy = false;
  }
  function begin(): void {
    clearTimeout(later);
    later = undefined;
    if (busy) return;
    busy = true;
    underWay = all();
  }

  return {
    note(place) {
      noted.set(place.partition, place);
      if (later === undefined) begin();
    },
    forget() {
      noted.clear();
      era += 1;
    },
    async end(withinMs) {
      ended = true;
      begin();
      await settles(underWay, withinMs);
    },
  };
}
