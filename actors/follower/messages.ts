/** The follower: hears what the writers tell in Kafka and tells it to the `task` workers of its process. */
import { actor, ask, topic } from "../../runtime/actor.ts";

export const follower = actor("follower", new URL("./main.ts", import.meta.url), {
  /** What is known of spaces by now; null until it has caught up with what was told before it came. */
  spaces: ask<null, readonly KnownFacts[] | null>(),
});

/** Records of `facts`, as they are there. From one message to the next of a partition the offsets follow each other; at a start or after a fault some come again. */
export type FactsHeard = {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly values: readonly string[];
};

/**
 * Where each partition of `facts` ended when Kafka was asked at this moment: who has heard all of it knows everything that was told by then. Null where Kafka
 * did not answer.
 */
export type FactsEnds = { readonly askedMs: number; readonly ends: readonly number[] | null };

/** What a worker that begins has to know of a partition. */
export type KnownFacts = {
  readonly partition: number;
  /** The last position told; -1 when none is known. */
  readonly told: number;
  /** Everything below it is in the read model. */
  readonly projected: number;
  /** The offset of `facts` up to which this holds. */
  readonly next: number;
  /** All that was told from this position on is in `values`. */
  readonly from: number;
  readonly values: readonly string[];
};

export const factsHeard = topic<FactsHeard>("spaces.facts");
export const factsEnds = topic<FactsEnds>("spaces.facts-ends");
