/** The keeper: brings every announcement into the cache, so that no change misses it for good. It lives beside the writer. */
import { actor, tell } from "../../runtime/actor.ts";
import type { FaultKind } from "../debug.ts";

export const keeper = actor("keeper", new URL("./main.ts", import.meta.url), {
  /** Ends the actor from inside; never sent unless debug faults are allowed. */
  debug: tell<{ how: FaultKind }>(),
});
