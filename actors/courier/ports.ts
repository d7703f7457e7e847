/** What the courier needs of the world. Adapters carry their technology in their file's name. */
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { Answered, Attempt, Progress } from "./messages.ts";

type MaybePromise<T> = T | Promise<T>;

/** The facts and the webhooks of the spaces that this courier delivers for. */
export type FactSource = {
  /** Another number than before: a webhook, or something in the space, may have changed since. */
  mark(id: string): number;
  /** Webhooks that are not deleted, of spaces that are not. */
  webhooks(): MaybePromise<readonly Document[]>;
  /** Of these webhooks those that are deleted for good; one that is only not found is not among them. */
  deleted(webhooks: readonly WebhookKey[]): MaybePromise<readonly WebhookKey[]>;
  /** Facts with a `seq` above `after`, ascending, `limit` at most; fewer where their texts pass a bound, but one at least. */
  facts(spaceId: string, after: number, limit: number): MaybePromise<readonly Fact[]>;
  /** The `seq` of the fact that made the webhook, and of the latest fact of its space. */
  seqs(
    webhook: Pick<Document, "spaceId" | "id" | "seq">,
  ): MaybePromise<{ readonly made: number; readonly latest: number }>;
};

export type WebhookKey = { readonly spaceId: string; readonly id: string };

export const attemptsKept = 100;

/** What is written with a progress. */
export type Written = { readonly attempt?: Attempt; readonly answered?: Answered };

/** Where deliveries are, and what came of the latest attempts. A write is durable when it is answered. */
export type DeliveryStore = {
  all(): MaybePromise<readonly (WebhookKey & { readonly progress: Progress })[]>;
  /**
   * All or nothing. Of the attempts of a webhook the latest `attemptsKept` are kept. Throws a `SupersededCourierError`, with nothing written, once another courier
   * delivers for this space.
   */
  save(webhook: WebhookKey, progress: Progress, written?: Written): MaybePromise<void>;
  /** Newest first. */
  attempts(webhook: WebhookKey): MaybePromise<readonly Attempt[]>;
  /** What a request with a key was answered with, in this space. */
  answered(webhook: WebhookKey, requestId: string): MaybePromise<Answered | undefined>;
  /** Forgets the webhook, which is deleted, and what was asked of it. */
  remove(webhook: WebhookKey): MaybePromise<void>;
};

/** Another courier has taken over. */
export class SupersededCourierError extends Error {
  override readonly name = "SupersededCourierError";
}
