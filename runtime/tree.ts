import type { Actor, Protocol } from "./actor.ts";
import { TIMER_MS_MAX } from "./clock.ts";
import type { KeyedOptions } from "./keyed-cells.ts";
import type { Restart, Strategy } from "./supervisor.ts";
import type { BackOff } from "./supervisor-restarts.ts";
import type { AutoShutdown } from "./supervisor-spec.ts";

/** A JSON value: what `args` may be, since it crosses to another thread. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type ChildOptions = {
  /** `permanent`: always restarted; `transient`: when it failed; `temporary`: never. `permanent` unless told. */
  restart?: Restart;
  /** Whether its end counts for the `autoShutdown` of its supervisor, when it is not restarted. */
  significant?: boolean;
  /** How long its stop may take before it is killed (`brutal_kill`: at once, without its `stop` hook), in milliseconds; 5,000 unless told, 24.8 days at most. Time that the machine withheld does not count. */
  shutdownMs?: number | "brutal_kill";
  /**
   * How long its start may take without coming further before it has failed, in milliseconds; 10,000 unless told, 24.8 days at most. It comes further when
   * its thread runs, when its module is loaded, and at each `self.progress()`. Time that the machine withheld does not count.
   */
  startMs?: number;
  /** How many of it there are: a pool. 1 unless told. */
  instances?: number;
  /**
   * `key`: one actor for each key, made at its first message and reached by `ref.at(key)`; many share a thread. What throws in one of them fails, at most,
   * that one. None unless told.
   */
  each?: "key";
  /** Threads that keyed actors share, each key by its hash; 1 unless told. */
  threads?: number;
  /** A keyed actor that has had nothing to do for so long ends, in milliseconds; never unless told. */
  idleMs?: number;
  /** Keyed actors at once at most, in all threads together: then messages for others are refused with `Busy`. 100,000 unless told. */
  max?: number;
  /** What a throw in a handler of a keyed actor does: it answers the ask (`reply`), or has that actor made anew as well (`restart`). `reply` unless told. */
  policy?: "reply" | "restart";
  /** More failures of one key than the intensity within the period, and that key is down until the period is over; 3 in 5,000 ms unless told. */
  keyIntensity?: { readonly intensity: number; readonly periodMs: number };
  /** Reaches the actor as `self.args`. */
  args?: Json;
  /** `own`: in a worker thread of its own; `main`: in the main thread. `own` unless told. */
  thread?: "own" | "main";
  /** Keeps one more thread per member with the module loaded and `start` not yet run. */
  spare?: boolean;
};

export type ChildSpec = Readonly<
  Required<Pick<ChildOptions, "restart" | "significant" | "startMs" | "instances" | "thread" | "spare">>
> & {
  /** Where there is one actor for each key: then the instances are its threads. */
  readonly keyed: KeyedOptions | null;
  readonly args: Json;
  readonly shutdownMs: number;
  readonly actor: Actor;
  /** Of a group, from left to right; none of other children. */
  readonly members: readonly ChildSpec[];
};

export type SupervisorSpec = {
  readonly name: string;
  /** What else ends when a child ends: nothing, everything, or what was started after it. */
  readonly strategy: Strategy;
  /** More restarts than this within the period, and the supervisor itself fails. */
  readonly intensity: number;
  readonly periodMs: number;
  /** The wait before a restart that is not the first in a row: full jitter below `baseMs`, doubling to `maxMs`; forgotten after `stableMs` of being up. */
  readonly backOff?: Partial<BackOff>;
  /** How many children may be started under it at run time, at once; none unless told. Each has its place kept from the beginning. */
  readonly childrenMax?: number;
  /** Whether it stops by itself when its first, or its last, `significant` child has ended and is not restarted: `never` unless told. */
  readonly autoShutdown?: AutoShutdown;
  /** As of a child. `permanent` and not significant unless told. */
  readonly restart?: Restart;
  readonly significant?: boolean;
  readonly children: readonly (ChildSpec | SupervisorSpec)[];
};

export const isSupervisor = (spec: ChildSpec | SupervisorSpec): spec is SupervisorSpec => "strategy" in spec;

