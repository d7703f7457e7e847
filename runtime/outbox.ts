import type { Asks } from "./asks.ts";
import { bodyBytesOf } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import { type Connection, OUTBOX_MAX, type Outgoing, type Waiting } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Envelope } from "./envelope.ts";
import { busy, cancelled, died, stopped, systemNotRunning } from "./errors.ts";
import { whenFull } from "./mailbox.ts";
import type { Pool } from "./pool.ts";
import type { SharedTable } from "./shared-table.ts";
import { NOWHERE, type Targets } from "./targets.ts";

/** How often members that are not up are looked for while messages wait for one. */
const LOOK_MS = 20;

export type OutboxOptions = {
  /** The name of this thread's actor, for messages that name no other sender. */
  readonly sender: string;
  readonly sharedTable: SharedTable;
  readonly clock: Clock;
  readonly targets: Targets;
  readonly asks: Asks<Connection>;
  readonly connections: Connections;
  readonly deadLetters: DeadLetters;
};

/**
 * What one thread sends: each message reserves its place in the receiver's mailbox and goes to the receiver's connection, or waits here, is refused or shed
 * as the mailbox says, or is a dead letter.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #sharedTable: SharedTable;
  readonly #asks: Asks<Connection>;
  readonly #connections: Connections;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#sharedTable = options.sharedTable;
    this.#asks = options.asks;
    this.#connections = options.connections;
  }

  /** `undefined` when it is placed or over; a promise while it waits for a place. */
  send(slot: number, message: Outgoing, lossy: boolean): undefined | Promise<void> {
    const connection = slot === NOWHERE ? undefined : this.#connections.to(slot);
    if (connection === undefined) return this.#dead(slot, message);
    const bodyBytes = this.#bodyBytes(slot, message);
    if (connection.waiting.size === 0) {
      const reservation = this.#sharedTable.reserve(slot, connection.generation, bodyBytes);
      if (reservation === "taken") {
        this.#enqueue(connection, message, bodyBytes);
        return undefined;
      }
      if (reservation === "closed") return this.#dead(slot, message);
    }
    const what = whenFull(this.#sharedTable.whenFull(slot), lossy);
    if (what === "wait" && connection.waiting.size < OUTBOX_MAX) {
      return new Promise((taken) => {
        connection.waiting.push({ message, bodyBytes, taken });
        this.pump(connection);
      });
    }
    if (what === "wait" && message.id === 0) {
      this.countDead(slot);
      this.#options.deadLetters.add(this.#name(slot), message.kind, "outbox-full");
      // Not undefined, which would say that the mailbox has it.
      return Promise.resolve();
    }
    this.#sharedTable.count(slot, "sent", 1);
    this.#sharedTable.count(slot, what === "shed" ? "shed" : "rejected", 1);
    if (message.id !== 0) this.#asks.reject(message.id, busy(this.#name(slot)));
    return undefined;
  }

  /** Whether what goes to any member of this pool waits in one queue: full mailboxes that refuse or shed have their bound instead. */
  queues(pool: Pool): boolean {
    return pool.isOpen && this.#sharedTable.whenFull(pool.leastDeep()) === "wait";
  }

  /** To the next free member; a promise while none is free. */
  sendToPool(pool: Pool, message: Outgoing): undefined | Promise<void> {
    const bodyBytes = this.#bodyBytes(pool.leastDeep(), message);
    if (pool.waiting.size === 0 && this.#dispatch(pool, message, bodyBytes)) return undefined;
    return new Promise((taken) => this.#await(pool, { message, bodyBytes, taken }));
  }

  /** What it takes of the mailbox there, if that is bounded in bytes. */
  #bodyBytes(slot: number, { body }: Outgoing): number {
    return this.#sharedTable.room.max(slot) === 0 ? 0 : bodyBytesOf(body);
  }

  #enqueue(connection: Connection, message: Outgoing, bodyBytes: number): void {
    connection.enqueue(message, this.#options.sender, bodyBytes);
    this.#connections.touch(connection);
  }

  /** Sends to a free member, if there is one. */
  #dispatch(pool: Pool, message: Outgoing, bodyBytes: number): boolean {
    // A member may end, or another thread take its room, between the look and the reservation.
    for (let attempt = 0; attempt <= pool.members.length; attempt++) {
      const slot = pool.withRoom(this.#connections.turn);
      if (slot === undefined) return false;
      const connection = this.#connections.to(slot);
      if (
        connection === undefined ||
        this.#sharedTable.reserve(slot, connection.generation, bodyBytes, this.#sharedTable.window(slot)) !== "taken"
      )
        continue;
      if (message.id !== 0) this.#asks.sendBy(message.id, connection);
      this.#enqueue(connection, message, bodyBytes);
      return true;
    }
    return false;
  }

  /** Puts a message into the queue of a pool. */
  #await(pool: Pool, waiting: Waiting): void {
    const { message } = waiting;
    const first = pool.members[0] as number;
    if (pool.waiting.size < OUTBOX_MAX) {
      pool.waiting.push(waiting);
      if (pool.waiting.size === 1) this.#pumpPool(pool);
      return;
    }
    if (message.id === 0) {
      this.countDead(first);
      this.#options.deadLetters.add(this.#name(first), message.kind, "outbox-full");
    } else {
      this.#sharedTable.count(first, "sent", 1);
      this.#sharedTable.count(first, "rejected", 1);
      this.#asks.reject(message.id, busy(this.#name(first)));
    }
    waiting.taken();
  }

  /** Gives what waits to free members; asks all to be woken for the rest. */
  #pumpPool(pool: Pool): void {
    const first = pool.members[0] as number;
    for (let marked = false; ; ) {
      const waiting = pool.waiting.peek();
      if (waiting === undefined) return;
      const { message } = waiting;
      if (this.#isGivenUp(message)) {
        pool.waiting.shift();
        this.#sharedTable.count(first, "sent", 1);
        this.#sharedTable.count(first, "expired", 1);
      } else if (this.#dispatch(pool, message, waiting.bodyBytes)) pool.waiting.shift();
      else if (!pool.isOpen) {
        pool.waiting.shift();
        this.#dead(first, message);
      } else if (marked) break;
      else {
        for (const slot of pool.members) this.#sharedTable.setPoolWaiting(slot);
        marked = true;
        continue;
      }
      waiting.taken();
    }
    // A member that comes up tells nobody.
    if (!pool.isWhole)
      pool.cancelLook ??= this.#options.clock.later(LOOK_MS, () => {
        pool.cancelLook = undefined;
        this.#pumpPool(pool);
      });
  }

  pumpPoolOf(slot: number): void {
    const pool = this.#options.targets.poolOf(slot);
    if (pool !== undefined && pool.waiting.size > 0) this.#pumpPool(pool);
  }

  /** Moves what waits for a full receiver into its mailbox, as far as there is space; asks to be woken for the rest. */
  pump(connection: Connection): void {
    const { slot } = connection;
    for (let marked = false; ; ) {
      const waiting = connection.waiting.peek();
      if (waiting === undefined) return;
      const { message } = waiting;
      if (this.#isGivenUp(message)) {
        this.#sharedTable.count(slot, "sent", 1);
        this.#sharedTable.count(slot, "expired", 1);
      } else {
        const reservation = this.#sharedTable.reserve(slot, connection.generation, waiting.bodyBytes);
        if (reservation === "taken") this.#enqueue(connection, message, waiting.bodyBytes);
        // The receiver is stopping or gone: those who wait hear it now.
        else if (reservation === "closed") this.#dead(slot, message);
        else if (marked) return;
        else {
          this.#sharedTable.setWaiting(slot);
          marked = true;
          continue;
        }
      }
      connection.waiting.shift();
      waiting.taken();
    }
  }

  /** Whether it is an ask whose deadline has passed, or that was given up, while it waited here. */
  #isGivenUp({ id }: Outgoing): boolean {
    return id !== 0 && !this.#asks.has(id);
  }

  #dead(slot: number, { kind, id }: Outgoing): undefined {
    this.countDead(slot);
    if (id !== 0) this.#asks.reject(id, this.gone(slot));
    else this.#options.deadLetters.add(this.#name(slot), kind, "not-running");
    return undefined;
  }

  countDead(slot: number): void {
    if (slot === NOWHERE) return;
    this.#sharedTable.count(slot, "sent", 1);
    this.#sharedTable.count(slot, "dead", 1);
  }

  /** Why nothing can be sent there. */
  gone(slot: number, name: string = this.#name(slot)): Error {
    // The main thread is up as long as the system is.
    if (this.#sharedTable.phase(0) === "down") return systemNotRunning(name);
    return slot !== NOWHERE && this.#sharedTable.phase(slot) === "stopping" ? stopped(name) : died(name);
  }

  #name(slot: number): string {
    return this.#options.targets.name(slot);
  }

  /** Rejects the ask when the signal is aborted, and says so to the receiver. */
  giveUpWith(signal: AbortSignal, id: number, to: string, kind: string): void {
    const giveUp = (): void => {
      const connection = this.#asks.connectionOf(id);
      this.#asks.reject(id, cancelled(to, kind, signal.reason));
      this.#tellGivenUp(connection, id);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#asks.whenOver(id, () => signal.removeEventListener("abort", giveUp));
  }

  /** What the handler of this message has asked for is given up. Its asks still wait for what the receivers make of that. */
  giveUpWithin(envelope: Envelope): void {
    for (const id of this.#asks.askedWithin(envelope)) this.#tellGivenUp(this.#asks.connectionOf(id), id);
  }

  #tellGivenUp(connection: Connection | undefined, id: number): void {
    if (connection === undefined) return;
    connection.giveUp(id);
    this.#connections.touch(connection);
  }

  /** All that waits for pools is dead. */
  close(): void {
    for (const pool of this.#options.targets.pools()) {
      pool.cancelLook?.();
      for (let waiting = pool.waiting.shift(); waiting !== undefined; waiting = pool.waiting.shift()) {
        this.#dead(pool.members[0] as number, waiting.message);
        waiting.taken();
      }
    }
  }
}
