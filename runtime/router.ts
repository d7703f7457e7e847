/**
 * The router of one thread: between the actors that live in it and all others.
 *
 *     refs.ts          tell, ask: which place, which deadline, which trace             targets.ts: who lives where
 *        |
 *     outbox.ts        room in the mailbox: place it; else wait, refuse, shed          dead-letters.ts: what reached nobody
 *        |
 *     connections.ts   what is said in a turn leaves at its end, as one frame (connection.ts, frame.ts)
 *        |        \
 *      a port      an actor of this thread: no port, no text
 *        |
 *     router.ts        of the other thread: messages to mailboxes, answers to asks.ts, places given back
 */

import type { Actor, Down, Protocol, Ref, Self, Topic } from "./actor.ts";
import { Asks } from "./asks.ts";
import type { Clock } from "./clock.ts";
import { Connection } from "./connection.ts";
import { Connections, type Receiver } from "./connections.ts";
import { DeadLetters } from "./dead-letters.ts";
import { type Disposition, Envelope } from "./envelope.ts";
import { died, unpackError } from "./errors.ts";
import { type FrameReader, type Posted, readFrame } from "./frame.ts";
import { Monitors } from "./monitors.ts";
import { Outbox } from "./outbox.ts";
import { Refs, type Sender } from "./refs.ts";
import { isLater, type SharedTable } from "./shared-table.ts";
import { type Directory, type DirectoryEntry, Targets } from "./targets.ts";
import { type Subscriptions, Topics } from "./topics.ts";

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

const DISPOSITIONS: readonly Disposition[] = ["handled", "failed", "expired", "dead"];
type Local = {
  readonly receiver: Receiver;
  readonly generation: number;
  released: number;
  /** Of a mailbox that is bounded so. */
  releasedBytes: number;
  readonly dispositions: Record<Disposition, number>;
};

export class Router {
  readonly slot: number;
  readonly #sharedTable: SharedTable;
  readonly #clock: Clock;
  readonly #targets: Targets;
  readonly #asks: Asks<Connection>;
  readonly #connections: Connections;
  readonly #deadLetters: DeadLetters;
  readonly #outbox: Outbox;
  readonly #refs: Refs;
  readonly #locals = new Map<number, Local>();
  readonly #monitors: Monitors;
  readonly #topics: Topics;

