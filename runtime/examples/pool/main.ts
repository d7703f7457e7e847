/** A pool with progress: counts the primes below a million in a hundred pieces, on four threads. */
import { isMainThread } from "node:worker_threads";
import { child, supervise, system } from "../../mod.ts";
import { serveActors } from "../../worker.ts";
import { primes, progress } from "./primes.ts";

const LIMIT = 1_000_000;
const PIECES = 100;

async function main(): Promise<void> {
  const app = system({
    tree: supervise("one_for_one", { intensity: 5, periodMs: 30_000 }, [child(primes, { instances: 4 })]),
    worker: new URL(import.meta.url),
  });
  await app.start();

  let done = 0;
  const finished = Promise.withResolvers<void>();
  app.subscribe(progress, (numbers) => {
    done += numbers;
    if (done % (LIMIT / 4) === 0) console.log(`${(100 * done) / LIMIT} %`);
    if (done === LIMIT) finished.resolve();
  });

  // All at once: the pool has one queue, and whichever member is free takes the next piece.
  const size = LIMIT / PIECES;
  const pieces = Array.from({ length: PIECES }, (_, piece) => ({ from: piece * size, to: (piece + 1) * size }));
  const ref = app.ref(primes);
  const found = await Promise.all(pieces.map((piece) => ref.ask("count", piece, { timeoutMs: 60_000 })));

  await finished.promise;
  console.log(`${found.reduce((sum, count) => sum + count, 0)} primes below ${LIMIT}`);
  await app.stop();
}

// The same file is the program and the entry of its worker threads.
if (isMainThread) await main();
else serveActors({ primes: () => import("./primes.ts") });
