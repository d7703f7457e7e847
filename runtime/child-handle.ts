import { MessageChannel } from "node:worker_threads";
import type { LogLevel } from "./actor.ts";
import { ActorRecord } from "./actor-record.ts";
import type { Clock } from "./clock.ts";
import type { ActorData, ToMain, ToWorker } from "./control.ts";
import { asError, packError, unpackError } from "./errors.ts";
import { type FaultKind, injectedError } from "./fault.ts";
import { afterGiven, type GivenTime, type RunDelay } from "./given-time.ts";
import { behaviourOf, type Incarnation, runIncarnation } from "./incarnation.ts";
import { loadModule, type Modules } from "./modules.ts";
import type { Place } from "./places.ts";
import type { Router } from "./router.ts";
import { HEARTBEAT_MS, type SharedTable } from "./shared-table.ts";
import { SignsOfLife } from "./signs-of-life.ts";
import type { Exit } from "./supervisor.ts";
import type { Directory } from "./targets.ts";
import { type After, Thread, type WorkerEntry } from "./thread.ts";
import type { Subscriptions } from "./topics.ts";
import type { ChildSpec } from "./tree.ts";

/** What the handles of all children of a system share. */
export type SystemContext = {
  readonly sharedTable: SharedTable;
  readonly shared: SharedArrayBuffer;
  readonly router: Router;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly epochMs: number;
  readonly modules: Modules;
  /** The entry of worker threads, when it is not the runtime's own. */
  readonly worker: WorkerEntry | undefined;
  /** By slot. */
  readonly handles: ReadonlyMap<number, ChildHandle>;
  /** How long a thread has waited for a processor. */
  readonly runDelay: RunDelay;
  /** A source of given time with this waiting. */
  given(delayMs: () => number | undefined): GivenTime;
  /** Time as all threads of the system had it. */
  readonly together: GivenTime;
  subscriptions(): Subscriptions;
  subscribe(topic: string, slot: number, kind: string, lossy: boolean): void;
  unsubscribe(slot: number): void;
  log(level: LogLevel, event: string, fields?: Record<string, unknown>): void;
  /** A thread could not be ended: the process must. */
  unkillable(error: Error): void;
};

const actorDataOf = ({ actor, args, shutdownMs }: ChildSpec): Omit<ActorData, "slot"> => ({
  name: actor.name,
  module: actor.module?.href,
  args,
  shutdownMs,
});

type Run = {
  readonly generation: number;
  readonly on: { ready(): void; exited(exit: Exit): void };
  thread: Thread | undefined;
  life: Incarnation | undefined;
  /** Why it is being ended, when that is not its own doing. */
  cause: Error | undefined;
  /** Whether it was told to end. */
  isAsked: boolean;
  /** Peers with a port to this run, by slot, at their generation. */
  readonly connected: Map<number, number>;
};

/** How long a thread may take to be gone after it was ended by force. */
const VERIFY_MS = 2_000;
/** How long a thread has to give a sign of life before it is ended by force, where only one that turns can be; looked for this often. */
const TURN_MS = 5 * HEARTBEAT_MS;
const LOOK_MS = 20;
/** How long a thread may take to be gone after its goodbye, before it is ended by force. */
const LEAVE_MS = 200;
/** When the next spare is made, after its actor is ready: making a thread holds the main thread up, and there may be work waiting. */
const SPARE_MS = 100;
/** How long a hung actor has to answer the request to stop before it is ended by force. */
const HUNG_GRACE_MS = 200;

/** The main thread's side of one place of the tree: starts, stops and kills its actor, generation after generation. */
export class ChildHandle {
  readonly slot: number;
  readonly index: number;
  readonly child: ChildSpec;
  readonly #systemContext: SystemContext;
  /** Its actor, or those of its group. */
  readonly records: readonly ActorRecord[];
  /** Its own slot and those of its members. */
  readonly #slots: readonly number[];
  #run: Run | undefined;
  #spare: { thread: Thread; loaded: boolean } | undefined;
  #generation: number;
  readonly #signs: SignsOfLife;
  lastError: Error | undefined;
  /** Times it was started, for whatever reason. */
  starts = 0;
  startedMs = 0;
  closed = false;

