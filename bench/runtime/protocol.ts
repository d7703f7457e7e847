/** What the measured actors say to each other: tasks of about 300 bytes, as the tracker's own. */

import { actor, ask, tell } from "../../runtime/actor.ts";
import { bytes } from "../../runtime/bytes.ts";

export type Task = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly ownerId: string;
  readonly version: number;
  readonly createdAt: string;
};

/** A new object each time, as a sender would have. */
export const taskOf = (version: number): Task => ({
  id: "01968d2e-6f3a-7cc1-9d53-0242ac120002",
  title: "Measure the actor runtime",
  description: "Every figure that the README claims comes from one command.",
  status: "open",
  priority: 2,
  tags: ["runtime", "bench"],
  ownerId: "01968d2e-0000-7cc1-9d53-0242ac120002",
  version,
  createdAt: "2026-01-01T00:00:00.000Z",
});

export type Load = { readonly count: number; readonly inFlight: number };

const echoes = { echo: ask<Task, Task>() };
const mortals = { ...echoes, hold: ask<null, null>(), die: tell() };

/** One actor, one of a pool of four, one that may die, one that may die and has a warm spare. */
export const echo = actor("echo", new URL("./echo.ts", import.meta.url), {
  ...echoes,
  take: tell<Task>(),
  taken: ask<null, number>(),
});
/** As `echo`, for the main thread. */
export const local = actor("local", new URL("./local.ts", import.meta.url), echo.accepts);
export const pool = actor("pool", new URL("./pool.ts", import.meta.url), echoes);
export const mortal = actor("mortal", new URL("./mortal.ts", import.meta.url), mortals);
export const spared = actor("spared", new URL("./spared.ts", import.meta.url), mortals);
/** Asks `echo` from a worker of its own; the answer comes when all of the load is answered. */
export const relay = actor("relay", new URL("./relay.ts", import.meta.url), { run: ask<Load, null>() });
/** Gives bytes back, copied or moved. */
export const blob = actor("blob", new URL("./blob.ts", import.meta.url), {
  copied: ask(bytes(), bytes()),
  moved: ask(bytes(), bytes()),
});
/** Takes so many milliseconds, waiting or working; a pool of four, and one. */
const sleeps = { wait: ask<number, null>(), work: ask<number, null>() };
export const sleeper = actor("sleeper", new URL("./sleeper.ts", import.meta.url), sleeps);
/** One for each key. */
export const session = actor("session", new URL("./session.ts", import.meta.url), {
  add: ask<null, number>(),
  fail: ask<null, null>(),
});
