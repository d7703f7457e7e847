/** What the routes of webhooks need beside the space: the secrets, and the courier. */
import type { Attempt, Deliveries, DeliveryLog, Move } from "../courier/messages.ts";

/** Null: no such webhook is delivered to. Every method but `secretOf` throws `overloaded` where the deliverer does not answer. */
export type Webhooks = {
  secretOf(webhookId: string, generation: number): string;
  deliveries(webhookId: string): Promise<DeliveryLog | null>;
  move(webhookId: string, how: Move): Promise<Deliveries | null>;
  test(webhookId: string): Promise<Attempt | null>;
};
