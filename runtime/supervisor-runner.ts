import type { Clock } from "./clock.ts";
import { type Command, type Event, type Exit, init, type State, step } from "./supervisor.ts";
import type { Call, Result } from "./supervisor-messages.ts";
import type { ChildSpec } from "./supervisor-spec.ts";
import { isSupervisor, type SupervisorSpec } from "./tree.ts";

/** What a runner starts: a place of the tree, or a supervisor below it. */
export type Start<ChildHandle> = { readonly handle: ChildHandle } | { readonly tree: SupervisorSpec };

/** A place of the tree as a supervisor sees it. */
export type RunnerChild<ChildHandle> = {
  readonly id: string;
  readonly handle: ChildHandle;
  readonly restart: "permanent" | "transient" | "temporary";
  readonly shutdownMs: number;
  readonly startMs: number;
  readonly pool?: string;
  readonly significant?: boolean;
};

/** How actors are started and ended, whatever they run in. None of these throws: what else was decided in the same step would not be done. */
export type Driver<ChildHandle> = {
  readonly clock: Clock;
  readonly random: () => number;
  /** The places of a child, from its first member to its last. */
  handlesOf(name: string): readonly RunnerChild<ChildHandle>[];
  start(handle: ChildHandle, on: { ready(): void; exited(exit: Exit): void }): void;
  stop(handle: ChildHandle): void;
  kill(handle: ChildHandle): void;
  /** A child that was started at run time is no longer the supervisor's. */
  release(supervisor: string, handle: ChildHandle): void;
  /** Runs something when the patience with a start or a stop is over; the returned function cancels it. */
  patience(handle: ChildHandle, timer: "start" | "shutdown", patienceMs: number, over: () => void): () => void;
  report(supervisor: string, command: Extract<Command, { do: "report" }>): void;
};

/** Performs what the supervisor (a pure function) decides, and tells it what happened. */
export class SupervisorRunner<ChildHandle> {
  readonly spec: SupervisorSpec;
  readonly below: Map<string, SupervisorRunner<ChildHandle>> = new Map();
  /** What each child is, from left to right. */
  readonly starts: Map<string, Start<ChildHandle>> = new Map();
  readonly #driver: Driver<ChildHandle>;
  readonly #on: { ready(): void; exited(exit: Exit, failed: boolean): void };
  readonly #timers = new Map<string, () => void>();
  /** Children that were started at run time. */
  readonly #added = new Map<string, ChildHandle>();
  readonly #callers = new Map<string, (result: Result) => void>();
  #lastCall = 0;
  #state: State<Start<ChildHandle>>;
  #events: Event<Start<ChildHandle>>[] = [];
  #stepping = false;