  constructor({ slot, directory, sharedTable, clock, connect, log }: RouterOptions) {
    this.slot = slot;
    this.#sharedTable = sharedTable;
    this.#clock = clock;
    const targets = new Targets(directory, sharedTable);
    const asks = new Asks<Connection>(clock);
    const deadLetters = new DeadLetters(clock, log);
    const connections = new Connections({
      slot,
      sharedTable,
      connect,
      local: (at) => this.#locals.get(at)?.receiver,
      ended: (connection) => this.#ended(connection),
      unwritable: (to, id, fields, error) => {
        if (id !== 0) asks.reject(id, error);
        else log("error", "dead-letter", { to: targets.name(to), reason: "unwritable", ...fields });
      },
      flushed: () => {
        for (const [at, local] of this.#locals) this.#release(at, local);
      },
    });
    const outbox = new Outbox({
      sender: targets.name(slot),
      sharedTable,
      clock,
      targets,
      asks,
      connections,
      deadLetters,
    });
    this.#targets = targets;
    this.#topics = new Topics(sharedTable, outbox);
    this.#monitors = new Monitors(targets, sharedTable);
    this.#asks = asks;
    this.#deadLetters = deadLetters;
    this.#connections = connections;
    this.#outbox = outbox;
    this.#refs = new Refs({ clock, targets, asks, connections, outbox, deadLetters });
  }

  /** Asks that wait for their answer. */
  get asking(): number {
    return this.#asks.size;
  }

  /** A way to send to an actor. */
  ref<P extends Protocol>(actor: Actor<P>, sender: Sender = {}): Ref<P> {
    return this.#refs.to(actor, sender);
  }

  isMain(slot: number): boolean {
    return this.#targets.isMain(slot);
  }

  /** The places of an actor. */
  placesOf(name: string): readonly number[] {
    return this.#targets.known({ name }, "find").slots;
  }

  place(slot: number, entry: DirectoryEntry): void {
    this.#targets.place(slot, entry);
  }

  /** A message that was accepted and cannot be handled. */
  deadLetter(to: string, kind: string, reason: string): void {
    this.#deadLetters.add(to, kind, reason);
  }

  /** Tells of the dead letters that were not told of yet. */
  reportDeadLetters(): void {
    this.#deadLetters.report();
  }

  /** Posts all that was said in this turn, and gives back the places of what was settled in it. */
  flush(): void {
    this.#connections.flush();
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A way to a slot has been made. */
  attach(slot: number, generation: number, post: (frame: Posted) => void, close?: () => void): void {
    let connection = this.#connections.at(slot);
    if (connection !== undefined && connection.generation !== generation) {
      // News of a life that is over, read after this thread has met the next one.
      if (!isLater(generation, connection.generation)) return;
      this.#connections.end(connection);
      connection = undefined;
    }
    connection ??= this.#connections.open(slot, generation);
    connection.attach(post, close);
    // Whoever met a full mailbox here may have had its wake-up before the way to it was made. The main thread and a worker know each other from birth.
    if (slot !== 0 && this.slot !== 0) for (const local of this.#locals.keys()) connection.space(local);
    this.#connections.touch(connection);
  }

  /**
   * This generation of the slot is over. Answers that it has already posted are let in first: to the main thread they came by the same way as the
   * news of the end, to others by ports of their own.
   */
  down(slot: number, generation: number, cause?: Error): void {
    // Places that the dead had reserved elsewhere have come back: those receivers look who waits for them.
    if (this.slot === 0) {
      for (const each of this.#connections) {
        if (!this.#sharedTable.hasWaiting(each.slot)) continue;
        each.space(each.slot);
        this.#connections.touch(each);
      }
      for (const local of this.#locals.keys()) this.#wake(local);
    }
    this.#monitors.down(slot, cause?.message ?? null);
    const connection = this.#connections.at(slot);
    if (connection === undefined || connection.generation !== generation) return;
    connection.cause = cause;
    if (this.slot === 0) this.#connections.end(connection);
    else this.#clock.later(1, () => this.#connections.end(connection));
  }

  #ended(connection: Connection): void {
    const name = this.#targets.name(connection.slot);
    connection.end(({ kind, id }) => {
      if (id === 0) this.#deadLetters.add(name, kind, "died");
    });
    this.#asks.rejectAll(connection, () => died(name, connection.cause));
    for (const { receiver } of this.#locals.values())
      receiver.cancel("gone", (envelope) => envelope.origin === connection && envelope.id !== 0);
    this.#outbox.pumpPoolOf(connection.slot);
  }

  /** Takes a frame from a generation of a slot; its messages go to the actor at `to`. */
  receive(from: number, generation: number, to: number, frame: Posted): void {
    const receiver = this.#locals.get(to)?.receiver;
    let connection = this.#connections.at(from);
    if (connection?.generation !== generation) {
      // Posted by a life that is over: its messages are handled, their answers go to nobody (ids are other threads' own, and would fit asks of others).
      connection = new Connection(this.#sharedTable, this.slot, from, generation);
      connection.over = true;
    }
    const sender = this.#targets.name(from);
    const [text, parts] = typeof frame === "string" ? [frame, []] : [frame.text, frame.parts];
    const reader: FrameReader = {
      message: (kind, body, id, deadlineMs, extra) => {
        receiver?.deliver(
          new Envelope(
            kind,
            typeof extra?.[3] === "number" ? parts[extra[3]] : body,
            id,
            deadlineMs,
            extra?.[0] ?? undefined,
            extra?.[1] ?? sender,
            extra?.[2] ?? undefined,
            connection,
            false,
            extra?.[4],
          ),
        );
      },
      answer: (id, value, extra) => this.#asks.resolve(id, typeof extra?.[3] === "number" ? parts[extra[3]] : value),
      failure: (id, error) => this.#asks.reject(id, unpackError(error)),
      space: (slot) => this.#space(slot),
      givenUp: (id) => receiver?.cancel("gave-up", (envelope) => envelope.id === id && envelope.origin === connection),
    };
    readFrame(JSON.parse(text) as unknown[], reader);
    receiver?.turn();
  }

  // ── actors that live here ──────────────────────────────────────────────────────────────────────────────────────────────────────

  host(slot: number, generation: number, receiver: Receiver): void {
    this.#locals.set(slot, {
      receiver,
      generation,
      released: 0,
      releasedBytes: 0,
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
    this.#connections.touch(connection);
  }

  refuse(envelope: Envelope, error: Error): void {
    const connection = envelope.origin as Connection | undefined;
    if (connection === undefined) {
      this.#asks.reject(envelope.id, error);
      return;
    }
    connection.refuse(envelope.id, error);
    this.#connections.touch(connection);
  }

  /** What the handler of this message has asked for is given up. */
  giveUp(envelope: Envelope): void {
    this.#outbox.giveUpWithin(envelope);
  }

  settled(slot: number, { bodyBytes }: Envelope, disposition: Disposition): void {
    const local = this.#locals.get(slot);
    if (local === undefined) return;
    local.dispositions[disposition]++;
    local.released++;
    local.releasedBytes += bodyBytes;
    this.#connections.schedule();
  }

  #release(slot: number, local: Local): void {
    if (local.released === 0) return;
    this.#sharedTable.room.release(slot, local.generation, local.releasedBytes);
    local.releasedBytes = 0;
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
    for (const connection of this.#connections) {
      connection.space(slot);
      this.#connections.touch(connection);
    }
    const own = this.#connections.at(slot);
    if (own !== undefined) this.#outbox.pump(own);
    this.#outbox.pumpPoolOf(slot);
  }

  /** A mailbox has space again: that of a slot elsewhere, or one of here, when whoever says so is who gave the places back. */
  #space(slot: number): void {
    if (this.#locals.has(slot)) {
      this.#wake(slot);
      return;
    }
    const connection = this.#connections.at(slot);
    if (connection !== undefined) this.#outbox.pump(connection);
    this.#outbox.pumpPoolOf(slot);
  }

  // ── topics and ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  set subscriptions(table: Subscriptions) {
    this.#topics.subscriptions = table;
  }

  publish<Body>(topic: Topic<Body>, body: Body, from?: string): undefined | Promise<void> {
    return this.#topics.publish(topic.name, body, from);
  }

  /** Tells of each end of an actor, and at once when it is not running. The returned function ends it; so does the end of the one who asks. */
  monitor(actor: Actor, watcher: number, told: (down: Down) => void): () => void {
    return this.#monitors.add(actor, watcher, told);
  }

  /** Ends all connections and asks. */
  close(): void {
    this.flush();
    for (const connection of [...this.#connections]) this.#connections.end(connection);
    this.#outbox.close();
    this.#deadLetters.close();
    this.#asks.close();
  }
}
