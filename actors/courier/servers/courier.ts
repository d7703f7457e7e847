/** The courier beside the writer behind Kafka: it delivers for the partitions of that writer, and keeps in MongoDB where deliveries are. */
import type { Self } from "../../../runtime/actor.ts";
import { loggedProbe, reportHealth } from "../../health/report-health.ts";
import { connectMongo } from "../../mongo/connect.ts";
import { IndexError } from "../../mongo/indexes.ts";
import { spaceCollections } from "../../mongo/space-collections.ts";
import { ensureSpaceIndexes } from "../../mongo/space-indexes.ts";
import { ensureWebhookIndexes, webhookCollections } from "../../mongo/webhook-collections.ts";
import { outage } from "../../outage.ts";
import type { Server } from "../../servers.ts";
import { keepTrying, settles } from "../../waiting.ts";
import { stopped } from "../counts.ts";
import { deliverer } from "../deliver.ts";
import type { CommonParts, RunningCourier } from "../main.ts";
import { requestTaker } from "../take-requests.ts";
import { claimPartition, mongoDeliveryStore } from "./delivery-store.ts";
import { mongoFactSources } from "./fact-source.ts";
import { partitionCouriers } from "./partition-couriers.ts";

/** How often it looks whether something is due: that costs a look at memory for each webhook. */
const tickMs = 50;
/** How often it looks for what people ask. */
const requestsMs = 250;
const pauses = { fromMs: 100, toMs: 3_000 };
const closeMs = 2_000;

type Body = Pick<Self, "name" | "log" | "fail" | "publish" | "stopping">;

export function mongoCourier(self: Body, server: Server, parts: CommonParts): RunningCourier {
  const mongo = connectMongo(server);
  const collections = webhookCollections(mongo.db);
  const spaces = spaceCollections(mongo.db);
  const told = (step: string) => outage(self.log, { server: "mongodb", urls: [server.url], step });
  const sources = mongoFactSources(spaces, {
    now: parts.now,
    unreadable: ({ message }) => self.log("error", "webhook-unreadable", { reason: message }),
  });
  const stoppedBy = new Map<number, number>();

  const indexing = told("make the indexes of webhooks");
  const ready = keepTrying(() => Promise.all([ensureWebhookIndexes(collections), ensureSpaceIndexes(spaces)]), {
    ...pauses,
    until: self.stopping,
    failed(error) {
      if (error instanceof IndexError) self.fail(error);
      indexing.failed(mongo.why(error));
    },
  }).then(indexing.succeeded);
  ready.catch(() => undefined);

  const couriers = partitionCouriers({
    now: parts.now,
    log: self.log,
    async claim(partition, held) {
      await ready;
      const { epoch } = await claimPartition(collections, partition, held);
      // What was announced before was for another process.
      if (epoch !== held) sources.forget();
      return epoch;
    },
    open: ({ partition, partitions, epoch }, { mayBegin, superseded }) =>
      deliverer({
        ...parts,
        source: sources.of(partition, partitions),
        store: mongoDeliveryStore(collections, { partition, epoch }),
        mayBegin,
        superseded,
        countStopped(count) {
          stoppedBy.set(partition, count);
          stopped.set([...stoppedBy.values()].reduce((sum, each) => sum + each, 0));
        },
      }),
  });

  const asking = told("read what is asked of webhooks");
  const requests = requestTaker(collections, {
    partitions: () => [...couriers.all().keys()],
    answer: async (partition, webhookId, request) =>
      (await couriers.all().get(partition)?.request(webhookId, request)) ?? null,
  });
  const ticking = setInterval(couriers.tick, tickMs);
  let isTaking = false;
  const taking = setInterval(() => {
    if (isTaking) return;
    isTaking = true;
    requests
      .take()
      .then(asking.succeeded, (error) => asking.failed(mongo.why(error)))
      .finally(() => {
        isTaking = false;
      });
  }, requestsMs);
  const endReports = reportHealth(self, {
    mongodb: loggedProbe(
      self.log,
      { server: "mongodb", urls: [server.url], step: "deliver to webhooks" },
      mongo.ping,
      mongo.why,
    ),
  });

  return {
    deliveries: () => Promise.reject(new Error("Cannot tell deliveries by message: they are in MongoDB")),
    request: () => Promise.reject(new Error("Cannot take requests by message: they come by MongoDB")),
    assigned: couriers.assigned,
    changed: sources.changed,
    async stop() {
      endReports();
      clearInterval(ticking);
      clearInterval(taking);
      await couriers.stop();
      await settles(mongo.close(), closeMs);
    },
  };
}
