/** The deliveries of a webhook that was made just now, while the read model does not have it yet. */
import { expect, test } from "bun:test";
import { connectMongo, toolBounds } from "../../actors/mongo/connect.ts";
import { mongoDeliverer } from "../../actors/task/servers/webhooks.ts";
import { describeWith, service } from "../system/services.ts";

const webhook = { spaceId: "a space", id: "a webhook" };
const creation = {
  fact: { spaceId: webhook.spaceId, seq: 7, at: "2026-11-29T00:00:00.000Z", actorId: "", operationId: "" },
  change: { type: "webhook", id: webhook.id, version: 1, kind: "created", fields: {} },
};

describeWith(
  "the deliveries of a webhook that the read model does not have yet",
  [await service("MONGO_URL")],
  ({ url }) => {
    /** `after`: so many looks until it has it. */
    async function deliveries(after: number) {
      const at = new URL(url);
      at.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
      const mongo = connectMongo({ url: at.href }, { bounds: toolBounds });
      let looks = 0;
      const changes = async () => (looks++ < after ? [] : [creation as never]);
      const deliverer = mongoDeliverer({ db: mongo.db, reads: { changes }, partitions: () => 1, now: Date.now });
      try {
        return await deliverer.deliveries(webhook);
      } finally {
        await mongo.close();
      }
    }

    test("are told as soon as it has it", async () => {
      expect(await deliveries(3)).toMatchObject({ status: "active", cursor: 7, items: [] });
    });

    test("are not yet visible, rather than not found, when that takes too long", async () => {
      await expect(deliveries(Number.POSITIVE_INFINITY)).rejects.toMatchObject({ code: "not-yet-visible" });
    });
  },
);
