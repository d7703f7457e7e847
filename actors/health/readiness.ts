/** `/readyz`: whether this process can do its job now, from the tree and from what its actors say of their servers. Pure. */
import type { ActorView, TreeView } from "../../runtime/inspect.ts";
import type { Config } from "../config.ts";
import type { DependencyHealth } from "./health.ts";

type Role = Config["role"];
type Server = DependencyHealth["dependency"];

/** The last word of each actor on each server, and when it was said (epoch milliseconds). */
export type Heard = ReadonlyMap<string, DependencyHealth & { readonly saidMs: number }>;
export const heardKey = ({ actor, dependency }: DependencyHealth): string => `${actor} ${dependency}`;

export type Readiness = {
  ready: boolean;
  /** `degraded`: it does its job, but something that it would like to have is away. */
  status: "ok" | "degraded" | "down";
  /**
   * Actors: whether they take messages and turn; of a pool, whether one member does. Servers: whether all who work with them reach them.
   * `log` only when something is wrong with what becomes of it, `parked` only when records are set aside.
   */
  dependencies: Record<string, { ready: boolean; state: string; restarts?: number }>;
  /** Messages that wait, by actor; `log`: commands in Kafka that the writer has not taken yet. */
  lag: Record<string, number>;
  /** Records of the log that are set aside and wait for a redrive. */
  parked: number;
};

/** A turn that lasts longer than this makes its actor unable to do its job now; what hangs for good the supervisor ends. */
const slowMs = 1_500;
/** An actor speaks of its servers every second. */
const silentMs = 5_000;

/** Without these a role cannot do its job; by actor. With all roles in one process tasks decide: an account service that is away must not take them along. */
const needs: Record<Role, Readonly<Record<string, readonly Server[]>>> = {
  auth: { auth: ["postgresql"] },
  task: { follower: ["kafka"], task: ["kafka"] },
  consumer: { consumer: ["kafka", "mongodb"] },
  all: { follower: ["kafka"], task: ["kafka"] },
};

export function readiness(view: TreeView, heard: Heard, role: Role, nowMs: number): Readiness {
  const dependencies: Readiness["dependencies"] = {};
  const lag: Readiness["lag"] = {};
  let parked = 0;
  for (const each of actorsOf(view)) {
    const turning = each.state === "up" && (each.busy === undefined || nowMs - each.busy.sinceMs < slowMs);
    const before = dependencies[each.actor];
    dependencies[each.actor] = {
      ready: turning || before?.ready === true,
      state: before?.ready === true ? before.state : turning || each.state !== "up" ? each.state : "stuck",
      restarts: (before?.restarts ?? 0) + each.restarts,
    };
    lag[each.actor] = (lag[each.actor] ?? 0) + each.depth;
  }
  let canWork = view.state === "running" && Object.values(dependencies).every((each) => each.ready);
  const wants = needs[role];
  // These two never work without Kafka: as long as they have said nothing, it is not there.
  for (const actor of ["follower", ...(role === "consumer" ? ["consumer"] : [])])
    if (actor in dependencies && !heard.has(`${actor} kafka`)) canWork = false;
  for (const said of heard.values()) {
    const isSilent = nowMs - said.saidMs > silentMs;
    const ok = said.ok && !isSilent;
    const before = dependencies[said.dependency];
    if (before === undefined || (before.ready && !ok))
      dependencies[said.dependency] = {
        ...before,
        ready: ok,
        state: ok ? "up" : isSilent ? "nothing heard" : (said.detail ?? "down"),
      };
    if (ok && said.detail !== undefined) dependencies.log = { ready: false, state: said.detail };
    if (!ok && (said.needed === true || wants[said.actor]?.includes(said.dependency) === true)) canWork = false;
    if (said.lag !== undefined) lag.log = Math.max(lag.log ?? 0, said.lag);
    parked = Math.max(parked, said.parked ?? 0);
  }
  if (parked > 0) dependencies.parked = { ready: false, state: `parked: ${parked}` };
  const isWell = Object.values(dependencies).every((each) => each.ready);
  return { ready: canWork, status: canWork ? (isWell ? "ok" : "degraded") : "down", dependencies, lag, parked };
}

function actorsOf(view: TreeView): ActorView[] {
  return view.children.flatMap((each) => ("actor" in each ? [each] : actorsOf(each)));
}
