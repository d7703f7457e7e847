/** Deliveries to webhooks in MongoDB: where each is, who may move it, and what people ask of it. */
import type { Collection, Db } from "mongodb";
import type { Answered, Attempt, Progress, WebhookOutcome, WebhookRequest } from "../courier/messages.ts";
import { ensureIndexesOf } from "./indexes.ts";
import { keyOf } from "./space-collections.ts";

/** `_id` is space and webhook. */
export type DeliveryRecord = Progress & {
  _id: string;
  space: string;
  webhook: string;
  /** Of the space. */
  partition: number;
  /** Of the courier that wrote it, or claimed it: one of an earlier epoch writes nothing more. */
  epoch: number;
  /** Oldest first. */
  attempts: readonly Attempt[];
  /** Of the latest requests that have moved it: what tells one that was answered from one that was not. */
  answered: readonly Answered[];
};

/** `_id` is the partition. */
export type CourierRecord = { _id: number; epoch: number };

/** `_id` is space and request. */
export type RequestRecord = WebhookRequest & {
  _id: string;
  space: string;
  webhook: string;
  partition: number;
  /** Until it is answered. */
  isOpen?: true;
  outcome?: WebhookOutcome;
  /** When it goes; an answer to a request with a key stays as long as its webhook. */
  expireAt?: Date;
};

export type WebhookCollections = {
  readonly deliveries: Collection<DeliveryRecord>;
  readonly couriers: Collection<CourierRecord>;
  readonly requests: Collection<RequestRecord>;
};

const safe = { writeConcern: { w: "majority", journal: true } } as const;

export function webhookCollections(db: Db): WebhookCollections {
  return {
    deliveries: db.collection("deliveries", safe),
    couriers: db.collection("couriers", safe),
    requests: db.collection("webhookRequests", safe),
  };
}

/** Makes the indexes that are missing; several couriers may start at once. */
export async function ensureWebhookIndexes({ deliveries, requests }: WebhookCollections): Promise<void> {
  await Promise.all([
    ensureIndexesOf(deliveries, [{ key: { partition: 1 } }]),
    ensureIndexesOf(requests, [
      { key: { isOpen: 1, partition: 1 }, partialFilterExpression: { isOpen: true } },
      { key: { expireAt: 1 }, expireAfterSeconds: 0 },
    ]),
  ]);
}

export function deliveryKey({ spaceId, id }: { readonly spaceId: string; readonly id: string }): string {
  return keyOf(spaceId, id);
}

export function progressIn({ cursor, failures, dueMs, status }: Progress): Progress {
  return { cursor, failures, dueMs, status };
}
