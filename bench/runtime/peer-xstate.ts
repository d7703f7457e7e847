/** XState's actors live in the thread that makes them: what they are measured beside is an actor of ours in the main thread. */

import { createActor, fromTransition } from "xstate";
import type { Task } from "./protocol.ts";

type Event =
  | { readonly type: "take"; readonly task: Task }
  | { readonly type: "echo"; readonly reply: (task: Task) => void; readonly task: Task };

export type LocalPeer = {
  readonly take: (task: Task) => void;
  readonly taken: () => number;
  readonly echo: (task: Task) => Promise<Task>;
};

export function startXstate(): LocalPeer {
  const machine = fromTransition((taken: number, event: Event) => {
    if (event.type === "take") return taken + 1;
    event.reply(event.task);
    return taken;
  }, 0);
  const actor = createActor(machine).start();
  return {
    take: (task) => actor.send({ type: "take", task }),
    taken: () => actor.getSnapshot().context,
    // It has no ask: the answer is a function that the event carries, which works within one thread alone.
    echo: (task) => new Promise((reply) => actor.send({ type: "echo", task, reply })),
  };
}
