/** The `task` role: the HTTP edge of tasks. It is told what auth and the writers announce. */
import { actor, tell } from "../../runtime/actor.ts";
import type { Ended } from "../auth/messages.ts";
import type { FactsEnds, FactsHeard } from "../follower/messages.ts";

export const task = actor("task", new URL("./main.ts", import.meta.url), {
  revoked: tell<Ended[]>(),
  facts: tell<FactsHeard>(),
  ends: tell<FactsEnds>(),
});
