/** The `courier` actor: delivers the facts of spaces to their webhooks. */
import { behave, type Self } from "../../runtime/actor.ts";
import { partitionsAssigned, spacesChanged } from "../consumer/messages.ts";
import { countThread } from "../metrics/threads.ts";
import type { Server } from "../servers.ts";
import { addressRules } from "./addresses.ts";
import { attemptsMax, type Courier, type CourierParts } from "./deliver.ts";
import { courier } from "./messages.ts";
import { sender } from "./send.ts";
import type { PartitionCouriers } from "./servers/partition-couriers.ts";

export type CourierData = {
  dataDir: string;
  /** Without it the facts are in a file of this process. */
  mongo?: Server;
  /** From which the secrets of webhooks are made. */
  key: string;
  /** What links begin with. */
  siteUrl: string;
  /** Networks that may be reached although they are not public. */
  allowed: string[];
  /** Certificate authorities beside the public ones, in PEM. */
  ca?: string;
};

/** The parts that are the same wherever the facts are. */
export type CommonParts = Omit<CourierParts, "source" | "store" | "countStopped">;

export type RunningCourier = Pick<Courier, "deliveries" | "request" | "stop"> & {
  /** Behind Kafka: whose deliveries these are, and what has changed. */
  readonly assigned?: PartitionCouriers["assigned"];
  readonly changed?: (spaces: { readonly spaceIds: readonly string[]; readonly hasWebhooks: boolean }) => void;
};

type Body = Self<typeof courier.accepts, CourierData>;

export default behave<typeof courier.accepts, RunningCourier, CourierData>(courier, {
  concurrency: 64,
  async start(self: Body) {
    countThread(self);
    const { mongo, key, siteUrl, allowed, ca } = self.args;
    const parts: CommonParts = {
      send: sender({ rules: addressRules(allowed), ...(ca === undefined ? {} : { ca }) }),
      key,
      siteUrl,
      now: Date.now,
      random: Math.random,
      log: self.log,
      room: { left: attemptsMax },
    };
    // Only what is used is loaded: drivers cost time at the start and memory.
    if (mongo === undefined) return (await import("./embedded/courier.ts")).localCourier(self, parts);
    self.subscribe(partitionsAssigned, "assigned");
    self.subscribe(spacesChanged, "changed");
    return (await import("./servers/courier.ts")).mongoCourier(self, mongo, parts);
  },
  on: {
    deliveries: (its, { webhookId }) => its.deliveries(webhookId),
    request: (its, { webhookId, request }) => its.request(webhookId, request),
    assigned: (its, now) => its.assigned?.(now),
    changed: (its, spaces) => its.changed?.(spaces),
  },
  stop: (its) => its.stop(),
});