  constructor(systemContext: SystemContext, place: Place) {
    this.#systemContext = systemContext;
    this.child = place.child;
    this.slot = place.slot;
    this.index = place.index;
    this.records = (place.members.length === 0 ? [place] : place.members).map(
      (each) => new ActorRecord(each, systemContext),
    );
    this.#slots = [place.slot, ...place.members.map(({ slot }) => slot)];
    this.#signs = new SignsOfLife(systemContext, place.slot);
    // A place may have been another child's before.
    this.#generation = systemContext.sharedTable.generation(place.slot);
  }

  get name(): string {
    return this.child.actor.name;
  }

  get generation(): number {
    return this.#generation;
  }

  get running(): boolean {
    return this.#run !== undefined;
  }

  /** Whether the actor is this one, or one of this group. */
  has(name: string, index: number): boolean {
    return [this, ...this.records].some((each) => each.name === name && each.index === index);
  }

  start(on: Run["on"]): void {
    const { sharedTable, router } = this.#systemContext;
    this.#generation = (this.#generation + 1) & 0x7ff;
    this.starts++;
    const run: Run = {
      generation: this.#generation,
      on,
      thread: undefined,
      life: undefined,
      cause: undefined,
      isAsked: false,
      connected: new Map(),
    };
    this.#run = run;
    for (const slot of this.#slots) sharedTable.begin(slot, run.generation);
    if (this.child.thread === "main") {
      void this.#startInMain(run);
      return;
    }
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && !spare.thread.exited) {
      run.thread = spare.thread;
      spare.thread.send(["go", run.generation, this.#systemContext.subscriptions(), this.#systemContext.directory]);
    } else {
      try {
        run.thread = this.#spawn(run.generation);
      } catch (thrown) {
        this.#finish(run, asError(thrown));
        return;
      }
    }
    const thread = run.thread;
    for (const { slot } of this.records)
      router.attach(slot, run.generation, (frame) => thread.post(frame, slot === this.slot ? undefined : slot));
    if (this.child.members.length > 0) router.attach(this.slot, run.generation, (frame) => thread.post(frame));
  }

  #spawn(generation: number | undefined): Thread {
    const { child, slot, index } = this;
    const systemContext = this.#systemContext;
    const thread: Thread = new Thread(
      {
        slot,
        index,
        ...actorDataOf(child),
        members:
          this.child.members.length === 0
            ? []
            : this.records.map((each) => ({ slot: each.slot, ...actorDataOf(each.child) })),
        keyed: child.keyed,
        sharedTable: systemContext.sharedTable.buffer,
        shared: systemContext.shared,
        directory: systemContext.directory,
        epochMs: systemContext.epochMs,
        generation,
        subscriptions: systemContext.subscriptions(),
      },
      {
        frame: (to, frame) => {
          const run = this.#run;
          if (run?.thread === thread) systemContext.router.receive(slot, run.generation, to, frame);
        },
        said: (message) => this.#said(thread, message),
        exited: (error) => {
          if (this.#spare?.thread === thread) this.#spare = undefined;
          const run = this.#run;
          if (run?.thread === thread)
            this.#finish(run, error ?? new Error(`Cannot go on: the thread of ${this.name} ended without a goodbye`));
        },
      },
      systemContext.worker,
    );
    return thread;
  }

  #said(thread: Thread, message: ToMain): void {
    const systemContext = this.#systemContext;
    if (message[0] === "log") {
      systemContext.log(message[1], message[2], { actor: this.name, index: this.index, ...message[3] });
      return;
    }
    if (this.#spare?.thread === thread) {
      if (message[0] === "loaded") this.#spare.loaded = true;
      return;
    }
    const run = this.#run;
    if (run?.thread !== thread) return;
    switch (message[0]) {
      case "ready":
        this.#ready(run);
        break;
      case "start-failed":
        this.#finish(run, unpackError(message[1]));
        break;
      case "bye":
        this.#finish(run, message[1] === undefined ? undefined : unpackError(message[1]));
        break;
      case "link":
        this.#connection(run, message[1], message[2]);
        break;
      case "subscribe":
        systemContext.subscribe(message[2], message[1], message[3], message[4]);
        break;
      case "loaded":
        break;
    }
  }

  async #startInMain(run: Run): Promise<void> {
    const systemContext = this.#systemContext;
    const { name, module } = this.child.actor;
    try {
      const behaviour = behaviourOf(
        await loadModule(name, module?.href, systemContext.modules, "the modules of system()"),
        name,
      );
      if (this.#run !== run) return;
      run.life = runIncarnation({
        behaviour,
        slot: this.slot,
        thread: this.slot,
        generation: run.generation,
        index: this.index,
        args: this.child.args,
        shutdownMs: this.child.shutdownMs,
        keyed: this.child.keyed,
        router: systemContext.router,
        sharedTable: systemContext.sharedTable,
        shared: systemContext.shared,
        clock: systemContext.clock,
        epochMs: systemContext.epochMs,
        log: (level, event, fields) =>
          systemContext.log(level, event, { actor: this.name, index: this.index, ...fields }),
        random: Math.random,
        subscribe: (topic, kind, lossy) => systemContext.subscribe(topic, this.slot, kind, lossy),
        ended: (failure) => this.#finish(run, failure),
      });
      await run.life.started;
      if (this.#run === run) this.#ready(run);
    } catch (thrown) {
      const { life } = run;
      this.#finish(run, asError(thrown));
      void life?.stop(1);
    }
  }

  #ready(run: Run): void {
    // Said before it heard that it is to stop: it takes no messages any more.
    if (!this.#systemContext.sharedTable.open(this.slot)) return;
    const nowMs = this.#systemContext.clock.now();
    this.startedMs = nowMs;
    this.#signs.began(nowMs);
    run.on.ready();
    if (this.child.spare) this.#systemContext.clock.later(SPARE_MS, () => this.#keepSpare());
  }

  #keepSpare(): void {
    if (this.closed || this.#systemContext.sharedTable.phase(this.slot) !== "up" || this.#spare !== undefined) return;
    this.#spare = { thread: this.#spawn(undefined), loaded: false };
  }

  /** Makes a port between this run and another, once; the first to need it asks. */
  #connection(run: Run, slot: number, generation: number): void {
    const { handles, directory } = this.#systemContext;
    const other = handles.get(directory[slot]?.thread ?? slot);
    const peer = other === undefined ? undefined : other.#run;
    if (peer?.thread === undefined || peer.generation !== generation) {
      run.thread?.send(["down", slot, generation, undefined]);
      return;
    }
    if (run.connected.get(slot) === generation) return;
    run.connected.set(slot, generation);
    const { port1, port2 } = new MessageChannel();
    peer.connected.set(this.slot, run.generation);
    peer.thread.send(["port", this.slot, run.generation, port2, slot], [port2]);
    run.thread?.send(["port", slot, generation, port1, this.slot], [port1]);
  }

  /** How long a start (since it last came further) or a stop may take, in time that the machine gave to the system's threads. */
  patience(timer: "start" | "shutdown", patienceMs: number, over: () => void): () => void {
    return afterGiven(patienceMs, over, {
      clock: this.#systemContext.clock,
      read: () => this.#systemContext.together.read(),
      ...(timer === "start" ? { progressMs: () => this.#signs.progressMs } : {}),
    });
  }

  readonly #after: After = (ms, run) => this.patience("shutdown", ms, run);

  /** Asks the actor to take what it has accepted to its end, and to stop. */
  stop(): void {
    const run = this.#run;
    if (run === undefined) return;
    run.isAsked = true;
    this.#systemContext.sharedTable.close(this.slot);
    if (run.life !== undefined) void run.life.stop(this.child.shutdownMs);
    else if (run.thread !== undefined) run.thread.send(["stop", this.child.shutdownMs]);
    else this.#finish(run, undefined);
  }

  /** Puts a fault into the running actor; false when it does not run. In the main thread there is none but a failure: others would end the process. */
  fault(how: FaultKind): boolean {
    const run = this.#run;
    if (run?.thread !== undefined) run.thread.send(["fault", how]);
    else if (run?.life !== undefined && how === "throw") void run.life.fail(injectedError());
    else return false;
    return true;
  }

  /** Ends the actor by force. */
  kill(): void {
    const run = this.#run;
    if (run === undefined) return;
    const why = run.thread?.listens === false ? "its worker's entry has not called serveActors()" : "it was killed";
    run.cause ??= new Error(`Cannot wait longer for ${this.name}: ${why}`);
    for (const slot of this.#slots)
      if (this.#systemContext.sharedTable.phase(slot) !== "stopping")
        this.#systemContext.sharedTable.close(slot, "failing");
    const { thread, life, cause } = run;
    if (thread === undefined) {
      void life?.fail(cause);
      this.#finish(run, cause);
      return;
    }
    if (Thread.endsHung) this.#end(run, thread);
    else this.#endTurning(run, thread, this.#systemContext.sharedTable.life(this.slot), this.#signs.givenTime());
  }

  /**
   * Ends a thread when it has given a new sign of life: an older one may be from before it began to block, and then it would run on unnoticed
   * beside the next life. Without a new one the process must end.
   */
  #endTurning(run: Run, thread: Thread, seen: number, given: GivenTime): void {
    if (this.#run !== run) return;
    const { sharedTable, clock } = this.#systemContext;
    if (sharedTable.life(this.slot) === seen) {
      if (given.read() < TURN_MS) {
        clock.later(LOOK_MS, () => this.#endTurning(run, thread, seen, given));
        return;
      }
      this.#systemContext.unkillable(
        new Error(`Cannot end the thread of ${this.name}: it no longer answers and this runtime cannot stop it`, {
          cause: run.cause,
        }),
      );
    }
    this.#end(run, thread);
  }

  #end(run: Run, thread: Thread): void {
    const { cause } = run;
    void thread.kill(VERIFY_MS, this.#after).then((gone) => {
      if (gone) return;
      this.#systemContext.unkillable(
        new Error(`Cannot end the thread of ${this.name}: still there ${VERIFY_MS} ms after it was ended`, { cause }),
      );
      this.#finish(run, cause);
    });
  }

  #finish(run: Run, failure: Error | undefined): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    const systemContext = this.#systemContext;
    const error = run.cause ?? failure;
    if (error !== undefined) this.lastError = error;
    const packed = error === undefined ? undefined : packError(error);
    for (const slot of this.#slots) {
      const lost = systemContext.sharedTable.end(slot);
      const to = systemContext.directory[slot]?.name ?? this.name;
      if (lost > 0) systemContext.log("warn", "dead-letter", { to, reason: "died", letters: lost });
    }
    systemContext.sharedTable.releaseHeld(this.slot);
    for (const slot of this.#slots) {
      systemContext.unsubscribe(slot);
      systemContext.router.down(slot, run.generation, error);
      for (const handle of systemContext.handles.values()) handle.send(["down", slot, run.generation, packed]);
    }
    const { thread } = run;
    if (thread !== undefined && !thread.exited) {
      void thread.leave(LEAVE_MS, VERIFY_MS, this.#after).then((gone) => {
        if (!gone)
          systemContext.unkillable(
            new Error(`Cannot end the thread of ${this.name}: still there ${VERIFY_MS} ms after its goodbye`),
          );
      });
    }
    // Not in this turn: making the next thread takes milliseconds, and those who wait for an answer hear of the end first.
    systemContext.clock.soon(() =>
      run.on.exited(
        error === undefined
          ? { why: run.isAsked ? "shutdown" : "normal" }
          : { why: "abnormal", message: error.message, cause: error },
      ),
    );
  }

