import type { Actor, Behaviour, Protocol, Self, StopReason } from "./actor.ts";
import { Cell, type CellHost } from "./cell.ts";
import { type Clock, TIMER_MS_MAX } from "./clock.ts";
import { currentEnvelope } from "./context.ts";
import { Envelope } from "./envelope.ts";
import { asError, errorFields } from "./errors.ts";
import { KeyedCells, type KeyedHost, type KeyedOptions } from "./keyed-cells.ts";
import { LIMIT_MAX, mailboxOf } from "./mailbox.ts";
import type { Router } from "./router.ts";
import { settlesWithin } from "./settles.ts";
import { HEARTBEAT_MS, type SharedTable } from "./shared-table.ts";

/** A beat that stands still for this long is a hang, unless the behaviour says otherwise. */
const HANG_TIMEOUT_MS = 3_000;
/** No shorter stillness is a hang, whatever the behaviour says: an idle actor moves only when it beats, and is looked at as rarely. */
const HANG_TIMEOUT_MS_MIN = 4 * HEARTBEAT_MS;

/** A member of a pool has room for what it handles in this time, as far as that is more than it works on at once. */
const WINDOW_MS = 2;
const WINDOW_MAX = 256;

/** Keyed actors share the gate of their thread: it takes what this many of them with full mailboxes hold. */
const KEYS_FULL = 64;

export type IncarnationOptions = {
  readonly behaviour: Behaviour<Protocol, unknown, unknown>;
  readonly slot: number;
  /** The slot whose signs of life are its thread's: its own, but of a member of a group. */
  readonly thread: number;
  readonly generation: number;
  readonly index: number;
  readonly args: unknown;
  readonly shutdownMs: number;
  /** Where there is one actor for each key. */
  readonly keyed: KeyedOptions | null;
  readonly router: Router;
  readonly sharedTable: SharedTable;
  readonly shared: SharedArrayBuffer;
  readonly clock: Clock;
  /** When the system was made, in epoch milliseconds. */
  readonly epochMs: number;
  readonly log: Self["log"];
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly subscribe: (topic: string, kind: string, lossy: boolean) => void;
  /** What `self.stop()` does in place of ending this actor alone. */
  readonly leave?: () => void;
  /** Called once, after the `stop` hook: with the failure, or undefined when it was asked to stop. */
  readonly ended: (failure: Error | undefined) => void;
};

/** One generation of an actor, from `start` to the end of its `stop` hook, in the thread it lives in. */
export type Incarnation = {
  /** Resolves when the actor is ready; rejects with what its `start` threw (then `ended` is not called). */
  readonly started: Promise<void>;
  /** Takes what has been accepted to its end (until it fails), then runs the `stop` hook, both within the time given. */
  stop(timeoutMs: number): Promise<void>;
  /** Ends at once, as failed; the `stop` hook runs. */
  fail(reason: Error): Promise<void>;
};

