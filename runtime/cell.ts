import type { Behaviour, Protocol, Self, StopReason } from "./actor.ts";
import { faultOfOutcomes, messagesOf, takeBatch } from "./batch.ts";
import { enterContext, type Holder, isInContext, leaveContext } from "./context.ts";
import type { Disposition, Envelope } from "./envelope.ts";
import { asError, cancelled, died, errorFields, expired, stopped, unhandled } from "./errors.ts";
import { callHandler, hasContext, type Prepared, type PreparedHandler, prepare } from "./prepared.ts";
import { Queue } from "./queue.ts";
import { Signals } from "./signals.ts";
import { UnderWay, type UnderWayHost } from "./under-way.ts";

/** What a cell needs from whatever runs it: a worker, the main thread or the simulator. */
export type CellHost = UnderWayHost & {
  /** Answers an ask. */
  answer(envelope: Envelope, value: unknown): void;
  /** Fails an ask. */
  refuse(envelope: Envelope, error: Error): void;
  /** Called once for each envelope of the mailbox (not of the control lane) when it has left it. */
  settled(envelope: Envelope, disposition: Disposition): void;
  /** Called as a handler begins, and with `undefined` at the end of the turn. */
  busy(kind: string | undefined): void;
  /** What the handler of this message has asked others for is given up. */
  giveUp(envelope: Envelope): void;
  /** A handler threw. */
  threw(error: Error): void;
  /** How long handlers lately took, in milliseconds a message. */
  paced(messageMs: number): void;
  log: Self["log"];
};

export type CellState = "new" | "starting" | "running" | "stopping" | "stopped";

/** A turn ends after this long, so that timers, beats and the control lane get theirs. */
const TURN_MS = 8;

/** The control lane of most actors. */
const NOTHING = new Queue<never>();

/**
 * One running actor: its mailbox, handlers, deadlines, batch and concurrency. Free of threads and of the wall clock; whoever hosts it
 * bounds the mailbox (senders reserve their place before they post) and carries answers.
 */
export class Cell {
  readonly behaviour: Behaviour<Protocol, unknown, unknown>;
  readonly #host: CellHost;
  readonly #prepared: Prepared;
  readonly #mailbox = new Queue<Envelope>();
  #control: Queue<Envelope> = NOTHING;
  /** Envelopes whose handler has begun and not ended; the end of an envelope that is no longer here is ignored. Made when it is needed, as the above. */
  #underWay: UnderWay<Envelope> | undefined;
  #messageMs: number | undefined;
  #slots = 0;
  #batching = false;
  #gathered = false;
  #gathering = false;
  #turning = false;
  /** Of the turn under way: since when (the clock may be put back), messages so far, whether it waits for the event loop. */
  #sinceMs = 0;
  #handled = 0;
  #yielded = false;
  #state: CellState = "new";
  #value: unknown;
  #signals: Signals | undefined;

  constructor(behaviour: Behaviour<Protocol, unknown, unknown>, host: CellHost) {
    this.behaviour = behaviour;
    this.#host = host;
    this.#prepared = prepare(behaviour);
  }

  get state(): CellState {
    return this.#state;
  }

  /** Messages waiting, those under way not counted. */
  get waiting(): number {
    return this.#mailbox.size;
  }

  /** Whether nothing waits and nothing is under way. */
  get idle(): boolean {
    return this.#mailbox.size === 0 && this.#control.size === 0 && this.#slots === 0;
  }

  /** Makes the actor's state; it is ready when this resolves. Envelopes that come meanwhile wait. Rejects with what `start` threw. */
  async start(self: Self<Protocol, unknown>): Promise<void> {
    await this.begin(self);
  }

