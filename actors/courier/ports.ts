/** What the courier needs of the world. Adapters carry their technology in their file's name. */
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { Attempt } from "./messages.ts";
import type { Progress } from "./schedule.ts";

type MaybePromise<T> = T | Promise<T>;

/** The facts and the webhooks of the spaces that this courier delivers for. */
export type FactSource = {
  /** Another number than before: a webhook, or something in the space, may have changed since. */
  mark(id: string): number;
  /** Webhooks that are not deleted. */
  webhooks(): MaybePromise<readonly Document[]>;
  /** The `seq` of the fact that made the webhook. */
  createdSeq(webhook: Document): MaybePromise<number>;
  /** Facts with a `seq` above `after`, ascending, `limit` at most; fewer where their texts pass a bound, but one at least. */
  facts(spaceId: string, after: number, limit: number): MaybePromise<readonly Fact[]>;
  /** The `seq` of the latest fact. */
  latest(spaceId: string): MaybePromise<number>;
};

/** Where deliveries are, and what came of the latest attempts. A write is durable when it is answered. */
export type DeliveryStore = {
  /** By webhook. */
  all(): MaybePromise<ReadonlyMap<string, Progress>>;
  /** Both or nothing. Of the attempts of a webhook the latest 100 are kept. */
  save(webhookId: string, progress: Progress, attempt?: Attempt): MaybePromise<void>;
  /** Newest first. */
  attempts(webhookId: string): MaybePromise<readonly Attempt[]>;
  /** Forgets the webhook, which is deleted. */
  remove(webhookId: string): MaybePromise<void>;
};
