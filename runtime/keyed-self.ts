import type { Actor, Context, Down, KindsOf, LogLevel, Protocol, Ref, Self, Topic } from "./actor.ts";
import { Envelope } from "./envelope.ts";
import type { KeyedActor } from "./keyed-actor.ts";

/** What a keyed actor may do. A class, where others have functions of their own: a thread has thousands of these. */
export class KeyedSelf implements Self {
  readonly #actor: KeyedActor;

  constructor(actor: KeyedActor) {
    this.#actor = actor;
  }

  get #shared(): Self {
    return this.#actor.cells.host.self;
  }

  get name(): string {
    return this.#shared.name;
  }

  get index(): number {
    return this.#shared.index;
  }

  get key(): string {
    return this.#actor.key;
  }

  get args(): unknown {
    return this.#shared.args;
  }

  get shared(): SharedArrayBuffer {
    return this.#shared.shared;
  }

  get stopping(): AbortSignal {
    return this.#shared.stopping;
  }

  ref<Q extends Protocol>(to: Actor<Q>): Ref<Q> {
    return this.#actor.cells.host.ref(to as unknown as Actor, this.#actor.key) as unknown as Ref<Q>;
  }

  context(): Context | undefined {
    return this.#shared.context();
  }

  publish<Body>(to: Topic<Body>, body: NoInfer<Body>): undefined | Promise<void> {
    return this.#shared.publish(to, body);
  }

  subscribe(): void {
    throw new Error(
      `Cannot subscribe in ${this.name}: a keyed actor is not always there; subscribe in an actor of the tree`,
    );
  }

  after(delayMs: number, kind: string, body: unknown): () => void {
    return this.#later(delayMs, kind, body);
  }

  every(periodMs: number, kind: string, body: unknown): () => void {
    let isCancelled = false;
    let cancel: () => void = () => undefined;
    const next = (): void => {
      if (!isCancelled) cancel = this.#later(periodMs, kind, body, next);
    };
    next();
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  #later(delayMs: number, kind: string, body: unknown, then?: () => void): () => void {
    const actor = this.#actor;
    const timers = (actor.timers ??= new Set());
    const stopTimer = actor.clock.later(delayMs, () => {
      timers.delete(stopTimer);
      this.#tellOneself(kind, body);
      then?.();
    });
    timers.add(stopTimer);
    return () => {
      timers.delete(stopTimer);
      stopTimer();
    };
  }

  #tellOneself(kind: string, body: unknown): void {
    this.#actor.deliverControl(
      new Envelope(kind, body, 0, undefined, undefined, this.name, this.#actor.key, undefined, true),
    );
  }

  now(): number {
    return this.#shared.now();
  }

  sleep(ms: number): Promise<void> {
    return this.#shared.sleep(ms);
  }

  random(): number {
    return this.#shared.random();
  }

  monitor<K extends KindsOf<Protocol, Down>, Q extends Protocol>(to: Actor<Q>, kind: K): () => void {
    const actor = this.#actor;
    const timers = (actor.timers ??= new Set());
    const end = actor.cells.host.monitor(to as unknown as Actor, (down) => this.#tellOneself(kind, down));
    timers.add(end);
    return () => {
      timers.delete(end);
      end();
    };
  }

  stop(): void {
    this.#actor.leave();
  }

  progress(): void {
    // Its start is a matter of its thread's turn: nobody counts its time.
  }

  fail(reason: Error): void {
    this.#actor.cells.failed(this.#actor, reason);
  }

  log(level: LogLevel, event: string, fields?: Record<string, unknown>): void {
    this.#actor.log(level, event, fields);
  }
}
