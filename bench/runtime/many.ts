/**
 * Figures of bytes, pools, long handlers and keyed actors inside one runtime, as one line of JSON: `bun|deno|node many.ts <rounds> <quick: 0|1>`. The
 * reference (`raw`) is `postMessage` for bytes, the ideal for pools and long handlers, a message to a keyed actor that is there already for its first one.
 */

import process from "node:process";
import { system } from "../../runtime/system.ts";
import { child, supervise } from "../../runtime/tree.ts";
import { inFlight } from "./load.ts";
import type { Rounds } from "./measure.ts";
import { blob, session, sleeper } from "./protocol.ts";
import { startRaw } from "./raw.ts";

const [rounds, quick] = [Number(process.argv[2]), process.argv[3] === "1"];
const keys = quick ? 2_000 : 100_000;
const megabytes = quick ? 4 : 100;
const handlers = quick ? 2 : 8;
const app = system({
  log: () => undefined,
  tree: supervise("one_for_one", { intensity: 1_000, periodMs: 1 }, [
    child(blob),
    child(sleeper, { instances: 4 }),
    child(session, { each: "key", threads: 4, max: 2 * keys + 1_000, policy: "restart" }),
  ]),
});
await app.start();
const raw = await startRaw();
const results = new Map<string, Rounds>();
const note = (name: string, unit: Rounds["unit"], values: { raw: number; actors: number }): void => {
  const known: Rounds = results.get(name) ?? { name, unit, values: { raw: [], actors: [] } };
  results.set(name, known);
  for (const [contestant, value] of Object.entries(values)) known.values[contestant]?.push(value);
};
const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
};

async function bytes(): Promise<void> {
  const blobs = app.ref(blob);
  const each = (send: (body: Uint8Array<ArrayBuffer>) => Promise<unknown>) =>
    timed(() => inFlight({ count: megabytes, inFlight: 4 }, () => send(new Uint8Array(1 << 20))));
  const rate = (ms: number): number => (megabytes * 1_000) / ms;
  note("bytes-copied@1MB", "1/s", {
    raw: rate(await each((body) => raw.blob(body, false))),
    actors: rate(await each((body) => blobs.ask("copied", body, { timeoutMs: 60_000 }))),
  });
  note("bytes-moved@1MB", "1/s", {
    raw: rate(await each((body) => raw.blob(body, true))),
    actors: rate(await each((body) => blobs.ask("moved", body, { transfer: true, timeoutMs: 60_000 }))),
  });
}

/** 40 asks of 50 ms on four members take 500 ms at best, 8 of 450 ms on one of them 3,600. */
async function pools(): Promise<void> {
  const pool = app.ref(sleeper);
  const all = (count: number, kind: "wait" | "work", ms: number) =>
    timed(() => Promise.all(Array.from({ length: count }, () => pool.ask(kind, ms, { timeoutMs: 60_000 }))));
  note("pool-burst", "ms", { raw: 500, actors: await all(40, "wait", 50) });
  const one = pool.at("one");
  const long = timed(() =>
    Promise.all(Array.from({ length: handlers }, () => one.ask("work", 450, { timeoutMs: 60_000 }))),
  );
  note("long-handlers", "ms", { raw: handlers * 450, actors: await long });
}

/** The first message of new actors, beside a second one to the same. */
async function keyed(round: number): Promise<void> {
  const sessions = app.ref(session);
  const count = quick ? 200 : 2_000;
  const ask = () =>
    timed(() => inFlight({ count, inFlight: 64 }, (each) => sessions.at(`round-${round}-${each}`).ask("add", null)));
  const first = await ask();
  note("keyed-first", "ms", { raw: (await ask()) / count, actors: first / count });
  const times: number[] = [];
  for (let each = 0; each < 50; each++) {
    const one = sessions.at(`round-${round}-${each}`);
    await one.ask("fail", null).catch(() => undefined);
    times.push(await timed(() => one.ask("add", null)));
  }
  const restart = times.sort((a, b) => a - b)[25] ?? Number.NaN;
  const plain = await timed(() => sessions.at(`round-${round}-1`).ask("add", null));
  note("keyed-restart", "ms", { raw: plain, actors: restart });
}

const sessions = app.ref(session);
const before = process.memoryUsage().rss;
await inFlight({ count: keys, inFlight: 256 }, (each) => sessions.at(`user-${each}`).ask("add", null));
const memoryKb = (process.memoryUsage().rss - before) / 1_024 / keys;
// The aim for each of them is 3 KB.
note("keyed-memory", "KB", { raw: 3, actors: memoryKb });
for (let round = quick ? 1 : 0; round <= rounds; round++) {
  await bytes();
  await pools();
  await keyed(round);
  if (round === 0)
    for (const [name, { values }] of results)
      if (name !== "keyed-memory") for (const each of Object.values(values)) each.length = 0;
}
process.stdout.write(`${JSON.stringify([...results.values()])}\n`);
await app.stop({ timeoutMs: 5_000 });
await raw.terminate();
process.exit(0);
