/** What people ask of webhooks, as the edges of other processes have written it to MongoDB: answered by the courier of the partition. */
import type { WebhookCollections } from "../mongo/webhook-collections.ts";
import type { WebhookOutcome, WebhookRequest } from "./messages.ts";

const atOnceMax = 100;

export type RequestTaker = {
  /** Begins to answer what has come. */
  take(): Promise<void>;
};

/** Null: it is not known here (yet): it is asked again. */
export type Answer = (partition: number, webhookId: string, request: WebhookRequest) => Promise<WebhookOutcome | null>;

export function requestTaker(
  { requests }: Pick<WebhookCollections, "requests">,
  { partitions, answer }: { readonly partitions: () => readonly number[]; readonly answer: Answer },
): RequestTaker {
  const underWay = new Set<string>();

  return {
    async take() {
      const mine = partitions();
      if (mine.length === 0) return;
      const open = await requests
        .find({ isOpen: true, partition: { $in: [...mine] } })
        .limit(atOnceMax)
        .toArray();
      for (const { _id, partition, webhook, id, fingerprint, action } of open) {
        if (underWay.has(_id) || underWay.size >= atOnceMax) continue;
        underWay.add(_id);
        void answer(partition, webhook, { id, fingerprint, action })
          .then(async (outcome) => {
            if (outcome === null) return;
            // Without a key nobody asks for it again: it goes by itself.
            const left = fingerprint === "" ? {} : { expireAt: 1 as const };
            await requests.updateOne({ _id, isOpen: true }, { $set: { outcome }, $unset: { isOpen: 1, ...left } });
          })
          // It is open still, and comes again.
          .catch(() => undefined)
          .finally(() => underWay.delete(_id));
      }
    },
  };
}
