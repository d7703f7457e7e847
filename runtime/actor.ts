/**
 * What an actor is: the messages it takes (its protocol, importable by anyone) and how it behaves (its own module, loaded where it runs).
 *
 * The two are apart on purpose: whoever sends to an actor imports the protocol and never the code behind it.
 */

import type { BytesSchema } from "./bytes.ts";

/** Anything that carries a TypeScript type in `static`, as TypeBox's schemas do; the runtime itself depends on no schema library. */
export type Schema<T = unknown> = { readonly static: T };

declare const reply: unique symbol;

/** One kind of message: what it carries and what answers it. Bodies and replies are JSON values, or bytes. */
export type Message<Body = unknown, Reply = unknown> = {
  readonly body: Schema<Body> | undefined;
  readonly answer: Schema<Reply> | undefined;
  /** A lossy kind may be dropped by a mailbox whose policy is `shed`. */
  readonly lossy: boolean;
  /** Phantom: carries the reply's type only. */
  readonly [reply]?: Reply;
};

// biome-ignore lint/suspicious/noExplicitAny: a protocol maps names to messages of any type
export type Protocol = Readonly<Record<string, Message<any, any>>>;
export type BodyOf<M> = M extends Message<infer Body, unknown> ? Body : never;
export type ReplyOf<M> = M extends { readonly [reply]?: infer Reply } ? Exclude<Reply, undefined> : never;

/**
 * What a body or an answer may be: JSON. A `Date`, `Map`, `bigint`, function, symbol or bytes do not compile, wherever they stand; `unknown` is taken at its word.
 */
export type JsonOf<T, Depth extends readonly unknown[] = []> = unknown extends T
  ? T
  : Depth["length"] extends 8
    ? T
    : T extends null | undefined | boolean | number | string
      ? T
      : T extends NotJson
        ? never
        : { readonly [K in keyof T]: JsonOf<T[K], [...Depth, null]> };
type NotJson =
  | bigint
  | symbol
  | ((...args: never[]) => unknown)
  | Date
  | RegExp
  | Error
  | Promise<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferLike
  | ArrayBufferView;

/** Stands where a message would whose body or answer is no JSON, so that its actor does not compile. */
export type NotJsonMessage<What> = { readonly "Cannot be sent, as it is not JSON": What };
type Checked<T, M> = [T] extends [JsonOf<T>] ? M : NotJsonMessage<T>;

/** A message that nobody waits for. */
export function tell(body: BytesSchema, options?: { lossy?: boolean }): Message<Uint8Array, null>;
export function tell<Body = null>(
  body?: Schema<Body>,
  options?: { lossy?: boolean },
): Checked<Body, Message<Body, null>>;
export function tell(body?: Schema, options: { lossy?: boolean } = {}): Message {
  return { body, answer: undefined, lossy: options.lossy ?? false };
}

/** A message that is answered, or fails by its deadline. */
export function ask(body: BytesSchema, answer: BytesSchema): Message<Uint8Array, Uint8Array>;
export function ask<Reply = null>(
  body: BytesSchema,
  answer?: Schema<Reply>,
): Checked<Reply, Message<Uint8Array, Reply>>;
export function ask<Body = null>(
  body: Schema<Body> | undefined,
  answer: BytesSchema,
): Checked<Body, Message<Body, Uint8Array>>;
export function ask<Body = null, Reply = null>(
  body?: Schema<Body>,
  answer?: Schema<Reply>,
): Checked<Body, Checked<Reply, Message<Body, Reply>>>;
export function ask(body?: Schema, answer?: Schema): Message {
  return { body, answer, lossy: false };
}

/** An actor's address: its name, the module whose default export is its behaviour, and its protocol. */
export type Actor<P extends Protocol = Protocol> = {
  readonly name: string;
  /** Not needed where a registry has the actor. */
  readonly module: URL | undefined;
  readonly accepts: P;
};

/** An actor whose module is loaded through a registry, by its name: what can be bundled and compiled. */
export function actor<const P extends Protocol>(name: string, accepts: P): Actor<P>;
/** An actor whose module is loaded by its address, usually `new URL(import.meta.url)`. */
export function actor<const P extends Protocol>(name: string, module: URL, accepts: P): Actor<P>;
export function actor<const P extends Protocol>(name: string, ...[module, accepts]: [P] | [URL, P]): Actor<P> {
  if (typeof module === "string")
    throw new TypeError(`Cannot make the actor ${name}: its module is a URL, as new URL(import.meta.url), not text`);
  return accepts === undefined
    ? { name, module: undefined, accepts: module as P }
    : { name, module: module as URL, accepts };
}

/** A named stream of messages inside one process. */
export type Topic<Body = unknown> = { readonly name: string; readonly body: Schema<Body> | undefined };

export function topic<Body>(name: string, body?: Schema<Body>): Topic<Body> {
  return { name, body };
}

