import process from "node:process";
import type { Actor, Protocol, Ref, Topic } from "./actor.ts";
import { ChildHandle, type SystemContext } from "./child-handle.ts";
import { type Children, childrenAtRunTime } from "./children.ts";
import { wallClock } from "./clock.ts";
import { refuseInActorThread } from "./control.ts";
import { errorFields, stackOf } from "./errors.ts";
import type { FaultKind } from "./fault.ts";
import { GivenTime, longestDelay, processCpuMs, runDelayMs, threadNumber, threadNumbers } from "./given-time.ts";
import { forgetSystem, noteSystem } from "./hot-reload.ts";
import { prometheusText, type TreeView, viewOf } from "./inspect.ts";
import { type Log, safely } from "./log.ts";
import { mainInbox } from "./main-inbox.ts";
import { type Modules, moduleFaultsOf } from "./modules.ts";
import { FREE, Places, runnerChildOf } from "./places.ts";
import { Router } from "./router.ts";
import { settlesWithin } from "./settles.ts";
import { type Phase, SharedTable } from "./shared-table.ts";
import { WATCH_MS } from "./signs-of-life.ts";
import type { Exit } from "./supervisor.ts";
import { type Driver, SupervisorRunner } from "./supervisor-runner.ts";
import type { DirectoryEntry } from "./targets.ts";
import type { WorkerEntry } from "./thread.ts";
import type { Subscriber } from "./topics.ts";
import { actorsOf, childrenOf, faultsOf, isSupervisor, type SupervisorSpec } from "./tree.ts";

export type { Log } from "./log.ts";

export type SystemOptions = {
  readonly tree: SupervisorSpec;
  /** Everything worth a line; without it warnings and errors go to stderr, as lines of JSON. A line for which it throws is lost, and nothing else. */
  readonly log?: Log;
  /**
   * Makes the process the system's own: SIGTERM and SIGINT stop it in order and exit 0 (a second one exits at once), and the root supervisor's
   * failure exits 1. Off unless told.
   */
  readonly signals?: boolean;
  /** Length of the memory that all actors share (`self.shared`), in bytes; none unless told. */
  readonly sharedBytes?: number;
  /** The budget of a stop by signal, in milliseconds; 10,000 unless told. */
  readonly stopMs?: number;
  /** How the modules of actors are loaded that live in the main thread, by name; one that is not here is loaded by its address. */
  readonly modules?: Modules;
  /**
   * The entry of the worker threads, whose part it is to call `serveActors`: so the modules of actors can be bundled and compiled. Unless told it is one
   * of the runtime's own, which loads each module by its address.
   */
  readonly worker?: WorkerEntry;
};

