/**
 * The supervisor as a pure function, in OTP's words and with OTP's meaning: `(state, event) → [state, commands]`.
 *
 * It touches no thread and no clock. An interpreter performs the commands and reports what happened as events; the order of
 * starts and stops, who is restarted and when to give up are all decided here. Each child has what `is` and what is
 * `want`ed; after every event `advance` closes the gap: first down, right to left, then up, left to right.
 *
 * Two differences from OTP, both because starting here is no blocking call: a stop overtakes a start under way, and children of
 * a running `one_for_one` do not wait for each other.
 */

import type { Call, CallError, Command, Event, Exit, Of, Result, Timer } from "./supervisor-messages.ts";
import { addRestart, type BackOff, backOffMs } from "./supervisor-restarts.ts";
import {
  type AutoShutdown,
  type ChildSpec,
  childFaults,
  faults,
  type Restart,
  type Spec,
  type Strategy,
} from "./supervisor-spec.ts";

export type { Command, Event, Exit, Restart, Strategy };

export type Child<Start = unknown> = {
  readonly spec: Required<ChildSpec<Start>>;
  /** `waiting`: a restart is scheduled. */
  readonly is: "down" | "waiting" | "starting" | "up" | "stopping";
  /** `again`: down, then up. */
  readonly want: "up" | "down" | "again";
  /** Of this start (or wait), unique in its supervisor: events of an earlier one are ignored. */
  readonly generation: number;
  readonly upSinceMs: number;
  /** In a row, without a stable period between. */
  readonly failures: number;
  readonly restarts: number;
  readonly lastExit: Exit | undefined;
  /** The start took too long and the child is being killed for it. */
  readonly overdue: boolean;
  /** The call that waits for this start. */
  readonly starter: { readonly call: "start_child" | "restart_child"; readonly to: string } | undefined;
  /** The calls that wait for its end. */
  readonly enders: readonly string[];
};

export type State<Start = unknown> = {
  readonly flags: {
    readonly strategy: Strategy;
    readonly intensity: number;
    readonly periodMs: number;
    readonly backOff: BackOff;
    readonly autoShutdown: AutoShutdown;
  };
  readonly phase: "new" | "starting" | "running" | "stopping" | "ended";
  readonly children: readonly Child<Start>[];
  readonly restartsMs: readonly number[];
  readonly lastGeneration: number;
  /** Why it stops, once it does. */
  readonly exit: Exit | undefined;
  readonly failed: boolean;
};

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type DraftState<S> = Draft<Omit<State<S>, "children">> & { children: Draft<Child<S>>[]; out: Command<S>[] };

/** The state before anything starts. Throws one error that names every fault of the spec. */
export function init<S>(spec: Spec<S>): State<S> {
  const found = faults(spec);
  if (found.length > 0) throw new TypeError(`Cannot start a supervisor: ${found.join("; ")}`);
  const { strategy = "one_for_one", intensity = 1, periodMs = 5_000, backOff = {}, autoShutdown = "never" } = spec;
  return {
    flags: {
      strategy,
      intensity,
      periodMs,
      backOff: { baseMs: 100, maxMs: 10_000, stableMs: periodMs, ...backOff },
      autoShutdown,
    },
    phase: "new",
    children: spec.children.map(newChild),
    restartsMs: [],
    lastGeneration: 0,
    exit: undefined,
    failed: false,
  };
}

function newChild<S>({
  id,
  start,
  restart = "permanent",
  type = "worker",
  shutdownMs,
  startMs,
  pool = "",
  significant = false,
}: ChildSpec<S>): Child<S> {
  const patient = type === "supervisor" ? "infinity" : undefined;
  return {
    spec: {
      id,
      start,
      restart,
      type,
      shutdownMs: shutdownMs ?? patient ?? 5_000,
      startMs: startMs ?? patient ?? 30_000,
      pool,
      significant,
    },
    is: "down",
    want: "down",
    generation: 0,
    upSinceMs: 0,
    failures: 0,
    restarts: 0,
    lastExit: undefined,
    overdue: false,
    starter: undefined,
    enders: [],
  };
}

