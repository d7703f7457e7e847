import { ByteRoom } from "./byte-room.ts";
import type { Mailbox, WhenFull } from "./mailbox.ts";

/**
 * What all threads know of all actors, in shared memory: whether each takes messages, how deep its mailbox is, its heartbeat and its counts.
 * Readable at any time, also while the actor's thread hangs.
 *
 * The gate of a slot is one word, so that a sender's reservation and the end of an actor cannot cross: generation (11 bits), open (1 bit),
 * depth (20 bits: messages reserved by senders and not yet settled by the receiver).
 */
const GATE = 0;
const LIMIT = 1;
const FULL = 2;
const WAITING = 3;
const HEARTBEAT = 4;
const BUSY_KIND = 5;
const BUSY_SINCE = 6;
const HANG_TIMEOUT_MS = 7;
const PHASE = 8;
const COUNTS = 9;
const THREAD = 16;
const PROGRESS = 17;
const OLDEST_KIND = 18;
const OLDEST_SINCE = 19;
const WINDOW = 20;
const WAITING_POOL = 21;
const KEYS = 22;
/** Two lines of a processor's cache: neighbours do not share one. */
const WORDS = 32;

/** The slots, and for each sender what it holds of each; whole longs. */
const tableBytes = (slots: number): number => 8 * Math.ceil((slots * WORDS + slots * slots) / 2);

const DEPTH_MASK = 0xfffff;
const OPEN = 0x100000;
const GENERATION_SHIFT = 21;
const GENERATION_MASK = 0x7ff;

/** Whether a generation comes after another of its slot; they count round and round. */
export const isLater = (generation: number, than: number): boolean =>
  ((generation - than) & GENERATION_MASK) <= GENERATION_MASK >> 1;

/** How often a thread beats. */
export const HEARTBEAT_MS = 200;

const POLICIES: readonly WhenFull[] = ["wait", "reject", "shed"];
/** `stopping`: asked to; `failing`: its `stop` hook runs after a failure, or it hangs and is being ended. */
const PHASES = ["down", "starting", "up", "stopping", "failing"] as const;
export type Phase = (typeof PHASES)[number];

/** sent = handled + rejected + expired + shed + dead + depth, at every quiet moment; failed is a part of handled. */
export const COUNT_NAMES = ["sent", "handled", "failed", "expired", "rejected", "shed", "dead"] as const;
export type CountName = (typeof COUNT_NAMES)[number];

export type Reservation = "taken" | "full" | "closed";

export class SharedTable {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly #words: Int32Array;
  /** Of mailboxes that are bounded in bytes. */
  readonly room: ByteRoom;

  private constructor(buffer: SharedArrayBuffer, slots: number) {
    this.buffer = buffer;
    this.slots = slots;
    this.#words = new Int32Array(buffer);
    this.room = new ByteRoom(buffer, tableBytes(slots), slots);
  }

  static create(slots: number): SharedTable {
    return new SharedTable(new SharedArrayBuffer(tableBytes(slots) + ByteRoom.byteLength(slots)), slots);
  }

  static attach(buffer: SharedArrayBuffer, slots: number): SharedTable {
    return new SharedTable(buffer, slots);
  }

  /** The generation now at this slot, or undefined when it takes no messages. */
  openGeneration(slot: number): number | undefined {
    const gate = Atomics.load(this.#words, slot * WORDS + GATE);
    return (gate & OPEN) === 0 ? undefined : gate >>> GENERATION_SHIFT;
  }

  /** The last generation at this slot, whether it takes messages or not. */
  generation(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + GATE) >>> GENERATION_SHIFT;
  }

