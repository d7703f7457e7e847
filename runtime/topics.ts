import { currentEnvelope } from "./context.ts";
import type { Outbox } from "./outbox.ts";
import type { SharedTable } from "./shared-table.ts";

/** Who gets what is published: a slot, and the kind as which it arrives there. */
export type Subscriber = { readonly slot: number; readonly kind: string; readonly lossy: boolean };
export type Subscriptions = Readonly<Record<string, readonly Subscriber[]>>;

/** What one thread publishes: a message for each subscriber, bounded like all others. */
export class Topics {
  readonly #sharedTable: SharedTable;
  readonly #outbox: Outbox;
  #subscriptions: Subscriptions = Object.create(null);

  constructor(sharedTable: SharedTable, outbox: Outbox) {
    this.#sharedTable = sharedTable;
    this.#outbox = outbox;
  }

  set subscriptions(table: Subscriptions) {
    // Free of what every object has: a topic may have any name.
    this.#subscriptions = Object.assign(Object.create(null), table);
  }

  /** Subscribers that are down are passed over. A promise while full ones wait for a place: until all have one. */
  publish(topic: string, body: unknown, from?: string): undefined | Promise<void> {
    const subscribers = this.#subscriptions[topic];
    if (subscribers === undefined) return undefined;
    const traceparent = currentEnvelope()?.traceparent;
    const message = { body, id: 0, deadlineMs: undefined, traceparent, from, key: undefined, isMoved: false };
    let waiting: Promise<void>[] | undefined;
    for (const { slot, kind, lossy } of subscribers) {
      if (this.#sharedTable.openGeneration(slot) === undefined) continue;
      const taken = this.#outbox.send(slot, { kind, ...message }, lossy);
      if (taken === undefined) continue;
      waiting ??= [];
      waiting.push(taken);
    }
    return waiting === undefined ? undefined : Promise.all(waiting).then(() => undefined);
  }
}
