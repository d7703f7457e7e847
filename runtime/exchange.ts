import type { Actor, Down, Protocol, Ref, Self, SendOptions, Topic } from "./actor.ts";
import { Asks } from "./asks.ts";
import type { Cell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { busy, died, errorFields, expired, selfAsk, stopped, unhandled, unpackError } from "./errors.ts";
import { type FrameReader, readFrame } from "./frame.ts";
import type { Fate, Letter } from "./letter.ts";
import { Link, OUTBOX_MAX, type Waiting } from "./link.ts";
import { whenFull } from "./mailbox.ts";
import { partitionOf } from "./partition.ts";
import { Pool } from "./pool.ts";
import { isLater, type Pulse } from "./pulse.ts";

/** Every place of the tree, by slot; the main thread is slot 0. Fixed for the life of a system. */
export type Directory = readonly { readonly name: string; readonly index: number; readonly here: boolean }[];

/** Who gets what is published: a slot, and the kind as which it arrives there. */
export type Subscriber = { readonly slot: number; readonly kind: string; readonly lossy: boolean };
export type Subscriptions = Readonly<Record<string, readonly Subscriber[]>>;

export type ExchangeOptions = {
  /** The slot of this thread. */
  readonly slot: number;
  readonly directory: Directory;
  readonly pulse: Pulse;
  readonly clock: Clock;
  /** Asks for a way to a slot; `attach` or `down` follows. */
  readonly connect: (slot: number, generation: number) => void;
  readonly log: Self["log"];
};

/** An ask may take this long unless told. */
export const ASK_MS = 5_000;

/** How often dead letters are told of, and how many sorts of them at once. */
const REPORT_MS = 1_000;
/** How often members that are not up are looked for while messages wait for one. */
const LOOK_MS = 20;
const DEAD_LETTERS_TOLD_MAX = 32;

const FATES: readonly Fate[] = ["handled", "failed", "expired", "dead"];
type Local = {
  readonly cell: Cell;
  readonly generation: number;
  released: number;
  readonly fates: Record<Fate, number>;
};

/** The post office of one thread: its links, its asks, the cells that live in it. Whatever is sent in a turn leaves at the turn's end. */
export class Exchange {
  readonly slot: number;
  readonly #options: ExchangeOptions;
  readonly #pulse: Pulse;
  readonly #asks: Asks<Link>;
  readonly #links = new Map<number, Link>();
  readonly #locals = new Map<number, Local>();
  readonly #places = new Map<string, readonly number[]>();
  readonly #pools = new Map<string, Pool>();
  #subscriptions: Subscriptions = Object.create(null);
  #dirty: Link[] = [];
  #scheduled = false;
  #turn = 0;
  readonly #unreported = new Map<string, { to: string; kind: string; reason: string; letters: number }>();
  #moreUnreported = 0;
  #cancelReport: (() => void) | undefined;
  readonly #monitors = new Set<(slot: number, reason: string | null) => void>();

  constructor(options: ExchangeOptions) {
    this.slot = options.slot;
    this.#options = options;
    this.#pulse = options.pulse;
    this.#asks = new Asks(options.clock);
    options.directory.forEach(({ name }, slot) => {
      if (slot > 0) this.#places.set(name, [...(this.#places.get(name) ?? []), slot]);
    });
    for (const [name, places] of this.#places)
      if (places.length > 1) this.#pools.set(name, new Pool(places, this.#pulse));
  }

  /** Asks that wait for their answer. */
  get asking(): number {
    return this.#asks.size;
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A way to send to an actor as `from` (this thread's own name when undefined). */
  ref<P extends Protocol>(actor: Actor<P>, from?: string, self?: number): Ref<P> {
    const places = this.#places.get(actor.name);
    if (places === undefined) throw new Error(`Cannot refer to ${actor.name}: the tree has no such actor`);
    /** By kind whether it may be shed; free of what every object has, as a kind may have any name. */
    const lossy: Record<string, boolean | undefined> = Object.create(null);
    for (const [kind, message] of Object.entries(actor.accepts as Protocol)) lossy[kind] = message.lossy;
    const pool = this.#pools.get(actor.name);
    const route = (key: string | undefined): number => {
      if (pool === undefined) return places[0] as number;
      return key === undefined ? pool.leastDeep() : (places[partitionOf(key, places.length)] as number);
    };
    const refer = {
      tell: (kind: string, body: unknown, options?: SendOptions): undefined | Promise<void> => {
        const isLossy = lossy[kind];
        const traceparent = options?.traceparent ?? options?.within?.traceparent;
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
        return this.#send(slot, kind, body, 0, undefined, traceparent, from, isLossy);
      },
      ask: (kind: string, body: unknown, options?: SendOptions): Promise<unknown> => {
        const clock = this.#options.clock;
        const nowMs = clock.now();
        const within = options?.within;
        const withinMs = options?.withinMs ?? ASK_MS;
        if (!Number.isFinite(withinMs))
          return Promise.reject(
            new RangeError(`Cannot ask ${actor.name} to ${kind}: withinMs is a finite number, not ${withinMs}`),
          );
        let deadlineMs = nowMs + withinMs;
        if (within?.deadlineMs !== undefined && within.deadlineMs < deadlineMs) deadlineMs = within.deadlineMs;
        if (deadlineMs <= nowMs) return Promise.reject(expired(actor.name, kind));
        const traceparent = options?.traceparent ?? within?.traceparent;
        const late = (): Error => expired(actor.name, kind);
        if (pool !== undefined && options?.key === undefined && lossy[kind] !== undefined && this.#queues(pool)) {
          return new Promise((resolve, reject) => {
            const id = this.#asks.nextId();
            this.#asks.add(id, { resolve, reject, link: undefined, deadlineMs, late });
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
        const link = this.#linkTo(slot);
        if (link === undefined) {
          // Not among the asks: their timer would keep a process up that has nothing left to do.
          this.#countDead(slot);
          return Promise.reject(this.#gone(slot));
        }
        return new Promise((resolve, reject) => {
          const id = this.#asks.nextId();
          this.#asks.add(id, { resolve, reject, link, deadlineMs, late });
          void this.#send(slot, kind, body, id, deadlineMs, traceparent, from, false);
        });
      },
    };
    return refer as unknown as Ref<P>;
  }

  /** Whether what goes to any member of this pool waits in one queue: full mailboxes that refuse or shed have their bound instead. */
  #queues(pool: Pool): boolean {
    return pool.isOpen && this.#pulse.whenFull(pool.leastDeep()) === "wait";
  }

  /** Sends to a free member, if there is one and nothing waits before. */
  #dispatch(pool: Pool, message: Waiting, isFirst = pool.waiting.size === 0): boolean {
    if (!isFirst) return false;
    // A member may end, or another thread take its room, between the look and the reservation.
    for (let attempt = 0; attempt <= pool.members.length; attempt++) {
      const slot = pool.withRoom(this.#turn);
      if (slot === undefined) return false;
      const link = this.#linkTo(slot);
      if (link === undefined || this.#pulse.reserve(slot, link.generation, this.#pulse.window(slot)) !== "taken")
        continue;
      const { kind, body, id, deadlineMs, traceparent, from } = message;
      if (id !== 0) this.#asks.sendBy(id, link);
      link.say(kind, body, id, deadlineMs, traceparent, from, this.#name(this.slot));
      this.#touch(link);
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
      this.#pulse.count(first, "sent", 1);
      this.#pulse.count(first, "rejected", 1);
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
        this.#pulse.count(first, "sent", 1);
        this.#pulse.count(first, "expired", 1);
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
        for (const slot of pool.members) this.#pulse.setPoolWaiting(slot);
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
    const pool = this.#pools.get(this.#name(slot));
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
    const link = this.#linkTo(slot);
    if (link !== undefined && link.waiting.size === 0) {
      const reservation = this.#pulse.reserve(slot, link.generation);
      if (reservation === "taken") {
        link.say(kind, body, id, deadlineMs, traceparent, from, this.#name(this.slot));
        this.#touch(link);
        return undefined;
      }
      if (reservation === "closed") return this.#dead(slot, kind, id);
    }
    if (link === undefined) return this.#dead(slot, kind, id);
    const what = whenFull(this.#pulse.whenFull(slot), lossy);
    if (what === "wait" && link.waiting.size < OUTBOX_MAX) {
      return new Promise((taken) => {
        link.waiting.push({ kind, body, id, deadlineMs, traceparent, from, taken });
        this.#pump(link);
      });
    }
    if (what === "wait" && id === 0) {
      this.#countDead(slot);
      this.#report(this.#name(slot), kind, "outbox-full");
      // Not undefined, which would say that the mailbox has it.
      return Promise.resolve();
    }
    this.#pulse.count(slot, "sent", 1);
    this.#pulse.count(slot, what === "shed" ? "shed" : "rejected", 1);
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
    this.#pulse.count(slot, "sent", 1);
    this.#pulse.count(slot, "dead", 1);
  }

  #gone(slot: number): Error {
    const name = this.#name(slot);
    return this.#pulse.phase(slot) === "stopping" ? stopped(name) : died(name);
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
  #pump(link: Link): void {
    for (let marked = false; ; ) {
      const message = link.waiting.peek();
      if (message === undefined) return;
      if (message.id !== 0 && !this.#asks.has(message.id)) {
        link.waiting.shift();
        this.#pulse.count(link.slot, "sent", 1);
        this.#pulse.count(link.slot, "expired", 1);
        message.taken();
        continue;
      }
      const reservation = this.#pulse.reserve(link.slot, link.generation);
      if (reservation === "taken") {
        link.waiting.shift();
        link.say(
          message.kind,
          message.body,
          message.id,
          message.deadlineMs,
          message.traceparent,
          message.from,
          this.#name(this.slot),
        );
        this.#touch(link);
        message.taken();
        continue;
      }
      if (reservation === "closed") {
        // The receiver is stopping or gone: those who wait hear it now.
        link.waiting.shift();
        this.#dead(link.slot, message.kind, message.id);
        message.taken();
        continue;
      }
      if (marked) return;
      this.#pulse.setWaiting(link.slot);
      marked = true;
    }
  }

  /** The link to the generation that takes messages now; undefined when none does. */
  #linkTo(slot: number): Link | undefined {
    const known = this.#links.get(slot);
    const generation = this.#pulse.openGeneration(slot);
    if (generation === undefined) return undefined;
    if (known !== undefined && known.generation === generation) return known;
    if (known !== undefined) this.#end(known);
    const link = this.#open(slot, generation);
    const local = this.#locals.get(slot);
    if (local !== undefined) link.attachLocal(local.cell);
    else this.#options.connect(slot, generation);
    return link;
  }

  #open(slot: number, generation: number): Link {
    const link = new Link(this.#pulse, this.slot, slot, generation);
    this.#links.set(slot, link);
    return link;
  }

  #name(slot: number): string {
    return this.#options.directory[slot]?.name ?? `slot ${slot}`;
  }

  #touch(link: Link): void {
    if (this.#dirty.at(-1) !== link) this.#dirty.push(link);
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
    for (const link of dirty) {
      link.flush((id, error) => {
        if (id !== 0) this.#asks.reject(id, error);
        else
          this.#options.log("error", "dead-letter", {
            to: this.#name(link.slot),
            reason: "unwritable",
            ...errorFields(error),
          });
      });
    }
    for (const [slot, local] of this.#locals) this.#release(slot, local);
  }

  #release(slot: number, local: Local): void {
    if (local.released === 0) return;
    this.#pulse.release(slot, local.generation, local.released);
    local.released = 0;
    // Counted as their places are given back: an actor that is killed before has them among its dead, and only there.
    const { fates } = local;
    fates.handled += fates.failed;
    for (const fate of FATES) {
      if (fates[fate] > 0) this.#pulse.count(slot, fate, fates[fate]);
      fates[fate] = 0;
    }
    this.#wake(slot);
  }

  /** Wakes all who wait for the mailbox of an actor of this thread, if it has space. */
  #wake(slot: number): void {
    if (!this.#pulse.takeWaiting(slot)) return;
    for (const link of this.#links.values()) {
      link.space(slot);
      this.#touch(link);
    }
    const own = this.#links.get(slot);
    if (own !== undefined) this.#pump(own);
    this.#pumpPoolOf(slot);
  }

  /** A mailbox has space again: that of a slot elsewhere, or one of here, when whoever says so is who gave the places back. */
  #space(slot: number): void {
    const link = this.#links.get(slot);
    if (this.#locals.has(slot)) this.#wake(slot);
    else {
      if (link !== undefined) this.#pump(link);
      this.#pumpPoolOf(slot);
    }
  }

  // ── links ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A way to a slot has been made. */
  attach(slot: number, generation: number, post: (text: string) => void, close?: () => void): void {
    let link = this.#links.get(slot);
    if (link !== undefined && link.generation !== generation) {
      // News of a life that is over, read after this thread has met the next one.
      if (!isLater(generation, link.generation)) return;
      this.#end(link);
      link = undefined;
    }
    link ??= this.#open(slot, generation);
    link.attach(post, close);
    // Whoever met a full mailbox here may have had its wake-up before the way to it was made. The main thread and a worker know each other from birth.
    if (slot !== 0 && this.slot !== 0) link.space(this.slot);
    this.#touch(link);
  }

  /**
   * This generation of the slot is over. Answers that it has already posted are let in first: to the main thread they came by the same way as the
   * news of the end, to others by ports of their own.
   */
  down(slot: number, generation: number, cause?: Error): void {
    // Places that the dead had reserved elsewhere have come back: those receivers look who waits for them.
    if (this.slot === 0) {
      for (const each of this.#links.values()) {
        if (!this.#pulse.hasWaiting(each.slot)) continue;
        each.space(each.slot);
        this.#touch(each);
      }
      for (const local of this.#locals.keys()) this.#wake(local);
    }
    for (const notify of [...this.#monitors]) notify(slot, cause?.message ?? null);
    const link = this.#links.get(slot);
    if (link === undefined || link.generation !== generation) return;
    link.cause = cause;
    if (this.slot === 0) this.#end(link);
    else this.#options.clock.later(1, () => this.#end(link));
  }

  #end(link: Link): void {
    if (this.#links.get(link.slot) === link) this.#links.delete(link.slot);
    const name = this.#name(link.slot);
    link.end(({ kind, id }) => {
      if (id === 0) this.#report(name, kind, "died");
    });
    this.#asks.rejectAll(link, () => died(name, link.cause));
    this.#pumpPoolOf(link.slot);
  }

  /** Takes a frame from a generation of a slot; its messages go to the cell at `to`. */
  receive(from: number, generation: number, to: number, text: string): void {
    const local = this.#locals.get(to);
    let link = this.#links.get(from);
    if (link?.generation !== generation) {
      // Posted by a life that is over: its messages are handled, their answers go to nobody (ids are other threads' own, and would fit asks of others).
      link = new Link(this.#pulse, this.slot, from, generation);
      link.over = true;
    }
    const sender = this.#name(from);
    const reader: FrameReader = {
      message: (kind, body, id, deadlineMs, extra) => {
        local?.cell.deliver({
          kind,
          body,
          id,
          deadlineMs,
          traceparent: extra?.[0] ?? undefined,
          from: extra?.[1] ?? sender,
          origin: link,
          control: false,
        });
      },
      answer: (id, value) => this.#asks.resolve(id, value),
      failure: (id, error) => this.#asks.reject(id, unpackError(error)),
      space: (slot) => this.#space(slot),
    };
    readFrame(JSON.parse(text) as unknown[], reader);
    local?.cell.turn();
  }

  // ── cells that live here ───────────────────────────────────────────────────────────────────────────────────────────────────────

  host(slot: number, generation: number, cell: Cell): void {
    this.#locals.set(slot, { cell, generation, released: 0, fates: { handled: 0, failed: 0, expired: 0, dead: 0 } });
  }

  unhost(slot: number): void {
    const local = this.#locals.get(slot);
    if (local !== undefined) this.#release(slot, local);
    this.#locals.delete(slot);
  }

  answer(letter: Letter, value: unknown): void {
    const link = letter.origin as Link | undefined;
    if (link === undefined) {
      this.#asks.resolve(letter.id, value ?? null);
      return;
    }
    link.answer(letter.id, value);
    this.#touch(link);
  }

  refuse(letter: Letter, error: Error): void {
    const link = letter.origin as Link | undefined;
    if (link === undefined) {
      this.#asks.reject(letter.id, error);
      return;
    }
    link.refuse(letter.id, error);
    this.#touch(link);
  }

  settled(slot: number, fate: Fate): void {
    const local = this.#locals.get(slot);
    if (local === undefined) return;
    local.fates[fate]++;
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
      if (this.#pulse.openGeneration(slot) === undefined) continue;
      void this.#send(slot, kind, body, 0, undefined, undefined, from, lossy);
    }
  }

  /** Tells of each end of an actor, and at once when it is not running. The returned function ends it; so does the end of the one who asks. */
  monitor(actor: Actor, watcher: number, told: (down: Down) => void): () => void {
    const places = this.#places.get(actor.name);
    if (places === undefined) throw new Error(`Cannot monitor ${actor.name}: the tree has no such actor`);
    const down = (slot: number, reason: string | null): void =>
      told({ actor: actor.name, index: this.#options.directory[slot]?.index ?? 0, reason });
    const notify = (slot: number, reason: string | null): void => {
      if (slot === watcher) this.#monitors.delete(notify);
      else if (places.includes(slot)) down(slot, reason);
    };
    this.#monitors.add(notify);
    for (const slot of places) if (this.#pulse.phase(slot) === "down") down(slot, "not running");
    return () => void this.#monitors.delete(notify);
  }

  /** Ends all links and asks. */
  close(): void {
    this.#cancelReport?.();
    this.flush();
    for (const link of [...this.#links.values()]) this.#end(link);
    for (const pool of this.#pools.values()) {
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