  /** Says something to the running thread, if there is one. */
  send(message: ToWorker): void {
    this.#run?.thread?.send(message);
  }

  /** Looks at the shared table: adds up counts, and ends an actor that hangs. Called several times a second. */
  watch(nowMs: number): void {
    const { sharedTable } = this.#systemContext;
    for (const record of this.records) record.read(nowMs);
    const stillMs = this.#signs.look(nowMs);
    const run = this.#run;
    const phase = sharedTable.phase(this.slot);
    if (
      run?.thread === undefined ||
      run.cause !== undefined ||
      // The supervisor counts the time of a start and of a stop, but knows nothing yet of an actor that ends by itself.
      (phase !== "up" && phase !== "failing") ||
      stillMs <= sharedTable.hangTimeoutMs(this.slot)
    )
      return;
    const busy = this.records.map((each) => each.busy).find((each) => each !== undefined);
    const kind = busy?.kind ?? "(no message)";
    run.cause = new Error(`Cannot go on: ${this.name} hangs in ${kind} for ${stillMs} ms`);
    this.#systemContext.log("error", "actor-hung", { actor: this.name, index: this.index, kind, forMs: stillMs });
    for (const slot of this.#slots) sharedTable.close(slot, "failing");
    run.thread.send(["stop", HUNG_GRACE_MS]);
    this.#systemContext.clock.later(HUNG_GRACE_MS, () => {
      if (this.#run === run) this.kill();
    });
  }

  /** Ends the spare; no other is made. */
  async close(): Promise<void> {
    this.closed = true;
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.thread.kill(VERIFY_MS, this.#after);
  }
}
