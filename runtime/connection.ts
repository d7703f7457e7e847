import { bytesToSend, MovedError, takeMark } from "./bytes.ts";
import type { Receiver } from "./connections.ts";
import { Envelope } from "./envelope.ts";
import { asError, packError } from "./errors.ts";
import { type Extra, type Frame, type Posted, readFrame } from "./frame.ts";
import { Queue } from "./queue.ts";
import type { SharedTable } from "./shared-table.ts";

/** A message on its way out. */
export type Outgoing = {
  readonly kind: string;
  readonly body: unknown;
  /** 0 for a tell. */
  readonly id: number;
  readonly deadlineMs: number | undefined;
  readonly traceparent: string | undefined;
  /** The sender's name, when it is not the thread's own. */
  readonly from: string | undefined;
  /** Of a keyed actor. */
  readonly key: string | undefined;
  /** Whether its bytes are moved and not copied. */
  readonly isMoved: boolean;
};

/** One that waits for space. */
export type Waiting = {
  readonly message: Outgoing;
  /** What it takes of a mailbox that is bounded in bytes, else 0. */
  readonly bodyBytes: number;
  readonly taken: () => void;
};

/** Messages that may wait in one thread for one full receiver; beyond it tells are dead letters and asks are refused with `Busy`. */
export const OUTBOX_MAX = 65_536;

/**
 * The way from this thread to one generation of one slot: what is said in a turn leaves as one frame. Messages have reserved their place in the
 * receiver's mailbox before they come here; answers need none.
 */
export class Connection {
  readonly slot: number;
  readonly generation: number;
  readonly waiting: Queue<Waiting> = new Queue();
  /** Set once the actor at the other end is gone: nothing is posted any more. */
  over = false;
  /** Why the actor at the other end is gone, when that is known. */
  cause: Error | undefined;
  readonly #sharedTable: SharedTable;
  readonly #me: number;
  #frame: Frame = [];
  /** The bytes of the frame. */
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #messages = 0;
  #bodyBytes = 0;
  #post: ((frame: Posted) => void) | undefined;
  #local: Receiver | undefined;
  #envelopes: Envelope[] = [];
  readonly #closes: (() => void)[] = [];

  constructor(sharedTable: SharedTable, me: number, slot: number, generation: number) {
    this.#sharedTable = sharedTable;
    this.#me = me;
    this.slot = slot;
    this.generation = generation;
  }

  /** What is pushed before this waits for it. Of several ways the first is taken, so that order holds. */
  attach(post: (frame: Posted) => void, close?: () => void): void {
    this.#post ??= post;
    if (close !== undefined) this.#closes.push(close);
  }

  /** The actor lives in this very thread: no port, no text. */
  attachLocal(receiver: Receiver): void {
    this.#local = receiver;
  }

