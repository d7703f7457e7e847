/** What others may say to the `consumer` role, the single writer of tasks. */
import { actor, ask, tell } from "../../runtime/actor.ts";
import type { FaultKind } from "../debug.ts";
import type { Command, Outcome } from "../model/command.ts";

export const consumer = actor("consumer", new URL("./main.ts", import.meta.url), {
  /** Answered after the commit: an answer means durable and visible. */
  append: ask<Command, Outcome>(),
  /** Answered when it takes messages and turns. */
  ready: ask(),
  /** Ends the actor from inside; never sent unless debug faults are allowed. */
  debug: tell<{ how: FaultKind }>(),
});