export type SendOptions = {
  /** How long an ask may take, in milliseconds; 5,000 unless told. Finite, as every ask ends; 0 or less has expired already. */
  timeoutMs?: number;
  /**
   * The message that this is a part of: its deadline bounds an ask, its trace goes on, and an ask is given up with it. Unless told, the message whose
   * handler sends this, as long as the handler is under way; `null` for none.
   */
  context?: Pick<Context, "deadlineMs" | "traceparent"> | null;
  /** Gives an ask up when it is aborted: it rejects with `Cancelled`, and so does the receiver's `context.signal` abort. */
  signal?: AbortSignal;
  /** In a pool: messages of one key go to one member, in order. Of keyed actors: the one that is meant, as by `ref.at(key)`. */
  key?: string;
  /** W3C trace context, carried in the envelope. */
  traceparent?: string;
  /**
   * Of a body of bytes: moves its buffer to a receiver in another thread in place of a copy, and the sender's view is empty afterwards. Bytes that are a
   * part of a larger buffer, or shared, are copied all the same.
   */
  transfer?: boolean;
};

/** A way to send to an actor, or to a pool of them. Sending never throws. */
export type Ref<P extends Protocol> = {
  /**
   * `undefined` when taken by the mailbox, or when it is over at once (refused, shed, or a dead letter as the receiver is not there: all are counted).
   * Else a promise that resolves when the full receiver has taken it or it became a dead letter, which it is at once when 65,536 messages of this
   * thread wait for that receiver already.
   */
  tell<K extends keyof P & string>(kind: K, body: BodyOf<P[K]>, options?: SendOptions): undefined | Promise<void>;
  /**
   * Rejects with an `ActorError` of one of its codes (`Died` or `Stopped` at once when the receiver is not there), with what the handler threw, or with
   * a `RangeError` when `timeoutMs` is no finite number.
   */
  ask<K extends keyof P & string>(kind: K, body: BodyOf<P[K]>, options?: SendOptions): Promise<ReplyOf<P[K]>>;
  /**
   * The keyed actor of this key, or (in a pool) the member of the key. Throws a `RangeError` when the key is empty or longer than 256 characters.
   */
  at(key: string): Ref<P>;
};

/** What a handler may know of the message it handles. */
export type Context = {
  readonly kind: string;
  /** Epoch milliseconds, or undefined for a tell. */
  readonly deadlineMs: number | undefined;
  readonly traceparent: string | undefined;
  /** The name of the sending actor. */
  readonly from: string;
  /** Aborted while its handler is under way: at its deadline, when its asker is gone or has given up, and when a stop cuts it off. */
  readonly signal: AbortSignal;
};

/** What a monitor tells: which actor ended, and why when it failed. */
export type Down = { readonly actor: string; readonly index: number; readonly reason: string | null };
/** The kinds of a protocol with this body. */
export type KindsOf<P extends Protocol, Body> = {
  [K in keyof P & string]: Body extends BodyOf<P[K]> ? K : never;
}[keyof P & string];

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a running actor may do. */
export type Self<P extends Protocol = Protocol, Args = unknown> = {
  readonly name: string;
  /** Its place in its pool, from 0. */
  readonly index: number;
  /** Of a keyed actor, which it is. */
  readonly key?: string;
  /** What the tree gave this child: a JSON value. */
  readonly args: Args;
  /** Memory that all actors of the system share, all zero at first; `sharedBytes` long. For counters with `Atomics`: what is said in messages needs none. */
  readonly shared: SharedArrayBuffer;
  /** Aborted when the actor is asked to stop. */
  readonly stopping: AbortSignal;
  ref<Q extends Protocol>(to: Actor<Q>): Ref<Q>;
  /** The message being handled, for all that its handler calls, also behind an `await`; undefined for a tell without a trace, which has nothing to hand on. */
  context(): Context | undefined;
  /** As `tell`, to each subscriber that is up: a promise while full ones wait for a place. What a mailbox refuses or sheds is counted there. */
  publish<Body>(to: Topic<Body>, body: NoInfer<Body>): undefined | Promise<void>;
  /** Messages of the topic arrive in this actor's mailbox as `kind`. */
  subscribe<K extends keyof P & string>(to: Topic<BodyOf<P[K]>>, kind: K): void;
  /** A message to oneself after a delay, through the control lane; the returned function cancels it. */
  after<K extends keyof P & string>(delayMs: number, kind: K, body: BodyOf<P[K]>): () => void;
  /** The same again and again, until it is cancelled or the actor ends. */
  every<K extends keyof P & string>(periodMs: number, kind: K, body: BodyOf<P[K]>): () => void;
  /** Epoch milliseconds; virtual in the simulator, as `sleep` and `random` are. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** A number from 0 to below 1. */
  random(): number;
  /**
   * A message of this kind, through the control lane, for each end of the actor (or of a member of the pool), and at once for each that is not running
   * now; the returned function ends it.
   */
  monitor<K extends KindsOf<P, Down>, Q extends Protocol>(to: Actor<Q>, kind: K): () => void;
  /** Ends this actor normally, as when asked to stop: what it has accepted is handled first. Only a `permanent` one is started again. */
  stop(): void;
  /** Says that a long start has come further: its `startMs` begins anew. Does nothing once the actor is up. */
  progress(): void;
  /** Ends this actor as failed, as an uncaught error would. */
  fail(reason: Error): void;
  log(level: LogLevel, event: string, fields?: Record<string, unknown>): void;
};

