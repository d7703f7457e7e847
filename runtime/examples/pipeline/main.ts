/** A pipeline that crashes and recovers: what a dead stage had taken is given to its next life, and nothing is lost or kept twice. */
import { isMainThread } from "node:worker_threads";
import { child, isActorError, supervise, system } from "../../mod.ts";
import { serveActors } from "../../worker.ts";
import { parser } from "./parser.ts";
import { store } from "./store.ts";

const lines = Array.from({ length: 100 }, (_, id) => (id === 50 ? "50;warm" : `${id};${20 + (id % 10) / 2}`));

async function main(): Promise<void> {
  const app = system({
    tree: supervise("one_for_one", { intensity: 5, periodMs: 30_000 }, [child(store), child(parser)]),
    worker: new URL(import.meta.url),
    log: (level, event, { reason }) => {
      if (level === "error") console.log(`${event}: ${reason}`);
    },
  });
  await app.start();
  const [parse, keep] = [app.ref(parser), app.ref(store)];
  await parse.tell("poison", [30]);

  let again = 0;
  const put = async (line: string): Promise<void> => {
    for (;;) {
      try {
        await keep.ask("put", await parse.ask("parse", line));
        return;
      } catch (error) {
        // Died: whether it was done is not known. The store keeps each id once, so doing it again is safe.
        if (!isActorError(error, "Died")) throw error;
        again++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const results = await Promise.allSettled(lines.map(put));

  for (const result of results) if (result.status === "rejected") console.log(`refused: ${result.reason.message}`);
  console.log(`${await keep.ask("size", null)} of ${lines.length} lines are kept; some were given again: ${again > 0}`);
  await app.stop();
}

if (isMainThread) await main();
else serveActors({ parser: () => import("./parser.ts"), store: () => import("./store.ts") });
