/**
 * A whole tree of actors in one thread, in virtual time, to test actors with: the same cells, incarnations, connections, mailbox gates and supervisors as in
 * production, with the threads and the clock replaced. `self.now`, `sleep`, `every`, `after` and `random` are virtual too, so an actor that uses them (and no
 * `Date`, `setTimeout` or `Math.random` of its own) lives through a day in milliseconds. What happens next is picked by seed: a seed is a schedule and replays.
 *
 *     const sim = simulate({ seed: 1, tree, behaviours: [counter] });
 *     await sim.start();
 *     await sim.settle(sim.ref(counter.actor).ask("add", { by: 1 }));
 *     await sim.pass(86_400_000);
 *     await sim.stop();
 *
 * Every thread has a router of its own. Frames between two threads keep their order; their delay, and the order of everything else, is the seed's.
 */

import type { Actor, Behaviour, LogLevel, Protocol, Ref } from "./actor.ts";
import { type Children, childrenAtRunTime } from "./children.ts";
import type { Clock } from "./clock.ts";
import { asError } from "./errors.ts";
import type { Posted } from "./frame.ts";
import { groupHost, type MemberEvents, runGroup } from "./group.ts";
import { type Incarnation, runIncarnation } from "./incarnation.ts";
import { FREE, type Place, Places, runnerChildOf } from "./places.ts";
import { Router } from "./router.ts";
import { type CountName, SharedTable } from "./shared-table.ts";
import type { Exit } from "./supervisor.ts";
import { SupervisorRunner } from "./supervisor-runner.ts";
import type { DirectoryEntry } from "./targets.ts";
import type { Subscriber } from "./topics.ts";
import type { SupervisorSpec } from "./tree.ts";

/** What tells a behaviour apart, whatever its protocol, state and data. */
// biome-ignore lint/suspicious/noExplicitAny: behaviours of any protocol, state and data
type AnyBehaviour = Pick<Behaviour<any, any, any>, "actor" | "start">;

export type SimulationOptions = {
  readonly seed: number;
  readonly tree: SupervisorSpec;
  /** How each actor of the tree behaves. */
  readonly behaviours: readonly AnyBehaviour[];
  /** A frame takes up to so long; 5 ms unless told. */
  readonly delayMsMax?: number;
  /** How likely a frame of messages never arrives, 0 to 1; a process loses none unless told. */
  readonly loss?: number;
  /** As of the system; none unless told. */
  readonly sharedBytes?: number;
};

type SimulatedThread = {
  readonly slot: number;
  /** Its own slot and those of its group's members. */
  readonly slots: readonly number[];
  readonly generation: number;
  readonly router: Router;
  alive: boolean;
  life: Incarnation | undefined;
  /** Told to whoever supervises it, once. */
  over: ((exit: Exit) => void) | undefined;
};

const EPOCH_MS = Date.UTC(2026, 0, 1);
/** The gate keeps 11 bits of a generation. */
const GENERATIONS = 0x7ff;

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type LoggedLine = {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Record<string, unknown> | undefined;
};

/** A system in virtual time, which passes only in `run`, `settle`, `pass`, `start` and `stop`. */
export type Simulation = Children & {
  ref<P extends Protocol>(actor: Actor<P>): Ref<P>;
  /** Resolves to whether the start is over, one way or the other; `phase` and `failed` say which. */
  start(): Promise<boolean>;
  /** Resolves to whether the stop is over. */
  stop(): Promise<boolean>;
  /** Runs until the promise has settled, and gives its outcome; rejects when that takes longer, in virtual time (60 s unless told). */
  settle<T>(promise: Promise<T>, timeoutMs?: number): Promise<T>;
  /** Runs what is due in so much virtual time. */
  pass(ms: number): Promise<void>;
  /** Runs what is due until the condition holds or the time is over; says whether it held. */
  run(until: () => boolean, timeoutMs: number): Promise<boolean>;
  /** Runs something at a time; what is due together runs in the seed's order. The returned function cancels it. */
  at(atMs: number, run: () => void): () => void;
  /** Resolves when so much virtual time has passed; never when the thread of that slot has died meanwhile, as nothing of it goes on. */
  pause(slot: number, ms: number): Promise<void>;
  /** Virtual time since the beginning. */
  nowMs(): number;
  /** Numbers in [0, 1) of this seed. */
  random(): number;
  readonly logged: readonly LoggedLine[];
  phase(): "new" | "ready" | "ended";
  /** Whether the root supervisor gave up. */
  failed(): boolean;
  /** The thread of an actor dies in this moment, without a word. */
  crash(slot: number): void;
  /** The slots of the tree, from 1. */
  readonly slots: readonly number[];
  name(slot: number): string;
  counts(slot: number): Record<CountName, number>;
  depth(slot: number): number;
  generation(slot: number): number;
};

