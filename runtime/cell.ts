import type { BatchMessage, Behaviour, Handler, Message, Protocol, Self, StopReason } from "./actor.ts";
import { asError, died, errorFields, expired, unhandled } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import type { Fate, Letter } from "./letter.ts";
import { UnderWay, type UnderWayHost } from "./under-way.ts";

/** What a cell needs from whatever runs it: a worker, the main thread or the simulator. */
export type CellHost = UnderWayHost & {
  /** Answers an ask. */
  answer(letter: Letter, value: unknown): void;
  /** Fails an ask. */
  refuse(letter: Letter, error: Error): void;
  /** Called once for each letter of the mailbox (not of the control lane) when it has left it. */
  settled(letter: Letter, fate: Fate): void;
  /** Called as a handler begins, and with `undefined` at the end of the turn. */
  busy(kind: string | undefined): void;
  /** How long handlers lately took, in milliseconds a message. */
  paced(messageMs: number): void;
  log: Self["log"];
};

export type CellState = "new" | "starting" | "running" | "stopping" | "stopped";

/** A turn ends after this long, so that timers, beats and the control lane get theirs. */
const TURN_MS = 8;

type AnyHandler = Handler<unknown, Message>;

/**
 * One running actor: its mailbox, handlers, deadlines, batch and concurrency. Free of threads and of the wall clock; whoever hosts it
 * bounds the mailbox (senders reserve their place before they post) and carries answers.
 */
export class Cell {
  readonly behaviour: Behaviour<Protocol, unknown, unknown>;
  readonly #host: CellHost;
  readonly #handlers: Readonly<Record<string, AnyHandler | undefined>>;
  readonly #batchKinds: ReadonlySet<string>;
  readonly #concurrency: number;
  readonly #mailbox = new Fifo<Letter>();
  readonly #control = new Fifo<Letter>();
  /** Letters whose handler has begun and not ended; the end of a letter that is no longer here is ignored. */
  readonly #underWay: UnderWay<Letter>;
  #messageMs: number | undefined;
  #slots = 0;
  #batching = false;
  #gathered = false;
  #gathering = false;
  #turning = false;
  /** Of the turn under way: since when (the clock may be put back), whether it waits for the event loop. */
  #sinceMs = 0;
  #yielded = false;
  #state: CellState = "new";
  #value: unknown;