  constructor(
    spec: SupervisorSpec,
    driver: Driver<ChildHandle>,
    on: { ready(): void; exited(exit: Exit, failed: boolean): void },
  ) {
    this.spec = spec;
    this.#driver = driver;
    this.#on = on;
    this.#state = init<Start<ChildHandle>>({
      strategy: spec.strategy,
      intensity: spec.intensity,
      periodMs: spec.periodMs,
      ...(spec.backOff === undefined ? {} : { backOff: spec.backOff }),
      ...(spec.autoShutdown === undefined ? {} : { autoShutdown: spec.autoShutdown }),
      children: spec.children.flatMap((each): ChildSpec<Start<ChildHandle>>[] => {
        if (isSupervisor(each)) {
          const { significant = false, restart = "permanent" } = each;
          return [{ id: each.name, start: { tree: each }, type: "supervisor", significant, restart }];
        }
        return driver.handlesOf(each.actor.name).map(specOf);
      }),
    });
    for (const { spec: child } of this.#state.children) this.starts.set(child.id, child.start);
  }

  get state(): State<Start<ChildHandle>> {
    return this.#state;
  }

  /** The runner of this name: this one, or one below. */
  find(supervisor: string): SupervisorRunner<ChildHandle> | undefined {
    if (this.spec.name === supervisor) return this;
    for (const runner of this.below.values()) {
      const found = runner.find(supervisor);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Starts a child at run time; it is the driver's again when that fails, and when the child has ended for good. */
  async startChild(child: RunnerChild<ChildHandle>): Promise<Result> {
    const spec = specOf(child);
    this.starts.set(child.id, spec.start);
    this.#added.set(child.id, child.handle);
    const result = await this.#call({ name: "start_child", spec });
    this.#releaseEnded();
    return result;
  }

  /** Ends a child that was started at run time, and forgets it. */
  async stopChild(id: string): Promise<Result> {
    if (!this.#added.has(id)) return { ok: false, error: "not_found" };
    const result = await this.#call({ name: "terminate_child", id });
    if (result.ok && this.#state.children.some(({ spec }) => spec.id === id))
      await this.#call({ name: "delete_child", id });
    this.#releaseEnded();
    return result;
  }

  #call(call: Call<Start<ChildHandle>>): Promise<Result> {
    return new Promise((resolve) => {
      const to = String(++this.#lastCall);
      this.#callers.set(to, resolve);
      this.send({ kind: "call", to, call });
    });
  }

  #releaseEnded(): void {
    for (const [id, handle] of this.#added) {
      if (this.#state.phase !== "ended" && this.#state.children.some(({ spec }) => spec.id === id)) continue;
      this.#added.delete(id);
      this.starts.delete(id);
      this.#driver.release(this.spec.name, handle);
    }
  }

  /** Takes an event; those that come while one is being taken wait for it. */
  send(event: Event<Start<ChildHandle>>): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const [state, commands] = step(this.#state, next, this.#driver.clock.monotonicMs(), this.#driver.random);
      this.#state = state;
      for (const command of commands) this.#perform(command);
      if (this.#added.size > 0 && next.kind !== "call") this.#releaseEnded();
    }
    this.#stepping = false;
  }

  #perform(command: Command<Start<ChildHandle>>): void {
    switch (command.do) {
      case "start": {
        const { id, generation } = command;
        const ready = () => {
          this.#cancel(id);
          this.send({ kind: "ready", id, generation });
        };
        const exited = (exit: Exit) => {
          this.#cancel(id);
          this.send({ kind: "exited", id, generation, exit });
        };
        if ("handle" in command.start) this.#driver.start(command.start.handle, { ready, exited });
        else {
          const runner = new SupervisorRunner(command.start.tree, this.#driver, { ready, exited });
          this.below.set(id, runner);
          runner.send({ kind: "start" });
        }
        break;
      }
      case "stop":
      case "kill": {
        const start = this.starts.get(command.id);
        if (start === undefined) break;
        if ("handle" in start) this.#driver[command.do](start.handle);
        else this.below.get(command.id)?.send({ kind: command.do });
        break;
      }
      case "timer": {
        const { id, generation, name } = command;
        this.#cancel(id);
        const over = () => this.send({ kind: "timer", id, generation, name });
        const start = this.starts.get(id);
        this.#timers.set(
          id,
          start !== undefined && "handle" in start && name !== "restart"
            ? this.#driver.patience(start.handle, name, command.afterMs, over)
            : this.#driver.clock.later(command.afterMs, over),
        );
        break;
      }
      case "report":
        this.#driver.report(this.spec.name, command);
        break;
      case "ready":
        this.#on.ready();
        break;
      case "exit":
        for (const id of [...this.#timers.keys()]) this.#cancel(id);
        this.#on.exited(command.exit, command.failed);
        break;
      case "reply":
        this.#callers.get(command.to)?.(command.result);
        this.#callers.delete(command.to);
        break;
    }
  }

  #cancel(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}

const specOf = <ChildHandle>({ handle, ...spec }: RunnerChild<ChildHandle>): ChildSpec<Start<ChildHandle>> => ({
  ...spec,
  start: { handle },
});