export type System = Children & {
  /** Starts the tree from left to right; rejects (everything rolled back) when a child cannot start. */
  start(): Promise<void>;
  /**
   * Stops from right to left, each with its own `shutdownMs`, all within the budget (in milliseconds; 10,000 unless told); what is left then is
   * ended by force. Rejects with a RangeError when the budget is no number from 0.
   */
  stop(options?: { timeoutMs?: number }): Promise<void>;
  ref<P extends Protocol>(actor: Actor<P>): Ref<P>;
  publish<Body>(topic: Topic<Body>, body: NoInfer<Body>): undefined | Promise<void>;
  /** Called with every message of the topic, in the main thread; what it throws is logged. */
  subscribe<Body>(topic: Topic<Body>, take: (body: Body) => void): void;
  /** The tree as it is, from shared memory: also while an actor hangs. */
  inspect(): TreeView;
  /** The same as Prometheus' text. */
  metrics(): string;
  /**
   * Puts a fault into a running actor (of a pool, into the member of this index; 0 unless told), to test what others make of it: an uncaught error, the end
   * of its thread, a hang. False when it does not run.
   */
  injectFault<P extends Protocol>(actor: Pick<Actor<P>, "name">, how: FaultKind, index?: number): boolean;
  /** The memory that all actors share, as they see it in `self.shared`. */
  readonly shared: SharedArrayBuffer;
  /**
   * Resolves, to the reason, when the root supervisor has given up or a thread could not be ended. While nobody has taken it, such a failure after the start
   * ends the process with 1.
   */
  readonly failed: Promise<Error>;
  /** `await using app = system(…)`: stops at the end of the block, whether it was started or not. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Phases whose length is counted in the time that all threads had. */
const changing: ReadonlySet<Phase> = new Set(["starting", "stopping", "failing"]);
const STOP_MS = 10_000;
/** Room for what is published to the main thread. */
const MAIN_MAILBOX = { limit: 65_536, bytesMax: 0, full: "wait" } as const;

/** A system of actors from its tree. Throws one error that names all that is wrong with the tree. */
export function system(options: SystemOptions): System {
  const { stopMs = STOP_MS, modules = {} } = options;
  refuseInActorThread();
  const faults = faultsOf(options.tree);
  if (!(stopMs >= 0)) faults.push(`stopMs must be 0 ms or more, not ${stopMs}`);
  const actors = isSupervisor(options.tree) ? actorsOf(childrenOf(options.tree)) : [];
  faults.push(...moduleFaultsOf(actors, { modules, hasWorker: options.worker !== undefined }));
  if (faults.length > 0) throw new TypeError(`Cannot make a system of this tree: ${faults.join("; ")}`);

  const log = safely(options.log);
  const clock = wallClock;
  const epochMs = clock.now();
  const places = new Places(options.tree);
  const { directory } = places;
  const sharedTable = SharedTable.create(directory.length);
  const shared = new SharedArrayBuffer(options.sharedBytes ?? 0);
  const topics = new Map<string, Subscriber[]>();
  const subscriptions = () => Object.fromEntries(topics);
  const handles = new Map<number, ChildHandle>();
  let fail: (reason: Error) => void = () => undefined;
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  let isObserved = false;
  let fatal: Error | undefined;

  const router = new Router({ slot: 0, directory, sharedTable, clock, connect: () => undefined, log });
  const announce = () => {
    router.subscriptions = subscriptions();
    for (const handle of handles.values()) handle.send(["subscriptions", subscriptions()]);
  };
  const announcePlace = (slot: number, entry: DirectoryEntry) => {
    router.place(slot, entry);
    for (const handle of handles.values()) handle.send(["place", slot, entry]);
  };
  const tellsDelay = runDelayMs(threadNumber()) !== undefined;
  const given = (delayMs: () => number | undefined) =>
    new GivenTime({ now: () => performance.now(), delayMs, tellsDelay, cpuMs: processCpuMs });
  const systemContext: SystemContext = {
    runDelay: runDelayMs,
    given,
    together: given(longestDelay(threadNumbers, runDelayMs)),
    sharedTable,
    shared,
    router,
    directory,
    clock,
    epochMs,
    modules,
    worker: options.worker,
    handles,
    subscriptions,
    log,
    subscribe: (topic, slot, kind, lossy) => {
      const known = topics.get(topic) ?? [];
      if (known.some((each) => each.slot === slot && each.kind === kind)) return;
      topics.set(topic, [...known, { slot, kind, lossy }]);
      announce();
    },
    unsubscribe: (slot) => {
      if (![...topics.values()].some((known) => known.some((each) => each.slot === slot))) return;
      for (const [topic, known] of topics)
        topics.set(
          topic,
          known.filter((each) => each.slot !== slot),
        );
      announce();
    },
    unkillable: (error) => {
      if (fatal !== undefined) return;
      fatal = error;
      log("error", "thread-not-ended", errorFields(error));
      root.send({ kind: "stop" });
    },
  };
  for (const place of places.all()) handles.set(place.slot, new ChildHandle(systemContext, place));

  const driver: Driver<ChildHandle> = {
    clock,
    random: Math.random,
    handlesOf: (name) => places.of(name).map((place) => runnerChildOf(place, handles.get(place.slot) as ChildHandle)),
    start: (handle, on) => handle.start(on),
    stop: (handle) => handle.stop(),
    kill: (handle) => handle.kill(),
    release: (supervisor, handle) => {
      handles.delete(handle.slot);
      void handle.close();
      places.remove(supervisor, handle.slot);
      announcePlace(handle.slot, FREE);
    },
    patience: (handle, timer, patienceMs, over) => handle.patience(timer, patienceMs, over),
    report: (supervisor, { id, what, exit, restartInMs }) =>
      log(exit.why === "abnormal" ? "error" : "info", what.replaceAll("_", "-"), {
        supervisor,
        actor: id,
        why: exit.why,
        reason: exit.message,
        ...(exit.cause === undefined ? {} : { stack: stackOf(exit.cause) }),
        restartInMs,
      }),
  };

  let phase: "new" | "starting" | "running" | "stopping" | "stopped" = "new";
  let started: () => void = () => undefined;
  let refused: (reason: Error) => void = () => undefined;
  let ended: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const root = new SupervisorRunner<ChildHandle>(options.tree, driver, {
    ready: () => {
      phase = "running";
      started();
    },
    exited: (exit, gaveUp) => void close(exit, gaveUp),
  });

  const children = childrenAtRunTime<ChildHandle>({
    places,
    root: () => root,
    take: (place) => {
      const { slot } = place;
      const handle = new ChildHandle(systemContext, place);
      handles.set(slot, handle);
      announcePlace(slot, directory[slot] as DirectoryEntry);
      return handle;
    },
  });

  const inbox = mainInbox(router, clock, log);

  let watching: ReturnType<typeof setInterval> | undefined;
  const watch = () => {
    const nowMs = clock.now();
    if ([...handles.keys()].some((slot) => changing.has(sharedTable.phase(slot)))) systemContext.together.read();
    for (const handle of handles.values()) handle.watch(nowMs);
  };
  const onSignal = (signal: string) => {
    if (phase === "stopping" || phase === "stopped") {
      log("warn", "stop-forced", { signal });
      process.exit(1);
    }
    log("info", "stop-asked", { signal });
    void stop({ timeoutMs: stopMs }).then(() => process.exit(fatal === undefined ? 0 : 1));
  };
  const onTerm = () => onSignal("SIGTERM");
  const onInt = () => onSignal("SIGINT");

  async function close({ message, cause }: Exit, gaveUp: boolean): Promise<void> {
    const before = phase;
    phase = "stopped";
    sharedTable.setPhase(0, "down");
    clearInterval(watching);
    watch();
    router.close();
    await Promise.all([...handles.values()].map((handle) => handle.close()));
    if (options.signals === true) {
      process.off("SIGTERM", onTerm);
      process.off("SIGINT", onInt);
    }
    forgetSystem(stop);
    ended();
    if (!gaveUp && fatal === undefined) {
      refused(new Error("Cannot start the system: it was stopped"));
      return;
    }
    const error =
      fatal ??
      new Error(`Cannot go on: the supervisor ${options.tree.name} gave up: ${message ?? "its children ended"}`, {
        ...(cause === undefined ? {} : { cause }),
      });
    log("error", "system-failed", errorFields(error));
    refused(error);
    fail(error);
    // A failed start rejects, and whoever holds `failed` knows; else nobody would notice a process in which nothing runs.
    if (options.signals === true || (before !== "starting" && !isObserved)) process.exit(1);
  }

  async function stop({ timeoutMs = STOP_MS }: { timeoutMs?: number } = {}): Promise<void> {
    if (!(timeoutMs >= 0)) throw new RangeError(`Cannot stop within ${timeoutMs} ms`);
    if (phase === "new") {
      phase = "stopped";
      forgetSystem(stop);
      ended();
      return;
    }
    if (phase !== "stopping" && phase !== "stopped") {
      phase = "stopping";
      root.send({ kind: "stop" });
    }
    if (await settlesWithin(over, timeoutMs, clock)) return;
    log("warn", "stop-late", { timeoutMs });
    root.send({ kind: "kill" });
    await over;
  }

  return {
    start: async () => {
      const refuseUnlessNew = () => {
        if (phase !== "new")
          throw new Error(`Cannot start the system: it is ${phase}; one starts once, so make another with system()`);
      };
      refuseUnlessNew();
      const earlierDown = noteSystem(stop);
      if (earlierDown !== undefined) {
        await earlierDown;
        refuseUnlessNew();
      }
      phase = "starting";
      sharedTable.begin(0, 0);
      sharedTable.describe(0, MAIN_MAILBOX, 0);
      router.host(0, 0, inbox.cell);
      sharedTable.open(0);
      await inbox.cell.start(undefined as never);
      watching = setInterval(watch, WATCH_MS);
      if (options.signals === true) {
        process.on("SIGTERM", onTerm);
        process.on("SIGINT", onInt);
      }
      const ready = new Promise<void>((resolve, reject) => {
        started = resolve;
        refused = reject;
      });
      root.send({ kind: "start" });
      await ready;
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
    ...children,
    ref: (actor) => router.ref(actor),
    publish: (topic, body) => router.publish(topic, body),
    subscribe: <Body>(topic: Topic<Body>, take: (body: Body) => void) => {
      inbox.subscribe(topic, take);
      systemContext.subscribe(topic.name, 0, topic.name, false);
    },
    inspect: () => {
      watch();
      return viewOf(root, sharedTable);
    },
    metrics: () => {
      watch();
      return prometheusText(viewOf(root, sharedTable));
    },
    injectFault: ({ name }, how, index = 0) =>
      [...handles.values()].find((handle) => handle.has(name, index))?.fault(how) ?? false,
    shared,
    get failed() {
      isObserved = true;
      return failed;
    },
  };
}