  depth(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + GATE) & DEPTH_MASK;
  }

  /** Takes one place in the mailbox of this generation, and (where it is bounded in bytes) room for so many. */
  reserve(slot: number, generation: number, bodyBytes = 0, places: number = this.limit(slot)): Reservation {
    const at = slot * WORDS + GATE;
    const words = this.#words;
    for (;;) {
      const gate = Atomics.load(words, at);
      if ((gate & OPEN) === 0 || gate >>> GENERATION_SHIFT !== generation) return "closed";
      if ((gate & DEPTH_MASK) >= places) return "full";
      if (Atomics.compareExchange(words, at, gate, gate + 1) === gate) break;
    }
    if (bodyBytes === 0) return "taken";
    const reservation = this.room.reserve(slot, generation, bodyBytes);
    if (reservation !== "taken") this.release(slot, generation, 1);
    return reservation;
  }

  /** Gives places back; by the receiver, or by a sender that did not post. Returns how many that were: none when the generation is over. */
  release(slot: number, generation: number, places: number): number {
    const at = slot * WORDS + GATE;
    for (;;) {
      const gate = Atomics.load(this.#words, at);
      if (gate >>> GENERATION_SHIFT !== (generation & GENERATION_MASK)) return 0;
      const back = Math.min(places, gate & DEPTH_MASK);
      if (Atomics.compareExchange(this.#words, at, gate, gate - back) === gate) return back;
    }
  }

  /** What a sender has reserved and not yet posted: given back for it if it ends in between. */
  hold(sender: number, slot: number, generation: number, places: number): void {
    this.#words[this.slots * WORDS + sender * this.slots + slot] = places === 0 ? 0 : (generation << 20) | places;
  }

  /** Gives back what a dead sender held everywhere. What can no longer be given back was counted dead with the receiver, so it was sent. */
  releaseHeld(sender: number): void {
    for (let slot = 0; slot < this.slots; slot++) {
      const at = this.slots * WORDS + sender * this.slots + slot;
      const held = this.#words[at] as number;
      if (held === 0) continue;
      this.#words[at] = 0;
      const places = held & DEPTH_MASK;
      const generation = (held >>> 20) & GENERATION_MASK;
      const back = this.release(slot, generation, places);
      this.room.releaseHeld(sender, slot, generation);
      if (back < places) this.count(slot, "sent", places - back);
    }
  }

  /** A new generation begins; it takes messages from `open` on. */
  begin(slot: number, generation: number): void {
    this.room.begin(slot, generation & GENERATION_MASK);
    Atomics.store(this.#words, slot * WORDS + GATE, (generation & GENERATION_MASK) << GENERATION_SHIFT);
    for (const word of [WAITING, WAITING_POOL, THREAD, KEYS]) Atomics.store(this.#words, slot * WORDS + word, 0);
    this.setPhase(slot, "starting");
  }

  /** Written by the actor's own thread before it says that it is ready. */
  describe(slot: number, mailbox: Mailbox, hangTimeoutMs: number): void {
    this.#words[slot * WORDS + LIMIT] = mailbox.limit;
    this.room.setMax(slot, mailbox.bytesMax);
    this.#words[slot * WORDS + FULL] = POLICIES.indexOf(mailbox.full);
    this.#words[slot * WORDS + HANG_TIMEOUT_MS] = hangTimeoutMs;
    this.setWindow(slot, 1);
  }

  /** Takes messages from now on. Returns whether it does: not when it has been closed since it began. */
  open(slot: number): boolean {
    const [at, words] = [slot * WORDS, this.#words];
    const [starting, up] = [PHASES.indexOf("starting"), PHASES.indexOf("up")];
    if (Atomics.compareExchange(words, at + PHASE, starting, up) !== starting) return false;
    Atomics.or(words, at + GATE, OPEN);
    if (Atomics.load(words, at + PHASE) === up) return true;
    // Closed by another thread in between.
    Atomics.and(words, at + GATE, ~OPEN);
    return false;
  }

  /** Takes no more; what has been reserved is still to be settled. */
  close(slot: number, why: "stopping" | "failing" = "stopping"): void {
    this.setPhase(slot, why);
    Atomics.and(this.#words, slot * WORDS + GATE, ~OPEN);
  }

  /** Ends a generation; what was reserved and never settled is dead. Returns how many that were. */
  end(slot: number): number {
    const at = slot * WORDS + GATE;
    const gate = Atomics.load(this.#words, at);
    const last = Atomics.exchange(this.#words, at, ((gate >>> GENERATION_SHIFT) & GENERATION_MASK) << GENERATION_SHIFT);
    this.setPhase(slot, "down");
    this.busy(slot, 0);
    this.oldest(slot, 0, 0);
    Atomics.store(this.#words, slot * WORDS + KEYS, 0);
    const lost = last & DEPTH_MASK;
    if (lost > 0) this.count(slot, "dead", lost);
    return lost;
  }

  setPhase(slot: number, phase: Phase): void {
    Atomics.store(this.#words, slot * WORDS + PHASE, PHASES.indexOf(phase));
  }

  phase(slot: number): Phase {
    return PHASES[Atomics.load(this.#words, slot * WORDS + PHASE)] ?? "down";
  }

  limit(slot: number): number {
    return this.#words[slot * WORDS + LIMIT] as number;
  }

  whenFull(slot: number): WhenFull {
    return POLICIES[this.#words[slot * WORDS + FULL] as number] ?? "wait";
  }

  /**
   * Says that a sender waits for space. The sender must try to reserve once more afterwards: then either it gets a place, or the receiver,
   * which looks here after each release, will wake it.
   */
  setWaiting(slot: number): void {
    Atomics.store(this.#words, slot * WORDS + WAITING, 1);
  }

  /** How many messages of a pool's one queue its member has room for. */
  window(slot: number): number {
    return this.#words[slot * WORDS + WINDOW] as number;
  }

  setWindow(slot: number, messages: number): void {
    this.#words[slot * WORDS + WINDOW] = Math.min(messages, this.limit(slot));
  }

  /** Says that messages wait for a free member of its pool; to be followed by one more try, as `setWaiting`. */
  setPoolWaiting(slot: number): void {
    Atomics.store(this.#words, slot * WORDS + WAITING_POOL, 1);
  }

  hasWaiting(slot: number): boolean {
    const at = slot * WORDS;
    return (Atomics.load(this.#words, at + WAITING) | Atomics.load(this.#words, at + WAITING_POOL)) !== 0;
  }

  /** Whether somebody waits and enough space has returned to be worth waking them; clears the mark. */
  takeWaiting(slot: number): boolean {
    if (!this.hasWaiting(slot)) return false;
    const at = slot * WORDS + WAITING;
    const depth = this.depth(slot);
    const forFull =
      depth <= this.limit(slot) >> 1 &&
      this.room.isHalfFree(slot) &&
      Atomics.load(this.#words, at) === 1 &&
      Atomics.exchange(this.#words, at, 0) === 1;
    if (Atomics.load(this.#words, slot * WORDS + WAITING_POOL) === 0) return forFull;
    const window = this.window(slot);
    // One that works on few at once is to have the next at once; one that handles many has them in frames.
    if (depth >= window || (window >= 16 && depth > window >> 1)) return forFull;
    return Atomics.exchange(this.#words, slot * WORDS + WAITING_POOL, 0) === 1 || forFull;
  }

  /** One keyed actor more at this slot, unless all the slots of its kind have as many as there may be. */
  addKey(slot: number, slots: readonly number[], max: number): boolean {
    Atomics.add(this.#words, slot * WORDS + KEYS, 1);
    let keys = 0;
    for (const each of slots) keys += this.keys(each);
    if (keys <= max) return true;
    this.removeKey(slot);
    return false;
  }

  removeKey(slot: number): void {
    Atomics.sub(this.#words, slot * WORDS + KEYS, 1);
  }

  /** Keyed actors at this slot. */
  keys(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + KEYS);
  }

  heartbeat(slot: number): void {
    this.#words[slot * WORDS + HEARTBEAT] = ((this.#words[slot * WORDS + HEARTBEAT] as number) + 1) | 0;
  }

  /** A number that moves while the actor's thread lives, and that nobody else moves: its beats and what it has handled. */
  life(slot: number): number {
    return ((this.#words[slot * WORDS + HEARTBEAT] as number) + this.#count(slot, "handled")) | 0;
  }

  /** The system's number of the thread that the actor lives in; 0 while it is not known. */
  threadOf(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + THREAD);
  }

  setThread(slot: number, thread: number): void {
    Atomics.store(this.#words, slot * WORDS + THREAD, thread);
  }

  /** Its start has come further. */
  advance(slot: number): void {
    Atomics.add(this.#words, slot * WORDS + PROGRESS, 1);
  }

  /** A number that moves when a start comes further. */
  progress(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + PROGRESS);
  }

  hangTimeoutMs(slot: number): number {
    return this.#words[slot * WORDS + HANG_TIMEOUT_MS] as number;
  }

  /** `kind` is 1 + its place among the protocol's sorted kinds; 0 is none. */
  busy(slot: number, kind: number): void {
    this.#words[slot * WORDS + BUSY_KIND] = kind;
  }

  busyKind(slot: number): number {
    return this.#words[slot * WORDS + BUSY_KIND] as number;
  }

  /** The oldest handler that gave a promise and has not ended: its kind as in `busy`, and since when. */
  oldest(slot: number, kind: number, sinceMs: number): void {
    this.#words[slot * WORDS + OLDEST_SINCE] = sinceMs;
    this.#words[slot * WORDS + OLDEST_KIND] = kind;
  }

  oldestKind(slot: number): number {
    return this.#words[slot * WORDS + OLDEST_KIND] as number;
  }

  oldestSinceMs(slot: number, nowMs: number): number {
    return nowMs - Math.max(0, (nowMs - (this.#words[slot * WORDS + OLDEST_SINCE] as number)) | 0);
  }

  /** When the turn under way began, in milliseconds since the system was made. */
  busySince(slot: number, sinceMs: number): void {
    this.#words[slot * WORDS + BUSY_SINCE] = sinceMs;
  }

  /** The same as it is now: the word of shared memory wraps after 24.8 days, the length of a turn does not. */
  busySinceMs(slot: number, nowMs: number): number {
    const lastedMs = (nowMs - (this.#words[slot * WORDS + BUSY_SINCE] as number)) | 0;
    // A turn that began after `now` was read has lasted no time.
    return nowMs - Math.max(0, lastedMs);
  }

  count(slot: number, name: CountName, by: number): void {
    Atomics.add(this.#words, slot * WORDS + COUNTS + COUNT_NAMES.indexOf(name), by);
  }

  /** Counts wrap at 2^32: whoever reads them adds up the differences. */
  counts(slot: number): Record<CountName, number> {
    const counts = {} as Record<CountName, number>;
    for (const name of COUNT_NAMES) counts[name] = this.#count(slot, name) >>> 0;
    return counts;
  }

  #count(slot: number, name: CountName): number {
    return Atomics.load(this.#words, slot * WORDS + COUNTS + COUNT_NAMES.indexOf(name));
  }
}
