import type { Clock } from "./clock.ts";
import type { Envelope } from "./envelope.ts";

type Pending<Connection> = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Undefined while it waits for a member of a pool. */
  connection: Connection | undefined;
  readonly deadlineMs: number;
  readonly late: () => Error;
  /** The message in whose handler it was asked. */
  readonly within: Envelope | undefined;
  /** Called once it has settled. */
  over?: () => void;
};

/** The asks of one thread that wait for an answer; one timer for all of them, at the earliest deadline. */
export class Asks<Connection> {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending<Connection>>();
  #lastId = 0;
  #wakeMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pending.size;
  }

  nextId(): number {
    this.#lastId = this.#lastId >= 0x3fffffff ? 1 : this.#lastId + 1;
    return this.#lastId;
  }

  add(id: number, pending: Pending<Connection>): void {
    this.#pending.set(id, pending);
    if (pending.deadlineMs < this.#wakeMs) this.#arm(pending.deadlineMs, this.#clock.now());
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /** The ask is on its way by this connection. */
  sendBy(id: number, connection: Connection): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.connection = connection;
  }

  resolve(id: number, value: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.over?.();
    pending.resolve(value);
  }

  reject(id: number, error: Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.over?.();
    pending.reject(error);
  }

  /** Fails all that wait for this connection. */
  rejectAll(connection: Connection, error: () => Error): void {
    for (const [id, pending] of this.#pending) if (pending.connection === connection) this.reject(id, error());
  }

  whenOver(id: number, run: () => void): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) pending.over = run;
  }

  /** The ask's connection, undefined when it has none (yet) or is over. */
  connectionOf(id: number): Connection | undefined {
    return this.#pending.get(id)?.connection;
  }

  /** What the handler of a message has asked for and not been answered. */
  askedWithin(envelope: Envelope): number[] {
    const ids: number[] = [];
    for (const [id, { within }] of this.#pending) if (within === envelope) ids.push(id);
    return ids;
  }

  #arm(atMs: number, nowMs: number): void {
    this.#cancel?.();
    this.#wakeMs = atMs;
    this.#cancel = this.#clock.later(Math.max(1, atMs - nowMs), () => this.#sweep());
  }

  #sweep(): void {
    // So late it is by the timer, also when the wall clock was put back meanwhile.
    const nowMs = Math.max(this.#clock.now(), this.#wakeMs);
    this.#wakeMs = Number.POSITIVE_INFINITY;
    this.#cancel = undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, pending] of this.#pending) {
      if (pending.deadlineMs <= nowMs) this.reject(id, pending.late());
      else if (pending.deadlineMs < nextMs) nextMs = pending.deadlineMs;
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs, nowMs);
  }

  /** Stops the timer; nothing is answered any more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
