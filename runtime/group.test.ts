import { expect, test } from "bun:test";
import { actor, ask, behave, type Schema, tell } from "./actor.ts";
import { simulate } from "./simulator.ts";
import { child, faultsOf, group, supervise } from "./tree.ts";

const here = new URL(import.meta.url);
const of = <T>(): Schema<T> => ({}) as Schema<T>;
const protocol = { put: ask(of<{ from: string; seq: number }>(), of<number>()), note: tell(of<null>()) };
const left = actor("left", here, protocol);
const right = actor("right", here, protocol);
const sender = actor("sender", here, { send: tell(of<number>()) });
const limits = { intensity: 1_000, periodMs: 1_000 };

/** A group that others send to and that crashes at times: what the seed makes of it. */
async function play(seed: number) {
  const broken: string[] = [];
  const events: string[] = [];
  const outcomes: Record<string, number> = {};
  const memberOf = (which: typeof left) =>
    behave(which, {
      mailbox: { limit: 4 },
      concurrency: 2,
      start: async (self) => {
        await self.sleep(self.random() * 5);
        if (which === right) await self.ref(left).ask("put", { from: `right of ${events.length}`, seq: 1 });
        events.push(`${which.name} up`);
        return { self, last: {} as Record<string, number> };
      },
      on: {
        put: async ({ self, last }, { from, seq }) => {
          if (seq <= (last[from] ?? 0)) broken.push(`${which.name} got ${seq} of ${from} after ${last[from]}`);
          last[from] = seq;
          await self.sleep(self.random() * 4);
          if (from.startsWith("sender") && self.random() < 0.03) self.fail(new Error("as the dice say"));
          return seq;
        },
        note: () => undefined,
      },
      stop: ({ self }, reason) => {
        if (reason === "shutdown") events.push(`${which.name} down`);
        return self.sleep(self.random() * 3);
      },
    });
  let seq = 0;
  const sending = behave(sender, {
    start: (self) => ({ self, life: sim.random() }),
    on: {
      send: ({ self, life }, count) => {
        for (let each = 0; each < count; each++) {
          const to = self.ref(self.random() < 0.5 ? left : right);
          void to.ask("put", { from: `sender ${life}`, seq: ++seq }, { timeoutMs: 200 }).then(
            () => (outcomes.answered = (outcomes.answered ?? 0) + 1),
            ({ code }: { code: string }) => (outcomes[code] = (outcomes[code] ?? 0) + 1),
          );
          void to.tell("note", null);
        }
      },
    },
  });
  const sim = simulate({
    seed,
    tree: supervise("one_for_one", limits, [group("core", [child(left), child(right)]), child(sender)]),
    behaviours: [memberOf(left), memberOf(right), sending],
  });
  await sim.start();
  for (let each = 0; each < 40; each++) {
    sim.at(sim.random() * 500, () => void sim.ref(sender).tell("send", Math.ceil(sim.random() * 10)));
    if (each % 10 === 0) sim.at(sim.random() * 500, () => sim.crash(sim.random() < 0.7 ? 2 : 4));
  }
  await sim.pass(5_000);
  const isBack = (await sim.settle(sim.ref(right).ask("put", { from: "the end", seq: 1 }))) === 1;
  await sim.pass(1_000);
  events.push("end");
  const isStopped = await sim.stop();
  for (const slot of sim.slots) {
    const { sent, handled, expired, rejected, shed, dead } = sim.counts(slot);
    if (sent !== handled + expired + rejected + shed + dead + sim.depth(slot))
      broken.push(`slot ${slot} does not add up`);
  }
  return { broken, isBack, isStopped, last: events.slice(events.indexOf("end")), events, outcomes };
}

test("A group keeps order and accounts for every message, whatever fails or crashes when", async () => {
  const total: Record<string, number> = {};
  for (let seed = 1; seed <= 60; seed++) {
    const { broken, isBack, isStopped, last, events, outcomes } = await play(seed);
    const at = `seed ${seed}`;
    expect({ at, broken, isBack, isStopped, last }).toEqual({
      at,
      broken: [],
      isBack: true,
      isStopped: true,
      last: ["end", "right down", "left down"],
    });
    const begun = events.filter((event) => event.endsWith("up"));
    begun.forEach((event, index) => {
      // The right one starts when the left one is ready, each time.
      if (event === "right up") expect([at, begun[index - 1]]).toEqual([at, "left up"]);
    });
    for (const [outcome, count] of Object.entries(outcomes)) total[outcome] = (total[outcome] ?? 0) + count;
  }
  expect(total.answered).toBeGreaterThan(1_000);
  expect(total.Died).toBeGreaterThan(10);
});

test("Of a member only its actor, args and shutdownMs are its own", () => {
  const tree = supervise("one_for_one", limits, [
    group("core", [child(left, { shutdownMs: 100, args: 1 }), child(right, { instances: 2, thread: "main" })]),
    group("left", [child(sender, { each: "key", restart: "temporary" })]),
  ]);
  expect(tree.children[0]).toMatchObject({ shutdownMs: 5_100, restart: "permanent" });
  expect(faultsOf(tree)).toEqual([
    "right shares the thread and the fate of the group core: take its own instances away",
    "right shares the thread and the fate of the group core: take its own thread away",
    "two children are named left",
    "sender shares the thread and the fate of the group left: take its own restart away",
    "sender is keyed, and keyed actors have threads of their own, not left's",
  ]);
});