/** What the supervisor does about one event. `random` yields [0, 1) for the back-off's jitter. */
export function step<S>(
  state: State<S>,
  event: Event<S>,
  nowMs: number,
  random: () => number,
): [State<S>, Command<S>[]] {
  if (state.phase === "ended") return [state, event.kind === "call" ? [refusal(event.to, "not_running")] : []];
  const draft: DraftState<S> = { ...state, children: state.children.map((child) => ({ ...child })), out: [] };
  switch (event.kind) {
    case "start":
      if (draft.phase !== "new") return [state, []];
      draft.phase = "starting";
      for (const child of draft.children) child.want = "up";
      break;
    case "stop":
      if (draft.phase !== "stopping") finish(draft, { why: "shutdown" }, false);
      break;
    case "kill":
      if (draft.phase !== "stopping") finish(draft, { why: "abnormal", message: "killed" }, true);
      for (const child of draft.children) if (isAlive(child)) kill(draft, child);
      break;
    case "call":
      handleCall(draft, event.call, event.to);
      break;
    default: {
      const child = draft.children.find(
        ({ spec, generation }) => spec.id === event.id && generation === event.generation,
      );
      if (child === undefined) return [state, []];
      if (event.kind === "ready") handleReady(draft, child, nowMs);
      else if (event.kind === "timer") handleTimer(draft, child, event.name);
      else handleExit(draft, child, event.exit, nowMs, random);
    }
  }
  advance(draft);
  const { out, ...next } = draft;
  return [next, out];
}

/** One line per child, from left to right (which_children/1). */
export function whichChildren(
  state: State,
): { id: string; is: Child["is"]; type: "worker" | "supervisor"; generation: number }[] {
  return state.children.map(({ spec, is, generation }) => ({ id: spec.id, is, type: spec.type, generation }));
}

/** How many specs there are, running children, and of which type (count_children/1). */
export function countChildren(state: State): { specs: number; active: number; supervisors: number; workers: number } {
  const supervisors = state.children.filter(({ spec }) => spec.type === "supervisor").length;
  const specs = state.children.length;
  return { specs, active: state.children.filter(isAlive).length, supervisors, workers: specs - supervisors };
}

const isAlive = ({ is }: Child): boolean => is === "starting" || is === "up" || is === "stopping";
const of = ({ spec, generation }: Child): Of => ({ id: spec.id, generation });
const refusal = (to: string, error: CallError, found?: readonly string[]): Command<never> => ({
  do: "reply",
  to,
  result: { ok: false, error, ...(found && { faults: found }) },
});

function handleReady<S>(draft: DraftState<S>, child: Draft<Child<S>>, nowMs: number): void {
  if (child.is !== "starting" || child.overdue) return;
  child.is = "up";
  child.upSinceMs = nowMs;
  if (child.want === "up") answerStarter(draft, child, { ok: true, generation: child.generation });
}

function handleTimer<S>(draft: DraftState<S>, child: Draft<Child<S>>, name: Timer): void {
  if (name === "restart" && child.is === "waiting") child.is = "down";
  if (name === "shutdown" && child.is === "stopping") kill(draft, child);
  if (name === "start" && child.is === "starting") {
    child.overdue = true;
    draft.out.push({ do: "kill", ...of(child) });
  }
}

function handleExit<S>(
  draft: DraftState<S>,
  child: Draft<Child<S>>,
  exit: Exit,
  nowMs: number,
  random: () => number,
): void {
  if (!isAlive(child)) return;
  const was = child.is;
  child.lastExit = child.overdue
    ? { ...exit, why: "abnormal", message: `Cannot start: not ready within ${child.spec.startMs} ms` }
    : exit;
  child.is = "down";
  child.overdue = false;
  answerEnders(draft, child);
  if (was === "stopping" || child.want !== "up") settleDown(draft, child);
  else if (was === "starting") startFailed(draft, child, nowMs, random);
  else if (child.spec.restart === "permanent" || (child.spec.restart === "transient" && exit.why === "abnormal")) {
    if (nowMs - child.upSinceMs >= draft.flags.backOff.stableMs) child.failures = 0;
    restart(draft, child, "child_terminated", nowMs, random);
  } else {
    report(draft, child, "child_terminated", undefined);
    child.want = "down";
    settleDown(draft, child);
    if (child.spec.significant) significantEnded(draft);
  }
}

