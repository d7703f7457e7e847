import type { Self } from "./actor.ts";
import type { Clock } from "./clock.ts";

/** How often dead letters are told of, and how many sorts of them at once. */
const REPORT_MS = 1_000;
const SORTS_MAX = 32;

/** The log lines of dead letters: the first at once and the others as counts each second, since a flood of them must not become a flood of lines. */
export class DeadLetters {
  readonly #clock: Clock;
  readonly #log: Self["log"];
  readonly #unreported = new Map<string, { to: string; kind: string; reason: string; letters: number }>();
  #others = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, log: Self["log"]) {
    this.#clock = clock;
    this.#log = log;
  }

  add(to: string, kind: string, reason: string): void {
    const sort = `${to} ${kind} ${reason}`;
    const known = this.#unreported.get(sort);
    if (known !== undefined) known.letters++;
    else if (this.#unreported.size < SORTS_MAX) this.#unreported.set(sort, { to, kind, reason, letters: 1 });
    else this.#others++;
    if (this.#cancel !== undefined) return;
    this.report();
    this.#cancel = this.#clock.later(REPORT_MS, () => {
      this.#cancel = undefined;
      this.report();
    });
  }

  /** Tells of those that were not told of yet. */
  report(): void {
    for (const fields of this.#unreported.values()) this.#log("warn", "dead-letter", fields);
    if (this.#others > 0) this.#log("warn", "dead-letter", { reason: "others", letters: this.#others });
    this.#unreported.clear();
    this.#others = 0;
  }

  close(): void {
    this.#cancel?.();
    this.report();
  }
}
