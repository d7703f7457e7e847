import type { Actor, Behaviour, Down, Protocol, Ref, Self, StopReason } from "./actor.ts";
import type { CellHost, CellState } from "./cell.ts";
import type { Envelope } from "./envelope.ts";
import { ActorError, died, errorFields, stopped } from "./errors.ts";
import { KeyedActor } from "./keyed-actor.ts";
import { Queue } from "./queue.ts";
import { addRestart } from "./supervisor-restarts.ts";

export type KeyedOptions = {
  /** An actor that has had nothing to do for so long ends; `null` for never. */
  readonly idleMs: number | null;
  /** Actors at once at most, in all threads together. */
  readonly max: number;
  /** What a throw in a handler does: only answer its ask, or have the actor made anew as well. */
  readonly policy: "reply" | "restart";
  /** More failures of one key than this within the period, and it is down until the period is over. */
  readonly intensity: number;
  readonly periodMs: number;
};

export type KeyedHost = Pick<
  CellHost,
  "clock" | "answer" | "refuse" | "settled" | "busy" | "giveUp" | "oldest" | "log"
> & {
  readonly shutdownMs: number;
  /** One actor more; false when there are as many as there may be. */
  addKey(): boolean;
  removeKey(): void;
  /** A message that reaches no actor. */
  deadLetter(kind: string, reason: string): void;
  /** What all actors of this thread have in common of `self`. */
  readonly self: Self;
  ref(to: Actor, key: string): Ref<Protocol>;
  monitor(to: Actor, told: (down: Down) => void): () => void;
};

/** A turn ends after this long, as that of a cell. */
const TURN_MS = 8;
/** How often those that are idle are looked for, at least and at most. */
const SWEEP_MS_MIN = 20;
const SWEEP_MS_MAX = 10_000;

type Failures = { readonly timesMs: readonly number[]; readonly downUntilMs: number; readonly cause: Error };

/**
 * The actors of one kind in one thread, one for each key: made at their first message, gone when they are idle, failing alone. They share the thread's
 * gate: its mailbox is bounded for all of them together, and no key may hold more of it than the behaviour's own limit.
 */
export class KeyedCells {
  readonly behaviour: Behaviour<Protocol, unknown, unknown>;
  readonly host: KeyedHost;
  readonly #options: KeyedOptions;
  readonly #limit: number;
  readonly #actors = new Map<string, KeyedActor>();
  readonly #ready = new Queue<KeyedActor>();
  readonly #failures = new Map<string, Failures>();
  /** Those with a handler under way that gave a promise; the first is about the one that waits longest. */
  readonly #handling = new Map<KeyedActor, { kind: string; sinceMs: number }>();
  #state: CellState = "new";
  #turning = false;
  #yielded = false;
  #sinceMs = 0;
  /** The ends of actors whose `stop` hook runs. */
  readonly #endings = new Set<Promise<void>>();
  #cancelSweep: (() => void) | undefined;

  constructor(behaviour: Behaviour<Protocol, unknown, unknown>, options: KeyedOptions, limit: number, host: KeyedHost) {
    this.behaviour = behaviour;
    this.#options = options;
    this.#limit = limit;
    this.host = host;
  }

  get state(): CellState {
    return this.#state;
  }

  get idle(): boolean {
    return this.#ready.size === 0 && this.#handling.size === 0 && this.#endings.size === 0;
  }

  async start(): Promise<void> {
    this.#state = "running";
    this.turn();
  }

  deliver(envelope: Envelope): void {
    const { key } = envelope;
    const { name } = this.behaviour.actor;
    if (this.#state === "stopping" || this.#state === "stopped") return this.#dead(envelope, stopped(name), "stopped");
    if (key === undefined)
      return this.#dead(envelope, new RangeError(`Cannot reach ${name} without a key; use ref.at(key)`), "no-key");
    const actor = this.#actors.get(key) ?? this.#make(key, envelope);
    if (actor === undefined) return;
    if (actor.cell.waiting >= this.#limit) {
      const message = `Cannot take the message: the mailbox of ${name} at its key has ${this.#limit} messages`;
      this.#dead(envelope, new ActorError("Busy", message), "key-full");
    } else if (actor.deliver(envelope) && !actor.isReady) {
      actor.isReady = true;
      this.#ready.push(actor);
    }
  }

  #make(key: string, envelope: Envelope): KeyedActor | undefined {
    const { name } = this.behaviour.actor;
    const failures = this.#failures.get(key);
    if (failures !== undefined && failures.downUntilMs > this.host.clock.monotonicMs()) {
      this.#dead(envelope, died(name, failures.cause), "key-down");
      return undefined;
    }
    if (!this.host.addKey()) {
      const message = `Cannot start ${name} at one more key: ${this.#options.max} are running (max); raise max, or let them end sooner with idleMs`;
      this.#dead(envelope, new ActorError("Busy", message), "max");
      return undefined;
    }
    const actor = new KeyedActor(this, key);
    this.#actors.set(key, actor);
    this.#armSweep();
    return actor;
  }

