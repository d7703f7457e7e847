/** What the contract suites of the writer's store and of the reads share: the read models, each fresh, with both sides of each. */
import { apply, type Delivery, type Store } from "../../actors/consumer/apply.ts";
import { mongoStore } from "../../actors/consumer/store-mongo.ts";
import type { Command, Outcome } from "../../actors/model/command.ts";
import { connectMongo } from "../../actors/mongo/connect.ts";
import { ensureIndexes, type ReadModel, readModelIn } from "../../actors/mongo/read-model.ts";
import type { Reads } from "../../actors/task/ports.ts";
import { mongoReads } from "../../actors/task/reads-mongo.ts";

export type Fresh = {
  readonly store: Store;
  readonly reads: Reads;
  /** Another writer of the same store, as one that was replaced, or that has another partition. */
  another(): Store;
  /** Only of MongoDB. */
  readonly model?: ReadModel;
  remove(): Promise<void>;
};
export type Adapter = { readonly name: "MongoDB"; fresh(): Promise<Fresh> };

/** The clock of the stores, for what ends after a time: not before the test does, or the server removes it meanwhile. */
export const storedAtMs = Date.now();

export function inMongo(serverUrl: string): Adapter {
  return {
    name: "MongoDB",
    async fresh() {
      const url = new URL(serverUrl);
      url.pathname = `/test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
      const mongo = connectMongo({ url: url.href });
      const model = readModelIn(mongo.db);
      await ensureIndexes(model);
      const store = () => mongoStore(model, { partitions: 1, now: () => storedAtMs });
      return {
        store: store(),
        reads: mongoReads(model),
        another: store,
        model,
        async remove() {
          await mongo.db.dropDatabase();
          await mongo.close();
        },
      };
    },
  };
}

/** Commands in log order behind a position. */
export function deliveries(commands: readonly Command[], from: number, partition = 0): Delivery[] {
  return commands.map((command, index) => ({ position: { partition, offset: from + index }, command }));
}

/** Takes commands one batch after the other, in the order of the log from position 1 on. */
export async function taken(
  store: Store,
  commands: readonly Command[],
  options: { batch?: number; from?: number } = {},
): Promise<(Outcome | undefined)[]> {
  const { batch = 100, from = 1 } = options;
  const outcomes: (Outcome | undefined)[] = [];
  const all = deliveries(commands, from);
  for (let at = 0; at < all.length; at += batch) outcomes.push(...(await apply(store, all.slice(at, at + batch))));
  return outcomes;
}