export function child<P extends Protocol>(actor: Actor<P>, options: ChildOptions = {}): ChildSpec {
  const given = actor as Partial<Actor> & { readonly actor?: Actor };
  if (given.actor !== undefined)
    throw new TypeError(
      `Cannot make a child of the behaviour of ${given.actor.name}: child() takes the actor, child(${given.actor.name})`,
    );
  return {
    actor: actor as unknown as Actor,
    restart: options.restart ?? "permanent",
    significant: options.significant ?? false,
    shutdownMs: options.shutdownMs === "brutal_kill" ? 0 : (options.shutdownMs ?? 5_000),
    startMs: options.startMs ?? 10_000,
    instances: (options.each === undefined ? options.instances : options.threads) ?? 1,
    keyed: options.each === undefined ? null : keyedOf(options),
    args: options.args ?? null,
    thread: options.thread ?? "own",
    spare: options.spare ?? false,
    members: [],
  };
}

/**
 * Actors that share one thread, and its fate: they start from left to right, stop from right to left, and what ends one of them ends and restarts all. To
 * its supervisor a group is one child; its members are reached by refs of their own. It stops within the sum of their `shutdownMs` unless told.
 */
export function group(
  name: string,
  members: readonly ChildSpec[],
  options: Pick<ChildOptions, "restart" | "significant" | "shutdownMs" | "startMs"> = {},
): ChildSpec {
  if (members.length === 0) throw new TypeError(`Cannot make the group ${name}: give it the children that it has`);
  const shutdownMs = options.shutdownMs ?? members.reduce((sum, member) => sum + member.shutdownMs, 0);
  return { ...child({ name, module: undefined, accepts: {} }, { ...options, shutdownMs }), members };
}

function keyedOf({ idleMs, max, policy, keyIntensity }: ChildOptions): KeyedOptions {
  return {
    idleMs: idleMs ?? null,
    max: max ?? 100_000,
    policy: policy ?? "reply",
    intensity: keyIntensity?.intensity ?? 3,
    periodMs: keyIntensity?.periodMs ?? 5_000,
  };
}

export function supervise(
  strategy: Strategy,
  limits: Omit<SupervisorSpec, "name" | "strategy" | "children">,
  children: readonly (ChildSpec | SupervisorSpec)[],
  name = "root",
): SupervisorSpec {
  return { name, strategy, ...limits, children };
}

/** All children of a tree, from left to right; a group is one. */
export function childrenOf(tree: SupervisorSpec): ChildSpec[] {
  return tree.children.flatMap((each) => (isSupervisor(each) ? childrenOf(each) : [each]));
}

/** Those of them that are actors: of groups, the members. */
export const actorsOf = (children: readonly ChildSpec[]): ChildSpec[] =>
  children.flatMap((each) => (each.members.length > 0 ? each.members : [each]));

const MEMBERS_MAX = 1_000;

const duration = (faults: string[], what: string, ms: number): void => {
  if (!(ms > 0)) faults.push(`${what} must be more than 0 ms, not ${ms}`);
  else if (ms > TIMER_MS_MAX) faults.push(`${what} must be at most ${TIMER_MS_MAX} ms, not ${ms}`);
};

/** All that is wrong with one child. */
export function faultsOfChild(spec: ChildSpec): string[] {
  const faults: string[] = [];
  const { name } = spec.actor;
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name === "main")
    faults.push(`${JSON.stringify(name)} is no name for an actor: small letters, digits and hyphens, and not main`);
  if (!Number.isInteger(spec.instances) || spec.instances < 1)
    faults.push(`instances of ${name} must be a whole number from 1, not ${spec.instances}`);
  if (!["permanent", "transient", "temporary"].includes(spec.restart))
    faults.push(`${name} has no restart ${spec.restart}`);
  if (spec.thread === "main" && spec.spare)
    faults.push(`${name} runs in the supervisor's own thread and can have no spare`);
  if (spec.keyed !== null) {
    const { idleMs, max, policy, intensity, periodMs } = spec.keyed;
    if (idleMs !== null) duration(faults, `idleMs of ${name}`, idleMs);
    if (!Number.isInteger(max) || max < 1) faults.push(`max of ${name} must be a whole number from 1, not ${max}`);
    if (policy !== "reply" && policy !== "restart") faults.push(`${name} has no policy ${policy}`);
    if (!Number.isInteger(intensity) || intensity < 0)
      faults.push(`keyIntensity of ${name} must be a whole number from 0, not ${intensity}`);
    duration(faults, `periodMs of the keyIntensity of ${name}`, periodMs);
  }
  if (spec.shutdownMs !== 0) duration(faults, `shutdownMs of ${name}`, spec.shutdownMs);
  duration(faults, `startMs of ${name}`, spec.startMs);
  for (const member of spec.members) faults.push(...faultsOfMember(name, member));
  return faults;
}

