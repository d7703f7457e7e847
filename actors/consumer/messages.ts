/** What others may say to the `consumer` role, the single writer of spaces. */
import { actor, ask, topic } from "../../runtime/actor.ts";
import type { Position } from "../model/position.ts";
import type { Command } from "../resources/command.ts";
import type { Verdict } from "../resources/verdict.ts";

/** What became of a command of a space. */
export type SpaceVerdict = Verdict;

export const consumer = actor("consumer", new URL("./main.ts", import.meta.url), {
  /** A command of a space, answered after the commit: an answer means durable and visible. `isResent`: an earlier sending may have arrived. */
  take: ask<{ command: Command; isResent: boolean }, { position: Position; verdict: SpaceVerdict }>(),
  /** Ends a user's memberships and blanks their personal space; answered when that is for good. */
  erase: ask<{ userId: string; at: string }, null>(),
  /** Answered when it takes messages and turns. */
  ready: ask(),
});

/** Of the partitions of the log, those whose writer is in this process, and how many there are; announced when that changes, and every second. */
export type AssignedPartitions = {
  /** Null while the group of writers has not agreed on it. */
  readonly assigned: readonly number[] | null;
  readonly partitions: number;
};

/** Spaces of whose facts the read model has more than before. */
export type SpacesChanged = {
  readonly spaceIds: readonly string[];
  /** A webhook, or a space itself, is among what has changed. */
  readonly hasWebhooks: boolean;
};

export const partitionsAssigned = topic<AssignedPartitions>("spaces.partitions");
export const spacesChanged = topic<SpacesChanged>("spaces.changed");