/** Gives the answer, or a promise of it; nothing where the answer is `null`. */
export type Handler<State, M> = (
  state: State,
  body: BodyOf<M>,
  context: Context,
) => null extends ReplyOf<M> ? ReplyOf<M> | void | Promise<ReplyOf<M> | void> : ReplyOf<M> | Promise<ReplyOf<M>>;

export type BatchMessage<P extends Protocol> = {
  [K in keyof P & string]: { readonly kind: K; readonly body: BodyOf<P[K]>; readonly context: Context };
}[keyof P & string];

/** Why an actor stops: `shutdown` when asked to, `normal` by its own `self.stop()`, `idle` (a keyed one) when it has had nothing to do, else the failure. */
export type StopReason = "shutdown" | "normal" | "idle" | Error;

export type Behaviour<P extends Protocol, State, Args> = {
  readonly actor: Actor<P>;
  readonly mailbox?: {
    /** Messages waiting at most; 1,024 unless told. */
    limit?: number;
    /**
     * What the bodies that wait may have at most, together, in bytes (of JSON, in characters); no bound unless told. One that is larger is taken alone. Each
     * message is measured for it, which costs its sender about what writing it as JSON does. Of keyed actors: of all in one thread.
     */
    bytesMax?: number;
    /** What a full mailbox does: push back on the sender, refuse with `Busy`, or drop messages of lossy kinds (others wait). `wait` unless told. */
    full?: "wait" | "reject" | "shed";
  };
  /** Makes the state. The actor is ready when it resolves; a restart never inherits the old state. */
  readonly start: (self: Self<P, Args>) => State | Promise<State>;
  /** Messages under way at once at most, begun in order; 1 or more, 1 unless told (then a handler's promise holds the next message back). */
  readonly concurrency?: number;
  /** One handler per kind. */
  readonly on?: { readonly [K in keyof P & string]?: Handler<State, P[K]> };
  /** Kinds listed here are handled many at once (group commit): the outcomes answer the messages one by one; an `Error` among them fails its own ask. */
  readonly batch?: {
    readonly kinds: readonly (keyof P & string)[];
    /** Messages in one call at most; 1 or more. */
    readonly max: number;
    readonly on: (
      state: State,
      messages: readonly BatchMessage<P>[],
    ) => readonly unknown[] | Promise<readonly unknown[]>;
  };
  /**
   * A thread that gives no sign of life for longer than this, in milliseconds, is taken for hung: 3,000 unless told, `Infinity` for never. Less than
   * 800 acts as 800, since a thread beats every 200.
   */
  readonly hangTimeoutMs?: number;
  /**
   * How long a handler's promise may take to settle, in milliseconds, for all kinds or by kind: then the actor fails with the kind's name. Never unless
   * told. A handler that blocks its thread is found as a hang.
   */
  readonly handlerTimeoutMs?: number | Readonly<{ [K in keyof P & string]?: number }>;
  /** Runs once, when asked to stop and also after an uncaught error (as OTP's terminate/2), within the child's `shutdownMs`. */
  readonly stop?: (state: State, reason: StopReason) => void | Promise<void>;
};

/** What an actor lacks whose behaviour has no handler for these kinds: so it does not compile. */
export type MissingHandlers<Kinds> = { readonly "has no handler for": Kinds };

/**
 * Declares how an actor behaves; the default export of the actor's module. A kind without a handler does not compile, or (where the types are named
 * and not inferred, or there is no handler at all) fails the start.
 */
export function behave<
  P extends Protocol,
  State,
  Args = unknown,
  Handled extends keyof P & string = keyof P & string,
  const Batched extends keyof P & string = [keyof P & string] extends [Handled] ? keyof P & string : never,
>(
  of: Actor<P> &
    ([Exclude<keyof P & string, Handled | Batched>] extends [never]
      ? unknown
      : MissingHandlers<Exclude<keyof P & string, Handled | Batched>>),
  behaviour: Omit<Behaviour<P, State, Args>, "actor" | "on" | "batch"> & {
    readonly on?: { readonly [K in Handled]?: Handler<State, P[K]> };
    readonly batch?: Omit<NonNullable<Behaviour<P, State, Args>["batch"]>, "kinds"> & {
      readonly kinds: readonly Batched[];
    };
  },
): Behaviour<P, State, Args> {
  return { actor: of, ...behaviour } as unknown as Behaviour<P, State, Args>;
}
