import type { Behaviour, Handler, Message, Protocol } from "./actor.ts";

export type AnyHandler = Handler<unknown, Message>;

export type PreparedHandler = {
  readonly handle: AnyHandler;
  /** Whether it has given a promise: then each of its messages gets a context of its own (see context.ts). */
  givesPromise: boolean;
};

/** What all cells of one behaviour share, of which a thread may have many. */
export type Prepared = {
  /** Free of what every object has: a kind may have any name. */
  readonly handlers: Readonly<Record<string, PreparedHandler | undefined>>;
  readonly batchKinds: ReadonlySet<string>;
  readonly concurrency: number;
};

const known = new WeakMap<object, Prepared>();

export function prepare(behaviour: Behaviour<Protocol, unknown, unknown>): Prepared {
  let prepared = known.get(behaviour);
  if (prepared === undefined) {
    const handlers: Record<string, PreparedHandler | undefined> = Object.create(null);
    for (const [kind, handle] of Object.entries(behaviour.on ?? {}))
      if (handle !== undefined) handlers[kind] = { handle: handle as AnyHandler, givesPromise: false };
    prepared = {
      handlers,
      batchKinds: new Set(behaviour.batch?.kinds ?? []),
      concurrency: Math.max(1, behaviour.concurrency ?? 1),
    };
    known.set(behaviour, prepared);
  }
  return prepared;
}
