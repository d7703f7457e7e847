import type { Behaviour, Handler, Message, Protocol } from "./actor.ts";
import { enterContext, type Holder } from "./context.ts";
import type { Envelope } from "./envelope.ts";

export type AnyHandler = Handler<unknown, Message>;

export type PreparedHandler = {
  readonly handle: AnyHandler;
  /** Whether it has given a promise: then each of its messages gets a context of its own (see context.ts). */
  givesPromise: boolean;
};

/** What all cells of one behaviour share, of which a thread may have many. */
export type Prepared = {
  /** Free of what every object has: a kind may have any name. */
  readonly handlers: Record<string, PreparedHandler | undefined>;
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

/** Whether the message has something that its handler could hand on. */
export const hasContext = (envelope: Envelope): boolean => envelope.id !== 0 || envelope.traceparent !== undefined;

/** Calls the handler in the context of its message, if that has one: in one of its own when it gives promises, else in the holder of the turn. */
export function callHandler(
  { handle, givesPromise }: PreparedHandler,
  state: unknown,
  envelope: Envelope,
  holder: Holder | undefined,
): unknown {
  if (!hasContext(envelope)) return handle(state, envelope.body as never, envelope);
  let result: unknown;
  if (givesPromise || holder === undefined) {
    enterContext({ current: envelope }, () => {
      result = handle(state, envelope.body as never, envelope);
    });
    return result;
  }
  holder.current = envelope;
  try {
    result = handle(state, envelope.body as never, envelope);
  } finally {
    // What follows a promise still reads it: then the holder stays this message's.
    if (!(result instanceof Promise)) holder.current = undefined;
  }
  return result;
}

/** Sets a handler of a behaviour that is in use: the main thread learns of its kinds, which are topics, as they are subscribed to. */
export function setHandler(behaviour: Behaviour<Protocol, unknown, unknown>, kind: string, handle: AnyHandler): void {
  prepare(behaviour).handlers[kind] = { handle, givesPromise: false };
}
