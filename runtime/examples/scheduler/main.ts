/** A scheduler: jobs that run again and again, each at its own interval, whatever the others do. */
import { isMainThread } from "node:worker_threads";
import { child, supervise, system } from "../../mod.ts";
import { serveActors } from "../../worker.ts";
import { ran, scheduler } from "./scheduler.ts";

const RUNS = 7;

async function main(): Promise<void> {
  const app = system({
    tree: supervise("one_for_one", { intensity: 5, periodMs: 30_000 }, [child(scheduler)]),
    worker: new URL(import.meta.url),
  });
  await app.start();

  let runs = 0;
  const enough = Promise.withResolvers<void>();
  app.subscribe(ran, ({ name, dueMs }) => {
    if (runs >= RUNS) return;
    console.log(`${dueMs} ms: ${name}`);
    if (++runs === RUNS) enough.resolve();
  });

  const ref = app.ref(scheduler);
  await ref.ask("add", { name: "report", everyMs: 500 });
  await ref.ask("add", { name: "clean", everyMs: 200 });
  await enough.promise;

  console.log(
    `clean was there: ${await ref.ask("cancel", "clean")}, and is no more: ${await ref.ask("cancel", "clean")}`,
  );
  await app.stop();
}

if (isMainThread) await main();
else serveActors({ scheduler: () => import("./scheduler.ts") });
