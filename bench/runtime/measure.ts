/** Runs the rounds inside one runtime and prints them as one line of JSON: `bun|deno measure.ts <rounds> <quick: 0|1>`. */

import process from "node:process";
import { system } from "../../runtime/system.ts";
import { child, supervise } from "../../runtime/tree.ts";
import { inFlight, perTurn, turn } from "./load.ts";
import { startXstate } from "./peer-xstate.ts";
import { startComlink, startPiscina } from "./peers.ts";
import { echo, local, mortal, pool, relay, spared, type Task, taskOf } from "./protocol.ts";
import { introduce, startRaw } from "./raw.ts";

/** `values` by contestant, one a round; `raw` is the reference. */
export type Rounds = {
  readonly name: string;
  readonly unit: "1/s" | "ms" | "KB";
  readonly values: Record<string, number[]>;
};

type Contest = {
  readonly name: string;
  readonly unit: "1/s" | "ms";
  readonly contestants: Record<string, () => Promise<number>>;
};

const [rounds, quick] = [Number(process.argv[2]), process.argv[3] === "1"];
const scale = quick ? 0.02 : 1;
const tells = Math.ceil(30_000 * scale);
const asks = Math.ceil(10_000 * scale);
const single = Math.ceil(1_500 * scale);

const often = { intensity: 1_000, periodMs: 1 };
const app = system({
  // Deaths are part of what is measured.
  log: () => undefined,
  tree: supervise("one_for_one", often, [
    child(echo),
    child(local, { thread: "main" }),
    child(pool, { instances: 4 }),
    child(relay),
    child(mortal),
    child(spared, { spare: true }),
  ]),
});
await app.start();
const raw = [await startRaw(), await startRaw(), await startRaw(), await startRaw()] as const;
introduce(raw[0], raw[1]);
const piscina = startPiscina();
const comlink = startComlink();
const xstate = startXstate();
const here = app.ref(local);
const actors = app.ref(echo);
const pooled = app.ref(pool);

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
};
const rate = async (count: number, run: () => Promise<unknown>): Promise<number> =>
  (count * 1_000) / (await timed(run));

