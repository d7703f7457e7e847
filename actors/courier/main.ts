/** The `courier` actor: delivers the facts of spaces to their webhooks. */
import { behave, type Self } from "../../runtime/actor.ts";
import { countThread } from "../metrics/threads.ts";
import { generations } from "../model/generations.ts";
import { naming } from "../sqlite-file.ts";
import { addressRules } from "./addresses.ts";
import { type Courier, deliverer } from "./deliver.ts";
import { sqliteDeliveryStore } from "./delivery-store-sqlite.ts";
import { sqliteFactSource } from "./fact-source-sqlite.ts";
import { courier } from "./messages.ts";
import { sender } from "./send.ts";
import { openWebhookDatabase, webhooksFile } from "./webhook-database.ts";

export type CourierData = {
  dataDir: string;
  /** From which the secrets of webhooks are made. */
  key: string;
  /** What links begin with. */
  siteUrl: string;
  /** Networks that may be reached although they are not public. */
  allowed: string[];
  /** Further certificate authorities, in PEM. */
  ca?: string;
};

type State = { readonly courier: Courier; readonly close: () => void };

/** How often it looks whether something is due: what the writer has counted costs a read of memory for each webhook. */
const tickMs = 50;

export default behave<typeof courier.accepts, State, CourierData>(courier, {
  concurrency: 64,
  start(self: Self<typeof courier.accepts, CourierData>): State {
    countThread(self);
    const { dataDir, key, siteUrl, allowed, ca } = self.args;
    const source = sqliteFactSource(dataDir, generations(self.shared));
    const db = openWebhookDatabase(dataDir);
    const delivering = deliverer({
      source,
      store: naming(webhooksFile.name, () => sqliteDeliveryStore(db)),
      send: sender({ rules: addressRules(allowed), ...(ca === undefined ? {} : { ca }) }),
      key,
      siteUrl,
      now: Date.now,
      random: Math.random,
      log: self.log,
    });
    const timer = setInterval(() => void delivering.tick(), tickMs);
    return {
      courier: delivering,
      close() {
        clearInterval(timer);
        source.close();
        db.close();
      },
    };
  },
  on: {
    deliveries: ({ courier: its }, { webhookId }) => its.deliveries(webhookId),
    move: ({ courier: its }, { webhookId, how }) => its.move(webhookId, how),
    test: ({ courier: its }, { webhookId }) => its.test(webhookId),
  },
  async stop({ courier: its, close }) {
    await its.stop();
    close();
  },
});
