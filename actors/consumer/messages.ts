/** What others may say to the `consumer` role, the single writer of tasks. */
import { actor, ask } from "../../runtime/actor.ts";
import type { Command, Outcome, Position } from "../model/command.ts";
import type { Command as SpaceCommand } from "../resources/command.ts";
import type { Verdict } from "../resources/verdict.ts";

/** What became of a command of a space. */
export type SpaceVerdict = Verdict;

export const consumer = actor("consumer", new URL("./main.ts", import.meta.url), {
  /** Answered after the commit: an answer means durable and visible. */
  append: ask<Command, Outcome>(),
  /** A command of a space; answered likewise. `isResent`: an earlier sending may have arrived. */
  take: ask<{ command: SpaceCommand; isResent: boolean }, { position: Position; verdict: SpaceVerdict }>(),
  /** Ends a user's memberships and blanks their personal space; answered when that is for good. */
  erase: ask<{ userId: string; at: string }, null>(),
  /** Answered when it takes messages and turns. */
  ready: ask(),
});