/** A significant child has ended by itself for good. One that its supervisor or a call ends does not count. */
function significantEnded<S>(draft: DraftState<S>): void {
  const { autoShutdown } = draft.flags;
  const isOneLeft = draft.children.some(({ spec, is, want }) => spec.significant && (is !== "down" || want === "up"));
  if (draft.phase === "stopping" || autoShutdown === "never" || (autoShutdown === "all_significant" && isOneLeft))
    return;
  finish(draft, { why: "shutdown" }, false);
}

/** A child that was to go down is: it goes up again if that is wanted, and a temporary one is forgotten. */
function settleDown<S>(draft: DraftState<S>, child: Draft<Child<S>>): void {
  if (child.want === "again") child.want = "up";
  if (child.spec.restart === "temporary") {
    draft.children = draft.children.filter((other) => other !== child);
    child.want = "down";
  }
  if (child.want === "down") answerStarter(draft, child, { ok: false, error: child.lastExit ?? { why: "shutdown" } });
}

function answerStarter<S>(draft: DraftState<S>, child: Draft<Child<S>>, result: Result): void {
  if (child.starter) draft.out.push({ do: "reply", to: child.starter.to, result });
  child.starter = undefined;
}

function answerEnders<S>(draft: DraftState<S>, child: Draft<Child<S>>): void {
  for (const to of child.enders)
    draft.out.push({ do: "reply", to, result: { ok: true, generation: child.generation } });
  child.enders = [];
}

function startFailed<S>(draft: DraftState<S>, child: Draft<Child<S>>, nowMs: number, random: () => number): void {
  if (child.starter) {
    if (child.starter.call === "start_child") draft.children = draft.children.filter((other) => other !== child);
    child.want = "down";
    report(draft, child, "start_error", undefined);
    answerStarter(draft, child, { ok: false, error: child.lastExit ?? { why: "abnormal" } });
  } else if (draft.phase === "starting" && child.restarts === 0) {
    report(draft, child, "start_error", undefined);
    finish(
      draft,
      {
        why: "shutdown",
        message: `failed to start child ${child.spec.id}: ${child.lastExit?.message ?? child.lastExit?.why}`,
        ...causeOf(child),
      },
      true,
    );
  } else if (child.spec.restart === "temporary") {
    settleDown(draft, child);
  } else {
    child.failures = Math.max(child.failures, 1);
    restart(draft, child, "start_error", nowMs, random);
  }
}

/** Restarts a child and whoever its strategy ties to it, now or after the back-off; past the intensity the supervisor fails. */
function restart<S>(
  draft: DraftState<S>,
  child: Draft<Child<S>>,
  what: "child_terminated" | "start_error",
  nowMs: number,
  random: () => number,
): void {
  const restartsMs = addRestart(draft.restartsMs, nowMs, draft.flags);
  if (restartsMs === undefined) {
    report(draft, child, what, undefined);
    finish(
      draft,
      {
        why: "shutdown",
        message: `reached max restart intensity (${draft.flags.intensity} in ${draft.flags.periodMs} ms) by ${child.spec.id}`,
        ...causeOf(child),
      },
      true,
    );
    return;
  }
  draft.restartsMs = restartsMs;
  child.failures += 1;
  child.restarts += 1;
  const afterMs = backOffMs(child.failures, draft.flags.backOff, random);
  report(draft, child, what, afterMs);
  if (child.failures > 1) {
    child.is = "waiting";
    child.generation = ++draft.lastGeneration;
    draft.out.push({ do: "timer", name: "restart", afterMs, ...of(child) });
  }
  if (draft.flags.strategy === "one_for_one") return;
  const from = draft.flags.strategy === "one_for_all" ? 0 : draft.children.indexOf(child) + 1;
  for (const other of draft.children.slice(from)) {
    if (other === child) continue;
    other.want = isAlive(other) ? "again" : "up";
    if (other.is === "waiting") other.is = "down";
  }
}

const causeOf = ({ lastExit }: Child): { cause?: Error } =>
  lastExit?.cause === undefined ? {} : { cause: lastExit.cause };

function report<S>(
  draft: DraftState<S>,
  child: Child<S>,
  what: "child_terminated" | "start_error" | "killed",
  restartInMs: number | undefined,
): void {
  draft.out.push({ do: "report", what, exit: child.lastExit ?? { why: "abnormal" }, restartInMs, ...of(child) });
}

