import type { Clock } from "./clock.ts";
import type { Envelope } from "./envelope.ts";

type Made = { readonly controller: AbortController; readonly cancelTimer: (() => void) | undefined };

/** The signals of the messages of one actor that are being handled: only those that were asked for are made. */
export class Signals {
  readonly #clock: Clock;
  readonly #made = new Map<Envelope, Made>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `late` makes the reason of the abortion at the deadline. */
  of(envelope: Envelope, late: () => Error): AbortSignal {
    const made = this.#made.get(envelope);
    if (made !== undefined) return made.controller.signal;
    const controller = new AbortController();
    const { deadlineMs } = envelope;
    const cancelTimer =
      deadlineMs === undefined
        ? undefined
        : this.#clock.later(Math.max(1, deadlineMs - this.#clock.now()), () => controller.abort(late()));
    this.#made.set(envelope, { controller, cancelTimer });
    return controller.signal;
  }

  abort(envelope: Envelope, reason: Error): void {
    this.#made.get(envelope)?.controller.abort(reason);
  }

  /** The message is over: nothing aborts its signal any more. */
  drop(envelope: Envelope): void {
    this.#made.get(envelope)?.cancelTimer?.();
    this.#made.delete(envelope);
  }
}
