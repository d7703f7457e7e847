import type { BatchMessage, Protocol } from "./actor.ts";
import type { Envelope } from "./envelope.ts";
import type { Queue } from "./queue.ts";

/** What stands first in the mailbox and may be handled together, so many messages at most. */
export function takeBatch(lane: Queue<Envelope>, max: number, kinds: ReadonlySet<string>): Envelope[] {
  const envelopes: Envelope[] = [];
  for (
    let envelope = lane.peek();
    envelope !== undefined && envelopes.length < max && kinds.has(envelope.kind);
    envelope = lane.peek()
  ) {
    lane.shift();
    envelopes.push(envelope);
  }
  return envelopes;
}

export const messagesOf = (envelopes: readonly Envelope[]): BatchMessage<Protocol>[] =>
  envelopes.map((envelope) => ({ kind: envelope.kind, body: envelope.body, context: envelope }));

/** A batch handler gives an outcome for each message, or else fails all of them. */
export function faultOfOutcomes(actor: string, messages: number, outcomes: unknown): Error | undefined {
  if (Array.isArray(outcomes) && outcomes.length === messages) return undefined;
  const given = Array.isArray(outcomes) ? outcomes.length : typeof outcomes;
  return new Error(`Cannot answer a batch of ${messages}: the batch handler of ${actor} gave ${given} outcomes`);
}
