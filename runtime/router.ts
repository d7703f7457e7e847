import type { Actor, Down, Protocol, Ref, Self, SendOptions, Topic } from "./actor.ts";
import { Asks } from "./asks.ts";
import type { Cell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { Connection, OUTBOX_MAX, type Waiting } from "./connection.ts";
import { currentEnvelope } from "./context.ts";
import { type Disposition, Envelope } from "./envelope.ts";
import { busy, cancelled, died, errorFields, expired, selfAsk, stopped, unhandled, unpackError } from "./errors.ts";
import { type FrameReader, readFrame } from "./frame.ts";
import { whenFull } from "./mailbox.ts";
import { partitionOf } from "./partition.ts";
import { Pool } from "./pool.ts";
import { isLater, type SharedTable } from "./shared-table.ts";

/** Who lives at a slot. */
export type DirectoryEntry = {
  /** Empty where nobody lives now. */
  readonly name: string;
  readonly index: number;
  readonly isMain: boolean;
  /** Whether the place is kept for children that start at run time. */
  readonly isKept?: boolean;
};
/** Every place of the tree, by slot; the main thread is slot 0. */
export type Directory = readonly DirectoryEntry[];

/** The places of an actor; none while a child that starts at run time is not there. */
type Target = { slots: readonly number[]; pool: Pool | undefined };

/** Who gets what is published: a slot, and the kind as which it arrives there. */
export type Subscriber = { readonly slot: number; readonly kind: string; readonly lossy: boolean };
export type Subscriptions = Readonly<Record<string, readonly Subscriber[]>>;

export type RouterOptions = {
  /** The slot of this thread. */
  readonly slot: number;
  readonly directory: Directory;
  readonly sharedTable: SharedTable;
  readonly clock: Clock;
  /** Asks for a way to a slot; `attach` or `down` follows. */
  readonly connect: (slot: number, generation: number) => void;
  readonly log: Self["log"];
};

/** The place of an actor that has none: nothing is counted there. */
const NOWHERE = -1;

/** An ask may take this long unless told. */
export const ASK_MS = 5_000;

/** How often dead letters are told of, and how many sorts of them at once. */
const REPORT_MS = 1_000;
/** How often members that are not up are looked for while messages wait for one. */
const LOOK_MS = 20;
const DEAD_LETTERS_TOLD_MAX = 32;

const DISPOSITIONS: readonly Disposition[] = ["handled", "failed", "expired", "dead"];
type Local = {
  readonly cell: Cell;
  readonly generation: number;
  released: number;
  readonly dispositions: Record<Disposition, number>;
};

/** The router of one thread: its connections, its asks, the cells that live in it. Whatever is sent in a turn leaves at the turn's end. */
export class Router {
  readonly slot: number;
  readonly #options: RouterOptions;
  readonly #sharedTable: SharedTable;
  readonly #asks: Asks<Connection>;
  readonly #connections = new Map<number, Connection>();
  readonly #locals = new Map<number, Local>();
  readonly #directory: DirectoryEntry[];
  readonly #targets = new Map<string, Target>();
  #subscriptions: Subscriptions = Object.create(null);
  #dirty: Connection[] = [];
  #scheduled = false;
  #turn = 0;
  readonly #unreported = new Map<string, { to: string; kind: string; reason: string; letters: number }>();
  #moreUnreported = 0;
  #cancelReport: (() => void) | undefined;
  readonly #monitors = new Set<(slot: number, reason: string | null) => void>();

  constructor(options: RouterOptions) {
    this.slot = options.slot;
    this.#options = options;
    this.#sharedTable = options.sharedTable;
    this.#asks = new Asks(options.clock);
    this.#directory = [...options.directory];
    options.directory.forEach(({ name }, slot) => {
      if (slot > 0 && name !== "") this.#targetOf(name).slots = [...this.#targetOf(name).slots, slot];
    });
    for (const target of this.#targets.values())
      if (target.slots.length > 1) target.pool = new Pool(target.slots, this.#sharedTable);
  }

  #targetOf(name: string): Target {
    let target = this.#targets.get(name);
    if (target === undefined) {
      target = { slots: [], pool: undefined };
      this.#targets.set(name, target);
    }
    return target;
  }

  #poolOf(slot: number): Pool | undefined {
    return this.#targets.get(this.#name(slot))?.pool;
  }

  /** Whether the actor at a slot lives in the main thread. */
  isMain(slot: number): boolean {
    return this.#directory[slot]?.isMain === true;
  }

  /** A child that starts at run time has got a place, or (with an entry without a name) has left it. */
  place(slot: number, entry: DirectoryEntry): void {
    const before = this.#name(slot);
    if (before !== "") this.#targetOf(before).slots = [];
    this.#directory[slot] = entry;
    if (entry.name !== "") this.#targetOf(entry.name).slots = [slot];
  }

  /** What a ref to the actor sends to. An actor that is not in the tree may still start at run time, where places are kept for that. */
  #known(actor: Actor, act: string): Target {
    const target = this.#targets.get(actor.name);
    if (target !== undefined) return target;
    if (!this.#directory.some(({ isKept }) => isKept))
      throw new Error(`Cannot ${act} ${actor.name}: the tree has no such actor`);
    return this.#targetOf(actor.name);
  }

  /** Asks that wait for their answer. */
  get asking(): number {
    return this.#asks.size;
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A way to send to an actor as `from` (this thread's own name when undefined). */
  ref<P extends Protocol>(actor: Actor<P>, from?: string, self?: number): Ref<P> {
    const target = this.#known(actor as unknown as Actor, "refer to");
    /** By kind whether it may be shed; free of what every object has, as a kind may have any name. */
    const lossy: Record<string, boolean | undefined> = Object.create(null);
    for (const [kind, message] of Object.entries(actor.accepts as Protocol)) lossy[kind] = message.lossy;
    const { pool } = target;
    const route = (key: string | undefined): number => {
      const { slots } = target;
      if (pool === undefined) return slots[0] ?? NOWHERE;
      return key === undefined ? pool.leastDeep() : (slots[partitionOf(key, slots.length)] as number);
    };
    const refer = {
      tell: (kind: string, body: unknown, options?: SendOptions): undefined | Promise<void> => {
        const isLossy = lossy[kind];
        const traceparent = options?.traceparent ?? contextOf(options)?.traceparent;
        if (pool !== undefined && options?.key === undefined && isLossy !== undefined && this.#queues(pool)) {
          let taken: Promise<void> | undefined;
          const message = {
            kind,
            body,
            id: 0,
            deadlineMs: undefined,
            traceparent,
            from,
            taken: () => undefined as void,
          };
          if (!this.#dispatch(pool, message))
            taken = new Promise((resolve) => this.#await(pool, { ...message, taken: resolve }));
          return taken;
        }
        const slot = route(options?.key);
        if (isLossy === undefined) {
          this.#countDead(slot);
          this.#report(actor.name, kind, "unknown-kind");
          return undefined;
        }
        if (slot === NOWHERE) {
          this.#report(actor.name, kind, "not-running");
          return undefined;
        }
        return this.#send(slot, kind, body, 0, undefined, traceparent, from, isLossy);
      },
      ask: (kind: string, body: unknown, options?: SendOptions): Promise<unknown> => {
        const clock = this.#options.clock;
        const nowMs = clock.now();
        const context = contextOf(options);
        const within = context instanceof Envelope ? context : undefined;
        const signal = options?.signal;
        const timeoutMs = options?.timeoutMs ?? ASK_MS;
        if (!Number.isFinite(timeoutMs))
          return Promise.reject(
            new RangeError(`Cannot ask ${actor.name} to ${kind}: timeoutMs is a finite number, not ${timeoutMs}`),
          );
        let deadlineMs = nowMs + timeoutMs;
        if (context?.deadlineMs !== undefined && context.deadlineMs < deadlineMs) deadlineMs = context.deadlineMs;
        if (deadlineMs <= nowMs) return Promise.reject(expired(actor.name, kind));
        if (signal?.aborted) return Promise.reject(cancelled(actor.name, kind, signal.reason));
        const traceparent = options?.traceparent ?? context?.traceparent;
        const late = (): Error => expired(actor.name, kind);
        if (pool !== undefined && options?.key === undefined && lossy[kind] !== undefined && this.#queues(pool)) {
          return new Promise((resolve, reject) => {
            const id = this.#asks.nextId();
            this.#asks.add(id, { resolve, reject, connection: undefined, deadlineMs, late, within });
            if (signal !== undefined) this.#giveUpWith(signal, id, actor.name, kind);
            const message = { kind, body, id, deadlineMs, traceparent, from, taken: () => undefined };
            if (!this.#dispatch(pool, message)) this.#await(pool, message);
          });
        }
        const slot = route(options?.key);
        if (lossy[kind] === undefined) {
          this.#countDead(slot);
          return Promise.reject(unhandled(actor.name, kind));
        }
        if (slot === self) return Promise.reject(selfAsk(actor.name, kind));
        const connection = this.#connectionTo(slot);
        if (connection === undefined) {
          // Not among the asks: their timer would keep a process up that has nothing left to do.
          this.#countDead(slot);
          return Promise.reject(slot === NOWHERE ? died(actor.name) : this.#gone(slot));
        }
        return new Promise((resolve, reject) => {
          const id = this.#asks.nextId();
          this.#asks.add(id, { resolve, reject, connection, deadlineMs, late, within });
          if (signal !== undefined) this.#giveUpWith(signal, id, actor.name, kind);
          void this.#send(slot, kind, body, id, deadlineMs, traceparent, from, false);
        });
      },
    };
    return refer as unknown as Ref<P>;
  }

  /** Rejects the ask when the signal is aborted, and says so to the receiver. */
  #giveUpWith(signal: AbortSignal, id: number, to: string, kind: string): void {
    const giveUp = (): void => {
      const connection = this.#asks.connectionOf(id);
      this.#asks.reject(id, cancelled(to, kind, signal.reason));
      this.#tellGivenUp(connection, id);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#asks.whenOver(id, () => signal.removeEventListener("abort", giveUp));
  }

  #tellGivenUp(connection: Connection | undefined, id: number): void {
    if (connection === undefined) return;
    connection.giveUp(id);
    this.#touch(connection);
  }

  /** What the handler of this message has asked for is given up. Its asks still wait for what the receivers make of that. */
  giveUp(envelope: Envelope): void {
    for (const id of this.#asks.askedWithin(envelope)) this.#tellGivenUp(this.#asks.connectionOf(id), id);
  }

  /** Whether what goes to any member of this pool waits in one queue: full mailboxes that refuse or shed have their bound instead. */
  #queues(pool: Pool): boolean {
    return pool.isOpen && this.#sharedTable.whenFull(pool.leastDeep()) === "wait";
  }

  /** Sends to a free member, if there is one and nothing waits before. */
  #dispatch(pool: Pool, message: Waiting, isFirst = pool.waiting.size === 0): boolean {
    if (!isFirst) return false;
    // A member may end, or another thread take its room, between the look and the reservation.
    for (let attempt = 0; attempt <= pool.members.length; attempt++) {
      const slot = pool.withRoom(this.#turn);
      if (slot === undefined) return false;
      const connection = this.#connectionTo(slot);
      if (
        connection === undefined ||
        this.#sharedTable.reserve(slot, connection.generation, this.#sharedTable.window(slot)) !== "taken"
      )
        continue;
      const { kind, body, id, deadlineMs, traceparent, from } = message;
      if (id !== 0) this.#asks.sendBy(id, connection);
      connection.enqueue(kind, body, id, deadlineMs, traceparent, from, this.#name(this.slot));
      this.#touch(connection);
      return true;
    }
    return false;
  }

  /** Puts a message into the queue of a pool. */
  #await(pool: Pool, message: Waiting): void {
    const first = pool.members[0] as number;
    if (pool.waiting.size < OUTBOX_MAX) {
      pool.waiting.push(message);
      if (pool.waiting.size === 1) this.#pumpPool(pool);
      return;
    }
    if (message.id === 0) {
      this.#countDead(first);
      this.#report(this.#name(first), message.kind, "outbox-full");
    } else {
      this.#sharedTable.count(first, "sent", 1);
      this.#sharedTable.count(first, "rejected", 1);
      this.#asks.reject(message.id, busy(this.#name(first)));
    }
    message.taken();
  }

  /** Gives what waits to free members; asks all to be woken for the rest. */
  #pumpPool(pool: Pool): void {
    const first = pool.members[0] as number;
    for (let marked = false; ; ) {
      const message = pool.waiting.peek();
      if (message === undefined) return;
      if (message.id !== 0 && !this.#asks.has(message.id)) {
        pool.waiting.shift();
        this.#sharedTable.count(first, "sent", 1);
        this.#sharedTable.count(first, "expired", 1);
        message.taken();
      } else if (this.#dispatch(pool, message, true)) {
        pool.waiting.shift();
        message.taken();
      } else if (!pool.isOpen) {
        pool.waiting.shift();
        this.#dead(first, message.kind, message.id);
        message.taken();
      } else if (marked) break;
      else {
        for (const slot of pool.members) this.#sharedTable.setPoolWaiting(slot);
        marked = true;
      }
    }
    // A member that comes up tells nobody.
    if (!pool.isWhole)
      pool.cancelLook ??= this.#options.clock.later(LOOK_MS, () => {
        pool.cancelLook = undefined;
        this.#pumpPool(pool);
      });
  }

  #pumpPoolOf(slot: number): void {
    const pool = this.#poolOf(slot);
    if (pool !== undefined && pool.waiting.size > 0) this.#pumpPool(pool);
  }

  #send(
    slot: number,
    kind: string,
    body: unknown,
    id: number,
    deadlineMs: number | undefined,
    traceparent: string | undefined,
    from: string | undefined,
    lossy: boolean,
  ): undefined | Promise<void> {
    const connection = this.#connectionTo(slot);
    if (connection !== undefined && connection.waiting.size === 0) {
      const reservation = this.#sharedTable.reserve(slot, connection.generation);
      if (reservation === "taken") {
        connection.enqueue(kind, body, id, deadlineMs, traceparent, from, this.#name(this.slot));
        this.#touch(connection);
        return undefined;
      }
      if (reservation === "closed") return this.#dead(slot, kind, id);
    }
    if (connection === undefined) return this.#dead(slot, kind, id);
    const what = whenFull(this.#sharedTable.whenFull(slot), lossy);
    if (what === "wait" && connection.waiting.size < OUTBOX_MAX) {
      return new Promise((taken) => {
        connection.waiting.push({ kind, body, id, deadlineMs, traceparent, from, taken });
        this.#pump(connection);
      });
    }
    if (what === "wait" && id === 0) {
      this.#countDead(slot);
      this.#report(this.#name(slot), kind, "outbox-full");
      // Not undefined, which would say that the mailbox has it.
      return Promise.resolve();
    }
    this.#sharedTable.count(slot, "sent", 1);
    this.#sharedTable.count(slot, what === "shed" ? "shed" : "rejected", 1);
    if (id !== 0) this.#asks.reject(id, busy(this.#name(slot)));
    return undefined;
  }

  #dead(slot: number, kind: string, id: number): undefined {
    this.#countDead(slot);
    if (id !== 0) this.#asks.reject(id, this.#gone(slot));
    else this.#report(this.#name(slot), kind, "not-running");
    return undefined;
  }

  #countDead(slot: number): void {
    if (slot === NOWHERE) return;
    this.#sharedTable.count(slot, "sent", 1);
    this.#sharedTable.count(slot, "dead", 1);
  }

  #gone(slot: number): Error {
    const name = this.#name(slot);
    return this.#sharedTable.phase(slot) === "stopping" ? stopped(name) : died(name);
  }

  /** Tells of dead letters: the first at once and the others as counts each second, since a flood of them must not become a flood of log lines. */
  #report(to: string, kind: string, reason: string): void {
    const what = `${to} ${kind} ${reason}`;
    const known = this.#unreported.get(what);
    if (known !== undefined) known.letters++;
    else if (this.#unreported.size < DEAD_LETTERS_TOLD_MAX)
      this.#unreported.set(what, { to, kind, reason, letters: 1 });
    else this.#moreUnreported++;
    if (this.#cancelReport !== undefined) return;
    this.reportDeadLetters();
    this.#cancelReport = this.#options.clock.later(REPORT_MS, () => {
      this.#cancelReport = undefined;
      this.reportDeadLetters();
    });
  }

  /** Tells of the dead letters that were not told of yet. */
  reportDeadLetters(): void {
    for (const fields of this.#unreported.values()) this.#options.log("warn", "dead-letter", fields);
    if (this.#moreUnreported > 0)
      this.#options.log("warn", "dead-letter", { reason: "others", letters: this.#moreUnreported });
    this.#unreported.clear();
    this.#moreUnreported = 0;
  }

  /** Moves what waits for a full receiver into its mailbox, as far as there is space; asks to be woken for the rest. */
  #pump(connection: Connection): void {
    for (let marked = false; ; ) {
      const message = connection.waiting.peek();
      if (message === undefined) return;
      if (message.id !== 0 && !this.#asks.has(message.id)) {
        connection.waiting.shift();
        this.#sharedTable.count(connection.slot, "sent", 1);
        this.#sharedTable.count(connection.slot, "expired", 1);
        message.taken();
        continue;
      }
      const reservation = this.#sharedTable.reserve(connection.slot, connection.generation);
      if (reservation === "taken") {
        connection.waiting.shift();
        connection.enqueue(
          message.kind,
          message.body,
          message.id,
          message.deadlineMs,
          message.traceparent,
          message.from,
          this.#name(this.slot),
        );
        this.#touch(connection);
        message.taken();
        continue;
      }
      if (reservation === "closed") {
        // The receiver is stopping or gone: those who wait hear it now.
        connection.waiting.shift();
        this.#dead(connection.slot, message.kind, message.id);
        message.taken();
        continue;
      }
      if (marked) return;
      this.#sharedTable.setWaiting(connection.slot);
      marked = true;
    }
  }

  /** The connection to the generation that takes messages now; undefined when none does. */
  #connectionTo(slot: number): Connection | undefined {
    if (slot === NOWHERE) return undefined;
    const known = this.#connections.get(slot);
    const generation = this.#sharedTable.openGeneration(slot);
    if (generation === undefined) return undefined;
    if (known !== undefined && known.generation === generation) return known;
    if (known !== undefined) this.#end(known);
    const connection = this.#open(slot, generation);
    const local = this.#locals.get(slot);
    if (local !== undefined) connection.attachLocal(local.cell);
    else this.#options.connect(slot, generation);
    return connection;
  }

  #open(slot: number, generation: number): Connection {
    const connection = new Connection(this.#sharedTable, this.slot, slot, generation);
    this.#connections.set(slot, connection);
    return connection;
  }

  #name(slot: number): string {
    return this.#directory[slot]?.name ?? `slot ${slot}`;
  }

  #touch(connection: Connection): void {
    if (this.#dirty.at(-1) !== connection) this.#dirty.push(connection);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Posts all that was said in this turn, and gives back the places of what was settled in it. */
  flush(): void {
    this.#scheduled = false;
    this.#turn++;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) {
      connection.flush((id, error) => {
        if (id !== 0) this.#asks.reject(id, error);
        else
          this.#options.log("error", "dead-letter", {
            to: this.#name(connection.slot),
            reason: "unwritable",
            ...errorFields(error),
          });
      });
    }
    for (const [slot, local] of this.#locals) this.#release(slot, local);
  }

  #release(slot: number, local: Local): void {
    if (local.released === 0) return;
    this.#sharedTable.release(slot, local.generation, local.released);
    local.released = 0;
    // Counted as their places are given back: an actor that is killed before has them among its dead, and only there.
    const { dispositions } = local;
    dispositions.handled += dispositions.failed;
    for (const disposition of DISPOSITIONS) {
      if (dispositions[disposition] > 0) this.#sharedTable.count(slot, disposition, dispositions[disposition]);
      dispositions[disposition] = 0;
    }
    this.#wake(slot);
  }

  /** Wakes all who wait for the mailbox of an actor of this thread, if it has space. */
  #wake(slot: number): void {
    if (!this.#sharedTable.takeWaiting(slot)) return;
    for (const connection of this.#connections.values()) {
      connection.space(slot);
      this.#touch(connection);
    }
    const own = this.#connections.get(slot);
    if (own !== undefined) this.#pump(own);
    this.#pumpPoolOf(slot);
  }

  /** A mailbox has space again: that of a slot elsewhere, or one of here, when whoever says so is who gave the places back. */
  #space(slot: number): void {
    const connection = this.#connections.get(slot);
    if (this.#locals.has(slot)) this.#wake(slot);
    else {
      if (connection !== undefined) this.#pump(connection);
      this.#pumpPoolOf(slot);
    }
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A way to a slot has been made. */
  attach(slot: number, generation: number, post: (text: string) => void, close?: () => void): void {
    let connection = this.#connections.get(slot);
    if (connection !== undefined && connection.generation !== generation) {
      // News of a life that is over, read after this thread has met the next one.
      if (!isLater(generation, connection.generation)) return;
      this.#end(connection);
      connection = undefined;
    }
    connection ??= this.#open(slot, generation);
    connection.attach(post, close);
    // Whoever met a full mailbox here may have had its wake-up before the way to it was made. The main thread and a worker know each other from birth.
    if (slot !== 0 && this.slot !== 0) connection.space(this.slot);
    this.#touch(connection);
  }

  /**
   * This generation of the slot is over. Answers that it has already posted are let in first: to the main thread they came by the same way as the
   * news of the end, to others by ports of their own.
   */
  down(slot: number, generation: number, cause?: Error): void {
    // Places that the dead had reserved elsewhere have come back: those receivers look who waits for them.
    if (this.slot === 0) {
      for (const each of this.#connections.values()) {
        if (!this.#sharedTable.hasWaiting(each.slot)) continue;
        each.space(each.slot);
        this.#touch(each);
      }
      for (const local of this.#locals.keys()) this.#wake(local);
    }
    for (const notify of [...this.#monitors]) notify(slot, cause?.message ?? null);
    const connection = this.#connections.get(slot);
    if (connection === undefined || connection.generation !== generation) return;
    connection.cause = cause;
    if (this.slot === 0) this.#end(connection);
    else this.#options.clock.later(1, () => this.#end(connection));
  }

  #end(connection: Connection): void {
    if (this.#connections.get(connection.slot) === connection) this.#connections.delete(connection.slot);
    const name = this.#name(connection.slot);
    connection.end(({ kind, id }) => {
      if (id === 0) this.#report(name, kind, "died");
    });
    this.#asks.rejectAll(connection, () => died(name, connection.cause));
    for (const { cell } of this.#locals.values())
      cell.cancel("gone", (envelope) => envelope.origin === connection && envelope.id !== 0);
    this.#pumpPoolOf(connection.slot);
  }

  /** Takes a frame from a generation of a slot; its messages go to the cell at `to`. */
  receive(from: number, generation: number, to: number, text: string): void {
    const local = this.#locals.get(to);
    let connection = this.#connections.get(from);
    if (connection?.generation !== generation) {
      // Posted by a life that is over: its messages are handled, their answers go to nobody (ids are other threads' own, and would fit asks of others).
      connection = new Connection(this.#sharedTable, this.slot, from, generation);
      connection.over = true;
    }
    const sender = this.#name(from);
    const reader: FrameReader = {
      message: (kind, body, id, deadlineMs, extra) => {
        local?.cell.deliver(
          new Envelope(kind, body, id, deadlineMs, extra?.[0] ?? undefined, extra?.[1] ?? sender, connection, false),
        );
      },
      answer: (id, value) => this.#asks.resolve(id, value),
      failure: (id, error) => this.#asks.reject(id, unpackError(error)),
      space: (slot) => this.#space(slot),
      givenUp: (id) =>
        local?.cell.cancel("gave-up", (envelope) => envelope.id === id && envelope.origin === connection),
    };
    readFrame(JSON.parse(text) as unknown[], reader);
    local?.cell.turn();
  }

  // ── cells that live here ───────────────────────────────────────────────────────────────────────────────────────────────────────

  host(slot: number, generation: number, cell: Cell): void {
    this.#locals.set(slot, {
      cell,
      generation,
      released: 0,
      dispositions: { handled: 0, failed: 0, expired: 0, dead: 0 },
    });
  }

  unhost(slot: number): void {
    const local = this.#locals.get(slot);
    if (local !== undefined) this.#release(slot, local);
    this.#locals.delete(slot);
  }

  answer(envelope: Envelope, value: unknown): void {
    const connection = envelope.origin as Connection | undefined;
    if (connection === undefined) {
      this.#asks.resolve(envelope.id, value ?? null);
      return;
    }
    connection.answer(envelope.id, value);
    this.#touch(connection);
  }

  refuse(envelope: Envelope, error: Error): void {
    const connection = envelope.origin as Connection | undefined;
    if (connection === undefined) {
      this.#asks.reject(envelope.id, error);
      return;
    }
    connection.refuse(envelope.id, error);
    this.#touch(connection);
  }

  settled(slot: number, disposition: Disposition): void {
    const local = this.#locals.get(slot);
    if (local === undefined) return;
    local.dispositions[disposition]++;
    local.released++;
    this.#schedule();
  }

  // ── topics ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  set subscriptions(table: Subscriptions) {
    // Free of what every object has: a topic may have any name.
    this.#subscriptions = Object.assign(Object.create(null), table);
  }

  /** Subscribers that are down are passed over. */
  publish<Body>(topic: Topic<Body>, body: Body, from?: string): void {
    const subscribers = this.#subscriptions[topic.name];
    if (subscribers === undefined) return;
    for (const { slot, kind, lossy } of subscribers) {
      if (this.#sharedTable.openGeneration(slot) === undefined) continue;
      void this.#send(slot, kind, body, 0, undefined, undefined, from, lossy);
    }
  }

  /** Tells of each end of an actor, and at once when it is not running. The returned function ends it; so does the end of the one who asks. */
  monitor(actor: Actor, watcher: number, told: (down: Down) => void): () => void {
    const target = this.#known(actor, "monitor");
    const down = (slot: number, reason: string | null): void =>
      told({ actor: actor.name, index: this.#directory[slot]?.index ?? 0, reason });
    const notify = (slot: number, reason: string | null): void => {
      if (slot === watcher) this.#monitors.delete(notify);
      else if (target.slots.includes(slot)) down(slot, reason);
    };
    this.#monitors.add(notify);
    for (const slot of target.slots) if (this.#sharedTable.phase(slot) === "down") down(slot, "not running");
    return () => void this.#monitors.delete(notify);
  }

  /** Ends all connections and asks. */
  close(): void {
    this.#cancelReport?.();
    this.flush();
    for (const connection of [...this.#connections.values()]) this.#end(connection);
    for (const { pool } of this.#targets.values()) {
      if (pool === undefined) continue;
      pool.cancelLook?.();
      for (let message = pool.waiting.shift(); message !== undefined; message = pool.waiting.shift()) {
        this.#dead(pool.members[0] as number, message.kind, message.id);
        message.taken();
      }
    }
    this.#cancelReport?.();
    this.reportDeadLetters();
    this.#asks.close();
  }
}

/** The message that what is sent is a part of. */
const contextOf = (options: SendOptions | undefined): (SendOptions["context"] & {}) | undefined =>
  options?.context === undefined ? currentEnvelope() : (options.context ?? undefined);
