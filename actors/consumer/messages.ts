/** What others may say to the `consumer` role, the single writer of spaces. */
import { actor, ask } from "../../runtime/actor.ts";
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