  constructor(behaviour: Behaviour<Protocol, unknown, unknown>, host: CellHost) {
    this.behaviour = behaviour;
    this.#host = host;
    this.#underWay = new UnderWay(host, behaviour.handlerTimeoutMs);
    const on = (behaviour.on ?? {}) as Readonly<Record<string, AnyHandler | undefined>>;
    // Free of what every object has: a kind may have any name.
    this.#handlers = Object.getPrototypeOf(on) === null ? on : Object.assign(Object.create(null), on);
    this.#batchKinds = new Set(behaviour.batch?.kinds ?? []);
    this.#concurrency = Math.max(1, behaviour.concurrency ?? 1);
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

  /** Makes the actor's state; it is ready when this resolves. Letters that come meanwhile wait. Rejects with what `start` threw. */
  async start(self: Self<Protocol, unknown>): Promise<void> {
    this.#state = "starting";
    const value = await this.behaviour.start(self);
    if (this.#state !== "starting") return;
    this.#value = value;
    this.#state = "running";
    this.turn();
  }

  /** Puts a letter into the mailbox; `turn` (or the end of the turn under way) handles it. */
  deliver(letter: Letter): void {
    if (this.#state === "stopping" || this.#state === "stopped") this.#bury(letter);
    else this.#mailbox.push(letter);
  }

  /** Puts a letter into the control lane: before all others, never counted. */
  deliverControl(letter: Letter): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#control.push(letter);
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
  goOn(): void {
    if (!this.#yielded) this.#run();
  }

  #run(): void {
    if (this.#turning || this.#state !== "running") return;
    this.#turning = true;
    const beganMs = this.#sinceMs;
    let handled = 0;
    let nowMs = beganMs;
    while (this.#slots < this.#concurrency && this.#state === "running") {
      const lane = this.#control.size > 0 ? this.#control : this.#mailbox;
      const letter = lane.peek();
      if (letter === undefined) break;
      if (this.#batchKinds.has(letter.kind)) {
        if (this.#batching) break;
        if (!this.#gathered) {
          this.#gather();
          break;
        }
        this.#gathered = false;
        this.#batch(lane);
      } else {
        lane.shift();
        this.#handle(letter);
      }
      handled++;
      // After each message: the next may take as long, and what has been answered leaves with the end of the turn.
      nowMs = this.#host.clock.now();
      if (Math.abs(nowMs - this.#sinceMs) >= TURN_MS) {
        this.#yield();
        break;
      }
    }
    this.#turning = false;
    if (handled === 0) return;
    this.#host.busy(undefined);
    if (this.#slots === 0) this.#pace(Math.abs(nowMs - beganMs) / handled);
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
    for (const letter of [...this.#underWay]) {
      this.#leave(letter);
      if (letter.id !== 0) this.#host.refuse(letter, died(this.behaviour.actor.name, cause));
      this.#settle(letter, "dead");
    }
    for (let letter = this.#mailbox.shift(); letter !== undefined; letter = this.#mailbox.shift())
      this.#bury(letter, cause);
    // Refusals leave in a microtask that was asked for before this one: those who wait hear of the end before a hook that may hold the thread.
    await Promise.resolve();
    try {
      if (started) await this.behaviour.stop?.(this.#value, reason);
    } finally {
      this.#state = "stopped";
      this.#value = undefined;
    }
  }

  #bury(letter: Letter, cause?: Error): void {
    if (letter.id !== 0) this.#host.refuse(letter, died(this.behaviour.actor.name, cause));
    this.#settle(letter, "dead");
  }

  #settle(letter: Letter, fate: Fate): void {
    if (!letter.control) this.#host.settled(letter, fate);
  }

  /** Whether the deadline passed; if so the letter is done with. */
  #late(letter: Letter): boolean {
    if (letter.deadlineMs === undefined || this.#host.clock.now() < letter.deadlineMs) return false;
    this.#host.refuse(letter, expired(this.behaviour.actor.name, letter.kind));
    this.#settle(letter, "expired");
    return true;
  }

  #succeed(letter: Letter, value: unknown): void {
    if (letter.id !== 0) this.#host.answer(letter, value);
    this.#settle(letter, "handled");
  }

  #fail(letter: Letter, thrown: unknown): void {
    const error = asError(thrown);
    if (letter.id !== 0) this.#host.refuse(letter, error);
    else this.#host.log("error", "message-failed", { kind: letter.kind, from: letter.from, ...errorFields(error) });
    this.#settle(letter, "failed");
  }

  #handle(letter: Letter): void {
    if (this.#late(letter)) return;
    const handler = this.#handlers[letter.kind];
    if (handler === undefined) {
      if (letter.id !== 0) this.#host.refuse(letter, unhandled(this.behaviour.actor.name, letter.kind));
      else this.#host.log("warn", "dead-letter", { kind: letter.kind, from: letter.from, reason: "unhandled" });
      this.#settle(letter, "dead");
      return;
    }
    this.#host.busy(letter.kind);
    let result: unknown;
    try {
      result = handler(this.#value, letter.body as never, letter);
    } catch (thrown) {
      this.#fail(letter, thrown);
      return;
    }
    if (!(result instanceof Promise)) {
      this.#succeed(letter, result);
      return;
    }
    this.#slots++;
    this.#underWay.enter(letter);
    result.then(
      (value) => this.#ended(letter, () => this.#succeed(letter, value)),
      (thrown) => this.#ended(letter, () => this.#fail(letter, thrown)),
    );
  }

  #ended(letter: Letter, report: () => void): void {
    this.#slots--;
    if (this.#leave(letter)) report();
    this.goOn();
  }

  /** Whether it was still under way. */
  #leave(letter: Letter): boolean {
    const tookMs = this.#underWay.leave(letter);
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

  #batch(lane: Fifo<Letter>): void {
    const batch = this.behaviour.batch;
    if (batch === undefined) return;
    const letters: Letter[] = [];
    for (
      let letter = lane.peek();
      letter !== undefined && letters.length < batch.max && this.#batchKinds.has(letter.kind);
      letter = lane.peek()
    ) {
      lane.shift();
      if (!this.#late(letter)) letters.push(letter);
    }
    const first = letters[0];
    if (first === undefined) return;
    this.#host.busy(first.kind);
    const messages = letters.map((letter) => ({
      kind: letter.kind,
      body: letter.body,
      context: letter,
    })) as unknown as BatchMessage<Protocol>[];
    let outcomes: readonly unknown[] | Promise<readonly unknown[]>;
    try {
      outcomes = batch.on(this.#value, messages);
    } catch (thrown) {
      for (const letter of letters) this.#fail(letter, thrown);
      return;
    }
    if (!(outcomes instanceof Promise)) {
      this.#outcomes(letters, outcomes);
      return;
    }
    this.#slots++;
    this.#batching = true;
    for (const letter of letters) this.#underWay.enter(letter);
    const ended = (report: (still: Letter[]) => void) => {
      this.#slots--;
      this.#batching = false;
      // What came during this batch has gathered already: the next one needs no further turn.
      this.#gathered = this.#mailbox.size > 0;
      // All of them, or none: only the end of the actor takes them away.
      if (letters.map((letter) => this.#leave(letter)).every((was) => was)) report(letters);
      this.goOn();
    };
    outcomes.then(
      (all) => ended((still) => this.#outcomes(still, all)),
      (thrown) =>
        ended((still) => {
          for (const letter of still) this.#fail(letter, thrown);
        }),
    );
  }

  #outcomes(letters: readonly Letter[], outcomes: readonly unknown[]): void {
    if (!Array.isArray(outcomes) || outcomes.length !== letters.length) {
      const error = new Error(
        `Cannot answer a batch of ${letters.length}: the batch handler of ${this.behaviour.actor.name} gave ${Array.isArray(outcomes) ? outcomes.length : typeof outcomes} outcomes`,
      );
      for (const letter of letters) this.#fail(letter, error);
      return;
    }
    letters.forEach((letter, index) => {
      const outcome: unknown = outcomes[index];
      if (outcome instanceof Error) this.#fail(letter, outcome);
      else this.#succeed(letter, outcome);
    });
  }
}
