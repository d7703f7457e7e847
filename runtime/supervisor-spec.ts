/** What a supervisor is told about its children, and everything that can be wrong with it. */

import type { BackOff } from "./supervisor-restarts.ts";

/** What else ends when a child ends: nothing, everything, what was started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";
/** `permanent`: always restarted; `transient`: when it failed; `temporary`: never. */
export type Restart = "permanent" | "transient" | "temporary";

/** `start` is whatever the interpreter needs to start the child (an actor, a nested supervisor's spec); it is handed back untouched. */
export type ChildSpec<Start = unknown> = {
  readonly id: string;
  readonly start: Start;
  /** `permanent` unless told. */
  readonly restart?: Restart;
  /** Time to stop before it is killed: 5,000 unless told, `infinity` for supervisors; 0 kills at once. */
  readonly shutdownMs?: number | "infinity";
  /** Time to become ready before the start has failed: 30,000 unless told, `infinity` for supervisors. */
  readonly startMs?: number | "infinity";
  /** `worker` unless told. */
  readonly type?: "worker" | "supervisor";
  /** Members of one pool start together, where others wait for the one before; none unless told. */
  readonly pool?: string;
  /** Whether its end, when it is not restarted, counts for the supervisor's `autoShutdown`. */
  readonly significant?: boolean;
};

/** When a supervisor stops by itself as its significant children end: never, with the first of them, or with the last. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

export type Spec<Start = unknown> = {
  readonly strategy?: Strategy;
  /** Restarts allowed within the period: 1 in 5,000 ms unless told. */
  readonly intensity?: number;
  readonly periodMs?: number;
  /** 100 ms doubling to 10,000 ms, reset after `periodMs` of being up, unless told. */
  readonly backOff?: Partial<BackOff>;
  /** `never` unless told. */
  readonly autoShutdown?: AutoShutdown;
  readonly children: readonly ChildSpec<Start>[];
};

const restarts: readonly string[] = ["permanent", "transient", "temporary"];
const autoShutdowns: readonly string[] = ["never", "any_significant", "all_significant"];
const strategies: readonly string[] = ["one_for_one", "one_for_all", "rest_for_one"];

/** Everything that is wrong with a spec, in words; empty when it may be started. */
export function faults(spec: Spec): string[] {
  const found: string[] = [];
  const { strategy = "one_for_one", intensity = 1, periodMs = 5_000, backOff = {}, autoShutdown = "never" } = spec;
  if (!strategies.includes(strategy)) found.push(`invalid strategy: ${strategy}`);
  if (!Number.isInteger(intensity) || intensity < 0) found.push(`invalid intensity: ${intensity}`);
  if (!Number.isFinite(periodMs) || periodMs <= 0) found.push(`invalid periodMs: ${periodMs}`);
  for (const [name, value] of Object.entries(backOff))
    if (!Number.isFinite(value) || value < 0) found.push(`invalid backOff.${name}: ${value}`);
  if (!autoShutdowns.includes(autoShutdown)) found.push(`invalid autoShutdown: ${autoShutdown}`);
  const seen = new Set<string>();
  for (const child of spec.children) {
    found.push(...childFaults(child, autoShutdown));
    if (seen.has(child.id)) found.push(`duplicate child name: ${child.id}`);
    seen.add(child.id);
  }
  return found;
}

/** Everything that is wrong with one child, under a supervisor with this `autoShutdown`. */
export function childFaults(
  { id, restart = "permanent", shutdownMs = 0, startMs = 0, type = "worker", significant = false }: ChildSpec,
  autoShutdown: AutoShutdown = "never",
): string[] {
  const found: string[] = [];
  const time = (value: number | "infinity") => value === "infinity" || (Number.isFinite(value) && value >= 0);
  if (typeof id !== "string" || id === "") found.push(`invalid child name: ${id}`);
  if (!restarts.includes(restart)) found.push(`${id}: invalid restart type: ${restart}`);
  if (!time(shutdownMs)) found.push(`${id}: invalid shutdownMs: ${shutdownMs}`);
  if (!time(startMs)) found.push(`${id}: invalid startMs: ${startMs}`);
  if (type !== "worker" && type !== "supervisor") found.push(`${id}: invalid child type: ${type}`);
  if (significant && restart === "permanent") found.push(`${id}: significant, and permanent: it never ends`);
  if (significant && autoShutdown === "never") found.push(`${id}: significant under autoShutdown never`);
  return found;
}
