/** The courier of one process: the facts are in the writer's file, the deliveries in a file of its own. */
import type { Self } from "../../../runtime/actor.ts";
import { changeCounters } from "../../model/change-counters.ts";
import { naming } from "../../sqlite/file.ts";
import { stopped } from "../counts.ts";
import { deliverer } from "../deliver.ts";
import type { CommonParts, CourierData, RunningCourier } from "../main.ts";
import { openWebhookDatabase, webhooksFile } from "./database.ts";
import { sqliteDeliveryStore } from "./delivery-store.ts";
import { sqliteFactSource } from "./fact-source.ts";

/** How often it looks whether something is due: what the writer has counted costs a read of memory for each webhook. */
const tickMs = 50;

export function localCourier(
  { args, shared }: { readonly args: Pick<CourierData, "dataDir"> } & Pick<Self, "shared">,
  parts: CommonParts,
): RunningCourier {
  const source = sqliteFactSource(args.dataDir, changeCounters(shared));
  const db = openWebhookDatabase(args.dataDir);
  const delivering = deliverer({
    ...parts,
    source,
    store: naming(webhooksFile.name, () => sqliteDeliveryStore(db)),
    countStopped: (count) => stopped.set(count),
  });
  const timer = setInterval(() => void delivering.tick(), tickMs);
  return {
    deliveries: delivering.deliveries,
    request: delivering.request,
    async stop() {
      clearInterval(timer);
      await delivering.stop();
      source.close();
      db.close();
    },
  };
}
