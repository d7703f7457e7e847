/** The follower: hears what the writers announce in Kafka and tells it to the `task` workers of its process. */
import { actor, ask, tell, topic } from "../../runtime/actor.ts";
import type { FaultKind } from "../debug.ts";
import type { Announcement } from "../model/command.ts";

/** By partition, the offset of the last command announced; -1 where none is known. */
export type Announced = readonly number[];

export const follower = actor("follower", new URL("./main.ts", import.meta.url), {
  /** How far the announcements are; null until it has caught up with those made before it came. */
  announced: ask<null, Announced | null>(),
  /** Ends the actor from inside; never sent unless debug faults are allowed. */
  debug: tell<{ how: FaultKind }>(),
});

/** In log order within a partition; at a start or after a fault some come again. */
export const announcements = topic<Announcement[]>("task.announcements");