export function runIncarnation(options: IncarnationOptions): Incarnation {
  const { behaviour, slot, router, sharedTable, clock, log } = options;
  const kinds = new Map(
    Object.keys(behaviour.actor.accepts)
      .sort()
      .map((kind, place) => [kind, place + 1]),
  );
  let busyWith = 0;
  /** Messages that it works on at once. */
  const atOnce = Math.max(behaviour.concurrency ?? 1, behaviour.batch?.max ?? 1);
  let windowNow = atOnce;
  const host: CellHost = {
    clock,
    answer: (envelope, value) => router.answer(envelope, value),
    refuse: (envelope, error) => router.refuse(envelope, error),
    settled: (envelope, disposition) => router.settled(slot, envelope, disposition),
    giveUp: (envelope) => router.giveUp(envelope),
    busy: (kind) => {
      const now = kind === undefined ? 0 : (kinds.get(kind) ?? 0);
      if (busyWith === 0 && now !== 0) sharedTable.busySince(slot, clock.now() - options.epochMs);
      busyWith = now;
      sharedTable.busy(slot, now);
      // Each handler is a sign of life: the timer of the thread's own comes only between turns.
      if (now !== 0) sharedTable.heartbeat(options.thread);
    },
    oldest: (kind, sinceMs) =>
      sharedTable.oldest(slot, kind === undefined ? 0 : (kinds.get(kind) ?? 0), sinceMs - options.epochMs),
    paced: (messageMs) => {
      const next = Math.min(
        WINDOW_MAX,
        Math.max(atOnce, Math.floor((atOnce * WINDOW_MS) / Math.max(messageMs, 0.001))),
      );
      if (next === windowNow) return;
      windowNow = next;
      sharedTable.setWindow(slot, next);
    },
    overdue: (kind, timeoutMs) =>
      void fail(
        new Error(
          `Cannot wait longer: the handler of ${kind} in ${behaviour.actor.name} has not ended in ${timeoutMs} ms`,
        ),
      ),
    threw: () => undefined,
    log,
  };
  const mailbox = mailboxOf(behaviour);
  const { name } = behaviour.actor;
  const from = router.slot === slot ? undefined : name;
  const cell =
    options.keyed === null
      ? new Cell(behaviour, host)
      : new KeyedCells(behaviour, options.keyed, mailbox.limit, keyedHost(options.keyed, host));

  function keyedHost({ max }: KeyedOptions, common: CellHost): KeyedHost {
    return {
      ...common,
      shutdownMs: options.shutdownMs,
      addKey: () => sharedTable.addKey(slot, router.placesOf(name), max),
      removeKey: () => sharedTable.removeKey(slot),
      deadLetter: (kind, reason) => router.deadLetter(name, kind, reason),
      get self() {
        return self;
      },
      ref: (to, key) => router.ref(to, { from, slot, key }),
      monitor: (to, told) => router.monitor(to, slot, told),
    };
  }
  const stopping = new AbortController();
  let ending = false;
  /** What `after` has still to send: ends with the life, since a timer keeps the process up. */
  const timers = new Set<() => void>();
  let failure: Error | undefined;

  const end = async (hookMs: number, reason: StopReason): Promise<void> => {
    const hook = cell.stop(failure ?? reason).catch((thrown: unknown) => {
      log("error", "stop-hook-failed", errorFields(asError(thrown)));
    });
    for (const cancel of timers) cancel();
    if (!(await settlesWithin(hook, hookMs, clock))) log("error", "stop-hook-late", { timeoutMs: hookMs });
    router.unhost(slot);
    router.flush();
    options.ended(failure);
  };

  const fail = async (reason: Error): Promise<void> => {
    if (failure !== undefined) return;
    failure = reason;
    if (ending) {
      // It ends anyway, but not without a word; what it has not finished is cut short.
      log("error", "failed-while-stopping", errorFields(reason));
      return;
    }
    ending = true;
    // At once: while its hook runs, those who choose among the members of a pool are to take another.
    sharedTable.close(slot, "failing");
    stopping.abort(reason);
    await end(options.shutdownMs, reason);
  };

  const toOneself = (kind: string, body: unknown): Envelope =>
    new Envelope(kind, body, 0, undefined, undefined, behaviour.actor.name, undefined, undefined, true);
  const later = (delayMs: number, kind: string, body: unknown, then?: () => void): (() => void) => {
    if (cell.state === "stopping" || cell.state === "stopped") return () => undefined;
    const cancel = clock.later(delayMs, () => {
      timers.delete(cancel);
      cell.deliverControl(toOneself(kind, body));
      then?.();
    });
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
  };

  /** Takes what has been accepted to its end, as far as half of the time allows, and ends. */
  const stop = async (timeoutMs: number, reason: "shutdown" | "normal"): Promise<void> => {
    if (ending) return;
    ending = true;
    stopping.abort();
    const startMs = clock.now();
    // Half of the time is for what has been accepted, so that the hook has the other half.
    const drainMs = cell.state === "running" ? timeoutMs / 2 : 0;
    while (failure === undefined && (!cell.idle || sharedTable.depth(slot) > 0) && clock.now() - startMs < drainMs) {
      await new Promise<void>((resume) => clock.later(1, resume));
    }
    await end(Math.max(1, timeoutMs - (clock.now() - startMs)), reason);
  };

  const self: Self<Protocol, unknown> = {
    name: behaviour.actor.name,
    index: options.index,
    args: options.args,
    shared: options.shared,
    stopping: stopping.signal,
    ref: (to) => router.ref(to, { from, slot }),
    context: currentEnvelope,
    publish: (topic, body) => router.publish(topic, body, from),
    subscribe: (topic, kind) => options.subscribe(topic.name, kind, behaviour.actor.accepts[kind]?.lossy ?? false),
    after: (delayMs, kind, body) => later(delayMs, kind, body),
    every: (periodMs, kind, body) => {
      let isCancelled = false;
      let cancel: () => void = () => undefined;
      const next = (): void => {
        // Its own handler, which has just run, may have cancelled it.
        if (!isCancelled) cancel = later(periodMs, kind, body, next);
      };
      next();
      return () => {
        isCancelled = true;
        cancel();
      };
    },
    now: () => clock.now(),
    sleep: (ms) => new Promise<void>((resolve) => void clock.later(ms, resolve)),
    random: options.random,
    monitor: (to, kind) => router.monitor(to, slot, (down) => cell.deliverControl(toOneself(kind, down))),
    stop: () => {
      if (options.leave !== undefined) {
        options.leave();
        return;
      }
      sharedTable.close(slot, "stopping");
      void stop(options.shutdownMs, "normal");
    },
    progress: () => sharedTable.advance(options.thread),
    fail: (reason) => {
      void fail(reason);
    },
    log,
  };

  const hangTimeoutMs = Math.min(
    Math.max(behaviour.hangTimeoutMs ?? HANG_TIMEOUT_MS, HANG_TIMEOUT_MS_MIN),
    TIMER_MS_MAX,
  );
  const limit = options.keyed === null ? mailbox.limit : Math.min(LIMIT_MAX, mailbox.limit * KEYS_FULL);
  sharedTable.describe(slot, { ...mailbox, limit }, hangTimeoutMs);
  sharedTable.setWindow(slot, windowNow);
  router.host(slot, options.generation, cell);
  return {
    started: cell.start(self),
    fail,
    stop: (timeoutMs) => stop(timeoutMs, "shutdown"),
  };
}

