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
  end(timeoutMs: number): Promise<void>;
};

/** Nobody waits for them: what comes within such a time goes together. */
const gatherMs = 50;
const againMs = 500;

/** `commit`: of the batch's payload, not the consumer's, from which what the group says of a rebalance comes as an error that ends it for good. */
export function committing(topic: string, commit: (places: OffsetsByTopicPartition) => Promise<void>): Commits {
  let noted = new Map<number, PlaceToCommit>();
  /** What was noted before the last `forget` is not noted again. */
  let assignmentEpoch = 0;
  let ended = false;
  let later: ReturnType<typeof setTimeout> | undefined;
  let underWay: Promise<void> | undefined;

  async function all(): Promise<void> {
    const places = noted;
    const its = assignmentEpoch;
    noted = new Map();
    let pauseMs = gatherMs;
    try {
      await commit({ topics: [{ topic, partitions: [...places.values()] }] });
    } catch {
      pauseMs = againMs;
      if (its === assignmentEpoch) noted = new Map([...places, ...noted]);
    }
    underWay = undefined;
    soon(pauseMs);
  }
  function soon(pauseMs: number): void {
    if (ended || noted.size === 0 || later !== undefined || underWay !== undefined) return;
    later = setTimeout(() => {
      later = undefined;
      underWay = all();
    }, pauseMs);
  }

  return {
    note(place) {
      noted.set(place.partition, place);
      soon(gatherMs);
    },
    forget() {
      noted.clear();
      assignmentEpoch += 1;
      clearTimeout(later);
      later = undefined;
    },
    async end(timeoutMs) {
      ended = true;
      clearTimeout(later);
      const left = (underWay ?? Promise.resolve()).then(() => (noted.size > 0 ? all() : undefined));
      await settles(left, timeoutMs);
    },
  };
}
