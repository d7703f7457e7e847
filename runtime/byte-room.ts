import type { Reservation } from "./shared-table.ts";

/** The generation stands above 48 bits of bytes, so that what is given back for one that is over changes nothing. */
const GENERATION_SHIFT = 48n;
const BYTES_MASK = (1n << GENERATION_SHIFT) - 1n;
const HELD_MAX = 0x7fffffff;

/** The room of mailboxes that are bounded in bytes, in memory that all threads share: of each slot what is used and may be, of each sender what it holds. */
export class ByteRoom {
  readonly #slots: number;
  /** Two a slot, of which the first is used. */
  readonly #longs: BigInt64Array;
  /** The same memory; the third of four a slot is the bound. */
  readonly #words: Int32Array;
  readonly #held: Int32Array;

  constructor(buffer: SharedArrayBuffer, offset: number, slots: number) {
    this.#slots = slots;
    this.#longs = new BigInt64Array(buffer, offset, 2 * slots);
    this.#words = new Int32Array(buffer, offset, 4 * slots);
    this.#held = new Int32Array(buffer, offset + 16 * slots, slots * slots);
  }

  static byteLength(slots: number): number {
    return 16 * slots + 4 * slots * slots;
  }

  /** A new generation begins. */
  begin(slot: number, generation: number): void {
    Atomics.store(this.#longs, 2 * slot, BigInt(generation) << GENERATION_SHIFT);
  }

  /** 0 for no bound. */
  max(slot: number): number {
    return this.#words[4 * slot + 2] as number;
  }

  setMax(slot: number, bytesMax: number): void {
    this.#words[4 * slot + 2] = bytesMax;
  }

  /** What the messages there have that are placed and not yet settled. */
  used(slot: number): number {
    return Number(Atomics.load(this.#longs, 2 * slot) & BYTES_MASK);
  }

  hasRoom(slot: number): boolean {
    return this.max(slot) === 0 || this.used(slot) < this.max(slot);
  }

  isHalfFree(slot: number): boolean {
    return this.max(slot) === 0 || this.used(slot) <= this.max(slot) >> 1;
  }

  /** Takes room for a message. One that is larger than all the room is taken alone. */
  reserve(slot: number, generation: number, bodyBytes: number): Reservation {
    const [more, bytesMax] = [BigInt(bodyBytes), BigInt(this.max(slot))];
    for (;;) {
      const long = Atomics.load(this.#longs, 2 * slot);
      if (long >> GENERATION_SHIFT !== BigInt(generation)) return "closed";
      const used = long & BYTES_MASK;
      if (used > 0n && used + more > bytesMax) return "full";
      if (Atomics.compareExchange(this.#longs, 2 * slot, long, long + more) === long) return "taken";
    }
  }

  /** Gives room back; nothing when the generation is over. */
  release(slot: number, generation: number, bodyBytes: number): void {
    if (bodyBytes === 0) return;
    const less = BigInt(bodyBytes);
    for (;;) {
      const long = Atomics.load(this.#longs, 2 * slot);
      if (long >> GENERATION_SHIFT !== BigInt(generation)) return;
      const used = long & BYTES_MASK;
      if (Atomics.compareExchange(this.#longs, 2 * slot, long, long - (less < used ? less : used)) === long) return;
    }
  }

  /** What a sender has reserved and not yet posted: given back for it if it ends in between. */
  hold(sender: number, slot: number, bytes: number): void {
    this.#held[sender * this.#slots + slot] = Math.min(bytes, HELD_MAX);
  }

  /** Gives back what a dead sender held of that generation. */
  releaseHeld(sender: number, slot: number, generation: number): void {
    this.release(slot, generation, this.#held[sender * this.#slots + slot] as number);
    this.hold(sender, slot, 0);
  }
}
