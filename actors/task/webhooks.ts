/** What the routes of webhooks need beside the space: the secrets, and the courier. */
import type { DeliveryLog, WebhookOutcome, WebhookRequest } from "../courier/messages.ts";
import { Problem } from "../model/problem.ts";
import { webhookSecret } from "../model/webhook-secret.ts";

/** Null: no such webhook is delivered to. Both methods throw `overloaded` where the courier does not answer, or `read-model-unavailable`. */
export type Deliverer = {
  deliveries(webhook: WebhookAt): Promise<DeliveryLog | null>;
  request(webhook: WebhookAt, request: WebhookRequest): Promise<WebhookOutcome | null>;
};

export type WebhookAt = { readonly spaceId: string; readonly id: string };

export type Webhooks = Deliverer & {
  /** Throws where there is no key to make secrets from: nothing is made then. */
  requireKey(): void;
  secretOf(webhookId: string, generation: number): string;
};

/** A move is done as soon as the stores have it. */
export const moveMs = 3_000;
/** An attempt takes 15 s at most. */
export const testMs = 20_000;

export function webhooksOf(deliverer: Deliverer, key: string | undefined): Webhooks {
  function required(): string {
    if (key === undefined)
      throw new Problem(
        "conflict",
        "This server makes no webhooks: whoever runs it has not set TT_WEBHOOK_KEY, from which their secrets are made.",
      );
    return key;
  }
  return {
    ...deliverer,
    requireKey: () => void required(),
    secretOf: (webhookId, generation) => webhookSecret(required(), webhookId, generation),
  };
}