function kill<S>(draft: DraftState<S>, child: Draft<Child<S>>): void {
  child.is = "stopping";
  draft.out.push({ do: "kill", ...of(child) });
}

function finish<S>(draft: DraftState<S>, exit: Exit, failed: boolean): void {
  Object.assign(draft, { phase: "stopping", exit, failed });
  for (const child of draft.children) {
    child.want = "down";
    if (child.is === "waiting") child.is = "down";
    if (child.is === "down") answerStarter(draft, child, { ok: false, error: exit });
  }
}

function handleCall<S>(draft: DraftState<S>, call: Call<S>, to: string): void {
  const refuse = (error: CallError, found?: readonly string[]) => draft.out.push(refusal(to, error, found));
  if (draft.phase !== "running") return void refuse("not_running");
  const id = call.name === "start_child" ? call.spec.id : call.id;
  const child = draft.children.find(({ spec }) => spec.id === id);
  if (call.name === "start_child") {
    const found = childFaults(call.spec, draft.flags.autoShutdown);
    if (found.length > 0) refuse("invalid_spec", found);
    else if (child) refuse(isAlive(child) ? "already_started" : "already_present");
    else draft.children.push({ ...newChild(call.spec), want: "up", starter: { call: call.name, to } });
  } else if (child === undefined) refuse("not_found");
  else if (call.name === "terminate_child") {
    child.want = "down";
    child.enders = [...child.enders, to];
    if (child.is === "waiting") child.is = "down";
    if (child.is === "down") {
      answerEnders(draft, child);
      settleDown(draft, child);
    }
  } else if (isAlive(child)) refuse("running");
  else if (child.is === "waiting" || child.want === "up") refuse("restarting");
  else if (call.name === "restart_child") {
    child.want = "up";
    child.starter = { call: call.name, to };
  } else {
    draft.children = draft.children.filter((other) => other !== child);
    draft.out.push({ do: "reply", to, result: { ok: true, generation: child.generation } });
  }
}

/** Takes the next steps from what is to what is wanted: down from right to left, then up from left to right, one after the other (a pool at once). */
function advance<S>(draft: DraftState<S>): void {
  const serial = draft.phase !== "running" || draft.flags.strategy !== "one_for_one";
  if (serial && draft.children.some(({ is }) => is === "stopping")) return;
  for (const child of draft.children.toReversed()) {
    if (child.want === "up" || !isAlive(child) || child.is === "stopping") continue;
    stopChild(draft, child);
    if (serial) return;
  }
  if (draft.phase === "stopping") {
    if (draft.children.some(isAlive)) return;
    draft.phase = "ended";
    draft.out.push({ do: "exit", exit: draft.exit ?? { why: "shutdown" }, failed: draft.failed });
    return;
  }
  let held = draft.flags.strategy === "one_for_all" && draft.children.some(({ is }) => is === "waiting");
  /** Of the child whose start is under way. */
  let pool: string | undefined;
  for (const child of draft.children) {
    if (pool !== undefined && (pool === "" || child.spec.pool !== pool)) return;
    if (child.is === "starting" && serial) pool = child.spec.pool;
    if (child.is === "waiting" && serial) held = true;
    if (child.is !== "down" || child.want !== "up" || (held && !child.starter)) continue;
    startChild(draft, child);
    if (serial) pool = child.spec.pool;
  }
  if (pool !== undefined) return;
  if (draft.phase === "starting" && draft.children.every(({ is, want }) => is === "up" || want === "down")) {
    draft.phase = "running";
    draft.out.push({ do: "ready" });
  }
}

function stopChild<S>(draft: DraftState<S>, child: Draft<Child<S>>): void {
  const { shutdownMs } = child.spec;
  if (shutdownMs === 0) return kill(draft, child);
  child.is = "stopping";
  draft.out.push({ do: "stop", ...of(child) });
  if (shutdownMs !== "infinity") draft.out.push({ do: "timer", name: "shutdown", afterMs: shutdownMs, ...of(child) });
}

function startChild<S>(draft: DraftState<S>, child: Draft<Child<S>>): void {
  const { start, startMs } = child.spec;
  child.is = "starting";
  child.generation = ++draft.lastGeneration;
  draft.out.push({ do: "start", start, ...of(child) });
  if (startMs !== "infinity") draft.out.push({ do: "timer", name: "start", afterMs: startMs, ...of(child) });
}
