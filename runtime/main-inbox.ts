import type { Behaviour, Protocol, Self, Topic } from "./actor.ts";
import { Cell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { setHandler } from "./prepared.ts";
import type { Router } from "./router.ts";

export type MainInbox = {
  readonly cell: Cell;
  /** Calls `take` with each message of the topic from now on, after those that were given before. */
  subscribe<Body>(topic: Topic<Body>, take: (body: Body) => void): void;
};

/** What is published to the main thread itself: a cell whose kinds are the topics. */
export function mainInbox(router: Router, clock: Clock, log: Self["log"]): MainInbox {
  const behaviour: Behaviour<Protocol, unknown, unknown> = {
    actor: { name: "main", module: undefined, accepts: {} },
    start: () => null,
  };
  const cell = new Cell(behaviour, {
    clock,
    answer: (envelope, value) => router.answer(envelope, value),
    refuse: (envelope, error) => router.refuse(envelope, error),
    settled: (envelope, disposition) => router.settled(0, envelope, disposition),
    giveUp: (envelope) => router.giveUp(envelope),
    busy: () => undefined,
    oldest: () => undefined,
    paced: () => undefined,
    overdue: () => undefined,
    threw: () => undefined,
    log,
  });
  // Free of what every object has: a topic may have any name.
  const handlers: Record<string, (state: unknown, body: unknown) => void> = Object.create(null);
  return {
    cell,
    subscribe: <Body>({ name }: Topic<Body>, take: (body: Body) => void) => {
      const before = handlers[name];
      const handle = (state: unknown, body: unknown): void => {
        // One that throws fails the message, and the others have it all the same.
        try {
          before?.(state, body);
        } finally {
          take(body as Body);
        }
      };
      handlers[name] = handle;
      setHandler(behaviour, name, handle);
    },
  };
}
