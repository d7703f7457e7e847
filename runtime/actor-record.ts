import type { Clock } from "./clock.ts";
import { COUNT_NAMES, type CountName, type SharedTable } from "./shared-table.ts";
import type { ChildSpec } from "./tree.ts";

/** A kind of message that is being handled, and since when (epoch milliseconds). */
export type Handling = { readonly kind: string; readonly sinceMs: number };

/** What the main thread keeps of one actor over all its generations, as it reads it from shared memory. */
export class ActorRecord {
  readonly slot: number;
  readonly index: number;
  readonly child: ChildSpec;
  readonly totals = {} as Record<CountName, number>;
  readonly #sharedTable: SharedTable;
  readonly #clock: Clock;
  readonly #epochMs: number;
  readonly #kinds: readonly string[];
  #counts: Record<CountName, number>;
  #rate = { handled: 0, atMs: 0, perSecond: 0 };

  constructor(
    place: { readonly slot: number; readonly index: number; readonly child: ChildSpec },
    given: { readonly sharedTable: SharedTable; readonly clock: Clock; readonly epochMs: number },
  ) {
    this.slot = place.slot;
    this.index = place.index;
    this.child = place.child;
    this.#sharedTable = given.sharedTable;
    this.#clock = given.clock;
    this.#epochMs = given.epochMs;
    this.#kinds = Object.keys(place.child.actor.accepts).sort();
    // A place may have been another child's before.
    this.#counts = this.#sharedTable.counts(this.slot);
    for (const name of COUNT_NAMES) this.totals[name] = 0;
  }

  get name(): string {
    return this.child.actor.name;
  }

  get rate(): number {
    return this.#rate.perSecond;
  }

  get #sinceStartMs(): number {
    return this.#clock.now() - this.#epochMs;
  }

  /** What it does now. */
  get busy(): Handling | undefined {
    const kind = this.#kinds[this.#sharedTable.busyKind(this.slot) - 1];
    if (kind === undefined) return undefined;
    return { kind, sinceMs: this.#epochMs + this.#sharedTable.busySinceMs(this.slot, this.#sinceStartMs) };
  }

  /** Its oldest handler under way, whether it blocks its thread or waits for something. */
  get oldest(): Handling | undefined {
    const kind = this.#kinds[this.#sharedTable.oldestKind(this.slot) - 1];
    const waiting =
      kind === undefined
        ? undefined
        : { kind, sinceMs: this.#epochMs + this.#sharedTable.oldestSinceMs(this.slot, this.#sinceStartMs) };
    const { busy } = this;
    return busy === undefined || (waiting !== undefined && waiting.sinceMs <= busy.sinceMs) ? waiting : busy;
  }

  /** Adds up what the counts of shared memory, which wrap, have become since the last time. */
  read(nowMs: number): void {
    const counts = this.#sharedTable.counts(this.slot);
    for (const name of COUNT_NAMES) this.totals[name] += (counts[name] - this.#counts[name]) >>> 0;
    this.#counts = counts;
    if (nowMs - this.#rate.atMs < 1_000) return;
    this.#rate = {
      handled: this.totals.handled,
      atMs: nowMs,
      perSecond: Math.round(((this.totals.handled - this.#rate.handled) * 1_000) / (nowMs - this.#rate.atMs)),
    };
  }
}
