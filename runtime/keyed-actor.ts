import type { LogLevel, StopReason } from "./actor.ts";
import { Cell, type CellHost } from "./cell.ts";
import type { Clock } from "./clock.ts";
import type { Disposition, Envelope } from "./envelope.ts";
import { asError, errorFields } from "./errors.ts";
import type { KeyedCells } from "./keyed-cells.ts";
import { KeyedSelf } from "./keyed-self.ts";
import { settlesWithin } from "./settles.ts";

/** The actor of one key: a cell, and how it begins and ends. Small, as a thread has thousands of them. */
export class KeyedActor implements CellHost {
  readonly key: string;
  readonly cells: KeyedCells;
  readonly cell: Cell;
  /** When it last had a message. */
  usedMs: number;
  /** Whether it is among those whose turn comes. */
  isReady = false;
  isNew = true;
  /** Whether it ends, or will once it has nothing to do: what comes meanwhile is for the next one of its key. */
  isLeaving = false;
  isEnding = false;
  /** What came while it was leaving. */
  #next: Envelope[] | undefined;
  /** What its `after`, `every` and `monitor` have still to do. */
  timers: Set<() => void> | undefined;

  constructor(cells: KeyedCells, key: string) {
    this.cells = cells;
    this.key = key;
    this.usedMs = cells.host.clock.now();
    this.cell = new Cell(cells.behaviour, this);
  }

  get isIdle(): boolean {
    return !this.isNew && !this.isLeaving && this.cell.idle && (this.timers === undefined || this.timers.size === 0);
  }

  /** Takes a message; says whether its turn is to come. */
  deliver(envelope: Envelope): boolean {
    this.usedMs = this.cells.host.clock.now();
    if (this.isLeaving) {
      this.#next ??= [];
      this.#next.push(envelope);
      return false;
    }
    this.cell.deliver(envelope);
    return true;
  }

  deliverControl(envelope: Envelope): void {
    this.usedMs = this.cells.host.clock.now();
    this.cell.deliverControl(envelope);
  }

  turn(): void {
    if (this.isNew) this.#begin();
    else this.cell.turn();
  }

  #begin(): void {
    this.isNew = false;
    try {
      const started = this.cell.begin(new KeyedSelf(this));
      started?.catch((thrown: unknown) => this.cells.failed(this, asError(thrown)));
    } catch (thrown) {
      this.cells.failed(this, asError(thrown));
    }
  }

  /** Ends once what it has accepted is handled. */
  leave(): void {
    this.isLeaving = true;
    queueMicrotask(() => this.#endIfDone());
  }

  #endIfDone(): void {
    if (this.isLeaving && !this.isEnding && this.cell.idle) this.cells.end(this, "normal");
  }

  /** Ends now; what waits is dead. Resolves when its `stop` hook has run, or is over its time. */
  end(reason: StopReason): Promise<void> | undefined {
    if (this.isEnding) return undefined;
    this.isLeaving = true;
    this.isEnding = true;
    for (const cancel of this.timers ?? []) cancel();
    const { clock, shutdownMs } = this.cells.host;
    const hook = this.cell.stop(reason).catch((thrown: unknown) => {
      this.log("error", "stop-hook-failed", errorFields(asError(thrown)));
    });
    if (this.cells.behaviour.stop === undefined) {
      this.cells.ended(this, this.#next ?? []);
      return undefined;
    }
    return settlesWithin(hook, shutdownMs, clock).then((inTime) => {
      if (!inTime) this.log("error", "stop-hook-late", { timeoutMs: shutdownMs });
      this.cells.ended(this, this.#next ?? []);
    });
  }

  // ── what its cell tells and needs ──────────────────────────────────────────────────────────────────────────────────────────────

  get clock(): Clock {
    return this.cells.host.clock;
  }

  answer(envelope: Envelope, value: unknown): void {
    this.cells.host.answer(envelope, value);
  }

  refuse(envelope: Envelope, error: Error): void {
    this.cells.host.refuse(envelope, error);
  }

  settled(envelope: Envelope, disposition: Disposition): void {
    this.usedMs = this.cells.host.clock.now();
    this.cells.host.settled(envelope, disposition);
    if (this.isLeaving) queueMicrotask(() => this.#endIfDone());
  }

  busy(kind: string | undefined): void {
    this.cells.host.busy(kind);
  }

  giveUp(envelope: Envelope): void {
    this.cells.host.giveUp(envelope);
  }

  paced(): void {
    // Messages with a key wait for no free member: nobody asks how much room there is.
  }

  threw(error: Error): void {
    this.cells.threw(this, error);
  }

  oldest(kind: string | undefined, sinceMs: number): void {
    this.cells.oldest(this, kind, sinceMs);
  }

  overdue(kind: string, timeoutMs: number): void {
    this.cells.failed(this, new Error(`Cannot wait longer: the handler of ${kind} has not ended in ${timeoutMs} ms`));
  }

  log(level: LogLevel, event: string, fields?: Record<string, unknown>): void {
    this.cells.host.log(level, event, { key: this.key, ...fields });
  }
}
