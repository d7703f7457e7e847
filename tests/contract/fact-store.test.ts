/** The stores of facts, all by the same cases. */
import { emptyWorld, storeOver } from "../../actors/consumer/spaces-for-tests.ts";
import { factStoreCases } from "./fact-store-cases.ts";

const now = () => Promise.resolve();

factStoreCases("Memory", async () => {
  const world = emptyWorld();
  return { store: storeOver(world, now), another: () => storeOver(world, now), close: async () => {} };
});
