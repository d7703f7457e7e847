import process from "node:process";
import { isMainThread, type MessagePort, parentPort } from "node:worker_threads";
import type { LogLevel, Self } from "./actor.ts";
import { wallClock } from "./clock.ts";
import { type ActorData, birthData, type ToMain, type ToWorker, type WorkerData } from "./control.ts";
import { asError, errorFields, packError, unpackError } from "./errors.ts";
import { injectFault } from "./fault.ts";
import { addressed, type Posted, postFrame } from "./frame.ts";
import { threadNumber } from "./given-time.ts";
import { groupHost, type MemberEvents, runGroup } from "./group.ts";
import { behaviourOf, type Incarnation, runIncarnation } from "./incarnation.ts";
import { loadModule, type Modules } from "./modules.ts";
import { rehearse } from "./rehearsal.ts";
import { Router } from "./router.ts";
import { HEARTBEAT_MS, SharedTable } from "./shared-table.ts";

export type { Modules } from "./modules.ts";

/**
 * Makes this worker thread one that runs an actor of a system: the only thing that the entry of a system's workers has to do. The registry says how
 * the modules of actors are loaded; an actor that is not in it is loaded by its address.
 */
export function serveActors(modules: Modules = {}): void {
  if (isMainThread || parentPort === null)
    throw new Error(
      "Cannot serve actors in the main thread: call serveActors() in the entry of the worker threads, or only if isMainThread of node:worker_threads is false",
    );
  const given = birthData();
  if (given === undefined)
    throw new Error(
      "Cannot serve actors: this thread was started by something else than a system; name its entry in system({ worker }) in place of starting it",
    );
  new ActorThread(parentPort, given, modules).listen();
}

/** A worker thread: loads one actor's module, runs its incarnation, says goodbye. */
class ActorThread {
  readonly #main: MessagePort;
  readonly #given: WorkerData;
  readonly #sharedTable: SharedTable;
  readonly #router: Router;
  readonly #threadOfSystem = threadNumber();
  /** Its actor, or those of its group. */
  readonly #actors: readonly ActorData[];
  readonly #loading: Promise<readonly ReturnType<typeof behaviourOf>[]>;
  #incarnation: Incarnation | undefined;
  #isOver = false;