/** All that is wrong with a member of a group, of which only the actor, its `args` and its `shutdownMs` are its own. */
function faultsOfMember(group: string, spec: ChildSpec): string[] {
  const { name } = spec.actor;
  const { restart, significant, instances, startMs, thread, spare } = child(spec.actor);
  const own = { restart, significant, instances, startMs, thread, spare };
  const faults = Object.entries(own)
    .filter(([option, value]) => spec[option as keyof typeof own] !== value)
    .map(([option]) => `${name} shares the thread and the fate of the group ${group}: take its own ${option} away`);
  if (spec.keyed !== null) faults.push(`${name} is keyed, and keyed actors have threads of their own, not ${group}'s`);
  if (spec.members.length > 0) faults.push(`the group ${name} is within the group ${group}`);
  return [...faults, ...faultsOfChild(spec)];
}

/** All that is wrong with a tree, found before its first child starts. */
export function faultsOf(tree: SupervisorSpec): string[] {
  const faults: string[] = [];
  if (!isSupervisor(tree))
    return ["the tree is no supervisor: wrap its children, supervise(strategy, limits, [child(…)])"];
  const actors = new Set<string>();
  const supervisors = new Set<string>();
  let members = 0;
  const visit = (spec: ChildSpec | SupervisorSpec): void => {
    if (isSupervisor(spec)) {
      if (supervisors.has(spec.name)) faults.push(`two supervisors are named ${spec.name}`);
      supervisors.add(spec.name);
      if (!/^[^/]+$/.test(spec.name))
        faults.push(`${JSON.stringify(spec.name)} is no name for a supervisor: not empty, and without a slash`);
      for (const each of spec.children)
        if (isSupervisor(each) && spec.children.some((other) => !isSupervisor(other) && other.actor.name === each.name))
          faults.push(`${spec.name} has an actor and a supervisor that are named ${each.name}`);
      if (!["one_for_one", "one_for_all", "rest_for_one"].includes(spec.strategy))
        faults.push(`${spec.name} has no strategy ${spec.strategy}`);
      if (!Number.isInteger(spec.intensity) || spec.intensity < 0)
        faults.push(`intensity of ${spec.name} must be a whole number from 0, not ${spec.intensity}`);
      duration(faults, `periodMs of ${spec.name}`, spec.periodMs);
      for (const [name, ms] of Object.entries(spec.backOff ?? {}))
        if (!(ms >= 0 && ms <= TIMER_MS_MAX))
          faults.push(`backOff.${name} of ${spec.name} must be 0 to ${TIMER_MS_MAX} ms, not ${ms}`);
      const { childrenMax = 0 } = spec;
      if (!Number.isInteger(childrenMax) || childrenMax < 0)
        faults.push(`childrenMax of ${spec.name} must be a whole number from 0, not ${childrenMax}`);
      else members += childrenMax;
      const { autoShutdown = "never" } = spec;
      if (!["never", "any_significant", "all_significant"].includes(autoShutdown))
        faults.push(`${spec.name} has no autoShutdown ${autoShutdown}`);
      for (const each of spec.children) {
        const { significant = false, restart = "permanent" } = each;
        const name = isSupervisor(each) ? each.name : each.actor.name;
        if (significant && restart === "permanent") faults.push(`${name} is significant and permanent: it never ends`);
        if (significant && autoShutdown === "never")
          faults.push(`${name} is significant, but autoShutdown of ${spec.name} is never`);
        visit(each);
      }
      return;
    }
    for (const { name } of [spec.actor, ...spec.members.map(({ actor }) => actor)]) {
      if (actors.has(name)) faults.push(`two children are named ${name}`);
      actors.add(name);
    }
    members += spec.members.length;
    if (Number.isInteger(spec.instances)) members += spec.instances;
    faults.push(...faultsOfChild(spec));
  };
  visit(tree);
  if (members === 0) faults.push("the tree has no actor");
  if (members > MEMBERS_MAX) faults.push(`${members} actors are more than ${MEMBERS_MAX}`);
  return faults;
}
