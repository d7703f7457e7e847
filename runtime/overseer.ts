import type { Clock } from "./clock.ts";
import { type Command, type Event, type Exit, init, type State, step } from "./supervisor.ts";
import type { ChildSpec } from "./supervisor-spec.ts";
import { isSupervisor, type SupervisorSpec } from "./tree.ts";

/** What an overseer starts: a place of the tree, or a supervisor below it. */
export type Start<Seat> = { readonly seat: Seat } | { readonly tree: SupervisorSpec };

/** How actors are started and ended, whatever they run in. None of these throws: what else was decided in the same step would not be done. */
export type Hands<Seat> = {
  readonly clock: Clock;
  readonly random: () => number;
  /** The places of a child, from its first member to its last. */
  seatsOf(name: string): readonly {
    readonly id: string;
    readonly seat: Seat;
    readonly restart: "permanent" | "transient" | "temporary";
    readonly shutdownMs: number;
    readonly startMs: number;
  }[];
  start(seat: Seat, on: { ready(): void; exited(exit: Exit): void }): void;
  stop(seat: Seat): void;
  kill(seat: Seat): void;
  /** Runs something when the patience with a start or a stop is over; the returned function cancels it. */
  patience(seat: Seat, timer: "start" | "shutdown", patienceMs: number, over: () => void): () => void;
  report(supervisor: string, command: Extract<Command, { do: "report" }>): void;
};

/** Performs what the supervisor (a pure function) decides, and tells it what happened. */
export class Overseer<Seat> {
  readonly spec: SupervisorSpec;
  readonly below = new Map<string, Overseer<Seat>>();
  /** What each child is, from left to right. */
  readonly starts = new Map<string, Start<Seat>>();
  readonly #hands: Hands<Seat>;
  readonly #on: { ready(): void; exited(exit: Exit, failed: boolean): void };
  readonly #timers = new Map<string, () => void>();
  #state: State<Start<Seat>>;
  #events: Event<Start<Seat>>[] = [];
  #stepping = false;

  constructor(
    spec: SupervisorSpec,
    hands: Hands<Seat>,
    on: { ready(): void; exited(exit: Exit, failed: boolean): void },
  ) {
    this.spec = spec;
    this.#hands = hands;
    this.#on = on;
    this.#state = init<Start<Seat>>({
      strategy: spec.strategy,
      intensity: spec.intensity,
      periodMs: spec.periodMs,
      ...(spec.backOff === undefined ? {} : { backOff: spec.backOff }),
      children: spec.children.flatMap((each): ChildSpec<Start<Seat>>[] => {
        if (isSupervisor(each)) return [{ id: each.name, start: { tree: each }, type: "supervisor" }];
        return hands
          .seatsOf(each.actor.name)
          .map(({ id, seat, restart, shutdownMs, startMs }) => ({ id, start: { seat }, restart, shutdownMs, startMs }));
      }),
    });
    for (const { spec: child } of this.#state.children) this.starts.set(child.id, child.start);
  }

  get state(): State<Start<Seat>> {
    return this.#state;
  }

  /** Takes an event; those that come while one is being taken wait for it. */
  send(event: Event<Start<Seat>>): void {
    this.#events.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      const [state, commands] = step(this.#state, next, this.#hands.clock.monotonicMs(), this.#hands.random);
      this.#state = state;
      for (const command of commands) this.#perform(command);
    }
    this.#stepping = false;
  }

  #perform(command: Command<Start<Seat>>): void {
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
        if ("seat" in command.start) this.#hands.start(command.start.seat, { ready, exited });
        else {
          const overseer = new Overseer(command.start.tree, this.#hands, { ready, exited });
          this.below.set(id, overseer);
          overseer.send({ kind: "start" });
        }
        break;
      }
      case "stop":
      case "kill": {
        const start = this.starts.get(command.id);
        if (start === undefined) break;
        if ("seat" in start) this.#hands[command.do](start.seat);
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
          start !== undefined && "seat" in start && name !== "restart"
            ? this.#hands.patience(start.seat, name, command.afterMs, over)
            : this.#hands.clock.later(command.afterMs, over),
        );
        break;
      }
      case "report":
        this.#hands.report(this.spec.name, command);
        break;
      case "ready":
        this.#on.ready();
        break;
      case "exit":
        for (const id of [...this.#timers.keys()]) this.#cancel(id);
        this.#on.exited(command.exit, command.failed);
        break;
      case "reply":
        break;
    }
  }

  #cancel(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}
