import type { Clock } from "./clock.ts";

type Handled = { readonly kind: string };
type Handler = { readonly sinceMs: number; readonly cancel: (() => void) | undefined };

export type UnderWayHost = {
  readonly clock: Clock;
  /** Called when the oldest handler whose promise has not settled is another one, or none. */
  oldest(kind: string | undefined, sinceMs: number): void;
  /** A handler's promise has not settled in the time that its kind declares. */
  overdue(kind: string, timeoutMs: number): void;
};

/** The messages of one actor whose handler has given a promise that has not settled. */
export class UnderWay<Message extends Handled> {
  readonly #host: UnderWayHost;
  readonly #timeoutMs: (kind: string) => number | undefined;
  readonly #handlers = new Map<Message, Handler>();
  #oldest: Message | undefined;

  constructor(host: UnderWayHost, timeouts: number | Readonly<Record<string, number | undefined>> | undefined) {
    this.#host = host;
    this.#timeoutMs =
      typeof timeouts === "object"
        ? (kind) => (Object.hasOwn(timeouts, kind) ? timeouts[kind] : undefined)
        : () => timeouts;
  }

  [Symbol.iterator](): IterableIterator<Message> {
    return this.#handlers.keys();
  }

  enter(message: Message): void {
    const { clock } = this.#host;
    const timeoutMs = this.#timeoutMs(message.kind);
    const late = () => this.#handlers.has(message) && this.#host.overdue(message.kind, timeoutMs ?? 0);
    const cancel = timeoutMs === undefined ? undefined : clock.later(timeoutMs, late);
    this.#handlers.set(message, { sinceMs: clock.now(), cancel });
    if (this.#oldest === undefined) this.#showOldest();
  }

  /** How long its handler took, in milliseconds; undefined when it is no longer under way. */
  leave(message: Message): number | undefined {
    const handler = this.#handlers.get(message);
    if (handler === undefined) return undefined;
    handler.cancel?.();
    this.#handlers.delete(message);
    if (this.#oldest === message) this.#showOldest();
    return Math.abs(this.#host.clock.now() - handler.sinceMs);
  }

  #showOldest(): void {
    const [first] = this.#handlers;
    this.#oldest = first?.[0];
    this.#host.oldest(first?.[0].kind, first?.[1].sinceMs ?? 0);
  }
}