/** The behaviour that an actor's module exports, checked as far as it can be: throws a TypeError or a RangeError that says what is wrong. */
export function behaviourOf(module: unknown, name: string): Behaviour<Protocol, unknown, unknown> {
  const behaviour = (module as { default?: Behaviour<Protocol, unknown, unknown> }).default;
  if (
    behaviour === undefined ||
    typeof behaviour.start !== "function" ||
    (behaviour.actor as Actor | undefined)?.name !== name
  ) {
    throw new TypeError(
      `Cannot run ${name}: the default export of its module is not the behaviour of ${name}; in a bundle, where addresses of modules are lost, load it through a registry: serveActors({ ${JSON.stringify(name)}: () => import("./${name}.ts") })`,
    );
  }
  const unknownKind = [...Object.keys(behaviour.on ?? {}), ...(behaviour.batch?.kinds ?? [])].find(
    (kind) => !Object.hasOwn(behaviour.actor.accepts, kind),
  );
  if (unknownKind !== undefined)
    throw new TypeError(
      `Cannot run ${name}: it handles ${unknownKind}, which its protocol does not have; declare it in actor(), or take its handler away`,
    );
  const { hangTimeoutMs = HANG_TIMEOUT_MS, concurrency = 1, batch } = behaviour;
  if (!(hangTimeoutMs > 0))
    throw new RangeError(`Cannot run ${name}: its hangTimeoutMs must be more than 0, not ${hangTimeoutMs}`);
  const timeouts = behaviour.handlerTimeoutMs ?? {};
  for (const timeoutMs of typeof timeouts === "number" ? [timeouts] : Object.values(timeouts))
    if (!((timeoutMs as number) > 0))
      throw new RangeError(`Cannot run ${name}: its handlerTimeoutMs must be more than 0, not ${timeoutMs}`);
  if (!(concurrency >= 1))
    throw new RangeError(`Cannot run ${name}: its concurrency must be 1 or more, not ${concurrency}`);
  if (batch !== undefined && !(batch.max >= 1))
    throw new RangeError(`Cannot run ${name}: its batch.max must be 1 or more, not ${batch.max}`);
  const handled = new Set([...Object.keys(behaviour.on ?? {}), ...(behaviour.batch?.kinds ?? [])]);
  const missing = Object.keys(behaviour.actor.accepts).filter((kind) => !handled.has(kind));
  if (missing.length > 0)
    throw new TypeError(
      `Cannot run ${name}: it has no handler for ${missing.join(", ")}, which its protocol declares; add one to its on, or to its batch.kinds`,
    );
  return behaviour;
}