  #dead(envelope: Envelope, error: Error, reason: string): void {
    if (envelope.id !== 0) this.host.refuse(envelope, error);
    else this.host.deadLetter(envelope.kind, reason);
    this.host.settled(envelope, "dead");
  }

  deliverControl(): void {
    // Only the actors of keys have messages to themselves, and they take them by themselves.
  }

  turn(): void {
    this.#sinceMs = this.host.clock.now();
    this.#run();
  }

  resumeTurn(): void {
    if (!this.#yielded) this.#run();
  }

  #run(): void {
    if (this.#turning || this.#state !== "running") return;
    this.#turning = true;
    for (let actor = this.#ready.shift(); actor !== undefined; actor = this.#ready.shift()) {
      actor.isReady = false;
      actor.turn();
      if (Math.abs(this.host.clock.now() - this.#sinceMs) < TURN_MS || this.#yielded) continue;
      this.#yielded = true;
      this.host.clock.soon(() => {
        this.#yielded = false;
        this.turn();
      });
      break;
    }
    this.#turning = false;
  }

  cancel(how: "gone" | "gave-up", isMeant: (envelope: Envelope) => boolean): void {
    for (const { cell } of this.#actors.values()) if (!cell.idle) cell.cancel(how, isMeant);
  }

  /** Ends all of them. */
  async stop(reason: StopReason): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#cancelSweep?.();
    for (const actor of [...this.#actors.values()]) this.end(actor, reason);
    await Promise.all(this.#endings);
    this.#state = "stopped";
  }

  // ── what its actors tell ───────────────────────────────────────────────────────────────────────────────────────────────────────

  threw(actor: KeyedActor, error: Error): void {
    if (this.#options.policy === "restart") this.failed(actor, error);
  }

  /** Ends one actor now. */
  end(actor: KeyedActor, reason: StopReason): void {
    const ending = actor.end(reason);
    if (ending === undefined) return;
    this.#endings.add(ending);
    void ending.then(() => this.#endings.delete(ending));
  }

  /** Ends one actor, whose next message makes it anew unless it has failed too often. */
  failed(actor: KeyedActor, error: Error): void {
    if (actor.isEnding) return;
    const nowMs = this.host.clock.monotonicMs();
    const timesMs = addRestart(this.#failures.get(actor.key)?.timesMs ?? [], nowMs, this.#options);
    const downUntilMs = timesMs === undefined ? nowMs + this.#options.periodMs : 0;
    this.#failures.set(actor.key, { timesMs: timesMs ?? [], downUntilMs, cause: error });
    this.#armSweep();
    actor.log("error", "keyed-actor-failed", { ...errorFields(error), isDown: timesMs === undefined });
    this.end(actor, error);
  }

  /** An actor is over; what came for its key meanwhile makes the next one. */
  ended(actor: KeyedActor, next: readonly Envelope[]): void {
    this.#actors.delete(actor.key);
    this.#handling.delete(actor);
    this.host.removeKey();
    for (const envelope of next) this.deliver(envelope);
    this.resumeTurn();
  }

  oldest(actor: KeyedActor, kind: string | undefined, sinceMs: number): void {
    const [before] = this.#handling.keys();
    this.#handling.delete(actor);
    if (kind !== undefined) this.#handling.set(actor, { kind, sinceMs });
    const [first] = this.#handling.keys();
    if (first === before && before !== actor) return;
    const longest = first === undefined ? undefined : this.#handling.get(first);
    this.host.oldest(longest?.kind, longest?.sinceMs ?? 0);
  }

  // ── those that are idle ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #armSweep(): void {
    const { idleMs, periodMs } = this.#options;
    if (this.#cancelSweep !== undefined || (idleMs === null && this.#failures.size === 0)) return;
    const everyMs = Math.min(Math.max((idleMs ?? periodMs) / 4, SWEEP_MS_MIN), SWEEP_MS_MAX);
    this.#cancelSweep = this.host.clock.later(everyMs, () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      if (this.#actors.size > 0 || this.#failures.size > 0) this.#armSweep();
    });
  }

  #sweep(): void {
    const { idleMs, periodMs } = this.#options;
    const monotonicMs = this.host.clock.monotonicMs();
    for (const [key, { timesMs, downUntilMs }] of this.#failures)
      if (downUntilMs <= monotonicMs && monotonicMs - (timesMs.at(-1) ?? 0) > periodMs) this.#failures.delete(key);
    if (idleMs === null) return;
    const nowMs = this.host.clock.now();
    for (const actor of this.#actors.values())
      if (actor.isIdle && Math.abs(nowMs - actor.usedMs) >= idleMs) this.end(actor, "idle");
  }
}