  constructor(main: MessagePort, given: WorkerData, modules: Modules) {
    this.#main = main;
    this.#given = given;
    this.#sharedTable = SharedTable.attach(given.sharedTable, given.directory.length);
    const router = new Router({
      slot: given.slot,
      directory: given.directory,
      sharedTable: this.#sharedTable,
      clock: wallClock,
      connect: (slot, generation) => {
        if (slot === 0) router.attach(0, generation, (frame) => postFrame(main, frame));
        else if (router.isMain(slot)) router.attach(slot, generation, (frame) => postFrame(main, frame, slot));
        else this.#send(["link", slot, generation]);
      },
      log: this.#log,
    });
    router.attach(0, 0, (frame) => postFrame(main, frame));
    router.subscriptions = given.subscriptions;
    this.#router = router;
    this.#actors = given.members.length === 0 ? [given] : given.members;
    this.#loading = Promise.all(
      this.#actors.map(async ({ name, module }) => behaviourOf(await loadModule(name, module, modules), name)),
    );
  }

  /** Until this says hello, nothing is sent to the thread: Deno would lose it. */
  listen(): void {
    process.on("uncaughtException", this.#uncaught);
    process.on("unhandledRejection", this.#uncaught);
    // An actor that ends its own thread is heard of before the thread is gone, which takes milliseconds.
    process.on("exit", () => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#router.flush();
      this.#send(["bye", packError(new Error(`Cannot go on: ${this.#given.name} ended its own thread`))]);
    });
    this.#main.on("message", (message: Posted | ToWorker) => {
      if (typeof message === "string" || "parts" in message) {
        const { to = this.#given.slot, frame } = addressed(message);
        this.#router.receive(0, 0, to, frame);
      } else this.#take(message);
    });
    this.#send(["hello"]);
    if (this.#given.generation !== undefined) this.#begin(this.#given.generation);
    else {
      this.#loading.then(
        () => {
          this.#send(["loaded"]);
          rehearse().catch((thrown: unknown) => this.#log("warn", "rehearsal-failed", errorFields(asError(thrown))));
        },
        (thrown: unknown) => this.#goodbye(["start-failed", packError(thrown)]),
      );
    }
  }

  #send(message: ToMain): void {
    this.#main.postMessage(message);
  }

  readonly #log = (level: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
    try {
      this.#send(["log", level, event, fields]);
    } catch {
      this.#send(["log", level, event, { unprintable: true }]);
    }
  };

  readonly #uncaught = (thrown: unknown): void => {
    const error = asError(thrown);
    if (this.#incarnation === undefined) this.#goodbye(["start-failed", packError(error)]);
    else void this.#incarnation.fail(error);
  };

  #goodbye(last: ToMain): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#router.flush();
    this.#router.reportDeadLetters();
    this.#send(last);
    process.exit(0);
  }

  #take(message: ToWorker): void {
    const router = this.#router;
    switch (message[0]) {
      case "go":
        router.subscriptions = message[2];
        message[3].forEach((entry, slot) => {
          if (slot > 0 && this.#given.directory[slot]?.name !== entry.name) router.place(slot, entry);
        });
        this.#begin(message[1]);
        break;
      case "port": {
        const [, slot, generation, port, to] = message;
        port.on("message", (frame: Posted) => router.receive(slot, generation, to, frame));
        router.attach(
          slot,
          generation,
          (frame) => postFrame(port, frame),
          () => port.close(),
        );
        break;
      }
      case "down":
        router.down(message[1], message[2], message[3] === undefined ? undefined : unpackError(message[3]));
        break;
      case "subscriptions":
        router.subscriptions = message[1];
        break;
      case "place":
        router.place(message[1], message[2]);
        break;
      case "fault":
        injectFault(message[1]);
        break;
      case "stop":
        if (this.#incarnation === undefined) this.#goodbye(["bye", undefined]);
        else void this.#incarnation.stop(message[1]);
        break;
    }
  }

  #begin(generation: number): void {
    const given = this.#given;
    const sharedTable = this.#sharedTable;
    // Not before: a spare that waits shares the slot, and must not look like a sign of life of the actor whose place it may take.
    setInterval(() => sharedTable.heartbeat(given.slot), HEARTBEAT_MS);
    sharedTable.setThread(given.slot, this.#threadOfSystem);
    sharedTable.advance(given.slot);
    this.#loading
      .then((behaviours) => {
        sharedTable.advance(given.slot);
        this.#incarnation = this.#run(behaviours, generation);
        return this.#incarnation.started;
      })
      .then(
        () => {
          if (!this.#isOver) this.#send(["ready"]);
        },
        (thrown: unknown) => this.#goodbye(["start-failed", packError(thrown)]),
      );
  }

  #run(behaviours: readonly ReturnType<typeof behaviourOf>[], generation: number): Incarnation {
    const { slot: thread, index, keyed, members, shared, epochMs } = this.#given;
    const sharedTable = this.#sharedTable;
    const all = this.#actors.map((actor, at) => ({
      ...actor,
      behaviour: behaviours[at] as (typeof behaviours)[number],
    }));
    const run = (actor: (typeof all)[number], on: Pick<MemberEvents, "ended"> & Partial<MemberEvents>): Incarnation =>
      runIncarnation({
        ...actor,
        thread,
        generation,
        index,
        keyed,
        router: this.#router,
        sharedTable,
        shared,
        clock: wallClock,
        epochMs,
        log: members.length === 0 ? this.#log : this.#logOf(actor.name),
        random: Math.random,
        subscribe: (topic, kind, lossy) => this.#send(["subscribe", actor.slot, topic, kind, lossy]),
        ...on,
      });
    const ended = (failure: Error | undefined): void =>
      this.#goodbye(["bye", failure === undefined ? undefined : packError(failure)]);
    const [first] = all;
    if (members.length === 0 && first !== undefined) return run(first, { ended });
    return runGroup(
      all.map((actor) => ({ ...actor, run: (on) => run(actor, on) })),
      groupHost({ thread, members, sharedTable, clock: wallClock, ended }),
    );
  }

  #logOf(actor: string): Self["log"] {
    return (level, event, fields) => this.#log(level, event, { actor, ...fields });
  }
}