  /** Says a message that has reserved its place; `sender` is the thread's own name. */
  enqueue(message: Outgoing, sender: string, bodyBytes: number): void {
    const { kind, id, deadlineMs, traceparent, from, key } = message;
    let { body } = message;
    this.#messages++;
    if (this.#local !== undefined) {
      this.#envelopes.push(
        new Envelope(kind, body, id, deadlineMs, traceparent, from ?? sender, key, undefined, false, bodyBytes),
      );
      return;
    }
    this.#sharedTable.hold(this.#me, this.slot, this.generation, this.#messages);
    let part: number | undefined;
    if (typeof body === "object" && body instanceof Uint8Array) [body, part] = this.#put(body, message.isMoved);
    if (part !== undefined || bodyBytes > 0) {
      this.#bodyBytes += bodyBytes;
      if (bodyBytes > 0) this.#sharedTable.room.hold(this.#me, this.slot, this.#bodyBytes);
      this.#frame.push([traceparent ?? null, from ?? null, key ?? null, part ?? null, bodyBytes] satisfies Extra);
    } else if (key !== undefined) this.#frame.push([traceparent ?? null, from ?? null, key] satisfies Extra);
    else if (traceparent !== undefined || from !== undefined)
      this.#frame.push([traceparent ?? null, from ?? null] satisfies Extra);
    if (id === 0) this.#frame.push(kind, body, 0);
    else this.#frame.push(kind, body, id, deadlineMs);
  }

  answer(id: number, value: unknown): void {
    if (typeof value === "object" && value instanceof Uint8Array) {
      const [body, part] = this.#put(value, takeMark(value));
      this.#frame.push([null, null, null, part ?? null] satisfies Extra, id, body);
    } else this.#frame.push(id, value);
  }

  /** Puts bytes among the parts of the frame: what stands in their place, and which part they are. */
  #put(given: Uint8Array, isMoved: boolean): [body: unknown, part: number | undefined] {
    try {
      return [null, this.#parts.push(bytesToSend(given, isMoved)) - 1];
    } catch (thrown) {
      // As what JSON cannot write: its message is dead, or its answer a failure, with this reason.
      return [
        {
          toJSON: () => {
            throw thrown;
          },
        },
        undefined,
      ];
    }
  }

  refuse(id: number, error: Error): void {
    this.#frame.push(-id, packError(error));
  }

  /** Tells the other end that an ask is given up. */
  giveUp(id: number): void {
    if (this.#local === undefined) {
      this.#frame.push(null, id);
      return;
    }
    const isMeant = (envelope: Envelope) => envelope.id === id && envelope.origin === undefined;
    for (const envelope of this.#envelopes) if (isMeant(envelope)) envelope.asker = "gave-up";
    this.#local.cancel("gave-up", isMeant);
  }

  /** Tells the other end that the mailbox of a slot of this thread has space, or its own. */
  space(slot: number): void {
    if (this.#local === undefined) this.#frame.push(0, slot);
  }

  /** Posts what was said since the last time. `lost` gets each message that cannot be written as JSON. */
  flush(lost: (id: number, error: Error) => void): void {
    const messages = this.#messages;
    if (this.#local !== undefined) {
      const envelopes = this.#envelopes;
      if (envelopes.length === 0) return;
      this.#envelopes = [];
      this.#messages = 0;
      this.#sharedTable.count(this.slot, "sent", messages);
      for (const envelope of envelopes) this.#local.deliver(envelope);
      this.#local.resumeTurn();
      return;
    }
    if (this.#post === undefined || this.#frame.length === 0 || this.over) return;
    const frame = this.#frame;
    const parts = this.#parts;
    this.#frame = [];
    if (parts.length > 0) this.#parts = [];
    this.#messages = 0;
    let text: string;
    try {
      text = JSON.stringify(frame);
    } catch {
      text = JSON.stringify(this.#writable(frame, lost));
    }
    this.#post(parts.length === 0 ? text : { text, parts });
    if (this.#bodyBytes > 0) this.#holdNoBytes();
    if (messages > 0) {
      this.#sharedTable.hold(this.#me, this.slot, this.generation, 0);
      this.#sharedTable.count(this.slot, "sent", messages);
    }
  }

  #holdNoBytes(): void {
    this.#bodyBytes = 0;
    this.#sharedTable.room.hold(this.#me, this.slot, 0);
  }

  /** The frame without what cannot be written (a cycle, a BigInt): such a message is dead, such an answer a failure. */
  #writable(frame: Frame, lost: (id: number, error: Error) => void): Frame {
    const kept: Frame = [];
    const unwritable = (what: string, value: unknown): Error | undefined => {
      try {
        JSON.stringify(value);
        return undefined;
      } catch (thrown) {
        const cause = asError(thrown);
        const why =
          cause instanceof MovedError
            ? cause.message
            : `it is no JSON value (${cause.message}); send text, numbers, lists and plain objects`;
        return new TypeError(`Cannot send ${what}: ${why}`, { cause });
      }
    };
    readFrame(frame, {
      message: (kind, body, id, deadlineMs, extra) => {
        const error = unwritable(`the body of ${kind}`, body);
        if (error !== undefined) {
          this.#sharedTable.release(this.slot, this.generation, 1);
          this.#sharedTable.room.release(this.slot, this.generation, extra?.[4] ?? 0);
          this.#sharedTable.count(this.slot, "dead", 1);
          // Others may wait for the place, and only the receiver knows whom to wake.
          kept.push(0, this.slot);
          lost(id, error);
          return;
        }
        if (extra !== undefined) kept.push(extra);
        if (id === 0) kept.push(kind, body, 0);
        else kept.push(kind, body, id, deadlineMs);
      },
      answer: (id, value, extra) => {
        const error = unwritable("the answer", value);
        if (error === undefined && extra !== undefined) kept.push(extra, id, value);
        else if (error === undefined) kept.push(id, value);
        else kept.push(-id, packError(error));
      },
      failure: (id, error) => kept.push(-id, error),
      space: (slot) => kept.push(0, slot),
      givenUp: (id) => kept.push(null, id),
    });
    return kept;
  }

  /**
   * The other end is gone: what was said and not posted, and what waits, are dead letters, and `lost` gets each. Places that were reserved have
   * been counted dead with the receiver's mailbox.
   */
  end(lost: (message: { kind: string; id: number }) => void): void {
    if (this.over) return;
    this.over = true;
    for (const envelope of this.#envelopes) lost(envelope);
    readFrame(this.#frame, {
      message: (kind, _body, id) => lost({ kind, id }),
      answer: () => undefined,
      failure: () => undefined,
      space: () => undefined,
      givenUp: () => undefined,
    });
    if (this.#messages > 0) this.#sharedTable.hold(this.#me, this.slot, this.generation, 0);
    if (this.#bodyBytes > 0) this.#holdNoBytes();
    const waiting = this.waiting.size;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      lost(next.message);
      next.taken();
    }
    if (this.#messages + waiting > 0) this.#sharedTable.count(this.slot, "sent", this.#messages + waiting);
    if (waiting > 0) this.#sharedTable.count(this.slot, "dead", waiting);
    this.#frame = [];
    this.#parts = [];
    this.#envelopes = [];
    this.#messages = 0;
    for (const close of this.#closes) close();
  }
}
