/** Deliveries in MongoDB, of the spaces of one partition: each is one document, guarded by the epoch of the courier that may write it. */
import { isDuplicate } from "../../mongo/duplicates.ts";
import { deliveryKey, progressIn, type WebhookCollections } from "../../mongo/webhook-collections.ts";
import { attemptsKept, type DeliveryStore, SupersededCourierError, type WebhookKey } from "../ports.ts";

/** A request is answered before many others have come: the rest of its answers are with the requests themselves. */
const answeredKept = 20;

export type Claim = { readonly partition: number; readonly epoch: number };

/**
 * Takes the deliveries of a partition over: who has claimed it before writes nothing more. `held`: the epoch of an earlier claim of this courier, which
 * is kept where nobody has claimed it since.
 */
export async function claimPartition(
  { couriers, deliveries }: WebhookCollections,
  partition: number,
  held: number | undefined,
): Promise<Claim> {
  if (held !== undefined && (await couriers.findOne({ _id: partition }))?.epoch === held)
    return { partition, epoch: held };
  const claimed = await couriers.findOneAndUpdate(
    { _id: partition },
    { $inc: { epoch: 1 } },
    { upsert: true, returnDocument: "after" },
  );
  if (claimed === null) throw new Error("Cannot claim a partition: it is not told to whom it belongs");
  const { epoch } = claimed;
  await deliveries.updateMany({ partition, epoch: { $lt: epoch } }, { $set: { epoch } });
  return { partition, epoch };
}

export function mongoDeliveryStore(
  { deliveries, requests }: WebhookCollections,
  { partition, epoch }: Claim,
): DeliveryStore {
  const mine = (webhook: WebhookKey) => ({ _id: deliveryKey(webhook), epoch: { $lte: epoch } });
  const superseded = () =>
    new SupersededCourierError(`Cannot write deliveries of partition ${partition}: another courier has taken over`);

  return {
    async all() {
      const found = await deliveries
        .find({ partition }, { projection: { attempts: 0, answered: 0 } })
        .hint({ partition: 1 })
        .toArray();
      return found.map((record) => ({ spaceId: record.space, id: record.webhook, progress: progressIn(record) }));
    },

    async save(webhook, progress, { attempt, answered } = {}) {
      const latest = {
        ...(attempt === undefined ? {} : { attempts: { $each: [attempt], $slice: -attemptsKept } }),
        ...(answered === undefined ? {} : { answered: { $each: [answered], $slice: -answeredKept } }),
      };
      try {
        await deliveries.updateOne(
          mine(webhook),
          {
            $set: { ...progress, space: webhook.spaceId, webhook: webhook.id, partition, epoch },
            ...(Object.keys(latest).length === 0 ? {} : { $push: latest }),
          },
          { upsert: true, hint: { _id: 1 } },
        );
      } catch (failure) {
        // It is there, and a later courier's.
        if (isDuplicate(failure)) throw superseded();
        throw failure;
      }
    },

    async attempts(webhook) {
      const found = await deliveries.findOne({ _id: deliveryKey(webhook) }, { projection: { attempts: 1 } });
      return (found?.attempts ?? []).toReversed();
    },

    async answered(webhook, requestId) {
      const found = await deliveries.findOne({ _id: deliveryKey(webhook) }, { projection: { answered: 1 } });
      return found?.answered?.find(({ id }) => id === requestId);
    },

    async remove(webhook) {
      const { spaceId: space, id } = webhook;
      await requests.deleteMany({ _id: { $gt: `${space} `, $lt: `${space}!` }, webhook: id });
      const { deletedCount } = await deliveries.deleteOne(mine(webhook));
      if (deletedCount === 0 && (await deliveries.findOne({ _id: deliveryKey(webhook) })) !== null) throw superseded();
    },
  };
}
