/**
 * The courier of another process, through MongoDB: where deliveries are is read there, and what is asked of them is written there for the courier of the
 * space's partition, which writes its answer beside it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "mongodb";
import { partitionOf } from "../../../runtime/partition.ts";
import { repeated, shown, type WebhookOutcome, type WebhookRequest } from "../../courier/messages.ts";
import { Problem } from "../../model/problem.ts";
import { isDuplicate } from "../../mongo/duplicates.ts";
import { deliveryKey, type RequestRecord, webhookCollections } from "../../mongo/webhook-collections.ts";
import { withDeadline } from "../../waiting.ts";
import type { SpaceReads, StoredChange } from "../ports.ts";
import { type Deliverer, moveMs, testMs, type WebhookAt } from "../webhooks.ts";

const readMs = 2_500;
const lookMs = 50;
/** A request that nobody takes back goes by itself. */
const openKeptMs = 3_600_000;

export type MongoDelivererParts = {
  readonly db: Db;
  readonly reads: Pick<SpaceReads, "changes">;
  /** Undefined while that is not known. */
  readonly partitions: () => number | undefined;
  readonly now: () => number;
};

export function mongoDeliverer({ db, reads, partitions, now }: MongoDelivererParts): Deliverer {
  const { deliveries, requests } = webhookCollections(db);

  /** The first request under this id. */
  async function asked(webhook: WebhookAt, request: WebhookRequest): Promise<RequestRecord> {
    const count = partitions();
    if (count === undefined) throw new Problem("overloaded");
    const record: RequestRecord = {
      _id: `${webhook.spaceId} ${request.id}`,
      ...request,
      space: webhook.spaceId,
      webhook: webhook.id,
      partition: partitionOf(webhook.spaceId, count),
      isOpen: true,
      expireAt: new Date(now() + openKeptMs),
    };
    try {
      await requests.insertOne(record);
      return record;
    } catch (failure) {
      if (!isDuplicate(failure)) throw failure;
      const first = await requests.findOne({ _id: record._id });
      if (first === null) throw new Problem("overloaded", undefined, { cause: failure });
      return first;
    }
  }

  async function outcomeOf(_id: string, untilMs: number): Promise<WebhookOutcome> {
    while (performance.now() < untilMs) {
      await sleep(lookMs);
      const found = await guarded(requests.findOne({ _id }, { projection: { outcome: 1 } }));
      if (found?.outcome !== undefined) return found.outcome;
      if (found === null) break;
    }
    // What is not begun is not done later, when nobody waits for it any more.
    await guarded(requests.deleteOne({ _id, isOpen: true }));
    throw new Problem(
      "overloaded",
      "The webhook's deliveries are not at work just now; retry with the same Idempotency-Key.",
    );
  }

  /** The route has found the webhook, perhaps sooner than the read model has it: it is on its way there. Throws `not-yet-visible`. */
  async function creationOf({ spaceId, id }: WebhookAt): Promise<StoredChange> {
    for (const untilMs = performance.now() + readMs; ; await sleep(lookMs)) {
      const [made] = await reads.changes(spaceId, id, 2, 1);
      if (made !== undefined) return made;
      if (performance.now() >= untilMs) throw new Problem("not-yet-visible");
    }
  }

  return {
    async deliveries(webhook) {
      const found = await guarded(deliveries.findOne({ _id: deliveryKey(webhook) }));
      if (found !== null) return { ...shown(found), items: (found.attempts ?? []).toReversed() };
      // No courier has begun yet.
      const made = await creationOf(webhook);
      return { ...shown({ cursor: made.fact.seq, failures: 0, dueMs: 0, status: "active" }), items: [] };
    },

    async request(webhook, request) {
      const untilMs = performance.now() + (request.action.kind === "test" ? testMs : moveMs);
      const first = await guarded(asked(webhook, request));
      if (first.fingerprint !== request.fingerprint) return { kind: "mismatch" };
      if (first.outcome !== undefined) return repeated(first.outcome);
      const outcome = await outcomeOf(first._id, untilMs);
      // Without a key nobody asks for it again.
      if (request.fingerprint === "") await requests.deleteOne({ _id: first._id }).catch(() => undefined);
      return outcome;
    },
  };
}

async function guarded<T>(step: Promise<T>): Promise<T> {
  try {
    return await withDeadline(step, readMs);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("read-model-unavailable", undefined, { cause });
  }
}
