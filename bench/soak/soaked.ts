import { type Actor, type Behaviour, behave } from "../../runtime/actor.ts";
import type { waiting } from "./messages.ts";

type Protocol = (typeof waiting)["accepts"];

/** An actor that takes 20 µs of work for a message: 50,000 a second at most. */
export function soaked(
  of: Actor<Protocol>,
  full: "wait" | "reject" | "shed",
): Behaviour<Protocol, { n: number }, unknown> {
  const work = (state: { n: number }): void => {
    const endMs = performance.now() + 0.02;
    while (performance.now() < endMs);
    state.n += 1;
  };
  return behave(of, {
    mailbox: { limit: 1_024, full },
    start: () => ({ n: 0 }),
    on: { work, lossy: work, handled: ({ n }) => n },
  });
}
