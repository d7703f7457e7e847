/**
 * Twice the load that an actor can take, for 30 s (`npm run bench:soak [--seconds N]`), under each policy of a full mailbox: memory must stay flat and every message
 * be accounted for. Exits with 1 when one is not.
 */

import process from "node:process";
import { system } from "../runtime/system.ts";
import { child, supervise } from "../runtime/tree.ts";
import { helpIfAsked } from "./http/options.ts";
import { rejecting, shedding, waiting } from "./soak/messages.ts";

const offeredPerSecond = 100_000;
const turnMs = 5;
/** More than enough for a full mailbox. */
const settleMs = 500;
/** Growth of the second half's highest memory over the first half's that still counts as flat. */
const flatMB = 16;

helpIfAsked(import.meta.url);
const at = process.argv.indexOf("--seconds");
const seconds = at < 0 ? 30 : Number(process.argv[at + 1]);
if (!(seconds >= 1)) throw new RangeError("Cannot soak: --seconds takes a number from 1");

let failed = false;
for (const [actor, kind] of [
  [waiting, "work"],
  [rejecting, "work"],
  [shedding, "lossy"],
] as const) {
  const app = system({ tree: supervise("one_for_one", { intensity: 0, periodMs: 1_000 }, [child(actor)]) });
  await app.start();
  const to = app.ref(actor);
  const memory: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  let nextSampleMs = 0;
  while (performance.now() < endMs) {
    let pushedBack: Promise<void> | undefined;
    for (let sent = 0; sent < (offeredPerSecond * turnMs) / 1_000; sent += 1) pushedBack = to.tell(kind, sent);
    // A sender that minds the pushing back is slowed down by it; the others see their messages refused or shed.
    if (pushedBack !== undefined) await pushedBack;
    await new Promise((resolve) => setTimeout(resolve, turnMs));
    if (performance.now() > nextSampleMs) {
      nextSampleMs = performance.now() + 250;
      memory.push(process.memoryUsage.rss() / 1e6);
    }
  }
  // The last turn's messages first: a mailbox that is still full would refuse the question too.
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const handled = await to.ask("handled", null, { timeoutMs: 10_000 });
  // The answer may be here before its own count is: counts are exact when nothing is under way.
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const view = JSON.parse(JSON.stringify(app.inspect())) as { children: { counts: Record<string, number> }[] };
  const counts = view.children[0]?.counts ?? {};
  const { sent = 0, ...fates } = counts;
  const accounted = Object.entries(fates)
    .filter(([fate]) => fate !== "failed")
    .reduce((sum, [, count]) => sum + count, 0);
  const half = Math.ceil(memory.length / 2);
  const [first, second] = [Math.max(...memory.slice(0, half)), Math.max(...memory.slice(half))];
  const fine = sent === accounted && second - first < flatMB && counts.handled === handled + 1;
  failed ||= !fine;
  process.stdout.write(
    `${actor.name.padEnd(10)} ${fine ? "fine" : "FAILED"}  sent ${sent} = ${JSON.stringify(fates)}, memory ${first.toFixed(0)} then ${second.toFixed(0)} MB\n`,
  );
  await app.stop({ timeoutMs: 10_000 });
}
process.exit(failed ? 1 : 0);