/** The median time of one ask at a time, in milliseconds. */
async function oneByOne(ask: (each: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let each = 0; each < single; each++) times.push(await timed(() => ask(each)));
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

const tellAt = (width: number): Contest => {
  // A peer's tell is a call that nobody waits for; all of them have to have come back.
  const called = (call: (each: number) => Promise<unknown>, count: number) => async () => {
    const calls: Promise<unknown>[] = [];
    await perTurn(count, width, (each) => void calls.push(call(each)));
    await Promise.all(calls);
  };
  const fewer = Math.ceil(tells / 3);
  const peers = {
    piscina: () =>
      rate(
        fewer,
        called((each) => piscina.echo(taskOf(each)), fewer),
      ),
    comlink: () =>
      rate(
        fewer,
        called((each) => comlink.echo(taskOf(each)), fewer),
      ),
  };
  return {
    name: `tell@${width}`,
    unit: "1/s",
    contestants: {
      raw: () =>
        rate(tells, async () => {
          await perTurn(tells, width, (each) => raw[0].tell(taskOf(each)));
          await raw[0].taken();
        }),
      actors: () =>
        rate(tells, async () => {
          await perTurn(tells, width, (each) => actors.tell("take", taskOf(each)));
          await actors.ask("taken", null);
        }),
      ...(width === 64 ? peers : {}),
    },
  };
};

/** Dies with asks in flight: the time until all have failed, and until the next good answer. */
async function death(to: typeof mortal | typeof spared): Promise<{ diedMs: number; restartMs: number }> {
  const ref = app.ref(to as typeof mortal);
  // A warm spare is to be warm again.
  const until = performance.now() + (to.name === "spared" ? 300 : 20);
  while (performance.now() < until) await new Promise((resume) => setTimeout(resume, 5));
  const held = Array.from({ length: 64 }, () => ref.ask("hold", null).catch(() => undefined));
  await ref.ask("echo", taskOf(0));
  const startMs = performance.now();
  void ref.tell("die", null);
  await Promise.all(held);
  const diedMs = performance.now() - startMs;
  for (;;) {
    const answered = await ref.ask("echo", taskOf(0)).then(
      () => true,
      () => false,
    );
    if (answered) return { diedMs, restartMs: performance.now() - startMs };
    // A cold start lasts many turns, and the new thread needs the processor too.
    if (to.name === "spared") await turn();
    else await new Promise((resume) => setTimeout(resume, 1));
  }
}

const spawnRaw = async (): Promise<number> => {
  const startMs = performance.now();
  const worker = await startRaw();
  const spawnMs = performance.now() - startMs;
  await worker.terminate();
  return spawnMs;
};

let lastDeath = { diedMs: Number.NaN, restartMs: Number.NaN };
const contests: Contest[] = [
  ...[1, 8, 64, 1000].map(tellAt),
  {
    name: "ask@1",
    unit: "ms",
    contestants: {
      raw: () => oneByOne((each) => raw[0].echo(taskOf(each))),
      actors: () => oneByOne((each) => actors.ask("echo", taskOf(each))),
    },
  },
  {
    name: "ask@64",
    unit: "1/s",
    contestants: {
      raw: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => raw[0].echo(taskOf(each)))),
      actors: () =>
        rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => actors.ask("echo", taskOf(each)))),
      piscina: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => piscina.echo(taskOf(each)))),
      comlink: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => comlink.echo(taskOf(each)))),
    },
  },
  {
    // Without a thread between: what an actor adds to a function call.
    name: "local-tell@64",
    unit: "1/s",
    contestants: {
      raw: () =>
        rate(tells, async () => {
          let taken = 0;
          const take = (_task: Task): undefined => void taken++;
          await perTurn(tells, 64, (each) => take(taskOf(each)));
          if (taken !== tells) throw new Error(`Cannot measure: ${taken} of ${tells} were taken`);
        }),
      actors: () =>
        rate(tells, async () => {
          await perTurn(tells, 64, (each) => here.tell("take", taskOf(each)));
          await here.ask("taken", null);
        }),
      xstate: () =>
        rate(tells, async () => {
          const before = xstate.taken();
          await perTurn(tells, 64, (each) => void xstate.take(taskOf(each)));
          if (xstate.taken() - before !== tells) throw new Error("Cannot measure: not all were taken");
        }),
    },
  },
  {
    name: "local-ask@64",
    unit: "1/s",
    contestants: {
      raw: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, async (each) => taskOf(each))),
      actors: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => here.ask("echo", taskOf(each)))),
      xstate: () => rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => xstate.echo(taskOf(each)))),
    },
  },
  {
    name: "fanout@64",
    unit: "1/s",
    contestants: {
      raw: () =>
        rate(asks, () =>
          inFlight({ count: asks, inFlight: 64 }, (each) => (raw[each % 4] as (typeof raw)[0]).echo(taskOf(each))),
        ),
      actors: () =>
        rate(asks, () => inFlight({ count: asks, inFlight: 64 }, (each) => pooled.ask("echo", taskOf(each)))),
    },
  },
  {
    name: "mesh@64",
    unit: "1/s",
    contestants: {
      raw: () => rate(asks, () => raw[0].run({ count: asks, inFlight: 64 })),
      actors: () => rate(asks, () => app.ref(relay).ask("run", { count: asks, inFlight: 64 }, { timeoutMs: 60_000 })),
    },
  },
  {
    name: "spawn",
    unit: "ms",
    contestants: {
      raw: spawnRaw,
      actors: async () => {
        const one = system({ tree: supervise("one_for_one", often, [child(pool)]) });
        const spawnMs = await timed(() => one.start());
        await one.stop();
        return spawnMs;
      },
    },
  },
  {
    name: "restart",
    unit: "ms",
    contestants: {
      raw: spawnRaw,
      actors: async () => {
        lastDeath = await death(mortal);
        return lastDeath.restartMs;
      },
    },
  },
  {
    name: "died",
    unit: "ms",
    contestants: {
      raw: async () => {
        const worker = await startRaw();
        return timed(() => {
          worker.die();
          return worker.exited;
        });
      },
      actors: async () => lastDeath.diedMs,
    },
  },
  {
    name: "restart-warm",
    unit: "ms",
    contestants: { raw: spawnRaw, actors: async () => (await death(spared)).restartMs },
  },
];

const results: Rounds[] = contests.map(({ name, unit, contestants }) => ({
  name,
  unit,
  values: Object.fromEntries(Object.keys(contestants).map((each) => [each, []])),
}));
// The first round warms up and is not counted, except when a single quick one is all there is.
for (let round = quick ? 1 : 0; round <= rounds; round++) {
  for (const [place, { contestants }] of contests.entries()) {
    const order = Object.entries(contestants);
    for (const [contestant, measure] of round % 2 === 0 ? order : order.toReversed()) {
      const value = await measure();
      if (round > 0) results[place]?.values[contestant]?.push(value);
    }
  }
}

process.stdout.write(`${JSON.stringify(results)}\n`);
await Promise.all([
  app.stop({ timeoutMs: 2_000 }),
  piscina.stop(),
  comlink.stop(),
  ...raw.map((worker) => worker.terminate()),
]);
process.exit(0);