export function simulate(options: SimulationOptions): Simulation {
  const random = randomOf(options.seed);
  const { delayMsMax = 5, loss = 0 } = options;
  const agenda: { atMs: number; order: number; run: () => void }[] = [];
  let nowMs = 0;

  /** Runs something at a time; what is due together runs in the seed's order. */
  const at = (atMs: number, run: () => void): (() => void) => {
    const entry = { atMs, order: random(), run };
    agenda.push(entry);
    return () => {
      const index = agenda.indexOf(entry);
      if (index !== -1) agenda.splice(index, 1);
    };
  };
  const clockOf = (alive: () => boolean): Clock => ({
    now: () => EPOCH_MS + nowMs,
    monotonicMs: () => nowMs,
    soon: (run) => void at(nowMs, () => alive() && run()),
    later: (delayMs, run) => at(nowMs + Math.max(1, Math.ceil(delayMs)), () => alive() && run()),
  });

  const shared = new SharedArrayBuffer(options.sharedBytes ?? 0);
  const places = new Places(options.tree);
  const { directory } = places;
  const behaviours = new Map(
    options.behaviours.map((behaviour) => [
      behaviour.actor.name as string,
      behaviour as unknown as Behaviour<Protocol, unknown, unknown>,
    ]),
  );
  const sharedTable = SharedTable.create(directory.length);
  const generations = directory.map(() => 0);
  const threads = new Map<number, SimulatedThread>();
  const arrivals = new Map<string, number>();
  const subscriptions = new Map<string, Subscriber[]>();
  const logged: LoggedLine[] = [];
  const log = (level: LogLevel, event: string, fields?: Record<string, unknown>) =>
    void logged.push({ level, event, fields });

  /** Delivers between two threads in order, each after a delay of its own. */
  const carry = (from: number, to: number, run: () => void): void => {
    const lane = `${from}>${to}`;
    const atMs = Math.max(arrivals.get(lane) ?? 0, nowMs + random() * delayMsMax);
    // Equal times would run in any order: a lane never has them.
    arrivals.set(lane, atMs + 1e-6);
    at(atMs, run);
  };
  const threadAt = (slot: number): SimulatedThread | undefined => threads.get(directory[slot]?.thread ?? slot);
  const routerOf = (slot: number): Router | undefined => (slot === 0 ? main : threadAt(slot)?.router);
  const generationOf = (slot: number): number => (slot === 0 ? 0 : (threadAt(slot)?.generation ?? -1));
  const poster = (from: number, to: number, generation: number) => {
    const sender = threadAt(from);
    return (frame: Posted): void => {
      if (sender !== undefined && !sender.alive) return;
      if (random() < loss) return;
      carry(from, to, () => {
        if (generationOf(to) === generation && (to === 0 || threadAt(to)?.alive === true))
          routerOf(to)?.receive(from, sender?.generation ?? 0, to, frame);
      });
    };
  };

  /** Makes the way between two threads, at each end when its notice arrives; or says that one is gone. */
  const connect = (from: number, to: number, generation: number): void => {
    const asker = threads.get(from);
    carry(from, 0, () => {
      if (asker === undefined || threads.get(from) !== asker) return;
      if (generationOf(to) !== generation || threadAt(to)?.alive !== true) {
        carry(0, from, () => asker.router.down(to, generation));
        return;
      }
      const target = threadAt(to) as SimulatedThread;
      carry(
        0,
        to,
        () => target.alive && target.router.attach(from, asker.generation, poster(to, from, asker.generation)),
      );
      carry(0, from, () => asker.alive && asker.router.attach(to, generation, poster(from, to, generation)));
    });
  };

  const main: Router = new Router({
    slot: 0,
    directory,
    sharedTable,
    clock: clockOf(() => true),
    connect: (slot, generation) => main.attach(slot, generation, poster(0, slot, generation)),
    log,
  });
  sharedTable.begin(0, 0);
  sharedTable.describe(0, { limit: 1024, bytesMax: 0, full: "wait" }, 3_000);

  const spread = (): void => {
    const table = Object.fromEntries(subscriptions);
    main.subscriptions = table;
    for (const thread of threads.values()) carry(0, thread.slot, () => void (thread.router.subscriptions = table));
  };

  const subscribe = (topic: string, subscriber: Subscriber): void => {
    const others = (subscriptions.get(topic) ?? []).filter(({ slot }) => slot !== subscriber.slot);
    subscriptions.set(topic, [...others, subscriber]);
    spread();
  };

  const startThread = (slot: number, ready: () => void, over: (exit: Exit) => void): void => {
    const place = places.at(slot) as Place;
    const slots = [slot, ...place.members.map((member) => member.slot)];
    const generation = ((generations[slot] as number) + 1) & GENERATIONS;
    generations[slot] = generation;
    for (const each of slots) sharedTable.begin(each, generation);
    const clock = clockOf(() => thread.alive);
    const thread: SimulatedThread = {
      slot,
      slots,
      generation,
      alive: true,
      life: undefined,
      over,
      router: new Router({ slot, directory, sharedTable, clock, connect: (to, of) => connect(slot, to, of), log }),
    };
    threads.set(slot, thread);
    carry(0, slot, () => {
      if (!thread.alive) return;
      thread.router.attach(0, 0, poster(slot, 0, 0));
      thread.router.subscriptions = Object.fromEntries(subscriptions);
      const ended = (failure: Error | undefined): void =>
        exit(thread, failure === undefined ? { why: "shutdown" } : { why: "abnormal", message: failure.message });
      const run = ({ child, slot: at, index }: Place, on: Pick<MemberEvents, "ended"> & Partial<MemberEvents>) =>
        runIncarnation({
          behaviour: behaviours.get(child.actor.name) as Behaviour<Protocol, unknown, unknown>,
          slot: at,
          thread: slot,
          generation,
          index,
          args: child.args,
          shutdownMs: child.shutdownMs,
          keyed: child.keyed,
          router: thread.router,
          sharedTable,
          shared,
          clock,
          epochMs: EPOCH_MS,
          log,
          random,
          subscribe: (topic, kind, lossy) => carry(slot, 0, () => subscribe(topic, { slot: at, kind, lossy })),
          ...on,
        });
      const members = place.members.map((each) => ({
        slot: each.slot,
        shutdownMs: each.child.shutdownMs,
        run: (on: MemberEvents) => run(each, on),
      }));
      const life =
        members.length === 0
          ? run(place, { ended })
          : runGroup(members, groupHost({ thread: slot, members, sharedTable, clock, ended }));
      thread.life = life;
      life.started.then(
        () => {
          if (!thread.alive) return;
          carry(slot, 0, () => {
            if (!thread.alive || thread.over === undefined) return;
            if (sharedTable.open(slot)) ready();
          });
        },
        (thrown: unknown) => exit(thread, { why: "abnormal", message: asError(thrown).message }),
      );
    });
  };

  /** The thread ends now; the main thread hears of it after all that the thread has posted to it, and tells the others. */
  const exit = (thread: SimulatedThread, exit: Exit): void => {
    if (!thread.alive) return;
    thread.alive = false;
    carry(thread.slot, 0, () => {
      threads.delete(thread.slot);
      for (const slot of thread.slots) sharedTable.end(slot);
      sharedTable.releaseHeld(thread.slot);
      for (const [topic, subscribers] of subscriptions)
        subscriptions.set(
          topic,
          subscribers.filter(({ slot }) => !thread.slots.includes(slot)),
        );
      for (const slot of thread.slots) {
        main.down(slot, thread.generation);
        for (const other of threads.values())
          carry(0, other.slot, () => other.alive && other.router.down(slot, thread.generation));
      }
      spread();
      thread.over?.(exit);
    });
  };

  const announcePlace = (slot: number, entry: DirectoryEntry): void => {
    main.place(slot, entry);
    for (const thread of threads.values()) carry(0, thread.slot, () => thread.router.place(slot, entry));
  };
  let phase: "new" | "ready" | "ended" = "new";
  let failed = false;
  const clock = clockOf(() => true);
  const root = new SupervisorRunner<number>(
    options.tree,
    {
      clock,
      random,
      handlesOf: (name) => places.of(name).map((place) => runnerChildOf(place, place.slot)),
      start: (slot, { ready, exited }) => startThread(slot, ready, exited),
      stop: (slot) => {
        const thread = threads.get(slot);
        if (thread === undefined) return;
        sharedTable.close(slot);
        carry(0, slot, () => {
          if (thread.life === undefined) exit(thread, { why: "shutdown" });
          else if (thread.alive) void thread.life.stop(places.at(slot)?.child.shutdownMs ?? 0);
        });
      },
      kill: (slot) => {
        const thread = threads.get(slot);
        if (thread !== undefined) exit(thread, { why: "abnormal", message: "killed" });
      },
      patience: (_slot, _timer, patienceMs, over) => clock.later(patienceMs, over),
      release: (supervisor, slot) => {
        places.remove(supervisor, slot);
        announcePlace(slot, FREE);
      },
      report: (_supervisor, { id, what, exit: how, restartInMs }) =>
        log(how.why === "abnormal" ? "error" : "info", what.replaceAll("_", "-"), { id, ...how, restartInMs }),
    },
    {
      ready: () => {
        phase = "ready";
      },
      exited: (_exit, because) => {
        phase = "ended";
        failed = because;
      },
    },
  );
  const children = childrenAtRunTime<number>({
    places,
    root: () => root,
    take: ({ slot }) => {
      announcePlace(slot, directory[slot] as DirectoryEntry);
      return slot;
    },
  });

  const run = async (until: () => boolean, timeoutMs: number): Promise<boolean> => {
    const endMs = nowMs + timeoutMs;
    for (;;) {
      // All that one event sets off within its own turn ends before the next event.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (until()) return true;
      let next = -1;
      agenda.forEach((entry, index) => {
        const best = agenda[next];
        if (best === undefined || entry.atMs < best.atMs || (entry.atMs === best.atMs && entry.order < best.order))
          next = index;
      });
      const entry = agenda[next];
      if (entry === undefined || entry.atMs > endMs) {
        nowMs = endMs;
        return until();
      }
      agenda.splice(next, 1);
      nowMs = Math.max(nowMs, entry.atMs);
      entry.run();
    }
  };

  const settle = async <T>(promise: Promise<T>, timeoutMs = 60_000): Promise<T> => {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    if (!(await run(() => isSettled, timeoutMs)))
      throw new Error(`Cannot wait longer: not settled in ${timeoutMs} ms of virtual time (seed ${options.seed})`);
    return promise;
  };

  return {
    ...children,
    settle,
    pass: async (ms: number): Promise<void> => void (await run(() => false, ms)),
    random,
    logged,
    run,
    nowMs: () => nowMs,
    pause: (slot: number, ms: number) => {
      const thread = threadAt(slot);
      return new Promise<void>((resolve) => void at(nowMs + ms, () => thread?.alive !== false && resolve()));
    },
    at,
    ref: <P extends Protocol>(actor: Actor<P>): Ref<P> => main.ref(actor),
    start: () => {
      root.send({ kind: "start" });
      return run(() => phase !== "new", 600_000);
    },
    stop: () => {
      root.send({ kind: "stop" });
      return run(() => phase === "ended", 600_000);
    },
    phase: () => phase,
    failed: () => failed,
    crash: (slot: number): void => {
      const thread = threadAt(slot);
      if (thread !== undefined) exit(thread, { why: "abnormal", message: "crashed" });
    },
    slots: directory.map((_, slot) => slot).slice(1),
    name: (slot: number): string => directory[slot]?.name ?? "",
    counts: (slot: number): Record<CountName, number> => sharedTable.counts(slot),
    depth: (slot: number): number => sharedTable.depth(slot),
    generation: (slot: number): number => generations[slot] ?? 0,
  };
}
