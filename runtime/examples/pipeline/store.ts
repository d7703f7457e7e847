import { actor, ask, behave } from "../../mod.ts";
import type { Reading } from "./parser.ts";

/** Keeps readings by their id, so that one that comes again is kept once. */
export const store = actor("store", { put: ask<Reading, null>(), size: ask<null, number>() });

export default behave(store, {
  start: () => new Map<number, number>(),
  on: {
    put: (readings, { id, celsius }) => {
      readings.set(id, celsius);
      return null;
    },
    size: (readings) => readings.size,
  },
});
