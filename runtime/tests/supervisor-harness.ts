/** A supervisor with pretended children, for its tests: performs its commands at once, in virtual time. */

import { init, type State, step } from "../supervisor.ts";
import type { Call, Command, Event, Exit, Result } from "../supervisor-messages.ts";
import type { Spec } from "../supervisor-spec.ts";

export type SupervisorHarness = ReturnType<typeof supervisorHarness>;

/** A step that changed the state it was given would throw. */
function freeze<T extends object>(value: T): T {
  for (const each of Object.values(value))
    if (typeof each === "object" && each !== null && !Object.isFrozen(each)) freeze(each);
  return Object.freeze(value);
}

export function supervisorHarness(spec: Spec, options: { random?: () => number } = {}) {
  let state: State = init(spec);
  let nowMs = 0;
  const random = options.random ?? (() => 0.5);
  const events: Event[] = [];
  let timers: (Extract<Event, { kind: "timer" }> & { atMs: number })[] = [];
  const alive = new Map<string, number[]>();
  const failing = new Set<string>();
  const ignoresStop = new Set<string>();
  const slow = new Set<string>();
  const replies = new Map<string, Result>();
  const told: string[] = [];
  const commands: Command[] = [];
  const commandMs: number[] = [];
  const asked: string[] = [];
  let ended: Extract<Command, { do: "exit" }> | undefined;
  let calls = 0;

  const end = (id: string, generation: number, exit: Exit): void => {
    const generations = (alive.get(id) ?? []).filter((each) => each !== generation);
    if (generations.length === (alive.get(id) ?? []).length) return;
    alive.set(id, generations);
    events.push({ kind: "exited", id, generation, exit });
  };

  const perform = (command: Command): void => {
    commands.push(command);
    commandMs.push(nowMs);
    switch (command.do) {
      case "start":
        told.push(`start ${command.id}`);
        alive.set(command.id, [...(alive.get(command.id) ?? []), command.generation]);
        if (failing.has(command.id)) end(command.id, command.generation, { why: "abnormal", message: "no start" });
        else if (!slow.has(command.id)) events.push({ kind: "ready", id: command.id, generation: command.generation });
        return;
      case "stop":
        told.push(`stop ${command.id}`);
        if (!ignoresStop.has(command.id)) end(command.id, command.generation, { why: "shutdown" });
        return;
      case "kill":
        told.push(`kill ${command.id}`);
        end(command.id, command.generation, { why: "abnormal", message: "killed" });
        return;
      case "timer":
        timers.push({
          kind: "timer",
          id: command.id,
          generation: command.generation,
          name: command.name,
          atMs: nowMs + command.afterMs,
        });
        return;
      case "reply":
        replies.set(command.to, command.result);
        return;
      case "exit":
        ended = command;
        return;
      default:
    }
  };

  const send = (event: Event): void => {
    events.push(event);
    for (let next = events.shift(); next; next = events.shift()) {
      const [after, out] = step(state, next, nowMs, random);
      state = freeze(after);
      for (const command of out) perform(command);
    }
  };

  return {
    told,
    commands,
    /** When each of the commands was given. */
    commandMs,
    /** Whom the calls so far are to be answered to. */
    asked,
    /** Children whose start fails. */
    failing,
    /** Children that do not heed a stop. */
    ignoresStop,
    /** Children whose start neither succeeds nor fails by itself. */
    slow,
    alive,
    send,
    state: () => state,
    nowMs: () => nowMs,
    ended: () => ended,
    is: (id: string) => state.children.find(({ spec: each }) => each.id === id)?.is,
    generation: (id: string) => state.children.find(({ spec: each }) => each.id === id)?.generation ?? -1,
    /** Takes what was told so far. */
    take: () => told.splice(0),
    start() {
      send({ kind: "start" });
      return this;
    },
    die(id: string, why: Exit["why"] = "abnormal") {
      const generation = (alive.get(id) ?? []).at(-1);
      if (generation === undefined) throw new Error(`${id} is not alive`);
      alive.set(
        id,
        (alive.get(id) ?? []).filter((each) => each !== generation),
      );
      send({ kind: "exited", id, generation, exit: { why } });
    },
    ready(id: string) {
      send({ kind: "ready", id, generation: (alive.get(id) ?? []).at(-1) ?? -1 });
    },
    call(call: Call): Result | undefined {
      const to = `caller ${calls++}`;
      asked.push(to);
      send({ kind: "call", to, call });
      return replies.get(to);
    },
    reply: (to: string) => replies.get(to),
    pass(ms: number) {
      const untilMs = nowMs + ms;
      for (;;) {
        const next = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        timers = timers.filter((timer) => timer !== next);
        nowMs = Math.max(nowMs, next.atMs);
        const { atMs: _, ...event } = next;
        send(event);
      }
      nowMs = untilMs;
    },
  };
}
