/** The keeper: brings all that is told into the cache, so that no change misses it for good. It lives beside the writer. */
import { actor } from "../../runtime/actor.ts";

export const keeper = actor("keeper", new URL("./main.ts", import.meta.url), {});