  /** The same, done when this returns where `start` gives no promise. Throws, or rejects with, what `start` threw. */
  begin(self: Self<Protocol, unknown>): Promise<void> | undefined {
    this.#state = "starting";
    const value: unknown = this.behaviour.start(self);
    if (value instanceof Promise) return value.then((made: unknown) => this.#begun(made));
    this.#begun(value);
    return undefined;
  }

  #begun(value: unknown): void {
    if (this.#state !== "starting") return;
    this.#value = value;
    this.#state = "running";
    this.turn();
  }

  /** Puts an envelope into the mailbox; `turn` (or the end of the turn under way) handles it. */
  deliver(envelope: Envelope): void {
    if (this.#state === "stopping" || this.#state === "stopped") this.#deadLetter(envelope);
    else this.#mailbox.push(envelope);
  }

  /** Puts an envelope into the control lane: before all others, never counted. */
  deliverControl(envelope: Envelope): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    if (this.#control === NOTHING) this.#control = new Queue();
    this.#control.push(envelope);
    this.turn();
  }

  /** Handles what waits, up to the concurrency and the length of a turn; called by an event of the thread's loop. */
  turn(): void {
    this.#sinceMs = this.#host.clock.now();
    this.#run();
  }

  /**
   * The same, called by what may be a microtask: it goes on with the turn under way. A handler that sends to its own thread or whose promise has
   * resolved already would hold the event loop up for ever, each time with a turn of its own.
   */
  resumeTurn(): void {
    if (!this.#yielded) this.#run();
  }

  #run(): void {
    if (this.#turning || this.#state !== "running") return;
    this.#turning = true;
    const beganMs = this.#sinceMs;
    this.#handled = 0;
    if (isInContext()) leaveContext(() => this.#handleAll());
    else this.#handleAll();
    this.#turning = false;
    if (this.#handled === 0) return;
    this.#host.busy(undefined);
    if (this.#slots === 0) this.#pace(Math.abs(this.#host.clock.now() - beganMs) / this.#handled);
  }

  #handleAll(): void {
    let isOver = this.#loop(undefined);
    while (!isOver) {
      const holder: Holder = { current: undefined };
      enterContext(holder, () => {
        isOver = this.#loop(holder);
      });
    }
  }

  /** Handles what waits. Returns false when the next message wants a context, and the holder is none or another message's. */
  #loop(holder: Holder | undefined): boolean {
    const { batchKinds, concurrency, handlers } = this.#prepared;
    while (this.#slots < concurrency && this.#state === "running") {
      const lane = this.#control.size > 0 ? this.#control : this.#mailbox;
      const envelope = lane.peek();
      if (envelope === undefined) break;
      if (batchKinds.has(envelope.kind)) {
        if (this.#batching) break;
        if (!this.#gathered) {
          this.#gather();
          break;
        }
        this.#gathered = false;
        this.#batch(lane);
      } else {
        const handler = handlers[envelope.kind];
        if (
          handler !== undefined &&
          !handler.givesPromise &&
          hasContext(envelope) &&
          (holder === undefined || holder.current !== undefined)
        )
          return false;
        lane.shift();
        this.#handle(envelope, handler, holder);
      }
      this.#handled++;
      // After each message: the next may take as long, and what has been answered leaves with the end of the turn.
      if (Math.abs(this.#host.clock.now() - this.#sinceMs) >= TURN_MS) {
        this.#yield();
        break;
      }
    }
    return true;
  }

  /** A mean in which the last quarter counts as much as all before. */
  #pace(messageMs: number): void {
    this.#messageMs = this.#messageMs === undefined ? messageMs : (this.#messageMs * 3 + messageMs) / 4;
    this.#host.paced(this.#messageMs);
  }

  #yield(): void {
    if (this.#yielded) return;
    this.#yielded = true;
    this.#host.clock.soon(() => {
      this.#yielded = false;
      this.turn();
    });
  }

  /**
   * Ends the actor: what waits becomes dead letters, asks among it and under way fail, and once that is posted the `stop` hook runs. A graceful stop drains
   * first (see `idle`). Rejects with what the hook threw. A second call does nothing.
   */
  async stop(reason: StopReason): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    const started = this.#state === "running";
    this.#state = "stopping";
    const cause = typeof reason === "string" ? undefined : reason;
    for (const envelope of [...(this.#underWay ?? [])]) {
      this.#leave(envelope);
      this.#abort(envelope, stopped(this.behaviour.actor.name));
      if (envelope.id !== 0) this.#host.refuse(envelope, died(this.behaviour.actor.name, cause));
      this.#settle(envelope, "dead");
    }
    for (let envelope = this.#mailbox.shift(); envelope !== undefined; envelope = this.#mailbox.shift())
      this.#deadLetter(envelope, cause);
    // Refusals leave in a microtask that was asked for before this one: those who wait hear of the end before a hook that may hold the thread.
    await Promise.resolve();
    try {
      if (started) await this.behaviour.stop?.(this.#value, reason);
    } finally {
      this.#state = "stopped";
      this.#value = undefined;
    }
  }

  signalOf(envelope: Envelope): AbortSignal {
    if (envelope.isSettled) return new AbortController().signal;
    this.#signals ??= new Signals(this.#host.clock);
    const signal = this.#signals.of(envelope, () => expired(this.behaviour.actor.name, envelope.kind));
    if (envelope.asker !== "there") this.#signals.abort(envelope, cancelled(this.behaviour.actor.name, envelope.kind));
    return signal;
  }

  #abort(envelope: Envelope, reason: Error): void {
    this.#signals?.abort(envelope, reason);
    this.#host.giveUp(envelope);
  }

  /**
   * The asker of these messages is gone, or has given them up: the signals of those under way are aborted. What waits is handled all the same when its
   * asker is gone, since it was accepted, and not when it was given up.
   */
  cancel(how: "gone" | "gave-up", isMeant: (envelope: Envelope) => boolean): void {
    for (const envelope of [...(this.#underWay ?? [])]) {
      if (!isMeant(envelope)) continue;
      envelope.asker = how;
      this.#abort(envelope, cancelled(this.behaviour.actor.name, envelope.kind));
    }
    for (const envelope of this.#mailbox) if (isMeant(envelope)) envelope.asker = how;
  }

  #deadLetter(envelope: Envelope, cause?: Error): void {
    if (envelope.id !== 0) this.#host.refuse(envelope, died(this.behaviour.actor.name, cause));
    this.#settle(envelope, "dead");
  }

  #settle(envelope: Envelope, disposition: Disposition): void {
    envelope.isSettled = true;
    this.#signals?.drop(envelope);
    if (!envelope.control) this.#host.settled(envelope, disposition);
  }

  /** Whether nobody waits for it any more; if so the envelope is done with. */
  #isOver(envelope: Envelope): boolean {
    if (envelope.asker === "gave-up") {
      this.#host.refuse(envelope, cancelled(this.behaviour.actor.name, envelope.kind));
      this.#settle(envelope, "expired");
      return true;
    }
    if (envelope.deadlineMs === undefined || this.#host.clock.now() < envelope.deadlineMs) return false;
    this.#host.refuse(envelope, expired(this.behaviour.actor.name, envelope.kind));
    this.#settle(envelope, "expired");
    return true;
  }

  #succeed(envelope: Envelope, value: unknown): void {
    if (envelope.id !== 0) this.#host.answer(envelope, value);
    this.#settle(envelope, "handled");
  }

  #fail(envelope: Envelope, thrown: unknown): void {
    const error = asError(thrown);
    if (envelope.id !== 0) this.#host.refuse(envelope, error);
    else this.#host.log("error", "message-failed", { kind: envelope.kind, from: envelope.from, ...errorFields(error) });
    this.#settle(envelope, "failed");
    this.#host.threw(error);
  }

  #handle(envelope: Envelope, handler: PreparedHandler | undefined, holder: Holder | undefined): void {
    if (this.#isOver(envelope)) return;
    if (handler === undefined) {
      if (envelope.id !== 0) this.#host.refuse(envelope, unhandled(this.behaviour.actor.name, envelope.kind));
      else this.#host.log("warn", "dead-letter", { kind: envelope.kind, from: envelope.from, reason: "unhandled" });
      this.#settle(envelope, "dead");
      return;
    }
    this.#host.busy(envelope.kind);
    envelope.source = this;
    let result: unknown;
    try {
      result = callHandler(handler, this.#value, envelope, holder);
    } catch (thrown) {
      this.#fail(envelope, thrown);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#succeed(envelope, result);
      return;
    }
    handler.givesPromise = true;
    this.#slots++;
    this.#enter(envelope);
    result.then(
      (value) => this.#ended(envelope, () => this.#succeed(envelope, value)),
      (thrown) => this.#ended(envelope, () => this.#fail(envelope, thrown)),
    );
  }

  #enter(envelope: Envelope): void {
    this.#underWay ??= new UnderWay(this.#host, this.behaviour.handlerTimeoutMs);
    this.#underWay.enter(envelope);
  }

  #ended(envelope: Envelope, report: () => void): void {
    this.#slots--;
    if (this.#leave(envelope)) report();
    this.resumeTurn();
  }

  /** Whether it was still under way. */
  #leave(envelope: Envelope): boolean {
    const tookMs = this.#underWay?.leave(envelope);
    if (tookMs !== undefined) this.#pace(tookMs);
    return tookMs !== undefined;
  }

  /** Lets what already waits in the thread's event loop join the batch. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#host.clock.soon(() => {
      this.#gathering = false;
      this.#gathered = true;
      this.turn();
    });
  }

  #batch(lane: Queue<Envelope>): void {
    const { batch } = this.behaviour;
    const { batchKinds } = this.#prepared;
    if (batch === undefined) return;
    const envelopes = takeBatch(lane, batch.max, batchKinds).filter((envelope) => !this.#isOver(envelope));
    const first = envelopes[0];
    if (first === undefined) return;
    this.#host.busy(first.kind);
    for (const envelope of envelopes) envelope.source = this;
    let outcomes: readonly unknown[] | Promise<readonly unknown[]>;
    try {
      outcomes = batch.on(this.#value, messagesOf(envelopes));
    } catch (thrown) {
      for (const envelope of envelopes) this.#fail(envelope, thrown);
      return;
    }
    if (!(outcomes instanceof Promise)) {
      this.#outcomes(envelopes, outcomes);
      return;
    }
    this.#slots++;
    this.#batching = true;
    for (const envelope of envelopes) this.#enter(envelope);
    const ended = (report: (still: Envelope[]) => void) => {
      this.#slots--;
      this.#batching = false;
      // What came during this batch has gathered already: the next one needs no further turn.
      this.#gathered = this.#mailbox.size > 0;
      // All of them, or none: only the end of the actor takes them away.
      if (envelopes.map((envelope) => this.#leave(envelope)).every((was) => was)) report(envelopes);
      this.resumeTurn();
    };
    outcomes.then(
      (all) => ended((still) => this.#outcomes(still, all)),
      (thrown) =>
        ended((still) => {
          for (const envelope of still) this.#fail(envelope, thrown);
        }),
    );
  }

  #outcomes(envelopes: readonly Envelope[], outcomes: readonly unknown[]): void {
    const fault = faultOfOutcomes(this.behaviour.actor.name, envelopes.length, outcomes);
    envelopes.forEach((envelope, index) => {
      const outcome: unknown = fault ?? outcomes[index];
      if (outcome instanceof Error) this.#fail(envelope, outcome);
      else this.#succeed(envelope, outcome);
    });
  }
}
