import type { GivenTime, RunDelay } from "./given-time.ts";
import type { SharedTable } from "./shared-table.ts";

/** How often each actor is looked at. */
export const WATCH_MS = 200;

/** The last sign of life, when it was first seen, and the time given to the thread from the first look that saw no new one. */
type LastSign = {
  readonly seen: number;
  readonly sinceMs: number;
  still: { readonly firstMs: number; readonly given: GivenTime } | undefined;
};

type Context = {
  readonly sharedTable: SharedTable;
  /** How long a thread has waited for a processor. */
  readonly runDelay: RunDelay;
  /** A source of given time with this waiting. */
  given(delayMs: () => number | undefined): GivenTime;
  /** Time as all threads of the system had it. */
  readonly together: GivenTime;
};

/** Whether the thread of one place of the tree still turns and its start comes further, told from the shared table, in time that the machine gave it. */
export class SignsOfLife {
  readonly #context: Context;
  readonly #slot: number;
  #life: LastSign = { seen: 0, sinceMs: 0, still: undefined };
  #progress = { seen: 0, givenMs: 0 };

  constructor(context: Context, slot: number) {
    this.#context = context;
    this.#slot = slot;
  }

  /** When its start last came further, in the given time of all threads, in milliseconds. */
  get progressMs(): number {
    return this.#progress.givenMs;
  }

  /** It is ready: what was seen before is no sign of this life. */
  began(nowMs: number): void {
    this.#life = { seen: this.#context.sharedTable.life(this.#slot), sinceMs: nowMs, still: undefined };
  }

  /** For how many milliseconds the thread has given no sign of life though it could. To be called every `WATCH_MS`. */
  look(nowMs: number): number {
    const { sharedTable, together } = this.#context;
    const progress = sharedTable.progress(this.#slot);
    if (progress !== this.#progress.seen) this.#progress = { seen: progress, givenMs: together.read() };
    const seen = sharedTable.life(this.#slot);
    if (seen !== this.#life.seen) this.#life = { seen, sinceMs: nowMs, still: undefined };
    else this.#life.still ??= { firstMs: Math.min(nowMs - this.#life.sinceMs, WATCH_MS), given: this.givenTime() };
    const { still } = this.#life;
    return still === undefined ? 0 : Math.round(still.firstMs + still.given.read());
  }

  /** The time that the machine gives to the thread, from now on. */
  givenTime(): GivenTime {
    const { given, runDelay, sharedTable } = this.#context;
    return given(() => runDelay(sharedTable.threadOf(this.#slot)));
  }
}
